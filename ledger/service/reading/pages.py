"""Pages: so many items at a time, and a cursor that says where the next page begins.

* A cursor holds places in the log or names, never an offset: what is appended meanwhile moves nothing.
* It belongs to one question. With another one, or changed in any way, it is refused; it opens nothing that
  the question itself would not, so it needs no signature.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ledger.core import canonical
from ledger.core.digest import sha256_hex
from ledger.errors import MalformedError, RakkanError, RefusedError
from ledger.service.clear.projecting import catch_up
from ledger.service.studio import Studio

LIMIT, MOST = 100, 1_000
MAX_CURSOR = 8_192
"""Characters."""
MAX_INDEX = 2**53 - 1
BEHIND = 20_000
"""Entries that one question projects at most, before it says when to come back."""
_MARK = 16


@dataclass(frozen=True, slots=True)
class Page:
    """How much is asked for, and from where on. ``question`` is what a cursor belongs to."""

    question: tuple[str | int | None, ...]
    limit: int = LIMIT
    after: str | None = None

    def cursor(self, *place: Any) -> str:
        """Return the cursor of a place: texts, whole numbers, and lists of them."""
        data = canonical.encode([self._mark, *place])
        return base64.urlsafe_b64encode(data).decode().rstrip("=")

    def place(self, *shape: type) -> list[Any] | None:
        """Return the place that ``after`` holds, whose parts are of these types; ``None`` for the beginning.

        Raises ``MalformedError("page.cursor")``.
        """
        if self.after is None:
            return None
        try:
            padded = self.after + "=" * (-len(self.after) % 4)
            data = base64.urlsafe_b64decode(padded) if len(self.after) <= MAX_CURSOR else b""
            found = canonical.decode(data)
        except (binascii.Error, ValueError, RakkanError) as error:
            raise _forged() from error
        if not isinstance(found, list) or [type(part) for part in found] != [str, *shape]:
            raise _forged()
        place = found[1:]
        if self.cursor(*place) != self.after or not all(map(_is_sane, place)):
            raise _forged()
        return place

    @property
    def _mark(self) -> str:
        return sha256_hex(canonical.encode(list(self.question)))[:_MARK]


@dataclass(frozen=True, slots=True)
class Listing:
    """One page. ``next`` is the cursor of the next one, which may be empty; ``None`` at the end."""

    name: str
    items: Sequence[dict[str, Any]]
    next: str | None = None
    more: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the document."""
        return {**self.more, self.name: list(self.items), "next": self.next}


def size_of(studio: Studio) -> int:
    """Return the log's size. Every answer holds all of these entries; some, what came while it was made."""
    return studio.entries.head().size


def caught_up(studio: Studio) -> int:
    """Return the log's size, once places and bases are known of all its entries.

    Raises ``RefusedError("log.behind")`` where that takes longer than one question may: each one gets on.
    """
    size = size_of(studio)
    with studio.catching_up:
        first = studio.bases.mark().size

        def told(done: int) -> None:
            if done - first >= BEHIND:
                raise RefusedError(
                    "log.behind",
                    f"{size - done:,} entries are not projected yet.",
                    projected=done,
                    size=size,
                    retry_after=1,
                )

        catch_up(studio, told)
    return size


def _is_sane(part: object) -> bool:
    if isinstance(part, list):
        return all(map(_is_sane, part))
    if isinstance(part, int):
        return -1 <= part <= MAX_INDEX
    return isinstance(part, str) and "\0" not in part


def _forged() -> MalformedError:
    return MalformedError("page.cursor", "This cursor is not of this question, or not whole.")
