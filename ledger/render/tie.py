"""What a tie says, in lines of plain text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ledger.core.tying import Tie
from ledger.render.words import counted
from ledger.service.cuts.tie import Outcome, Tied

SHOWN = 20
"""How many stretches or names are listed one by one; the JSON has all."""
_HEADS = {
    Outcome.TIED: "tied: every frame is one of the files",
    Outcome.PARTLY: "tied in part",
    Outcome.NONE: "not tied: no frame of it is one of the files",
    Outcome.LOSSY: "not tied: the movie is lossy, so no frame of it can be compared exactly",
}


def lines(tied: Tied) -> Iterator[str]:
    """Yield what was found."""
    found = tied.found
    files = counted(len(tied.files), "file")
    yield f"{tied.film.name}, {counted(found.frames, 'frame')}, against {files}: {_HEADS[tied.outcome]}."
    yield from _some(_stretches(tied, found))
    held = sum(run.last - run.first for run in found.holds)
    if held:
        yield f"  {counted(held, 'frame')} only hold the one before."
    if found.back:
        yield f"  It goes back in the order of the files at frame {_listed(found.back)}."
    for first, last in found.extra if found.runs else ():
        yield f"  Frames {first}-{last} are none of the files."
    if found.missing and found.runs:
        names = [tied.files[number].name for number in found.missing[:SHOWN]]
        yield f"  Not in it: {counted(len(found.missing), 'file')}, {_listed(names)}."
    if tied.likely and tied.likely.runs:
        yield "Its frames look like these files. That helps a search, and proves nothing:"
        yield from _some(_stretches(tied, tied.likely))


def _stretches(tied: Tied, found: Tie) -> list[str]:
    return [
        f"  {first}-{last}: {tied.files[files[0]].name}"
        + (f" to {tied.files[files[1]].name}" if files[1] > files[0] else "")
        for (first, last), files in found.stretches
    ]


def _some(items: Sequence[str]) -> Iterator[str]:
    yield from items[:SHOWN]
    if len(items) > SHOWN:
        yield f"  … and {len(items) - SHOWN} more"


def _listed(items: Sequence[object]) -> str:
    more = " …" if len(items) > SHOWN else ""
    return ", ".join(map(str, items[:SHOWN])) + more
