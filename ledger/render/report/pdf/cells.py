"""Cells of a table as a page shows them: plain text, or a mark, a strip, a digest that the template draws.

A cell is a string, or an object whose ``is`` says what it is: ``state``, ``hidden``, ``code``, ``strip``,
``picture``, ``stack``. Nothing here is markup: the template sets every string as it stands.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import groupby
from typing import Any

from ledger.core.audit import Column, Hidden, Kind
from ledger.render.report.strips import BY_WEIGHT

MOST, NAME = 600, 80
"""How many characters of one text a page shows, and of a name."""
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_JOINERS = frozenset("\u200c\u200d\ufe0e\ufe0f")
"""They shape what stands beside them, in Persian and Sinhala names and in emoji, and hide nothing."""
_BREAK = "\u200b"
_UNBROKEN = 14
"""The longest run of letters that a narrow column may have to hold in one line."""
_DIGEST = 12
_HEX = re.compile(r"\b[0-9a-f]{64}\b")
_RESULTS = frozenset({"passed", "failed", "undecided"})


class Ours(str):
    """A text of ours that is set as it stands: a command to copy, a digest."""

    __slots__ = ()


def cell(column: Column, value: Any) -> Any:
    """Return a cell. What is empty is an empty text, what is hidden a mark."""
    if isinstance(value, Hidden):
        return {"is": "hidden"}
    if value is None or value == ():
        return ""
    if column.key == "result" and value in _RESULTS:
        return {"is": "state", "state": value}
    return _SHOWN.get(column.kind, _text)(value)


def moment(value: str) -> str:
    """Return a moment (UTC) as a page has it: to the minute where it falls on one."""
    return f"{value[:10]} {value[11:].removesuffix('Z').removesuffix(':00')}"


def short(digest: str) -> str:
    """Return the beginning of a digest; the whole one is in the attached document."""
    return f"{digest[:_DIGEST]}…" if len(digest) > _DIGEST else digest


def share(part: int, whole: int) -> str:
    """Return a share in per cent. What is not nothing is never 0 %, what is not all never 100 %."""
    if not whole:
        return "–"
    tenths = (1000 * part + whole // 2) // whole
    if 0 < part < whole:
        tenths = min(max(tenths, 1), 999)
    return f"{tenths // 10}.{tenths % 10} %" if tenths % 10 else f"{tenths // 10} %"


def ranges(numbers: Sequence[int], most: int = 8) -> str:
    """Return numbers with the neighbours drawn together, and how many more there are."""
    runs = [
        [number for _, number in run]
        for _, run in groupby(enumerate(numbers), lambda item: item[1] - item[0])
    ]
    shown = [f"{run[0]}" if len(run) == 1 else f"{run[0]}–{run[-1]}" for run in runs[:most]]
    rest = sum(len(run) for run in runs[most:])
    return ", ".join(shown) + (f" and {rest:,} more" if rest else "")


def strip(coded: Sequence[str | int], most: int) -> list[list[Any]]:
    """Return a strip as runs of letter and share of the width, at most ``most`` of them.

    Where there are more frames than fit, each part shows the worst of its frames: a single blocked frame of
    a long shot can be seen.
    """
    runs = [(str(coded[n]), int(coded[n + 1])) for n in range(0, len(coded), 2)]
    total = sum(count for _, count in runs)
    parts = min(total, most)
    worst = ["c"] * parts
    start = 0
    for letter, count in runs:
        first, last = start * parts // total, (start + count - 1) * parts // total
        for n in range(first, last + 1):
            worst[n] = max(worst[n], letter, key=BY_WEIGHT.index)
        start += count
    return [[letter, len(list(run)) / parts] for letter, run in groupby(worst)]


def _text(value: object) -> str:
    """Return a text with the digests in it cut short."""
    return _HEX.sub(lambda found: short(found[0]), str(value))


def _code(digest: str) -> Any:
    return {"is": "code", "text": short(digest)}


_SHOWN: dict[Kind, Callable[[Any], Any]] = {
    Kind.VERDICT: lambda state: {"is": "state", "state": state},
    Kind.SEVERITY: lambda state: {"is": "state", "state": state},
    Kind.COUNT: lambda count: f"{count:,}",
    Kind.FLAG: lambda flag: "yes" if flag else "no",
    Kind.MOMENT: moment,
    Kind.DIGEST: _code,
    Kind.TEXTS: lambda texts: ", ".join(map(_text, texts)),
    Kind.PER_MILLE: lambda part: share(part, 1000),
    Kind.ENTRIES: ranges,
    Kind.STRIP: lambda coded: {"is": "strip", "runs": strip(coded, 60)},
}
"""How the cells of each kind are shown; of any other as they are."""


def cut(text: Any, most: int = NAME) -> Any:
    """Return a text that is at most so long, and says how long it was. A mark is returned as it is."""
    if not isinstance(text, str) or len(text) <= most:
        return text
    return f"{text[:most].rstrip()}… ({len(text):,} characters)"


def plain(value: Any, missing: Collection[str] = ()) -> Any:
    """Return a document with every text made fit to be set, however deep it lies.

    A character that nobody sees, or that no font here has (``missing``: none of ASCII), is shown by its code
    point; texts that are too long are cut, and say so; long words get places where a line may end.
    """
    if isinstance(value, Ours):
        return value
    if isinstance(value, str):
        return _fit(value, missing)
    if isinstance(value, dict):
        return {key: plain(held, missing) for key, held in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item, missing) for item in value]
    return value


def characters(value: Any) -> set[str]:
    """Return the characters beyond ASCII that a document needs a font for."""
    if isinstance(value, str):
        beyond = {char for char in value if char > "\x7f"} - _JOINERS
        return {char for char in beyond if unicodedata.category(char) not in _UNSEEN}
    items = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
    return set().union(*(characters(item) for item in items))


def _fit(text: str, missing: Collection[str]) -> str:
    if text.isascii() and text.isprintable() and len(text) <= _UNBROKEN:
        return text
    return "".join(_breakable(list(_seen(cut(text, MOST), missing))))


def _seen(text: str, missing: Collection[str]) -> Iterator[str]:
    for n, char in enumerate(text):
        if char in _JOINERS:
            if n and text[n - 1] not in missing:
                yield char
        elif char in missing or unicodedata.category(char) in _UNSEEN:
            yield f"[U+{ord(char):04X}]"
        else:
            yield char


def _breakable(parts: Sequence[str]) -> Iterator[str]:
    """Yield the parts with a place to break wherever too many stand without one.

    Lines end at spaces anyway, and after a hyphen before a letter. A mark is not torn off its letter, and a
    word of another script is left whole for longer: letters may be joined there.
    """
    run = 0
    for part, following in zip(parts, [*parts[1:], ""], strict=True):
        ascii_only = part.isascii()
        full = run >= (_UNBROKEN if ascii_only else 2 * _UNBROKEN)
        early = run > 3 and part in "/_." and following.strip() != ""
        if (full and not unicodedata.category(part[0]).startswith("M")) or early:
            yield _BREAK
            run = 0
        run = 0 if part == " " or (part == "-" and following.isalpha()) else run + len(part)
        yield part
