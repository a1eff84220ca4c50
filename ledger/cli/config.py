"""`rakkan config`: what the service's settings are, where each comes from, and whether they can work."""

from __future__ import annotations

import click

from ledger.cli.common import examples, home, json_option, print_json, printable


@click.group()
def config() -> None:
    """The settings of `rakkan serve`."""


@config.command(epilog=examples("rakkan config show", "RAKKAN_SERVE_WORKERS_COUNT=2 rakkan config show"))
@json_option
def show(*, as_json: bool) -> None:
    """Print each setting as it is in effect, and where it comes from. Secrets stay hidden."""
    from ledger.wiring.serving import service_settings

    found = service_settings(home().folder).settings
    if as_json:
        print_json(
            {"settings": [{"name": one.name, "value": one.value, "source": one.source} for one in found]}
        )
        return
    wide = max(len(one.name) for one in found)
    for one in found:
        source = "" if one.source == "default" else f"   ({one.source})"
        click.echo(printable(f"{one.name:<{wide}}  {one.value}{source}"))


@config.command(epilog=examples("rakkan config check"))
@json_option
def check(*, as_json: bool) -> int:
    """Look at everything that the service needs, before it is started or replaced. Changes nothing.

    Exit codes: 0 all is well, 2 the settings cannot be read, 3 something has to be mended.
    """
    from ledger.wiring.config_check import examine
    from ledger.wiring.doctor import BAD

    place = home()
    found = list(examine(place.folder))
    if as_json:
        print_json({"found": [one.to_json() for one in found]})
    else:
        for one in found:
            click.echo(printable(f"{one.mark} {one.name}: {one.words}"))
            if one.mend:
                click.echo(printable(f"    {one.mend}"))
    return 3 if any(one.mark == BAD for one in found) else 0
