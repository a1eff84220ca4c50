"""The strip of frames as a page draws it: a sliver for each, or a column for many. The page has the words.

The shapes are those of the reports: the worse a frame, the taller its sliver, and an undecided one is broken.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from markupsafe import Markup

from ledger.core.audit import STRIP_LETTERS
from ledger.render.report.ink import VERDICTS
from ledger.render.report.strips import HIGH, SLIVERS, columns

WHOLE, PART = 400, 80
"""Columns at most: of the whole production, of one of many strips on a page."""
_COLOURS = {letter: VERDICTS[verdict].colour for letter, verdict in STRIP_LETTERS.items()}


@dataclass(frozen=True, slots=True)
class Strip:
    """``paths`` on a canvas as wide as there are columns, and ``HIGH`` high."""

    width: int
    paths: Markup


def strip(coded: Sequence[str | int], most: int = PART) -> Strip:
    """Return the strip of frames, as ``core.audit`` codes it, in at most so many columns."""
    total = sum(int(count) for count in coded[1::2])
    stacks = list(_stacked(columns(coded, most)) if total > most else _slivers(coded))
    at = 0
    boxes: dict[str, list[str]] = defaultdict(list)
    for stack, run in groupby(stacks):
        wide = len(list(run))
        for letter, top, high in stack:
            boxes[letter].append(f"M{at} {top}h{wide}v{high}h-{wide}z")
        at += wide
    path = Markup('<path class="{}" fill="{}" d="{}"/>')
    parts = [path.format(letter, _COLOURS[letter], "".join(held)) for letter, held in boxes.items()]
    return Strip(max(at, 1), Markup("").join(parts))


def _slivers(coded: Sequence[str | int]) -> Iterator[tuple[tuple[str, int, int], ...]]:
    for letter, count in zip(coded[::2], coded[1::2], strict=True):
        yield from [tuple((str(letter), *box) for box in SLIVERS[str(letter)])] * int(count)


def _stacked(
    found: Sequence[Sequence[tuple[str, float]]],
) -> Iterator[tuple[tuple[str, int, int], ...]]:
    """Yield what stands in each column: the worst on the ground."""
    for parts in found:
        ground, stack = float(HIGH), []
        for letter, share in parts:
            ground -= HIGH * share
            top, below = round(ground), round(ground + HIGH * share)
            stack.append((letter, top, below - top))
        yield tuple(stack)
