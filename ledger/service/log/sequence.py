"""The sequencer: entries get their place in the log, and their receipts.

* One transaction for a batch: entries, tiles, head, checkpoint and projections move together or not at all.
* An entry that may not be added (``admission``) is left out of its batch and answered with the reason.
* No receipt leaves before the transaction is durable and the checkpoint is in the last-signed record.
* An entry that the log holds already, or that comes twice in a batch, keeps its first index.
* Before anything is signed, the database must be the newest state of the log (``guard``).
* A proof is checked before it leaves: a damaged tile or entry raises ``IntegrityError("log.corrupt")``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ledger.core.checkpoint import sign_checkpoint
from ledger.core.merkle import (
    Proof,
    consistency_proof,
    extend,
    inclusion_proof,
    inclusion_proofs,
    leaf_hash,
    peaks_of,
    root,
    verify_consistency,
    verify_inclusion,
)
from ledger.core.note import NoteSigner
from ledger.core.receipt import Receipt
from ledger.core.tiles import MAX_ENTRY, TileNodes, grow
from ledger.errors import (
    IntegrityError,
    MalformedError,
    RakkanError,
    UsageError,
)
from ledger.ports import Clock, EntryStore, EntryTransaction, Head, Signer
from ledger.service.log.admission import Admission, Prepared, Turn
from ledger.service.log.guard import Guard, LastSigned
from ledger.service.log.nodes import corruption, root_at, stored
from ledger.service.log.projection import Rows

Condition = Callable[[EntryTransaction], None]
"""Looks at the log that a batch is about to be added to, and raises where it must not be."""


@dataclass(frozen=True, slots=True)
class Appended:
    """Where an entry is: its index, its receipt, and whether the log held it before this call's turn."""

    index: int
    receipt: Receipt
    duplicate: bool


@dataclass(frozen=True, slots=True)
class Offer:
    """An entry that is to be added: its bytes, its leaf hash, and what the admission made of it."""

    envelope: bytes
    leaf: bytes
    prepared: Prepared


@dataclass(frozen=True, slots=True)
class _Batch:
    """A batch sorted out.

    ``fresh`` holds ``(leaf hash, envelope)`` and ``rows`` the projections of what is to be added; ``places``
    each offer's leaf, index and newness, or why it is not added.
    """

    fresh: list[tuple[bytes, bytes]]
    rows: list[Rows]
    places: list[tuple[bytes, int, bool] | RakkanError]


class Log:
    """One log: appends entries and proves what it holds. May be used from several threads.

    ``keys`` are the log's Ed25519 keys that sign, more than one while a new one takes over. ``origin`` is the
    log's name in checkpoints. ``guard`` knows the keys that signed before, and what is published.
    """

    def __init__(
        self,
        store: EntryStore,
        keys: Sequence[Signer],
        origin: str,
        clock: Clock,
        admission: Admission,
        last_signed: LastSigned,
        guard: Guard | None = None,
    ) -> None:
        self.store = store
        self.origin = origin
        self.signers = tuple(NoteSigner(origin, key) for key in keys)
        self.signer = self.signers[0]
        self.verifier = self.signer.verifier
        own = tuple(signer.verifier for signer in self.signers)
        self.guard = guard or Guard(origin, own)
        self.verifiers = tuple(dict.fromkeys((*own, *self.guard.verifiers)))
        self.project = admission.project
        self.last_signed = last_signed
        self._admission = admission
        self._clock = clock

    def append(self, envelopes: Sequence[bytes]) -> list[Appended]:
        """Add all the envelopes in order and return their places, durable, in the same order.

        Raises the first reason why one of them may not be added, and what ``commit`` raises; then none was.
        """
        found = self.commit([self.offer(envelope) for envelope in envelopes], together=True)
        return [outcome for outcome in found if isinstance(outcome, Appended)]

    def offer(self, envelope: bytes) -> Offer:
        """Prepare an entry for ``commit``, outside of any transaction and of any lock.

        Raises ``MalformedError("envelope.too-large")``, and what the admission raises.
        """
        if len(envelope) > MAX_ENTRY:
            raise MalformedError(
                "envelope.too-large", "The entry is too large.", size=len(envelope), limit=MAX_ENTRY
            )
        return Offer(envelope, leaf_hash(envelope), self._admission.prepare(envelope))

    def commit(
        self, offers: Sequence[Offer], *, together: bool = False, condition: Condition | None = None
    ) -> list[Appended | RakkanError]:
        """Add the offers in order and return their places, durable, in the same order.

        One that may not be added comes back as the reason; with ``together`` it is raised, and nothing of the
        batch was added. ``condition`` is asked when nobody else can write any more. All receipts are against
        the head after the batch. Raises what ``condition`` raises, and ``RefusedError`` with ``log.busy``,
        ``log.disk-full``, ``log.storage``, ``log.rollback``, ``log.frozen``, ``log.fenced`` or ``log.epoch``,
        and ``IntegrityError("log.corrupt")``; then nothing of the batch was added, except that a last-signed
        record which cannot be written withholds receipts of entries that a retry finds.
        """
        if not offers:
            return []
        with self.store.begin() as transaction:
            recorded = self.last_signed.read()
            head = transaction.head()
            self.guard.check(head, recorded, transaction.tile)
            self.guard.check_may_append(head, transaction.tile)
            if condition is not None:
                condition(transaction)
            turn = self._admission.turn(transaction, head.size)
            batch = _sort_out(offers, transaction, turn, head.size, together=together)
            if batch.fresh:
                head, nodes = self._extend(transaction, head, batch)
            else:
                nodes = TileNodes(head.size, stored(transaction.tile))
                self._settle(transaction, head, recorded)
            proofs = _prove(batch, head, nodes)
        self.guard.moved(head)
        self.record(head, recorded)
        turn.keep(head.size)
        return [
            place
            if isinstance(place, RakkanError)
            else Appended(place[1], Receipt(place[1], proof, head.checkpoint), place[2])
            for place, proof in zip(batch.places, proofs, strict=True)
        ]

    def check(self) -> int:
        """Return the size of the log, to which an entry could be added now. Raises as ``commit``.

        It takes its turn to write, and writes nothing.
        """
        with self.store.begin() as transaction:
            recorded = self.last_signed.read()
            head = transaction.head()
            self.guard.check(head, recorded, transaction.tile)
            self.guard.check_may_append(head, transaction.tile)
        return head.size

    def fence(self) -> None:
        """Begin a new epoch: processes that opened the log before cannot add to it any more.

        Raises as ``commit``, and ``UsageError("log.empty")``.
        """
        with self.store.begin() as transaction:
            recorded = self.last_signed.read()
            head = transaction.head()
            self.guard.check(head, recorded, transaction.tile)
            if head.size == 0:
                raise UsageError("log.empty", "The log has no entries.")
            checkpoint = sign_checkpoint(self.origin, head.size, root(head.peaks), self.signers)
            fenced = replace(head, checkpoint=checkpoint, epoch=head.epoch + 1)
            transaction.put_head(fenced)
        self.record(fenced, recorded)
        self.guard.moved(fenced)

    def head(self) -> Head:
        """Return the tip, checked and recorded as signed. Raises ``UsageError("log.empty")``."""
        # Read first: an append that ends in between moves the record together with the head.
        recorded = self.last_signed.read()
        head = self.store.head()
        self.guard.check(head, recorded, self.store.tile)
        if head.size == 0:
            raise UsageError("log.empty", "The log has no entries.")
        if head.checkpoint != recorded:
            with self.store.begin() as transaction:
                head = transaction.head()
                self.guard.check(head, recorded, transaction.tile)
                self._settle(transaction, head, recorded)
            self.record(head, recorded)
        return head

    def receipt(self, index: int) -> Receipt:
        """Return the receipt of an entry against the current head.

        Raises ``UsageError`` with ``log.no-such-entry`` or ``log.empty``, and what ``append`` raises for a
        damaged or rolled back log.
        """
        head = self.head()
        if not 0 <= index < head.size:
            raise UsageError("log.no-such-entry", "The log has no such entry.", index=index, size=head.size)
        nodes = TileNodes(head.size, stored(self.store.tile))
        leaf = leaf_hash(self.store.envelope(index))
        return Receipt(index, _proof(index, leaf, head, nodes), head.checkpoint)

    def consistency(self, old: int, new: int) -> Proof:
        """Return the proof that the log at size ``old`` is a prefix of the log at size ``new``.

        Raises ``UsageError("log.no-such-entry")`` for sizes the log has not had.
        """
        head = self.head()
        if not 0 <= old <= new <= head.size:
            raise UsageError(
                "log.no-such-entry", "The log had no such sizes.", old=old, new=new, size=head.size
            )
        nodes = TileNodes(head.size, stored(self.store.tile))
        proof = consistency_proof(old, new, nodes)
        with corruption("The tiles do not lead to the signed root."):
            verify_consistency(old, new, proof, root_at(old, head, nodes), root_at(new, head, nodes))
        return proof

    def record(self, head: Head, recorded: bytes | None) -> None:
        """Bring the last-signed record up to the head. Must return before a receipt leaves."""
        if head.checkpoint != recorded and head.size:
            self.last_signed.write(head.checkpoint)

    @staticmethod
    def _settle(transaction: EntryTransaction, head: Head, recorded: bytes | None) -> None:
        """Make sure that what the head rests on is on disk, before anybody is told of it.

        Whoever moved it to where the record does not follow may have died between writing and synchronising,
        and left it to us in the memory of the machine. The commit of any change synchronises it.
        """
        if head.size and head.checkpoint != recorded:
            transaction.put_head(head)

    def _extend(self, transaction: EntryTransaction, head: Head, batch: _Batch) -> tuple[Head, TileNodes]:
        """Add the fresh entries; return the new head and a node source over the new tree."""
        leaves = [leaf for leaf, _ in batch.fresh]
        changed = grow(head.size, stored(transaction.tile), leaves)
        size, peaks = head.size + len(leaves), extend(head.size, head.peaks, leaves)
        nodes = TileNodes(
            size, stored(lambda level, index: changed.get((level, index)) or transaction.tile(level, index))
        )
        # Every node that a new entry's proof can use lies under these peaks, so this checks all the proofs.
        if peaks_of(0, size, nodes) != peaks:
            raise IntegrityError(
                "log.corrupt", "The tiles at the log's edge do not lead to its root.", size=size
            )
        checkpoint = sign_checkpoint(self.origin, size, root(peaks), self.signers)
        grown = Head(size, peaks, checkpoint, head.epoch)
        transaction.append(head.size, batch.fresh, self._clock.now())
        transaction.put_tiles(changed)
        transaction.project([row for row, _ in batch.rows], [row for _, found in batch.rows for row in found])
        transaction.put_head(grown)
        return grown, nodes


def _sort_out(
    offers: Sequence[Offer], transaction: EntryTransaction, turn: Turn, first: int, *, together: bool
) -> _Batch:
    """Give each offer its place: the one it has already, the next one, or none."""
    indices = dict(transaction.indices([offer.leaf for offer in offers]))
    beyond = [index for index in indices.values() if index >= first]
    if beyond:
        raise IntegrityError(
            "log.corrupt", "The log holds entries beyond its head.", size=first, index=min(beyond)
        )
    batch = _Batch([], [], [])
    for offer in offers:
        known = indices.get(offer.leaf)
        if known is not None:
            batch.places.append((offer.leaf, known, True))
            continue
        index = first + len(batch.fresh)
        try:
            rows = turn.admit(index, offer.prepared)
        except RakkanError as error:
            if together:
                raise
            batch.places.append(error)
            continue
        indices[offer.leaf] = index
        batch.fresh.append((offer.leaf, offer.envelope))
        batch.rows.append(rows)
        batch.places.append((offer.leaf, index, False))
    return batch


def _prove(batch: _Batch, head: Head, nodes: TileNodes) -> list[Proof]:
    """Return the inclusion proof of each offer; an empty one for what has no place."""
    first = head.size - len(batch.fresh)
    fresh = inclusion_proofs(first, head.size, head.size, nodes) if batch.fresh else []
    proofs: list[Proof] = []
    for place in batch.places:
        if isinstance(place, RakkanError):
            proofs.append(())
            continue
        leaf, index, _ = place
        proofs.append(fresh[index - first] if index >= first else _proof(index, leaf, head, nodes))
    return proofs


def _proof(index: int, leaf: bytes, head: Head, nodes: TileNodes) -> Proof:
    """Return an inclusion proof that leads to the head."""
    proof = inclusion_proof(index, head.size, nodes)
    with corruption("The entry and the tiles do not lead to the signed root."):
        verify_inclusion(index, head.size, leaf, proof, root(head.peaks))
    return proof
