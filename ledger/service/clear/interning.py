"""Items and bases by their numbers, for as long as one batch after another is projected.

* What is looked up or added is remembered; when that has become much, it is forgotten and read again.
* New ones get the next numbers. They are the store's when the batch is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from ledger.core.rights.basis import TIMELESS, Item
from ledger.service.clear.store import BasisStore, Mark, pack, unpack

_KEPT = 200_000


class Interner:
    """Numbers for the items and bases of one log, beginning with those that ``mark`` leaves free."""

    def __init__(self, store: BasisStore, mark: Mark) -> None:
        self._store = store
        self._next_item, self._next_basis = mark.items, mark.bases
        self._items: dict[Item, int] = {}
        self._bases: dict[bytes, int] = {}
        self._packed: dict[int, bytes] = {}
        self._unions: dict[tuple[frozenset[int], frozenset[int]], int] = {}
        self._essences: dict[int, frozenset[Item]] = {}
        self.new_items: dict[int, Item] = {}
        self.new_bases: dict[int, bytes] = {}

    @property
    def counts(self) -> tuple[int, int]:
        """How many items and bases there are with the new ones."""
        return self._next_item, self._next_basis

    def start(self) -> None:
        """Begin a batch: what was new is the store's now."""
        self.new_items, self.new_bases = {}, {}
        if len(self._items) > _KEPT or len(self._packed) > _KEPT or len(self._unions) > _KEPT:
            self._items, self._bases, self._packed, self._unions, self._essences = {}, {}, {}, {}, {}

    def item(self, item: Item) -> int:
        """Return the item's number."""
        if item not in self._items:
            self.learn([item])
        return self._items[item]

    def learn(self, items: Iterable[Item]) -> None:
        """See to it that every one of the items has a number, with one question to the store."""
        missing = {item for item in items if item not in self._items}
        if not missing:
            return
        self._items.update(self._store.find_items(missing))
        for item in sorted(missing):
            if item not in self._items:
                self._items[item] = self._next_item
                self.new_items[self._next_item] = item
                self._next_item += 1

    def numbers(self, items: Collection[Item]) -> frozenset[int]:
        """Return the numbers of the items."""
        self.learn(items)
        return frozenset(self._items[item] for item in items)

    def union(self, bases: frozenset[int], items: frozenset[int]) -> int:
        """Return the number of the basis that holds the items, and those of the bases."""
        key = (bases, items)
        found = self._unions.get(key)
        if found is None:
            self.load(bases)
            packed = pack(items.union(*(unpack(self._packed[basis]) for basis in bases)))
            found = self._unions[key] = self._basis(packed)
        return found

    def load(self, bases: Collection[int]) -> None:
        """Read the members of bases that are not at hand, with one question to the store."""
        missing = [basis for basis in bases if basis not in self._packed]
        if missing:
            self._packed.update(self._store.members(missing))

    def members(self, basis: int) -> tuple[int, ...]:
        """Return the numbers of the items of a basis."""
        self.load([basis])
        return unpack(self._packed[basis])

    def essence(self, basis: int) -> frozenset[Item]:
        """Return the items without their times: two makings of one thing differ in nothing else."""
        found = self._essences.get(basis)
        if found is None:
            numbers = self.members(basis)
            fresh = [self.new_items[number] for number in numbers if number in self.new_items]
            older = self._store.items([number for number in numbers if number not in self.new_items])
            found = frozenset(item._replace(slot=TIMELESS) for item in (*fresh, *older.values()))
            self._essences[basis] = found
        return found

    def _basis(self, packed: bytes) -> int:
        found = self._bases.get(packed)
        if found is None:
            found = self._store.find_basis(packed)
        if found is None:
            found = self._next_basis
            self._next_basis += 1
            self.new_bases[found] = packed
        self._bases[packed] = found
        self._packed[found] = packed
        return found
