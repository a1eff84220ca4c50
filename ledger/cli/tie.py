"""`rakkan tie`: which files the frames of a film are."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ledger.cli.common import device_option, examples, home, json_option, print_json, printable

if TYPE_CHECKING:
    from ledger.core.predicates.step import Place
    from ledger.service.cuts.tie import Tied

FILE = click.Path(path_type=Path)
_RANGE = re.compile(r"([0-9]{1,9})-([0-9]{1,9})=(?:(?:([^/]+)/)?([^/]+)/)?([^/]+)")


@click.command(
    epilog=examples(
        "rakkan tie sh010.mov sh010/",
        "rakkan tie reel.mkv sh010/*.png sh020/*.png --record --sequence sq010",
        "rakkan tie take.mp4 --range 0-47=sq010/sh010 --range 48-95=sq010/sh020 --record",
    )
)
@click.argument("film", metavar="MOVIE", type=FILE)
@click.argument("frames", nargs=-1, metavar="[FRAMES]…", type=FILE)
@click.option("--range", "ranges", multiple=True, metavar="A-B=PLACE", help="These frames are that shot.")
@click.option("--record", "recording", is_flag=True, help="Append the steps to the log.")
@click.option(
    "--tool", default="unknown 0", show_default=True, metavar="'NAME VERSION'", help="What made MOVIE."
)
@click.option("--episode", help="Which episode, such as ep03.")
@click.option("--sequence", help="Where in the production, such as sq010.")
@click.option("--shot", help="Where in the sequence, such as sh0020.")
@click.option("--task", help="Such as comp, edit.")
@device_option
@json_option
def tie(
    film: Path,
    frames: tuple[Path, ...],
    ranges: tuple[str, ...],
    device: str,
    *,
    recording: bool,
    as_json: bool,
    **said: Any,
) -> int:
    """Say which frames of MOVIE are which of the FRAMES: files, or folders of such.

    Both are decoded and compared picture by picture, so a lossless MOVIE is tied exactly, and one that lost
    anything is not tied: that is no evidence against it. Frames are counted from 0. With --record, the step
    that made MOVIE of these frames is appended.

    With --range instead, nothing is compared: you say which frames of MOVIE are which shot, and --record
    gives each shot its piece of MOVIE.

    Exit code: 0 every frame is tied, 3 not every one.
    """
    if bool(frames) == bool(ranges):
        raise click.UsageError("Give either FRAMES or --range.")
    if ranges:
        return _ranges(film, ranges, device, recording=recording, as_json=as_json)
    return _tie(film, frames, device if recording else None, said, as_json=as_json)


def _tie(
    film: Path, frames: tuple[Path, ...], device: str | None, said: dict[str, Any], *, as_json: bool
) -> int:
    """Tie, and with a device record."""
    from ledger.core.predicates.step import Place, Tool
    from ledger.service.cuts.tie import Outcome, files_in, record_tie, tie_film
    from ledger.wiring import open_device, open_studio

    name, _, version = said["tool"].rpartition(" ")
    tool = Tool(name or version, version if name else "0")
    place = home()
    entries: tuple[int, ...] = ()
    with open_studio(place) as studio:
        tied = tie_film(studio, film, files_in(frames, film))
        if device is not None:
            names = {name: said[name] for name in ("episode", "sequence", "shot", "task")}
            where = Place(studio.production, **names)
            entries = record_tie(studio, open_device(place, device), tied, where, tool)
    if as_json:
        print_json({**tied.to_json(), **({"entries": list(entries)} if entries else {})})
    else:
        _show(tied, entries)
    return 0 if tied.outcome is Outcome.TIED else 3


def _ranges(film: Path, ranges: tuple[str, ...], device: str, *, recording: bool, as_json: bool) -> int:
    """Record which shots a film has in it. Without ``recording`` nothing is looked at."""
    from ledger.service.cuts.stretches import record_stretches
    from ledger.wiring import open_device, open_studio

    if not recording:
        raise click.UsageError("--range goes with --record.")
    found = [_RANGE.fullmatch(text) for text in ranges]
    if not all(found):
        raise click.UsageError("A range is such as 0-47=sq010/sh010, or 0-47=ep03/sq010/sh010.")
    place = home()
    with open_studio(place) as studio:
        places = {
            (int(each[1]), int(each[2])): _placed(studio.production, *each.groups()[2:])
            for each in found
            if each
        }
        entries = record_stretches(studio, open_device(place, device), film, places)
    if as_json:
        print_json({"entries": list(entries)})
    for entry, text in zip(entries, ranges, strict=True) if not as_json else ():
        click.echo(printable(f"Entry {entry}: frames {text}"))
    return 0


def _placed(production: str, *names: str | None) -> Place:
    """Return where a range belongs: ``-`` stands for no name, as in the places that are shown."""
    from ledger.core.predicates.step import Place
    from ledger.service.places import NO_NAME

    episode, sequence, shot = (None if name == NO_NAME else name for name in names)
    return Place(production, sequence, shot, episode=episode)


def _show(tied: Tied, entries: tuple[int, ...]) -> None:
    from ledger.render.tie import lines

    for line in lines(tied):
        click.echo(printable(line))
    if entries:
        lists = f", after {len(entries) - 1} lists of frames" if len(entries) > 1 else ""
        click.echo(f"Entry {entries[-1]}: the step that made it{lists}.")
