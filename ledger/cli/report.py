"""`rakkan report`: what the studio hands over, and what the other side can check alone."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ledger.cli.clear import asked_of, asking, policy_of
from ledger.cli.common import examples, home, printable
from ledger.core.audit.views import MEANINGS, Reader, View
from ledger.errors import UsageError

if TYPE_CHECKING:
    from ledger.core.rights.profile import Profile
    from ledger.service.clear.question import Clearer
    from ledger.service.report.population import Population
    from ledger.service.studio import Studio
    from ledger.wiring.reports import Written


@click.command(
    epilog=examples(
        "rakkan report --cut final.otio --policy streamer --view distributor --out handover",
        "rakkan report --production nightfall --policy broadcast-jp --out report",
        "rakkan report --episode ep03 --policy broadcast-jp --out ep03",
        "rakkan report sq010/sh020 plate.exr --policy insurer-eo --view insurer --out sh020",
    )
)
@click.argument("targets", nargs=-1, metavar="[TARGET]…")
@click.option("--cut", "timeline", type=click.Path(path_type=Path), help="A timeline (.otio, .otioz).")
@click.option("--production", "whole", help="All final files of this production.")
@click.option("--episode", help="All final files of this episode: the same as the target EPISODE/. is.")
@click.option(
    "--view",
    type=click.Choice([view.value for view in View]),
    default=View.STUDIO.value,
    show_default=True,
    help="; ".join(f"{view.value}: {words}" for view, words in MEANINGS.items()) + ".",
)
@click.option("--party", help="For --view rights-holder: the identifier of the party whose view it is.")
@click.option(
    "--disclose",
    multiple=True,
    metavar="NAME",
    help="Open a part that the view hides: table/row/column, table/row, or entry/INDEX for what an entry of "
    "the log commits to. Can be given several times.",
)
@click.option(
    "--files",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    multiple=True,
    metavar="FOLDER",
    help="Where the files lie, for the pictures of shots. Can be given several times. Files given as "
    "targets, and those that the timeline names, are looked at anyway.",
)
@click.option("--timestamp", is_flag=True, help="Add a trusted time stamp to the signature of the PDF.")
@click.option("--address", metavar="URL", help="Where a reader looks it up: a QR code on the first page.")
@click.option("--issue", is_flag=True, help="Sign it into the log, and write the receipt beside it.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="A new folder.")
@asking
def report(
    targets: tuple[str, ...],
    timeline: Path | None,
    whole: str | None,
    episode: str | None,
    out: Path,
    **said: Any,
) -> int:
    """Write the audit report of a cut, a production, an episode, or of TARGETs, as its reader may see it.

    TARGETs are those of `rakkan clear`. The folder appears when all of it is written: after Ctrl-C there is
    none, and the same command begins anew. A report that was written and not taken in by the log is issued
    by `rakkan reports issue`.

    Exit code, by the verdict now: 0 cleared, 3 needs review or undecided, 4 blocked, 2 usage.
    """
    from ledger.adapters.new_folder import check_place
    from ledger.service.report.pictures import lying
    from ledger.service.report.report import make
    from ledger.wiring import open_studio
    from ledger.wiring.reports import with_pictures, write
    from ledger.wiring.reports.draft import Order
    from ledger.wiring.reports.standing import standing

    profile, reader, place = policy_of(said), _reader(**said), home()
    check_place(out)
    with open_studio(place) as opened, _progress() as told:
        with _at_one_moment(opened, profile, said, told) as (studio, clearer):
            told("looking for the files")
            population = _population(studio, targets, timeline, whole, episode)
            told(f"judging {sum(len(shot.frames) for shot in population.shots):,} files")
            stands = standing(place, opened, clearer, population, reader, issue=said["issue"])
            made = make(studio, clearer, population, stands.beside)
        told("looking for pictures")
        made = with_pictures(opened, made, lying(population, targets, timeline), said["files"])
        told(f"writing {out}")
        order = Order(reader, said["disclose"], said["timestamp"], _address(said["address"]))
        written = write(place, opened, made, order, out, stands)
        _say(written, stands.issue(out))
    return made.cleared.exit_code


def _address(text: str | None) -> str | None:
    if text is None or re.fullmatch(r"https?://[!-~]{1,250}", text):
        return text
    raise click.UsageError("--address takes an address that begins with https://, of at most 250 characters.")


def _say(written: Written, index: int | None) -> None:
    """Print what was written, and where it was issued."""
    for name in written.files:
        click.echo(printable(f"{written.folder / name}"))
    for note in written.notes:
        click.echo(f"warning: {note}", err=True)
    if index is not None:
        click.echo(printable(f"issued: {written.report.head.identifier} is entry {index}"))


@contextmanager
def _at_one_moment(
    opened: Studio, profile: Profile, said: dict[str, Any], told: Callable[[str], None]
) -> Iterator[tuple[Studio, Clearer]]:
    """Yield the studio as it is at one moment, and who judges by what is on record then."""
    from ledger.service.clear.projecting import catch_up
    from ledger.service.clear.question import ask, clearer_over, still
    from ledger.service.report.report import check_time

    told("reading the log")
    catch_up(opened, lambda done: told(f"reading the log: {done:,} entries"))
    with still(opened, said["known"]) as (studio, seen):
        clearer = clearer_over(seen, ask(studio, profile, asked_of(said)))
        check_time(studio, clearer.question)
        yield studio, clearer


def _reader(view: str, party: str | None, **_: Any) -> Reader:
    if (party is not None) != (view == View.RIGHTS_HOLDER.value):
        raise click.UsageError("--party and --view rights-holder go together.")
    return Reader(View(view), party)


@contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """Show what is being done, where somebody watches."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task("", total=None)
        yield lambda words: shown.update(task, description=escape(printable(words)))


def _population(
    studio: Studio, targets: tuple[str, ...], timeline: Path | None, whole: str | None, episode: str | None
) -> Population:
    from ledger.service.clear.places import WHOLE
    from ledger.service.report.population import of_cut, of_targets

    if sum((bool(targets), timeline is not None, whole is not None, episode is not None)) != 1:
        raise click.UsageError("Give one of --cut, --production, --episode, or TARGETs.")
    if timeline is not None:
        return of_cut(studio, timeline)
    if whole is not None and whole != studio.production:
        words = f"This ledger is of the production {studio.production!r}, not of {whole!r}."
        raise UsageError("report.production", words)
    if episode is not None:
        return of_targets(studio, (f"{episode}/{WHOLE}",))
    return of_targets(studio, targets or (WHOLE,))
