"""How many final files rest on a thing, and when it was used: looked up by the basis, never file by file.

* What descends from a model, and what was trained on a dataset, counts as in ``clear.impact``.
* A file that two steps handed over is counted for each of them, as a delivery lists it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from ledger.core.rights.basis import TIMELESS, ItemKind, slot_start
from ledger.core.rights.facts import Facts
from ledger.service.clear.store import ANYWHERE, Final
from ledger.service.clear.touched import resting_on
from ledger.service.studio import Studio

KINDS = (
    ItemKind.MODEL,
    ItemKind.SERVICE,
    ItemKind.DATASET,
    ItemKind.REFERENCE,
    ItemKind.IMPORT,
    ItemKind.GAP,
    ItemKind.PERSON,
)


@dataclass(frozen=True, slots=True)
class Uses:
    """``files`` are final ones. ``slots`` are the quarters of an hour of the uses, in order."""

    files: int
    slots: tuple[int, ...]

    @property
    def moments(self) -> list[datetime]:
        """Return when each of those quarters began."""
        return list(map(slot_start, self.slots))

    @property
    def first(self) -> datetime | None:
        """Return when the first use ended at the earliest."""
        return slot_start(self.slots[0]) if self.slots else None

    @property
    def last(self) -> datetime | None:
        """Return when the last use ended at the earliest."""
        return slot_start(self.slots[-1]) if self.slots else None


class InShot(NamedTuple):
    """How many final files of a shot."""

    sequence: str | None
    shot: str | None
    files: int


def by_shot(finals: Iterable[Final]) -> list[InShot]:
    """Return the shots of these files, the one with most first."""
    counted = Counter((final.sequence, final.shot) for final in finals)
    return [InShot(*place, files) for place, files in counted.most_common()]


class Hanging:
    """Answers from one look at the log, whose bases must have been caught up."""

    def __init__(self, studio: Studio, facts: Facts) -> None:
        self._bases = studio.bases
        self._facts = facts
        self._files = studio.rows.final_bases(ANYWHERE)

    @property
    def all(self) -> int:
        """Return how many final files there are."""
        return sum(self._files.values())

    def count(self, digests: Iterable[str]) -> int:
        """Return how many final files rest on any of these things."""
        return self._count(self._items(digests))

    def uses(self, digests: Iterable[str]) -> Uses:
        """Return how many final files rest on any of these things, and when they were used."""
        items = self._items(digests)
        slots = {item.slot for item in self._bases.items(items).values()} - {TIMELESS}
        return Uses(self._count(items), tuple(sorted(slots)))

    def _items(self, digests: Iterable[str]) -> frozenset[int]:
        held = resting_on(self._facts, digests)
        return self._bases.items_about([(kind, sha256) for sha256 in sorted(held) for kind in KINDS])

    def _count(self, items: frozenset[int]) -> int:
        return sum(self._files.get(basis, 0) for basis in self._bases.bases_with(items)) if items else 0
