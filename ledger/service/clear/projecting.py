"""The bases of all entries, kept up with the log: a projection that is caught up when somebody asks.

* Nothing writes it but ``catch_up``: it would cost every append more than it is worth there. ``rakkan
  rebuild`` drops it, and the next question computes it again.
* Each batch is one transaction, which moves the mark together with the rows. Who finds the mark elsewhere
  than expected has lost a race, and goes on from there.
* The mark holds the log's root, bound to the version of the rules. A log that does not continue from it is
  another one, and bases by other rules are others: either way all is computed again.
* The rules of a basis: docs/rights/basis.md.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial

from ledger.core.rights.basis import TIMELESS, Item, ItemKind
from ledger.core.tiles import TileNodes
from ledger.errors import IntegrityError
from ledger.ports import Head
from ledger.service.clear.batch import Batch, Read, Taken
from ledger.service.clear.files import Files, Made
from ledger.service.clear.final import made_by
from ledger.service.clear.graph import fork
from ledger.service.clear.interning import Interner
from ledger.service.clear.judging import Judge
from ledger.service.clear.store import BasisStore, EntryRow, Final, Kind, Mark, unpack
from ledger.service.log.nodes import root_at, stored
from ledger.service.studio import Studio

BATCH = 1_000
"""Entries in a batch."""

RULES = b"rakkan basis 2\n"
"""The version of docs/rights/basis.md: to be raised with every change of what a basis is."""

Progress = Callable[[int], None]
"""Told how many entries were projected."""


class Projector:
    """Projects entries onto a store, batch after batch, from where the store stands.

    ``read`` returns the statement of an entry that was projected before.
    """

    def __init__(self, store: BasisStore, read: Read) -> None:
        self.mark = store.mark()
        self._store = store
        self._interner = Interner(store, self.mark)
        self._batch = Batch(store, Files(store), self._interner, read)

    def project(
        self, taken: Sequence[Taken], flaws: Mapping[int, str] | None = None, root: bytes = b""
    ) -> bool:
        """Project the entries that follow those so far; ``root`` is the log's after them.

        Returns whether that is durable now. If not, another process has moved on, and this projector is of
        no use any more.
        """
        changes = self._batch.changes(self.mark.size, taken, flaws or {})
        new = Mark(self.mark.size + len(taken), *self._interner.counts, root)
        done = self._store.put(self.mark, new, changes)
        self.mark = new
        return done


def catch_up(studio: Studio, told: Progress = lambda _: None) -> int:
    """Project every entry that was not yet, and return how many those were. Cheap when there are none.

    ``told`` hears after each batch how many entries are projected. Raises ``log.*``.
    """
    first = size = _settled(studio)
    while size < (head := studio.entries.head()).size:
        _forward(studio, head, told)
        size = _settled(studio)
    return size - first


def _forward(studio: Studio, head: Head, told: Progress) -> None:
    """Project up to the head, or until another process is faster."""
    projector = Projector(studio.bases, studio.statement)
    judge = Judge(studio, projector.mark.size)
    envelopes = studio.entries.envelopes(projector.mark.size, head.size)
    nodes = TileNodes(head.size, stored(studio.entries.tile))
    for batch in _batches(envelopes):
        taken, flaws = judge.take(projector.mark.size, batch)
        root = root_at(projector.mark.size + len(taken), head, nodes)
        if not projector.project(taken, flaws, _bound(root)):
            return
        told(projector.mark.size)


def _batches(envelopes: Iterable[bytes]) -> Iterator[list[bytes]]:
    batch: list[bytes] = []
    for envelope in envelopes:
        batch.append(envelope)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _settled(studio: Studio) -> int:
    """Return how many entries are projected; none, when they are not those of this log."""
    mark, head = studio.bases.mark(), studio.entries.head()
    if mark.size and not _continues(mark, head, studio):
        studio.bases.clear()
        return 0
    return mark.size


def _continues(mark: Mark, head: Head, studio: Studio) -> bool:
    if mark.size > head.size:
        return False
    try:
        nodes = TileNodes(head.size, stored(studio.entries.tile))
        return _bound(root_at(mark.size, head, nodes)) == mark.root
    except IntegrityError:
        return False


def _bound(root: bytes) -> bytes:
    return hashlib.sha256(RULES + root).digest()


def items_of(store: BasisStore, numbers: Collection[int]) -> dict[int, frozenset[Item]]:
    """Return the items of these bases, by the number of the basis."""
    members = {number: unpack(packed) for number, packed in store.members(numbers).items()}
    items = store.items(frozenset[int]().union(*members.values()))
    return {number: frozenset(items[item] for item in held) for number, held in members.items()}


def basis_of_file(studio: Studio, sha256: str) -> frozenset[Item] | None:
    """Return what these bytes rest on, or ``None`` where no record says how they were made.

    A dataset or a model that is registered rests on nothing, unless a step made it. The bases must have been
    caught up.
    """
    files = _files(studio)
    return _basis(studio, files, files.made(sha256), sha256)


def bases_of_files(studio: Studio, digests: Collection[str]) -> dict[str, frozenset[Item]]:
    """Return what each of these files rests on, by its SHA-256; one that no step made is left out.

    The bases must have been caught up.
    """
    files = _files(studio)
    files.load_made(digests)
    read = cache(partial(items_of, studio.bases))
    made = {digest: files.made(digest) for digest in digests}
    return {
        digest: _united(read, files, found, digest)
        for digest, found in made.items()
        if files.origins(found).steps
    }


def makers_of_files(studio: Studio, digests: Collection[str], *, own: bool = False) -> dict[str, EntryRow]:
    """Return the newest step that made each of these files, by the file's SHA-256.

    A sealed file was made by who made the one before. With ``own`` a step that only handed the file on counts
    where there is no other. The bases must have been caught up.
    """
    files = _files(studio)
    files.load_made(digests)
    steps = {digest: files.origins(files.made(digest)).steps for digest in digests}
    files.load_entries(frozenset[int]().union(*steps.values()))
    found = {}
    for digest, indices in steps.items():
        rows = [row for row in map(files.entry, indices) if row is not None]
        makers = [row for row in rows if row.kind != Kind.HANDED] if own else rows
        if rows:
            found[digest] = max(makers or rows)
    return found


def basis_by_pixels(studio: Studio, pixels: str) -> frozenset[Item] | None:
    """Return what a file with these pixels rests on; see ``basis_of_file``."""
    files = _files(studio)
    return _basis(studio, files, files.twin(pixels), pixels)


@dataclass(frozen=True, slots=True)
class Affected:
    """What rests on a thing: the numbers of the bases, the steps that have one of them, their final files."""

    bases: tuple[int, ...]
    steps: tuple[EntryRow, ...]
    finals: tuple[Final, ...]


def affected(studio: Studio, things: Collection[tuple[ItemKind, str]]) -> Affected:
    """Return what rests on any of these things, each an item's kind and SHA-256. The blast radius."""
    return on_items(studio, studio.bases.items_about(things))


def on_items(studio: Studio, items: Collection[int]) -> Affected:
    """Return what rests on any of these items, by their numbers."""
    store = studio.bases
    bases = tuple(store.bases_with(items)) if items else ()
    steps = tuple(store.steps_on(bases))
    return Affected(bases, steps, tuple(store.finals_of([step.index for step in steps])))


def _files(studio: Studio) -> Files:
    files = Files(studio.bases)
    files.start(studio.bases.mark().size, (), ())
    return files


def _basis(studio: Studio, files: Files, made: Made, digest: str) -> frozenset[Item] | None:
    """Return the items of all makers of what has this digest, and that they disagree where they do."""
    steps, _, registered = files.origins(made)
    if not steps:
        return frozenset() if registered else None
    return _united(partial(items_of, studio.bases), files, made, digest)


def _united(
    read: Callable[[frozenset[int]], Mapping[int, frozenset[Item]]], files: Files, made: Made, digest: str
) -> frozenset[Item]:
    """Return the items of the steps that made this, and of its flawed seals."""
    steps, seals, _ = files.origins(made)
    rows = [row for row in map(files.entry, steps) if row is not None]
    bases = {row.basis for row in rows}
    flawed = {row.basis for row in map(files.entry, seals) if row is not None and row.flaw}
    members = read(frozenset(bases | flawed))
    ways = {frozenset(item._replace(slot=TIMELESS) for item in members[basis]) for basis in made_by(rows)}
    disagree = {fork(digest, files.name(made))} if len(ways) > 1 else set()
    return frozenset[Item]().union(*members.values()) | disagree
