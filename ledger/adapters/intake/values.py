"""Reading what strangers wrote, without trusting it and without stopping at it.

* A value of the wrong kind becomes a note and is left out; it never raises.
* A text keeps to what an entry can hold (``core.fields``): one printable line, 1 to 1,024 characters.
* Notes and facts are capped: a file decides neither how long a report gets nor how much memory it takes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeVar

from ledger.core.fields import MAX_TEXT, Fields
from ledger.errors import MalformedError

E = TypeVar("E", bound=StrEnum)

MAX_NOTES = 200
MAX_FACTS = 200
MAX_ITEMS = 10_000

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]+")
_DIGEST = re.compile(r"(?:sha-?256[:=]|0x)?([0-9a-f]{64})", re.IGNORECASE)
_COUNT = re.compile(r"[0-9]{1,15}")
_DECIMAL = re.compile(r"-?[0-9]{1,6}(?:\.[0-9]{1,30})?(?:e-[0-9]{1,2})?", re.IGNORECASE)


def malformed(place: str, problem: str) -> MalformedError:
    """Return the error for a file that is not what its format says, naming the place."""
    return MalformedError("intake.malformed", f"{shown(place)} {problem}.", place=shown(place))


def shown(text: str) -> str:
    """Return the text as one printable line of at most 1,024 characters, whatever it was."""
    # Cut before the replacement, too: a megabyte of text is not worth searching.
    line = _UNPRINTABLE.sub(" ", text[: 4 * MAX_TEXT]).strip()
    return line if len(line) <= MAX_TEXT else f"{line[: MAX_TEXT - 1]}…"


class Notes:
    """What a person should know about the reading. At most ``MAX_NOTES``, none twice."""

    def __init__(self) -> None:
        self._notes: dict[str, None] = {}
        self._more = 0

    def add(self, note: str) -> None:
        """Keep the note."""
        line = shown(note)
        if len(self._notes) < MAX_NOTES:
            self._notes[line] = None
        elif line not in self._notes:
            self._more += 1

    def lines(self) -> tuple[str, ...]:
        """Return the notes, and last how many were left out."""
        rest = (f"{self._more:,} more notes were left out",) if self._more else ()
        return (*self._notes, *rest)


class Facts(dict[str, str]):
    """Whatever else is worth showing. At most ``MAX_FACTS``; a name that is taken is kept."""

    def put(self, name: str, value: object) -> None:
        """Keep a text, a number or a truth value; pass over the rest."""
        if isinstance(value, bool):
            value = str(value).lower()
        if not isinstance(value, str | int) or len(self) >= MAX_FACTS:
            return
        if line := shown(str(value)):
            self.setdefault(shown(name), line)


class Members:
    """The members of one object: each is read as what it should be, or noted."""

    def __init__(self, value: object, where: str, notes: Notes) -> None:
        self.notes = notes
        self.where = where
        if not isinstance(value, dict):
            notes.add(f"{where or 'the document'} is not an object")
            value = {}
        self.values: dict[str, Any] = value

    def path(self, name: str) -> str:
        """Return how a note names this member."""
        return f"{self.where}.{name}" if self.where else name

    def note(self, name: str, problem: str) -> None:
        """Note a problem with a member."""
        self.notes.add(f"{self.path(name)} {problem}")

    def text(self, name: str) -> str | None:
        """Return a text, ``None`` when there is none."""
        return self._one(self.values.get(name), name)

    def texts(self, name: str) -> tuple[str, ...]:
        """Return the texts of a list, or a single one."""
        found = (self._one(item, name) for item in as_list(self.values.get(name)))
        return tuple(item for item in found if item is not None)

    def sha256(self, name: str) -> str | None:
        """Return a SHA-256 in lower-case hex; it may be spelled with a prefix or in capitals."""
        return self._digest(self.text(name), name)

    def count(self, name: str) -> int | None:
        """Return a number from 0 to 10^15 - 1, which may be written as a text."""
        value = self.values.get(name)
        if value is None or value == "":
            return None
        if not isinstance(value, bool) and isinstance(value, int | str) and _COUNT.fullmatch(str(value)):
            return int(value)
        self.note(name, "is not a number")
        return None

    def choice(self, name: str, kind: type[E]) -> E | None:
        """Return a word of an enumeration."""
        text = self.text(name)
        if text is None or text in [item.value for item in kind]:
            return None if text is None else kind(text)
        self.note(name, f"cannot be {text!r}")
        return None

    def sub(self, name: str) -> Members:
        """Return a member that is an object; an absent one has no members."""
        value = self.values.get(name)
        return Members({} if value is None else value, self.path(name), self.notes)

    def subs(self, name: str) -> Iterator[Members]:
        """Return the objects of a list, or a single one."""
        items = as_list(self.values.get(name))
        if len(items) > MAX_ITEMS:
            self.note(name, f"has {len(items):,} items: the first {MAX_ITEMS:,} were read")
        for number, item in enumerate(items[:MAX_ITEMS]):
            yield Members(item, f"{self.path(name)}[{number}]", self.notes)

    def _one(self, value: object, name: str) -> str | None:
        if value is None or value == "":
            return None
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if not isinstance(value, str):
            self.note(name, "is not a text")
            return None
        try:
            return Fields({"text": value.strip()}).text("text")
        except MalformedError:
            self.note(name, f"is not 1 to {MAX_TEXT} printable characters")
            return None

    def _digest(self, text: str | None, name: str) -> str | None:
        if text is None:
            return None
        if match := _DIGEST.fullmatch(text):
            return match[1].lower()
        self.note(name, "is not a SHA-256")
        return None


def decimal_text(text: str) -> str | None:
    """Return a number as a plain decimal (``1e-3`` is ``0.001``), ``None`` for what is no weight."""
    return format(Decimal(text), "f") if _DECIMAL.fullmatch(text) else None


def as_list(value: object) -> list[Any]:
    """Return a list as it is, ``None`` as an empty one, and anything else as its only item."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
