"""Strict reading of one JSON object, field by field, with the path in every complaint.

A reader takes the fields it knows and then calls ``end``: a field that nobody took is refused, because a
verifier must not pass over something that the signer meant.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, TypeVar

from ledger.core.canonical import utf16
from ledger.core.digest import parse_sha256
from ledger.core.encoding import decode_base64
from ledger.errors import MalformedError

T = TypeVar("T")

MAX_TEXT = 1024
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
# Control characters (C0, DEL, C1), line and paragraph separators, bidirectional overrides and isolates, and
# halves of surrogate pairs, which no UTF-8 can hold.
_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
# 43 characters hold 258 bits: the last one has two to spare, which are zero.
_COMMITMENT = re.compile(r"[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]")


def format_time(moment: datetime) -> str:
    """Return RFC 3339 in UTC with whole seconds and ``Z``: the one form a time takes in an entry."""
    # Not strftime: on Linux it writes the year 999 with three digits.
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    return moment.isoformat(timespec="seconds").removesuffix("+00:00") + "Z"


def parse_time(text: str) -> datetime:
    """Return the moment. Raises ``ValueError`` for any other form, or a moment that does not exist."""
    # Later Pythons read 24:00:00 as the next day's midnight: a second spelling.
    if not _TIME.fullmatch(text) or text[11:13] == "24":
        raise ValueError(text)
    return datetime.fromisoformat(text[:-1]).replace(tzinfo=UTC)


class Fields:
    """The members of one JSON object, each to be taken exactly once."""

    def __init__(self, value: Any, path: str = "", code: str = "statement.field") -> None:
        self._path = path
        self._code = code
        if not isinstance(value, dict):
            raise self.error("", "must be an object")
        self._left = dict(value)

    def error(self, name: str, problem: str) -> MalformedError:
        """Return the error for a field, to be raised by whoever found the problem."""
        where = f"{self._path}.{name}".strip(".") or "the document"
        return MalformedError(self._code, f"{where} {problem}.", field=where)

    def end(self) -> None:
        """Refuse whatever nobody took."""
        if self._left:
            name = min(self._left)
            # The name is a stranger's: shown with its control characters escaped, and not at any length.
            raise self.error(repr(name[:80])[1:-1], "is not a field of this version")

    def take(self, name: str, kind: type[T]) -> T:
        """Return a required member of this JSON type."""
        try:
            value = self._left.pop(name)
        except KeyError:
            raise self.error(name, "is missing") from None
        # Of the very type, as nearly always, or of a kind of it: but a bool is no number.
        if type(value) is not kind and (kind is int or not isinstance(value, kind)):
            raise self.error(name, f"must be of type {kind.__name__}")
        return value

    def text(self, name: str) -> str:
        """Return a non-empty single line without control or bidirectional override characters."""
        value = self.take(name, str)
        if not _is_text(value):
            raise self.error(name, f"must be 1 to {MAX_TEXT} printable characters")
        return value

    def optional_text(self, name: str) -> str | None:
        """Return the text, or ``None`` when the member is absent (never ``null``)."""
        return self.text(name) if name in self._left else None

    def choice(self, name: str, kind: Callable[[str], T]) -> T:
        """Return a member of an enumeration."""
        value = self.text(name)
        try:
            return kind(value)
        except ValueError as error:
            raise self.error(name, f"cannot be {value!r}") from error

    def sha256(self, name: str) -> str:
        """Return a SHA-256 in hex."""
        return parse_sha256(self.take(name, str))

    def time(self, name: str) -> datetime:
        """Return a moment, UTC."""
        value = self.take(name, str)
        try:
            return parse_time(value)
        except ValueError as error:
            raise self.error(name, "must be a time such as 2026-11-22T03:00:00Z") from error

    def optional_time(self, name: str) -> datetime | None:
        """Return a moment, or ``None`` when the member is absent."""
        return self.time(name) if name in self._left else None

    def base64(self, name: str) -> bytes:
        """Return the bytes of a standard base64 string."""
        data = decode_base64(self.take(name, str))
        if data is None:
            raise self.error(name, "must be standard base64")
        return data

    def items(self, name: str) -> list[Any]:
        """Return a list, empty when the member is absent; an empty list that is present is refused."""
        if name not in self._left:
            return []
        value: list[Any] = self.take(name, list)
        if not value:
            raise self.error(name, "must not be an empty list: leave it out")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of texts."""
        return tuple(
            Fields({"item": item}, f"{self._path}.{name}", self._code).text("item")
            for item in self.items(name)
        )

    def distinct(self, name: str) -> tuple[str, ...]:
        """Return a list of texts that stands for a set: as ``in_order`` gives it back."""
        found = self.texts(name)
        if list(found) != in_order(found):
            raise self.error(name, "must be sorted, and hold nothing twice")
        return found

    def choices(self, name: str, kind: Callable[[str], T]) -> tuple[T, ...]:
        """Return a list that stands for a set of members of an enumeration."""
        items = self.distinct(name)
        return tuple(
            Fields({"item": item}, f"{self._path}.{name}", self._code).choice("item", kind) for item in items
        )

    def commitments(self, name: str) -> tuple[str, ...]:
        """Return the digests of disclosures (RFC 9901 §4.2.4): base64url of a SHA-256 each, none twice."""
        found = self.texts(name)
        if not all(_COMMITMENT.fullmatch(item) for item in found):
            raise self.error(name, "must hold SHA-256 digests in base64url, 43 characters each")
        if len(set(found)) != len(found):
            raise self.error(name, "must not hold a digest twice")
        return found

    def map(self, name: str) -> dict[str, str]:
        """Return an object of texts by texts, empty when absent; an empty one that is present is refused."""
        if name not in self._left:
            return {}
        members = Fields(self.take(name, dict), f"{self._path}.{name}".strip("."), self._code)
        found = {key: members.text(key) for key in list(members._left)}
        if not all(map(_is_text, found)):
            raise self.error(name, f"has a member whose name is not 1 to {MAX_TEXT} printable characters")
        if not found:
            raise self.error(name, "must not be an empty object: leave it out")
        return found

    def sub(self, name: str) -> Fields:
        """Return a required member that is an object, to be read in its turn."""
        return Fields(self.take(name, dict), f"{self._path}.{name}".strip("."), self._code)

    def has(self, name: str) -> bool:
        """Whether the member is there and not yet taken."""
        return name in self._left


def in_order(items: Iterable[str]) -> list[str]:
    """Return the one form of a set of texts: sorted as the names of members are, each once."""
    return sorted({str(item) for item in items}, key=utf16)


def _is_text(value: str) -> bool:
    # What Python calls printable has nothing of the forbidden; it is the quicker question.
    return 0 < len(value) <= MAX_TEXT and (value.isprintable() or not _FORBIDDEN.search(value))


def present(**members: Any) -> dict[str, Any]:
    """Return the members that say something: ``None`` and empty containers are left out."""
    return {
        name: value
        for name, value in members.items()
        if value or (value is not None and value not in ("", (), [], {}))
    }
