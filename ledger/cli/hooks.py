"""`rakkan hooks`: where each tool gets what makes its records, and whether it is there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ledger.cli.common import examples, json_option, print_json, printable
from ledger.errors import UsageError

if TYPE_CHECKING:
    from ledger.hooks.catalogue import Hook
    from ledger.wiring.hooks import Installation

NOT_READY = 2
_Command = Callable[..., Any]


def _place_options(command: _Command) -> _Command:
    into = click.option("--into", type=click.Path(path_type=Path), help="The folder in which the tool looks.")
    python = click.option("--python", help="The Python in which the tool runs.")
    return into(python(command))


@click.group()
def hooks() -> None:
    """What records a tool's work, without its user: list, install, check, remove."""


@hooks.command("list", epilog=examples("rakkan hooks list"))
@json_option
def list_hooks(*, as_json: bool) -> None:
    """Show each hook: its tool, where it belongs, and the page that says more."""
    from ledger.hooks import catalogue

    found = catalogue.hooks()
    if as_json:
        print_json([_described(hook) for hook in found])
        return
    width = max(len(hook.name) for hook in found)
    for hook in found:
        click.echo(printable(f"{hook.name:{width}}  {hook.tool}: {_where(hook)}; {hook.page}"))


@hooks.command(
    epilog=examples(
        "rakkan hooks install blender --into /studio/blender",
        "rakkan hooks install diffusers --python venv/bin/python",
    )
)
@click.argument("name")
@_place_options
@click.option("--dry-run", is_flag=True, help="Only say what would be written.")
@json_option
def install(name: str, into: Path | None, python: str | None, *, dry_run: bool, as_json: bool) -> None:
    """Put the hook NAME where its tool looks for it.

    Without a place it is the first that the tool's variable names. Safe to repeat; a newer Rakkan replaces
    its own files, and nobody else's.
    """
    installed = _installations(_named(name), into, python)[0]
    written = installed.install(dry_run=dry_run)
    _show_done(installed, written, "would write" if dry_run else "wrote", as_json=as_json)
    if not as_json and _named_by(installed) is False:
        variable = installed.hook.variables[0]
        click.echo(printable(f"Set {variable}={installed.place} where {installed.hook.tool} is started."))


@hooks.command(epilog=examples("rakkan hooks remove blender --into /studio/blender"))
@click.argument("name")
@_place_options
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
@json_option
def remove(name: str, into: Path | None, python: str | None, *, dry_run: bool, as_json: bool) -> None:
    """Take the hook NAME away again. What other hooks of the place need stays."""
    installed = _installations(_named(name), into, python)[0]
    removed = installed.remove(dry_run=dry_run)
    _show_done(installed, removed, "would remove" if dry_run else "removed", as_json=as_json)


@hooks.command(epilog=examples("rakkan hooks check", "rakkan hooks check diffusers --python venv/bin/python"))
@click.argument("name", required=False)
@_place_options
@json_option
def check(name: str | None, into: Path | None, python: str | None, *, as_json: bool) -> int:
    """Look whether the hook NAME is there, is this Rakkan's, and is seen by its tool.

    Without a name: every hook that is in the place or, without one, in the places that the tools' variables
    name. Exit code 2 if something is amiss, also with the spool or the agent.
    """
    from ledger.hooks.rakkan_capture import folder
    from ledger.wiring.hooks import agent_is_alive, spool_is_writable

    rows = [_checked(item, python) for item in _asked(name, into, python)]
    spool, agent = spool_is_writable(), agent_is_alive()
    if as_json:
        print_json({"hooks": rows, "spool": {"path": folder(), "writable": spool}, "agent": agent})
    else:
        for row in rows:
            seen = {True: ", seen", False: ", not seen", None: ""}[row["seen"]]
            click.echo(printable(f"{row['hook']:10}  {row['state']}{seen}: {row['place']}"))
        click.echo(printable(f"{'spool':10}  {'writable' if spool else 'not writable'}: {folder()}"))
        click.echo(f"{'agent':10}  {'alive' if agent else 'silent: records wait in the spool'}")
    good = all(row["state"] == "current" and row["seen"] is not False for row in rows)
    return 0 if good and spool and agent else NOT_READY


def _described(hook: Hook) -> dict[str, Any]:
    return {
        "hook": hook.name,
        "tool": hook.tool,
        "files": list(hook.content()),
        "into": "python" if hook.module else "folder" if hook.files else None,
        "variables": list(hook.variables),
        "places": [str(place) for place in hook.places()],
        "run": hook.run or None,
        "page": hook.page,
    }


def _where(hook: Hook) -> str:
    if hook.run:
        return f"started with {hook.run}"
    if hook.module:
        return "--python EXE"
    return f"--into {hook.place} ({', '.join(hook.variables)})"


def _named(name: str) -> Hook:
    from ledger.hooks import catalogue

    for hook in catalogue.hooks():
        if hook.name == name:
            return hook
    raise UsageError("hooks.unknown", f"There is no hook {name}.")


def _installations(hook: Hook, into: Path | None, python: str | None) -> list[Installation]:
    """Return the places that are meant, at least one."""
    from ledger.wiring.hooks import Installation, packages_of

    if hook.run:
        raise UsageError("hooks.started", f"{hook.name} is started: {hook.run}")
    if python and hook.module:
        return [Installation(hook, packages_of(python))]
    if python or (into and hook.start):
        raise UsageError("hooks.place", f"{hook.name} belongs into another kind of place: {_where(hook)}.")
    places = [into.absolute()] if into else hook.places()
    if not places:
        raise UsageError("hooks.place", f"Where is {hook.tool}? {_where(hook)}.")
    for place in places:
        if not (place / hook.within).is_dir() and (hook.within or not into):
            raise UsageError("hooks.place", f"{place} is not {hook.place}.", place=place)
    return [Installation(hook, place) for place in places]


def _asked(name: str | None, into: Path | None, python: str | None) -> list[Installation]:
    from ledger.hooks import catalogue
    from ledger.wiring.hooks import Installation, packages_of

    if name:
        return _installations(_named(name), into, python)
    given = [packages_of(python)] if python else [into] if into else None
    found = [
        Installation(hook, place)
        for hook in catalogue.hooks()
        for place in (hook.places() if given is None else given)
    ]
    return [item for item in found if item.receipt.exists()]


def _checked(installed: Installation, python: str | None) -> dict[str, Any]:
    from ledger.wiring.hooks import sees

    seen = sees(python, installed) if python else _named_by(installed) or None
    return {
        "hook": installed.hook.name,
        "place": str(installed.place),
        "state": str(installed.state()),
        "seen": seen,
    }


def _named_by(installed: Installation) -> bool | None:
    """Whether a variable of this environment names the place; ``None`` where no variable does that."""
    if not installed.hook.variables:
        return None
    return installed.place.resolve() in [place.resolve() for place in installed.hook.places()]


def _show_done(installed: Installation, files: list[Path], verb: str, *, as_json: bool) -> None:
    if as_json:
        document = {"hook": installed.hook.name, "place": str(installed.place), "done": verb}
        print_json({**document, "files": [str(path) for path in files]})
        return
    for path in files:
        click.echo(printable(f"{verb} {path}"))
    if not files:
        click.echo(printable(f"{installed.hook.name} in {installed.place}: nothing to do"))
