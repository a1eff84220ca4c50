"""`rakkan tie`: which files the frames of a film are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ledger.cli.common import device_option, examples, home, json_option, print_json, printable

if TYPE_CHECKING:
    from ledger.service.capture.tie import Tied

FILE = click.Path(path_type=Path)


@click.command(
    epilog=examples(
        "rakkan tie sh010.mov sh010/",
        "rakkan tie reel.mkv sh010/*.png sh020/*.png --record --sequence sq010",
    )
)
@click.argument("film", metavar="MOVIE", type=FILE)
@click.argument("frames", nargs=-1, required=True, metavar="FRAMES…", type=FILE)
@click.option("--record", "recording", is_flag=True, help="Append the step that made MOVIE of these frames.")
@click.option(
    "--tool", default="unknown 0", show_default=True, metavar="'NAME VERSION'", help="What made MOVIE."
)
@click.option("--sequence", help="Where in the production, such as sq010.")
@click.option("--shot", help="Where in the sequence, such as sh0020.")
@click.option("--task", help="Such as comp, edit.")
@device_option
@json_option
def tie(
    film: Path, frames: tuple[Path, ...], device: str, *, recording: bool, as_json: bool, **said: Any
) -> int:
    """Say which frames of MOVIE are which of the FRAMES: files, or folders of such.

    Both are decoded and compared picture by picture, so a lossless MOVIE is tied exactly, and one that lost
    anything is not tied: that is no evidence against it. Frames are counted from 0.

    Exit code: 0 every frame is tied, 3 not every one.
    """
    from ledger.core.predicates.step import Place, Tool
    from ledger.service.capture.tie import Outcome, files_in, record_tie, tie_film
    from ledger.wiring import open_device, open_studio

    name, _, version = said["tool"].rpartition(" ")
    tool = Tool(name or version, version if name else "0")
    place = home()
    entries: tuple[int, ...] = ()
    with open_studio(place) as studio:
        tied = tie_film(studio, film, files_in(frames, film))
        if recording:
            where = Place(studio.production, said["sequence"], said["shot"], said["task"])
            entries = record_tie(studio, open_device(place, device), tied, where, tool)
    if as_json:
        print_json({**tied.to_json(), **({"entries": list(entries)} if entries else {})})
    else:
        _show(tied, entries)
    return 0 if tied.outcome is Outcome.TIED else 3


def _show(tied: Tied, entries: tuple[int, ...]) -> None:
    from ledger.render.tie import lines

    for line in lines(tied):
        click.echo(printable(line))
    if entries:
        lists = f", after {len(entries) - 1} lists of frames" if len(entries) > 1 else ""
        click.echo(f"Entry {entries[-1]}: the step that made it{lists}.")
