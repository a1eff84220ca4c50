"""What the commands that state one fact have in common: from options to a table, and what is said then."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ledger.cli.common import REGISTRAR, home, print_json, printable

if TYPE_CHECKING:
    from ledger.service.rights.register import Registered

FILE = click.Path(path_type=Path)
LICENCE = click.option("--licence", help="An SPDX expression; LicenseRef-NAME for what SPDX does not list.")
LICENCE_TEXT = click.option("--licence-text", type=FILE, help="The exact text: its digest pins the licence.")


def said(**options: Any) -> dict[str, Any]:
    """Return the options that were given, as the table that docs/spec/rights-import.md describes."""
    return {name: _plain(value) for name, value in options.items() if value not in (None, (), False)}


def state_one(kind: str, table: dict[str, Any], *, anyway: bool = False) -> Registered:
    """State one fact, and give its file a manifest. Raises as ``register.register`` and ``seal.seal``."""
    from ledger.service.rights.kinds import draft_of
    from ledger.service.rights.register import desk_of, plan, seal_files, state
    from ledger.wiring import open_device, open_studio
    from ledger.wiring.rights import readers

    place = home()
    with open_studio(place) as studio:
        registrar = open_device(place, REGISTRAR)
        registrar.check_clock(studio.clock.now())
        desk = desk_of(studio, readers())
        planned = [plan(studio, desk, draft_of(desk, kind, table), anyway=anyway)]
        done = state(studio, registrar, planned)[0]
        seal_files(studio, registrar, planned)
    return done


def say_registered(
    kind: str, name: str, done: Registered, path: Path | None = None, *, as_json: bool = False
) -> None:
    """Say where a fact is, and what is to be noted about it."""
    from ledger.service.files import sidecar_of

    if as_json:
        print_json(
            {
                "index": done.index,
                "fresh": done.fresh,
                "subject": done.artifact.to_json(),
                "notes": list(done.notes),
            }
        )
        return
    manifest = f"; its manifest is {sidecar_of(path)}" if path is not None else ""
    click.echo(printable(f"{kind} “{name}” is entry {done.index}{manifest}."))
    for note in done.notes:
        click.echo(printable(f"note: {note}"), err=True)


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value
