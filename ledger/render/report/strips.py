"""The strip of a cut that has more frames than a drawing has room for: columns, each of many frames."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

BY_WEIGHT = "curb"
"""The letters of a strip, the lightest first."""
SMALLEST = 0.12
"""The least share of a column's height that a verdict gets."""
HIGH = 64
SLIVERS = {"c": ((40, 24),), "u": ((8, 22), (42, 22)), "r": ((22, 42),), "b": ((0, 64),)}
"""Top and height of the sliver of one frame: the worse, the taller; an undecided one is broken."""


def columns(coded: Sequence[str | int], most: int) -> list[list[tuple[str, float]]]:
    """Return a strip of more frames than fit as ``most`` columns of letter and share of the height.

    The worst stands at the bottom, and is never so small that nobody sees it.
    """
    runs = [(str(coded[n]), int(coded[n + 1])) for n in range(0, len(coded), 2)]
    total, start = sum(count for _, count in runs), 0
    held = [Counter[str]() for _ in range(most)]
    for letter, count in runs:
        for n in range(start * most // total, (start + count - 1) * most // total + 1):
            first, end = -(-n * total // most), -(-(n + 1) * total // most)
            held[n][letter] += min(start + count, end) - max(start, first)
        start += count
    return [_column(counts) for counts in held]


def _column(counts: Counter[str]) -> list[tuple[str, float]]:
    worst = sorted((letter for letter in counts if counts[letter]), key=BY_WEIGHT.index, reverse=True)
    heights = [max(counts[letter] / counts.total(), SMALLEST) for letter in worst]
    return [(letter, height / sum(heights)) for letter, height in zip(worst, heights, strict=True)]
