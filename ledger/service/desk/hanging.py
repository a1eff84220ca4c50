"""How many final files rest on a thing, and when it was used: looked up by the basis, never file by file.

* What descends from a model, and what was trained on a dataset, counts as in ``clear.impact``.
* A file that two steps handed over is counted for each of them, as a delivery lists it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from ledger.core.rights.basis import TIMELESS, ItemKind, slot_start
from ledger.core.rights.facts import Facts
from ledger.service.clear.store import ANYWHERE, Final, unpack
from ledger.service.clear.touched import descending, made_from
from ledger.service.places import Place
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

    place: Place
    files: int


def by_shot(finals: Iterable[Final]) -> list[InShot]:
    """Return the shots of these files, the one with most first."""
    counted = Counter(final.place for final in finals)
    return [InShot(place, files) for place, files in counted.most_common()]


class Hanging:
    """Answers from one look at the log, whose bases must have been caught up."""

    def __init__(self, studio: Studio, facts: Facts) -> None:
        self._bases = studio.bases
        self._files = studio.rows.final_bases(ANYWHERE)
        self._children = made_from(facts)
        self._under: dict[str, set[int]] | None = None

    @property
    def all(self) -> int:
        """Return how many final files there are."""
        return sum(self._files.values())

    def count(self, digests: Iterable[str]) -> int:
        """Return how many final files rest on any of these. The first time, every basis is looked at."""
        if self._under is None:
            self._under = self._looked_at()
        under = self._under
        bases = set[int]().union(*(under.get(each, ()) for each in descending(self._children, digests)))
        return sum(self._files[basis] for basis in bases)

    def uses(self, digests: Iterable[str]) -> Uses:
        """Return how many final files rest on any of these things, and when they were used."""
        held = sorted(descending(self._children, digests))
        items = self._bases.items_about([(kind, sha256) for sha256 in held for kind in KINDS])
        bases = self._bases.bases_with(items) if items else ()
        slots = {item.slot for item in self._bases.items(items).values()} - {TIMELESS}
        return Uses(sum(self._files.get(basis, 0) for basis in bases), tuple(sorted(slots)))

    def _looked_at(self) -> dict[str, set[int]]:
        """Return the bases that hold each thing, of those that final files rest on."""
        found: dict[str, set[int]] = defaultdict(set)
        members = {basis: unpack(packed) for basis, packed in self._bases.members(self._files).items()}
        items = self._bases.items(frozenset[int]().union(*members.values()))
        for basis, held in members.items():
            for number in held:
                if items[number].kind in KINDS:
                    found[items[number].sha256].add(basis)
        return found
