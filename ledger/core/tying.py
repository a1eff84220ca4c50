"""Which frames of a film are which files, by the digests of their pictures (docs/spec/cuts.md).

* Equal digests prove equal pictures, so a tie is exact or it is none: a film that was compressed with a loss
  has no frame in common with its files, and nothing follows from that.
* Where several files hold one picture, the film's frames take them in the order of the files.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

Range = tuple[int, int]
"""The first and the last frame of a stretch, counted from 0."""


class Run(NamedTuple):
    """A stretch of the film that shows one file: ``first`` to ``last``, both included."""

    first: int
    last: int
    file: int


@dataclass(frozen=True, slots=True)
class Tie:
    """A film of ``frames`` frames against a list of files.

    ``runs`` are in the film's order; ``files`` are the numbers of all files whose picture is in the film, in
    the order in which it first shows them.
    """

    frames: int
    runs: tuple[Run, ...]
    files: tuple[int, ...]
    missing: tuple[int, ...]

    @property
    def extra(self) -> tuple[Range, ...]:
        """Return the stretches of the film that no file explains."""
        ends = [-1, *(run.last for run in self.runs)]
        starts = [*(run.first for run in self.runs), self.frames]
        return tuple(
            (last + 1, first - 1) for last, first in zip(ends, starts, strict=True) if first > last + 1
        )

    @property
    def holds(self) -> tuple[Run, ...]:
        """Return the runs of more than one frame: pictures that are held, or frames that were doubled."""
        return tuple(run for run in self.runs if run.last > run.first)

    @property
    def back(self) -> tuple[int, ...]:
        """Return the frames at which the film goes back in the order of the files."""
        return tuple(later.first for earlier, later in pairwise(self.runs) if later.file < earlier.file)

    @property
    def complete(self) -> bool:
        """Whether every frame of the film is one of the files."""
        return bool(self.runs) and not self.extra

    @property
    def stretches(self) -> tuple[tuple[Range, Range], ...]:
        """Return stretches of the film that show consecutive files: their frames, and their files."""
        found: list[tuple[Range, Range]] = []
        for run in self.runs:
            if found and (run.first, run.file) == (found[-1][0][1] + 1, found[-1][1][1] + 1):
                found[-1] = ((found[-1][0][0], run.last), (found[-1][1][0], run.file))
            else:
                found.append(((run.first, run.last), (run.file, run.file)))
        return tuple(found)


def tie(film: Sequence[str], files: Sequence[str]) -> Tie:
    """Return which frames are which files; each is given by the digest of its picture."""
    held: dict[str, list[int]] = {}
    for number, digest in enumerate(files):
        held.setdefault(digest, []).append(number)
    runs = tuple(_runs(_chosen([held.get(digest, []) for digest in film])))
    return _tie(
        film, runs, (number for digest in dict.fromkeys(film) for number in held.get(digest, ())), files
    )


def _chosen(candidates: Iterable[Sequence[int]]) -> Iterator[int | None]:
    """Yield one file for each frame: the next one if it fits, else the same, else the nearest further on."""
    last = -1
    for numbers in candidates:
        if not numbers:
            yield None
            continue
        after = bisect_right(numbers, last)
        if after < len(numbers) and numbers[after] == last + 1:
            last += 1
        elif after == 0 or numbers[after - 1] != last:
            last = numbers[min(after, len(numbers) - 1)]
        yield last


def _runs(files: Iterable[int | None]) -> Iterator[Run]:
    run: Run | None = None
    for frame, number in enumerate(files):
        if run is not None and number == run.file:
            run = run._replace(last=frame)
            continue
        if run is not None:
            yield run
        run = None if number is None else Run(frame, frame, number)
    if run is not None:
        yield run


MAX_APART = 12
"""Bits of 64 in which two likenesses may differ."""
_SEARCH = 2_000
"""How many files around the last one found are compared with the next frame."""


def resembling(film: Sequence[int], files: Sequence[int]) -> Tie:
    """Return which frames look like which files, by 64-bit likenesses. An aid to a search; it proves nothing.

    Of very many files only those around the one before are looked at.
    """
    found: list[int | None] = []
    last = -1
    for likeness in film:
        near = range(max(0, last - _SEARCH), min(len(files), max(last, 0) + _SEARCH))
        ranked = (((files[at] ^ likeness).bit_count(), abs(at - last - 1), at) for at in near)
        apart, _, best = min(ranked, default=(MAX_APART + 1, 0, 0))
        last = best if apart <= MAX_APART else last
        found.append(best if apart <= MAX_APART else None)
    return _tie(film, tuple(_runs(found)), (number for number in found if number is not None), files)


def _tie(film: Sequence[object], runs: tuple[Run, ...], seen: Iterable[int], files: Sequence[object]) -> Tie:
    shown = dict.fromkeys(seen)
    missing = tuple(number for number in range(len(files)) if number not in shown)
    return Tie(len(film), runs, tuple(shown), missing)
