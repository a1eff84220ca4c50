"""Bringing a log back from what it published, after its database was lost or an older copy was put back.

* One transaction: afterwards the database holds every published entry, or nothing was changed. So it can be
  killed anywhere and run again.
* Only bundles and the checkpoint are believed, and only together: what the database holds and what the
  bundles add must lead to the root that the log's key signed. That proves every one of these entries.
* Nothing is signed. The head becomes the published checkpoint with the log's own signatures.
* A new epoch begins, so that a process which opened the log before cannot go on from what it remembers.
* Where the key signed more than is published, acknowledged entries are missing. What can be is brought back,
  and the log goes on refusing to sign (``log.rollback``) until the rest is found, or a fork is declared.
* Entries are read a tile's worth at a time, so memory does not grow with the log.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import NoReturn

from ledger.core.checkpoint import Checkpoint
from ledger.core.merkle import Peaks, extend, leaf_hash, peaks_of, root
from ledger.core.note import Note, format_note, parse_note
from ledger.core.tiles import WIDTH, Tile, TileNodes, decode_bundle, grow
from ledger.errors import (
    IntegrityError,
    MalformedError,
    RakkanError,
    RefusedError,
    UndecidedError,
    UsageError,
)
from ledger.ports import EntryTransaction, Head, PublishedLog
from ledger.service.log.fsck.reading import Progress
from ledger.service.log.fsck.tree import split, width_of
from ledger.service.log.nodes import root_at, stored
from ledger.service.log.publish import CHECKPOINT
from ledger.service.log.records import Records


@dataclass(frozen=True, slots=True)
class Recovered:
    """How many entries the database held, and how many it holds now (or would, after a dry run)."""

    held: int
    size: int


def recover(
    records: Records, publication: PublishedLog, *, dry_run: bool = False, told: Progress = lambda _: None
) -> Recovered:
    """Bring the published entries back that the database does not hold; return the counts.

    With ``dry_run`` everything is read and checked, and nothing is written. ``told`` hears now and then how
    many entries were checked. Raises ``UsageError("recover.nothing")`` where no checkpoint is published;
    ``UndecidedError("recover.incomplete")`` and ``IntegrityError("recover.damaged")`` for a bundle that is
    missing or wrong, ``IntegrityError("log.conflict")`` when the database holds something else than is
    published, ``IntegrityError("log.corrupt")`` when it contradicts itself: then nothing was changed. Raises
    ``RefusedError("log.rollback")`` when entries are missing also after this, or when the last-signed record
    contradicts what is published; ``held`` and ``recovered`` in its evidence say what the database holds.
    """
    note = publication.get(CHECKPOINT)
    if note is None:
        raise UsageError("recover.nothing", "No checkpoint is published there.")
    published = records.opened(note)
    recorded = records.last_signed.read()
    last = None if recorded is None else records.opened(recorded)
    work = _Work(records, publication, published, told)
    head = records.store.head()
    work.read_held(head)
    if published.size <= head.size:
        work.check_prefix(head)
    elif dry_run:
        for _ in work.missing(head):
            pass
        work.check_root()
    else:
        head = work.bring_back(head, _own(note, records), last)
    size = max(published.size, head.size)
    _check_last(records, last, head if size == head.size else None, published)
    if not dry_run and head.size and recorded != head.checkpoint:
        records.last_signed.write(head.checkpoint)
    return Recovered(work.held, size)


class _Work:
    """One recovery: the peaks over the entries seen so far, and where they come from."""

    def __init__(
        self, records: Records, publication: PublishedLog, published: Checkpoint, told: Progress
    ) -> None:
        self._records = records
        self._publication = publication
        self._published = published
        self._told = told
        self._size = 0
        self._peaks: Peaks = ()
        self.held = 0

    def read_held(self, head: Head) -> None:
        """Take in the entries that the database holds; they must lead to its head."""
        envelopes = self._records.store.envelopes(0, head.size)
        while piece := list(islice(envelopes, WIDTH)):
            self._take([leaf_hash(envelope) for envelope in piece])
        self.held = self._size
        stated = self._records.opened(head.checkpoint) if head.checkpoint else None
        if (self._size, self._peaks) != (head.size, head.peaks) or (
            stated is not None and (stated.size, stated.root) != (head.size, root(head.peaks))
        ):
            raise IntegrityError(
                "log.corrupt", "The entries do not lead to the stored head.", size=head.size, read=self._size
            )

    def check_prefix(self, head: Head) -> None:
        """Return if what is published is a prefix of what the database holds."""
        nodes = TileNodes(head.size, stored(self._records.store.tile))
        held = root_at(self._published.size, head, nodes)
        if held != self._published.root:
            self._conflict(held)

    def bring_back(self, head: Head, checkpoint: bytes, last: Checkpoint | None) -> Head:
        """Add the missing entries with everything that is computed from them; return the new head."""
        with self._records.store.begin() as transaction:
            if transaction.head() != head:
                raise RefusedError("log.fenced", "Another process has moved the log on.", size=head.size)
            for first, leaves, envelopes in self.missing(head):
                try:
                    self._add(transaction, first, leaves, envelopes)
                except (IntegrityError, MalformedError) as error:
                    # A damaged bundle shows first as an entry that nothing can be computed from, or as one
                    # that is there already.
                    self._blame(error)
            self.check_root()
            found = Head(self._size, self._peaks, checkpoint, head.epoch + 1)
            nodes = TileNodes(found.size, stored(transaction.tile))
            if peaks_of(0, found.size, nodes) != found.peaks:
                raise IntegrityError("log.corrupt", "The tiles do not lead to the root.", size=found.size)
            if last is not None and last.size <= found.size and root_at(last.size, found, nodes) != last.root:
                raise _contradicted(last, found)
            transaction.put_head(found)
        return found

    def missing(self, head: Head) -> Iterator[tuple[int, list[bytes], list[bytes]]]:
        """Yield the published entries behind the head: the first index, the leaf hashes, the entries."""
        size = self._published.size
        for index in range(head.size // WIDTH, -(-size // WIDTH)):
            tile = Tile(0, index, width_of(size, 0, index))
            entries = self._bundle(tile)[max(0, head.size - index * WIDTH) :]
            leaves = [leaf_hash(entry) for entry in entries]
            yield self._size, leaves, list(entries)
            self._take(leaves)

    def check_root(self) -> None:
        """Return if all the entries together lead to the published root."""
        if root(self._peaks) != self._published.root:
            words = "The published files do not lead to the published root."
            self._blame(IntegrityError("recover.damaged", words, size=self._published.size))

    def _take(self, leaves: list[bytes]) -> None:
        self._peaks = extend(self._size, self._peaks, leaves)
        self._size += len(leaves)
        self._told(self._size)

    def _add(
        self, transaction: EntryTransaction, first: int, leaves: list[bytes], envelopes: list[bytes]
    ) -> None:
        records = self._records
        rows = [records.project(index, envelope) for index, envelope in enumerate(envelopes, first)]
        transaction.put_tiles(grow(first, stored(transaction.tile), leaves))
        transaction.append(first, list(zip(leaves, envelopes, strict=True)), records.clock.now())
        transaction.project([row for row, _ in rows], [row for _, found in rows for row in found])

    def _bundle(self, tile: Tile) -> tuple[bytes, ...]:
        data = self._publication.get(tile.bundle_path)
        if data is None:
            raise UndecidedError(
                "recover.incomplete", f"The published log lacks {tile.bundle_path}.", path=tile.bundle_path
            )
        try:
            entries = decode_bundle(data)
        except MalformedError as error:
            raise _damaged(tile, error.message) from error
        if len(entries) != tile.width:
            raise _damaged(tile, f"It holds {len(entries)} entries.")
        return entries

    def _blame(self, otherwise: RakkanError) -> NoReturn:
        """Raise, naming the first place where the published tiles and the entries disagree."""
        size = self._published.size
        for index in range(-(-size // WIDTH)):
            tile = Tile(0, index, width_of(size, 0, index))
            first = index * WIDTH
            stop = max(first, min(self.held, first + tile.width))
            held = list(self._records.store.envelopes(first, stop))
            entries = held + list(self._bundle(tile)[len(held) :] if len(held) < tile.width else ())
            hashes = split(self._publication.get(tile.path) or b"")
            leaves = [leaf_hash(entry) for entry in entries]
            if leaves == hashes:
                continue
            pairs = enumerate(zip(leaves, hashes, strict=False), first)
            at = next((place for place, (ours, theirs) in pairs if ours != theirs), first)
            if at < self.held:
                self._conflict(root(self._peaks), index=at)
            raise _damaged(tile, f"It and {tile.path} disagree on entry {at}.")
        raise otherwise

    def _conflict(self, held: bytes, **evidence: object) -> NoReturn:
        raise IntegrityError(
            "log.conflict",
            "The database holds another history than is published.",
            size=self._published.size,
            published=self._published.root.hex(),
            held=held.hex(),
            **evidence,
        )


def _check_last(records: Records, last: Checkpoint | None, head: Head | None, published: Checkpoint) -> None:
    """Return if the last-signed checkpoint is a prefix of what the database holds now.

    ``head`` is ``None`` for a dry run, where the database does not hold it yet.
    """
    if last is None:
        return
    size = published.size if head is None else head.size
    if last.size > size:
        raise RefusedError(
            "log.rollback",
            f"{last.size - size} entries that were acknowledged are in no place that was given: the key "
            f"signed {last.size}, the database and the published log hold {size}.",
            missing=last.size - size,
            signed_size=last.size,
            signed_root=last.root.hex(),
            held_size=size,
            held_root=(published.root if head is None else root(head.peaks)).hex(),
        )
    if head is not None:
        nodes = TileNodes(head.size, stored(records.store.tile))
        if root_at(last.size, head, nodes) != last.root:
            raise _contradicted(last, head)


def _own(note: bytes, records: Records) -> bytes:
    """Return the note with the log's own signatures only: cosignatures are kept elsewhere."""
    parsed = parse_note(note)
    own = {(verifier.name, verifier.key_id) for verifier in records.verifiers}
    lines = tuple(line for line in parsed.signatures if (line.name, line.key_id) in own)
    return format_note(Note(parsed.text, lines))


def _contradicted(last: Checkpoint, head: Head) -> RefusedError:
    return RefusedError(
        "log.rollback",
        "What is published contradicts the last signed checkpoint: the key signed two histories.",
        signed_size=last.size,
        signed_root=last.root.hex(),
        held_size=head.size,
        held_root=root(head.peaks).hex(),
    )


def _damaged(tile: Tile, why: str) -> IntegrityError:
    return IntegrityError(
        "recover.damaged", f"The published {tile.bundle_path} is damaged. {why}", path=tile.bundle_path
    )
