"""`rakkan cut`: what a timeline shows, without asking any ledger."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ledger.cli.common import examples, json_option, print_json, printable

if TYPE_CHECKING:
    from ledger.core.cut import Cut


@click.command(
    epilog=examples(
        "rakkan cut final.otio",
        "rakkan cut final.otio --files | xargs -d '\\n' ls -l",
    )
)
@click.argument("timeline", type=click.Path(path_type=Path))
@click.option("--files", is_flag=True, help="Print the path of each file that it shows, each once.")
@json_option
def cut(timeline: Path, *, files: bool, as_json: bool) -> None:
    """Show which frames are in the film of TIMELINE (.otio, .otioz), shot by shot, in the order of the cut.

    Frames are the numbers of the files of a sequence, and counted from 0 in a movie. What is not in the
    picture (sound, disabled clips) is listed after the shots.
    """
    from ledger.service.cuts.resolve import read_cut

    found = read_cut(timeline)
    if as_json:
        print_json(_json(found))
    elif files:
        for path in dict.fromkeys(path for shot in found.shots for path in shot.paths()):
            click.echo(printable(path))
    else:
        _show(found)


def _show(found: Cut) -> None:
    from ledger.core.cut import timecode
    from ledger.render.words import counted

    for shot in found.shots:
        record = f"{timecode(shot.record.start, found.rate)} {timecode(shot.record.stop, found.rate)}"
        click.echo(printable(f"{record}  {shot.label}{'' if shot.frames else ', frames unknown'}"))
    for aside in found.asides:
        click.secho(printable(f"not in the picture ({aside.why})  {aside.clip}: {aside.media}"), dim=True)
    shots, frames = counted(len(found.shots), "shot"), counted(found.frames, "frame")
    click.echo(f"{shots}, {frames} of media, {counted(found.length, 'frame')} of film.")


def _json(found: Cut) -> dict[str, Any]:
    from ledger.core.cut import timecode

    return {
        "name": found.name,
        "rate": str(found.rate),
        "start": timecode(found.start, found.rate),
        "frames": found.length,
        "shots": [
            {
                "clip": shot.clip,
                "track": shot.track,
                "media": shot.media.label,
                "frames": shot.frames and {"first": shot.frames[0], "last": shot.frames[1]},
                "files": list(shot.paths()),
                "record": {
                    "in": timecode(shot.record.start, found.rate),
                    "out": timecode(shot.record.stop, found.rate),
                },
            }
            for shot in found.shots
        ],
        "asides": [aside._asdict() for aside in found.asides],
    }
