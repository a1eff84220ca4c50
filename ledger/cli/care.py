"""`rakkan fsck` and `rakkan recover`: is everything there and right, and how a lost database comes back."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import TYPE_CHECKING

import click

from ledger.cli.common import examples, home, json_option, print_json, printable

if TYPE_CHECKING:
    from ledger.service.log.fsck import FsckReport

MARKS = {"passed": ("✓", "green"), "failed": ("✕", "red"), "undecided": ("–", "yellow")}


@click.command(
    epilog=examples(
        "rakkan fsck --published",
    )
)
@click.option("--published", is_flag=True, help="Also compare every published file, byte for byte.")
@json_option
def fsck(*, published: bool, as_json: bool) -> int:
    """Check everything that is kept of the log against everything else. Changes nothing.

    Entries, leaf hashes, tiles, head, signed checkpoints, and every row that is computed from the entries.
    Names the first bad thing of each kind, and how to mend it. Needs no private key, and may run at any time.

    Exit code: 0 sound, 1 damaged, 2 usage, 3 cannot decide.
    """
    from ledger.service.log.fsck import fsck as check
    from ledger.wiring.care import open_records, published_at

    place = home()
    publication = published_at(place, None) if published else None
    with open_records(place) as records, _progress("Checking") as told:
        start = perf_counter()
        report = check(records, publication, told)
        seconds = perf_counter() - start
    if as_json:
        print_json(report.to_json())
    else:
        _print(report, seconds)
    return report.exit_code


@click.command(
    epilog=examples(
        "rakkan recover --from-tiles /mirror/nightfall",
        'rakkan recover --declare-fork --why "both disks of the 3rd burnt"',
    )
)
@click.option(
    "--from-tiles",
    "place",
    metavar="[PLACE]",
    is_flag=False,
    flag_value="",
    help="Folder or URL of the published log. Default: where this studio publishes.",
)
@click.option("--dry-run", is_flag=True, help="Check everything, write nothing.")
@click.option("--declare-fork", is_flag=True, help="Give the log up and found its successor. For ever.")
@click.option("--why", metavar="TEXT", help="What happened, for the successor's log. Public, without names.")
def recover(place: str | None, why: str | None, *, dry_run: bool, declare_fork: bool) -> None:
    """Bring back the entries that the published log has and the database lost.

    For a database that was restored from an older backup, or is gone. Every entry is proven by the signed
    checkpoint, or nothing is changed. Safe to repeat. Where the log's key signed more than is published
    anywhere, the log goes on refusing to write: find another copy, or declare a fork.
    """
    if declare_fork:
        if not why or place or dry_run:
            raise click.UsageError("--declare-fork needs --why and goes with nothing else.")
        _declare(why)
        return
    from ledger.service.log.recover import recover as bring_back
    from ledger.wiring.care import open_or_make_records, published_at

    studio = home()
    publication = published_at(studio, place or None)
    with open_or_make_records(studio, dry_run=dry_run) as records, _progress("Reading") as told:
        done = bring_back(records, publication, dry_run=dry_run, told=told)
    if done.held == done.size:
        click.echo(f"Nothing was missing: the database holds all {done.size} entries.")
    elif dry_run:
        click.echo(f"{done.size - done.held} entries would come back, to {done.size}. Nothing was written.")
    else:
        click.echo(
            f"{done.size - done.held} entries came back: {done.size} now. The log takes new ones again."
        )


def _declare(why: str) -> None:
    from ledger.wiring.care import declare_fork

    origin, index = declare_fork(home(), why)
    click.echo(
        f"The log is given up and stays readable. Its successor is {origin}; the incident is entry {index}."
    )
    click.echo("Hand out trust.json again. Register models, datasets and grants anew. Then close the alarm.")


@contextmanager
def _progress(what: str) -> Iterator[Callable[[int], None]]:
    """Show how many entries were read, where somebody watches."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description} {task.completed} entries"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task(what, total=None)
        yield lambda count: shown.update(task, completed=count)


def _print(report: FsckReport, seconds: float) -> None:
    mark, colour = {"sound": MARKS["passed"], "damaged": MARKS["failed"]}.get(
        report.condition, MARKS["undecided"]
    )
    click.secho(f"{mark} {printable(report.origin)}: {report.condition.value}", fg=colour, bold=True)
    click.echo()
    for finding in report.findings:
        check = finding.check
        mark, colour = MARKS[check.status]
        codes = f" [{', '.join(check.codes)}]" if check.codes else ""
        click.echo(f"  {click.style(mark, fg=colour)} {check.title}")
        click.echo(f"    {printable(check.words + codes)}")
        if finding.mend:
            click.echo(f"    {click.style('what to do', bold=True)}: {finding.mend.value}")
    rate = round(report.entries / seconds) if seconds > 0 else 0
    click.echo(f"\n  {report.entries} entries in {seconds:.1f} s, {rate} per second")
