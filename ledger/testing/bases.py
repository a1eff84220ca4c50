"""``BasisStore`` in memory, beside a log in memory; see ``testing``."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from ledger.core.rights.basis import Item, ItemKind
from ledger.ports import EntryStore
from ledger.service.clear.store import (
    STEPS,
    Changes,
    EntryRow,
    Final,
    FinalRow,
    Link,
    Mark,
    Where,
    placed,
    unpack,
)


@dataclass
class _Bases:
    """The rows of one log."""

    mark: Mark = field(default_factory=Mark)
    items: dict[int, Item] = field(default_factory=dict)
    bases: dict[int, bytes] = field(default_factory=dict)
    entries: dict[int, EntryRow] = field(default_factory=dict)
    finals: dict[tuple[int, int], FinalRow] = field(default_factory=dict)


class MemoryBasisStore:
    """See ``service.clear.store.BasisStore``. ``entries`` is the log's own store, best in memory, too."""

    def __init__(self, entries: EntryStore) -> None:
        self._log = entries
        self._kept = _Bases()
        self._lock = threading.Lock()

    @contextmanager
    def snapshot(self) -> Iterator[MemoryBasisStore]:
        """Yield these bases as they are now. The log's own rows are asked for up to an entry anyway."""
        still = MemoryBasisStore(self._log)
        still._kept = self._kept
        yield still

    def mark(self) -> Mark:
        """Return how far the projection has come."""
        return self._kept.mark

    def put(self, old: Mark, new: Mark, changes: Changes) -> bool:
        """Apply the changes and move the mark; ``False`` where it is not ``old``."""
        with self._lock:
            kept = self._kept
            if kept.mark != old:
                return False
            rows = {row.index: row for row in (*changes.entries, *changes.changed)}
            finals = {place: row for place, row in kept.finals.items() if place not in changes.gone}
            self._kept = replace(
                kept,
                mark=new,
                items=kept.items | changes.items,
                bases=kept.bases | changes.bases,
                entries=kept.entries | rows,
                finals=finals | {(row.index, row.position): row for row in changes.finals},
            )
            return True

    def clear(self) -> None:
        """Forget everything."""
        self._kept = _Bases()

    def links(self, sha256: Collection[str], stop: int, *, made: bool) -> Sequence[Link]:
        """Return the rows about these bytes in entries before ``stop``."""
        rows = (link for each in sha256 for link in self._links(sha256=each))
        return [link for link in rows if link.index < stop and (link.role == "subject" or not made)]

    def twins(self, pixels: Collection[str], stop: int, *, made: bool) -> Sequence[Link]:
        """Return the rows with these pixels in entries before ``stop``."""
        rows = (link for each in pixels for link in self._links(pixels=each))
        return [link for link in rows if link.index < stop and (link.role == "subject") is made]

    def rows(self, indices: Collection[int]) -> Sequence[Link]:
        """Return every row of these entries."""
        return [link for index in indices for link in self._links(index=index)]

    def entries(self, indices: Collection[int]) -> Mapping[int, EntryRow]:
        """Return those of these entries that have a row here."""
        rows = self._kept.entries
        return {index: rows[index] for index in indices if index in rows}

    def find_items(self, items: Collection[Item]) -> Mapping[Item, int]:
        """Return the numbers of those items that have one."""
        return {item: number for number, item in self._kept.items.items() if item in items}

    def find_basis(self, packed: bytes) -> int | None:
        """Return the number of the basis of just these items."""
        return next((number for number, found in self._kept.bases.items() if found == packed), None)

    def items(self, numbers: Collection[int]) -> Mapping[int, Item]:
        """Return the items of these numbers."""
        return {number: self._kept.items[number] for number in numbers}

    def members(self, bases: Collection[int]) -> Mapping[int, bytes]:
        """Return the packed item numbers of these bases."""
        return {number: self._kept.bases[number] for number in bases}

    def items_about(self, things: Collection[tuple[ItemKind, str]]) -> frozenset[int]:
        """Return the items of these kinds about these SHA-256."""
        found = self._kept.items.items()
        return frozenset(number for number, item in found if (item.kind, item.sha256) in things)

    def bases_with(self, items: Collection[int]) -> Sequence[int]:
        """Return the bases that hold any of these items, in ascending order."""
        found = self._kept.bases.items()
        return sorted(number for number, packed in found if not set(unpack(packed)).isdisjoint(items))

    def steps_on(self, bases: Collection[int]) -> Iterator[EntryRow]:
        """Yield the steps that have one of these bases."""
        return (row for row in self.steps_at(Where()) if row.basis in bases)

    def steps_at(self, where: Where) -> Iterator[EntryRow]:
        """Yield the steps at this place, in the order of the log."""
        rows = self._kept.entries
        return (
            rows[index] for index in sorted(rows) if rows[index].kind in STEPS and _at(rows[index], where)
        )

    def finals_at(self, where: Where) -> Iterator[Final]:
        """Yield the final files of the steps at this place, in the order of the log."""
        return self.finals_of([row.index for row in self.steps_at(where)])

    def finals_of(self, indices: Collection[int]) -> Iterator[Final]:
        """Yield the final files of these steps."""
        kept, wanted = self._kept, frozenset(indices)
        for place in sorted(kept.finals):
            if place[0] in wanted:
                yield placed(kept.finals[place], kept.entries[place[0]])

    def _links(
        self, *, sha256: str | None = None, pixels: str | None = None, index: int | None = None
    ) -> Iterator[Link]:
        rows = self._log.artifacts(sha256=sha256, pixels=pixels, index=index)
        return (Link(row.index, row.role, row.position, row.name, row.sha256, row.pixels) for row in rows)


def _at(row: EntryRow, where: Where) -> bool:
    pairs = (
        (where.episode, row.episode),
        (where.sequence, row.sequence),
        (where.shot, row.shot),
        (where.task, row.task),
        (where.version, row.version),
    )
    if any(wanted is not None and wanted != found for wanted, found in pairs):
        return False
    if where.frames is None:
        return True
    return (
        row.first is not None
        and row.last is not None
        and (row.first <= where.frames[1] and row.last >= where.frames[0])
    )
