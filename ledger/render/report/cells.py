"""Cells in words, for whoever reads them: on a page, in a drawing, on paper."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Any

from ledger.core.audit import STRIP_LETTERS, Hidden, Kind
from ledger.render.report.ink import VERDICTS

HIDDEN = "hidden in this view"
_DIGITS = 16
"""As much of a digest is shown; tables in files have it whole."""
_RANGES = 6


def words(kind: Kind, value: Any) -> str:
    """Return a cell in words; empty for an empty one."""
    if isinstance(value, Hidden):
        return HIDDEN
    if value is None or value == ():
        return ""
    return _WRITERS.get(kind, str)(value)


def moment(value: str) -> str:
    """Return a moment as people read it; what is no moment as it is."""
    day, letter, rest = value.partition("T")
    return f"{day} {rest.removesuffix('Z')} UTC" if letter and rest.endswith("Z") else value


def ranges(entries: Sequence[int]) -> str:
    """Return ``3, 5–9``; of many runs the first, and how many entries more."""
    runs = [[item for _, item in group] for _, group in groupby(enumerate(entries), _offset)]
    told = [f"{run[0]}" if len(run) == 1 else f"{run[0]}–{run[-1]}" for run in runs[:_RANGES]]
    rest = sum(len(run) for run in runs[_RANGES:])
    return ", ".join(told) + (f" and {rest:,} more" if rest else "")


def _offset(place: tuple[int, int]) -> int:
    return place[1] - place[0]


def _texts(value: Sequence[Any]) -> str:
    return "; ".join(HIDDEN if isinstance(item, Hidden) else str(item) for item in value)


def _digest(value: str) -> str:
    return f"{value[:_DIGITS]}…" if len(value) > _DIGITS else value


def _state(value: str) -> str:
    return VERDICTS[value].word if value in VERDICTS else value.capitalize()


def _strip(value: Sequence[Any]) -> str:
    runs = zip(value[::2], value[1::2], strict=True)
    return ", ".join(f"{count:,} {_state(STRIP_LETTERS[letter]).lower()}" for letter, count in runs)


_WRITERS: Mapping[Kind, Callable[[Any], str]] = {
    Kind.COUNT: "{:,}".format,
    Kind.FLAG: {True: "yes", False: "no"}.__getitem__,
    Kind.TEXTS: _texts,
    Kind.MOMENT: moment,
    Kind.DIGEST: _digest,
    Kind.VERDICT: _state,
    Kind.SEVERITY: _state,
    Kind.PER_MILLE: lambda value: f"{value / 10:.1f} %",
    Kind.ENTRIES: ranges,
    Kind.STRIP: _strip,
}
