"""What the projection of bases needs from outside: one port, and the rows that go through it.

* The store lies in the same database as the log: it reads the rows of ``artifact``, and what is dropped there
  with the log's other projections (``rakkan rebuild``) is dropped here as well.
* Items and bases have numbers, from 0 on, that mean something in one database until it is rebuilt, and
  nothing outside. The identity of a basis is ``core.rights.basis.digest`` of its items.
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple, Protocol

from ledger.core.rights.basis import Item, ItemKind
from ledger.service.places import Place


class Kind(IntEnum):
    """What an entry means for the files that are its subjects."""

    STEP = 0
    SEAL = 1
    REGISTERED = 2
    """A dataset or a model: a file that needs no maker."""
    FINDING = 3
    HANDED = 4
    """A step that published files or delivered them. Where another one made the same bytes, it only handed
    them on: both count, and that they differ is no contradiction."""


STEPS = (Kind.STEP, Kind.HANDED)


class Mark(NamedTuple):
    """How far the projection has come: entries, items and bases so far, and what they were of."""

    size: int = 0
    items: int = 0
    bases: int = 0
    root: bytes = b""


class EntryRow(NamedTuple):
    """One entry. ``basis`` is what a step's subjects rest on; of any other kind, what the entry itself adds.

    ``flaw`` is the code of what is wrong with the entry's signature, ``""`` for nothing. The rest is the
    place of a step; ``slot`` is when it finished, in quarters of an hour.
    """

    index: int  # type: ignore[assignment]  # nobody asks a row for tuple.index
    kind: int
    basis: int
    flaw: str = ""
    sequence: str | None = None
    shot: str | None = None
    task: str | None = None
    version: str | None = None
    first: int | None = None
    last: int | None = None
    slot: int | None = None
    episode: str | None = None

    @property
    def place(self) -> Place:
        """Return which shot the step belongs to."""
        return Place(self.episode, self.sequence, self.shot)


class FinalRow(NamedTuple):
    """Subject ``position`` of the step ``index``, which nothing recorded was made from.

    ``sha256`` and ``name`` are those of the file as it was last sealed, if it was. ``basis`` is the file's:
    more than its step's when other steps made the same bytes.
    """

    index: int  # type: ignore[assignment]  # nobody asks a row for tuple.index
    position: int
    sha256: str
    name: str
    basis: int


class Final(NamedTuple):
    """A ``FinalRow`` with the place of its step."""

    index: int  # type: ignore[assignment]  # nobody asks a row for tuple.index
    position: int
    sha256: str
    name: str
    basis: int
    sequence: str | None
    shot: str | None
    task: str | None
    version: str | None
    first: int | None
    last: int | None
    episode: str | None = None

    @property
    def place(self) -> Place:
        """Return which shot the file was made in."""
        return Place(self.episode, self.sequence, self.shot)


class Link(NamedTuple):
    """A row of ``artifact``; see ``ports.ArtifactRow``."""

    index: int  # type: ignore[assignment]  # nobody asks a row for tuple.index
    role: str
    position: int
    name: str
    sha256: str
    pixels: str | None


@dataclass(frozen=True, slots=True)
class Where:
    """A place in the production; ``None`` stands for all of them. A step of no frame range is in none.

    ``frames`` are the first and the last one; a step is there when it made any of them.
    """

    sequence: str | None = None
    shot: str | None = None
    task: str | None = None
    version: str | None = None
    frames: tuple[int, int] | None = None
    episode: str | None = None


ANYWHERE = Where()


@dataclass(slots=True)
class Changes:
    """What one batch of entries does to the projection.

    ``bases`` are packed item numbers. ``changed`` are rows of older entries, of which the basis or the flaw
    may be another now. ``gone`` are the places (index, position) of older files that are final no longer, or
    no longer as they were; ``finals`` are added after that.
    """

    items: dict[int, Item] = field(default_factory=dict)
    bases: dict[int, bytes] = field(default_factory=dict)
    entries: list[EntryRow] = field(default_factory=list)
    changed: list[EntryRow] = field(default_factory=list)
    gone: set[tuple[int, int]] = field(default_factory=set)
    finals: list[FinalRow] = field(default_factory=list)


def placed(row: FinalRow, step: EntryRow) -> Final:
    """Return the file with the place of its step."""
    about = step.task, step.version, step.first, step.last
    return Final(*row, step.sequence, step.shot, *about, step.episode)


def steps_of(store: BasisStore, place: Place) -> list[EntryRow]:
    """Return the steps of just this shot: where it has no episode, sequence or name, those that say none."""
    found = store.steps_at(Where(place.sequence, place.shot, episode=place.episode))
    return [row for row in found if row.place == place]


def pack(numbers: Collection[int]) -> bytes:
    """Return the numbers in ascending order, four bytes each, the lowest byte first."""
    return struct.pack(f"<{len(numbers)}I", *sorted(numbers))


def unpack(packed: bytes) -> tuple[int, ...]:
    """Return the numbers that ``pack`` was given, in ascending order."""
    return struct.unpack(f"<{len(packed) // 4}I", packed)


class BasisStore(Protocol):
    """The bases of one log's entries. May be used from several threads and processes."""

    def snapshot(self) -> AbstractContextManager[BasisStore]:
        """Yield these bases as they are now, for one thread to read while the block runs."""

    def mark(self) -> Mark:
        """Return how far the projection has come."""

    def put(self, old: Mark, new: Mark, changes: Changes) -> bool:
        """Apply the changes and move the mark, together and durable.

        Returns ``False``, and changes nothing, when the mark is not ``old`` any more.
        """

    def clear(self) -> None:
        """Forget everything: the mark is ``Mark()`` again."""

    def links(self, sha256: Collection[str], stop: int, *, made: bool) -> Sequence[Link]:
        """Return the rows about these bytes in entries before ``stop``, in no order.

        With ``made`` only those in the role ``subject``.
        """

    def twins(self, pixels: Collection[str], stop: int, *, made: bool) -> Sequence[Link]:
        """Return the rows with these pixels in entries before ``stop``, in no order.

        With ``made`` those in the role ``subject``, else those in any other role.
        """

    def rows(self, indices: Collection[int]) -> Sequence[Link]:
        """Return every row of these entries, in no order."""

    def entries(self, indices: Collection[int]) -> Mapping[int, EntryRow]:
        """Return those of these entries that have a row here."""

    def find_items(self, items: Collection[Item]) -> Mapping[Item, int]:
        """Return the numbers of those items that have one."""

    def find_basis(self, packed: bytes) -> int | None:
        """Return the number of the basis of just these items."""

    def items(self, numbers: Collection[int]) -> Mapping[int, Item]:
        """Return the items of these numbers."""

    def members(self, bases: Collection[int]) -> Mapping[int, bytes]:
        """Return the packed item numbers of these bases."""

    def items_about(self, things: Collection[tuple[ItemKind, str]]) -> frozenset[int]:
        """Return the items of these kinds about these SHA-256 (hex)."""

    def bases_with(self, items: Collection[int]) -> Sequence[int]:
        """Return the bases that hold any of these items, in ascending order."""

    def steps_on(self, bases: Collection[int]) -> Iterator[EntryRow]:
        """Yield the steps that have one of these bases, in no order."""

    def steps_at(self, where: Where) -> Iterator[EntryRow]:
        """Yield the steps at this place, in the order of the log."""

    def finals_at(self, where: Where) -> Iterator[Final]:
        """Yield the final files of the steps at this place, in the order of the log."""

    def finals_of(self, indices: Collection[int]) -> Iterator[Final]:
        """Yield the final files of these steps, in no order."""
