"""`rakkan profile`: the policy profiles that come with Rakkan, and a studio's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ledger.cli.common import examples, home, json_option, print_json, printable

if TYPE_CHECKING:
    from ledger.core.rights.profile import Profile
    from ledger.service.clear.trial import Trial


@click.group()
def profile() -> None:
    """Policy profiles: what counts as cleared. A studio's own is a commented file."""


@profile.command(
    "list",
    epilog=examples(
        "rakkan profile list",
    ),
)
@json_option
def list_profiles(*, as_json: bool) -> None:
    """List the profiles that come with Rakkan."""
    from ledger.adapters.profiles import load, shipped_names

    found = [load(name) for name in shipped_names()]
    if as_json:
        print_json([_summary(item) for item in found])
        return
    for item in found:
        click.echo(f"{item.name:<24} {item.summary}")


@profile.command(
    "show",
    epilog=examples(
        "rakkan profile show streamer > our-show.toml",
    ),
)
@click.argument("name")
@json_option
def show_profile(name: str, *, as_json: bool) -> None:
    """Print the file of the shipped profile NAME, a good beginning for your own; or any as JSON."""
    from ledger.adapters.profiles import load, shipped_text
    from ledger.core.rights.profile import to_json

    if as_json:
        found = load(name)
        print_json({**_summary(found), "profile": to_json(found)})
    else:
        click.echo(shipped_text(name), nl=False)


@profile.command(
    "check",
    epilog=examples(
        "rakkan profile check our-show.toml",
    ),
)
@click.argument("file")
@json_option
def check_profile(file: str, *, as_json: bool) -> None:
    """Check a profile's FILE: every member is known, and says what it may say."""
    from ledger.adapters.profiles import load

    found = _summary(load(file))
    if as_json:
        print_json(found)
        return
    click.echo(printable(f"{found['name']} {found['version']} is well formed: {found['summary']}"))
    click.echo(f"  sha256 {found['digest']['sha256']}")


@profile.command(
    "try",
    epilog=examples(
        "rakkan profile try our-show.toml --against streamer",
    ),
)
@click.argument("file")
@click.option(
    "--against", metavar="NAME|FILE", help="The profile to compare with. Default: the verdicts on record."
)
@json_option
def try_profile(file: str, against: str | None, *, as_json: bool) -> None:
    """Try a profile's FILE on the whole production: what it would clear, and what would differ.

    Every final file is judged as a final deliverable; nothing is signed or appended.
    """
    from ledger.adapters.profiles import load
    from ledger.cli.clear import show
    from ledger.render.trial import tried
    from ledger.service.clear.trial import try_profile as tried_on
    from ledger.wiring import open_studio

    draft, other = load(file), load(against) if against else None
    with open_studio(home()) as studio:
        found: Trial = tried_on(studio, draft, other)
    if as_json:
        print_json(found.to_json())
        return
    show(tried(found))


def _summary(found: Profile) -> dict[str, Any]:
    from ledger.core.rights.profile import digest

    return {
        "name": found.name,
        "version": found.version,
        "summary": found.summary,
        "digest": {"sha256": digest(found)},
    }
