"""`rakkan coverage`: which files of a production the log explains, and which it does not."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ledger.cli.common import examples, home, json_option, print_json, printable

if TYPE_CHECKING:
    from rich.console import Console

    from ledger.service.coverage.coverage import Axis, Chain, Coverage, Told
    from ledger.service.studio import Studio

AXES = ("shot", "folder", "device", "day", "how")
WIDTH = 100
OPEN = 3


@click.command(
    epilog=examples(
        "rakkan coverage /mnt/nightfall",
        "rakkan coverage /mnt/nightfall/shots --place '{sequence}/{shot}/{task}' --by shot",
        "rakkan coverage . --at-least 99.5 --json",
    )
)
@click.argument("root", type=click.Path(path_type=Path))
@click.option(
    "--place",
    metavar="PATTERN",
    help="Where a path under ROOT has its shot: '{sequence}/{shot}/{task}'. Default: nothing is guessed.",
)
@click.option("--ignore", multiple=True, metavar="PATTERN", help="Set these names apart as well: '*.tmp'.")
@click.option("--by", "axis", type=click.Choice(AXES), help="Show this table only, and all of it.")
@click.option("--list", "whole", is_flag=True, help="Name every file that is not explained.")
@click.option(
    "--at-least",
    metavar="PERCENT",
    type=click.FloatRange(0, 100),
    default=100,
    show_default=True,
    help="End with 0 when this share of the files is explained.",
)
@click.option("--fresh", is_flag=True, help="Read every file again, whatever is known from before.")
@json_option
def coverage(
    root: Path, axis: str | None, at_least: float, *, whole: bool, fresh: bool, as_json: bool, **said: Any
) -> int:
    """Match every file under ROOT to the statement that explains it, and count the rest.

    By its bytes, wherever it lies and whatever its name; if the log does not know them, by its picture. What
    steps only read is `used, origin unknown`; what the log does not know is unattributed.

    Exit code: 0 explained (--at-least), 3 something is not, or could not be read.
    """
    from ledger.render.coverage import document
    from ledger.service.coverage.coverage import Asked
    from ledger.service.coverage.coverage import coverage as look
    from ledger.service.places import place_pattern
    from ledger.wiring import open_studio
    from ledger.wiring.hashes import open_hash_cache

    place = place_pattern(said["place"]) if said["place"] else None
    # The name as it was given: a link is where people look.
    asked = Asked(os.path.abspath(root), said["ignore"], place)  # noqa: PTH100 - pathlib's follows links
    with open_studio(home()) as studio, open_hash_cache(_warn, fresh=fresh) as cache, _progress() as told:
        found = look(studio, asked, cache, told, _chains(studio))
    reached = found.reaches(Fraction(str(at_least)))
    if as_json:
        print_json(document(found, at_least, reached=reached))
    else:
        _print(found, axis, whole=whole)
    return 0 if reached else OPEN


def _chains(studio: Studio) -> dict[str, Chain]:
    """Return what the log misses of each device: files may be unattributed because a record never came."""
    from ledger.service.capture.devices import chains
    from ledger.service.coverage.coverage import Chain

    found: dict[str, Chain] = {}
    for chain in chains(studio):
        gaps = sum(last - first + 1 for first, last in chain.missing) + len(chain.lost)
        before = found.get(chain.device, Chain(0, 0))
        found[chain.device] = Chain(before.gaps + gaps, before.late + chain.late)
    return found


def _print(found: Coverage, only: str | None, *, whole: bool) -> None:
    from rich.console import Console

    from ledger.render import coverage as page
    from ledger.service.coverage.coverage import Axis

    colour = "green" if found.whole.total.files and not found.whole.open else "yellow"
    click.secho(printable(page.headline(found)), fg=colour, bold=True)
    click.echo()
    for text, style in page.classes(found):
        click.secho(text, fg=None if style == "dim" else style, dim=style == "dim" or None)
    console = Console(width=max(WIDTH, _terminal_width()), highlight=False)
    for axis in [Axis(only)] if only else _telling(found):
        _table(console, found, axis, whole=only is not None)
    for title, files in (
        ("Unattributed", found.unattributed),
        ("Used, origin unknown", found.used),
        ("Could not be read", found.undecided),
        ("Links and the like, not looked into", found.reported),
    ):
        _list(title, files, whole=whole)


def _telling(found: Coverage) -> list[Axis]:
    """Return the tables that say something: shots where any is known, folders where one is not."""
    from ledger.service.coverage.coverage import Axis

    shots = found.by[Axis.SHOT]
    silent = {Axis.SHOT} if set(shots) == {None} else {Axis.FOLDER} if None not in shots else set()
    return [axis for axis in Axis if found.by[axis] and axis not in silent]


def _table(console: Console, found: Coverage, axis: Axis, *, whole: bool) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from ledger.render import coverage as page

    rows = page.groups(found, axis)
    shown = rows if whole else rows[: page.ROWS]
    first, *numbers = page.columns(found, axis)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column(first, overflow="fold")
    for title in numbers:
        table.add_column(title, justify="right", no_wrap=True)
    for key, tally in shown:
        (name, *counts), colour = page.row(found, axis, key, tally)
        table.add_row(Text(printable(name)), *counts, style=colour if tally.open else None)
    click.echo()
    console.print(table)
    if len(shown) < len(rows):
        click.secho(f"and {len(rows) - len(shown):,} more: --by {axis.value}", dim=True)


def _list(title: str, files: list[Told], *, whole: bool) -> None:
    from ledger.render import coverage as page

    if not files:
        return
    shown = files if whole else files[: page.LISTED]
    click.echo()
    click.secho(f"{title} ({len(files):,})", bold=True)
    for told in shown:
        click.echo(f"  {printable(page.line(told))}")
    if len(shown) < len(files):
        click.secho(f"  and {len(files) - len(shown):,} more: --list", dim=True)


def _terminal_width() -> int:
    import shutil

    return shutil.get_terminal_size((WIDTH, 24)).columns if sys.stdout.isatty() else WIDTH


def _warn(message: str) -> None:
    click.echo(f"{click.style('warning', fg='yellow', bold=True)}: {printable(message)}", err=True)


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """Show how many files are done, where somebody watches."""
    if not sys.stderr.isatty():
        yield lambda *_: None
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    from ledger.render.coverage import size

    columns = (
        SpinnerColumn(),
        TextColumn("{task.completed:,} files, {task.description}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task(size(0), total=None)
        yield lambda files, read: shown.update(task, completed=files, description=size(read))
