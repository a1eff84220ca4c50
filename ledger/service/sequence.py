"""The sequencer: entries get their place in the log, and their receipts.

* One transaction for a batch: entries, tiles, head, checkpoint and projections move together or not at all.
* No receipt leaves before the transaction is durable and the checkpoint is in the last-signed record.
* An entry that the log holds already, or that comes twice in a batch, keeps its first index.
* Before anything is signed, the stored head must be a state that this key signed, must not be behind the
  last-signed record, and the tiles must lead to the peaks. Otherwise the log refuses and changes nothing.
* The last-signed record may be behind the database, by what a crash between the commit and the record left
  unrecorded. It is never ahead of an honest database.
* A proof is checked before it leaves: a damaged tile or entry raises ``IntegrityError("log.corrupt")``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from ledger.core.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from ledger.core.merkle import (
    EMPTY_ROOT,
    Proof,
    consistency_proof,
    extend,
    inclusion_proof,
    inclusion_proofs,
    leaf_hash,
    node_over,
    peaks_of,
    root,
    verify_consistency,
    verify_inclusion,
)
from ledger.core.note import NoteSigner
from ledger.core.receipt import Receipt
from ledger.core.tiles import MAX_ENTRY, Tile, TileNodes, TileReader, grow
from ledger.errors import IntegrityError, MalformedError, RefusedError, UndecidedError, UsageError
from ledger.ports import ArtifactRow, Clock, EntryStore, EntryTransaction, Head, Signer, StatementRow

Projector = Callable[[int, bytes], tuple[StatementRow, list[ArtifactRow]]]
"""Returns what the entry at this index adds to the projections; raises for bytes that are no valid entry."""


class LastSigned(Protocol):
    """The log key's own record of the newest checkpoint it signed, kept apart from the database."""

    def read(self) -> bytes | None:
        """Return the recorded checkpoint, or ``None`` before the first one."""

    def write(self, checkpoint: bytes) -> None:
        """Record the checkpoint, durable on return. A larger one that is there already stays."""


@dataclass(frozen=True, slots=True)
class Appended:
    """Where an entry is: its index, its receipt, and whether the log held it before this call's turn."""

    index: int
    receipt: Receipt
    duplicate: bool


@dataclass(frozen=True, slots=True)
class _Batch:
    """A batch sorted out: ``(leaf hash, envelope)`` to add; each envelope's leaf, index and newness."""

    fresh: list[tuple[bytes, bytes]]
    places: list[tuple[bytes, int, bool]]


class Log:
    """One log: appends entries and proves what it holds. May be used from several threads.

    ``key`` is the log's Ed25519 key, ``origin`` its name in checkpoints; ``project`` computes the rows of an
    entry, and its refusal of one entry refuses the batch.
    """

    def __init__(
        self,
        store: EntryStore,
        key: Signer,
        origin: str,
        clock: Clock,
        project: Projector,
        last_signed: LastSigned,
    ) -> None:
        self.store = store
        self.origin = origin
        self.signer = NoteSigner(origin, key)
        self.verifier = self.signer.verifier
        self.project = project
        self.last_signed = last_signed
        self._clock = clock
        self._opened: tuple[bytes, Checkpoint] = (b"", Checkpoint(origin, 0, EMPTY_ROOT))

    def append(self, envelopes: Sequence[bytes]) -> list[Appended]:
        """Add the envelopes in order and return their places, durable, in the same order.

        All receipts are against the head after the batch. Raises ``MalformedError("envelope.too-large")``,
        what the projector raises, ``RefusedError`` with ``log.busy``, ``log.disk-full``, ``log.storage`` or
        ``log.rollback``, and ``IntegrityError("log.corrupt")``; then nothing of the batch was added, except
        that a last-signed record which cannot be written withholds receipts of entries that a retry finds.
        """
        leaves = [_leaf(envelope) for envelope in envelopes]
        if not leaves:
            return []
        with self.store.begin() as transaction:
            recorded = self.last_signed.read()
            head = transaction.head()
            self.check(head, recorded, transaction.tile)
            batch = _sort_out(envelopes, leaves, transaction.indices(leaves), head.size)
            if batch.fresh:
                head, nodes = self._extend(transaction, head, batch.fresh)
            else:
                nodes = TileNodes(head.size, stored(transaction.tile))
            proofs = _prove(batch, head, nodes)
        self._opened = (head.checkpoint, Checkpoint(self.origin, head.size, root(head.peaks)))
        self.record(head, recorded)
        return [
            Appended(index, Receipt(index, proof, head.checkpoint), duplicate)
            for (_, index, duplicate), proof in zip(batch.places, proofs, strict=True)
        ]

    def head(self) -> Head:
        """Return the tip, checked and recorded as signed. Raises ``UsageError("log.empty")``."""
        # Read first: an append that ends in between moves the record together with the head.
        recorded = self.last_signed.read()
        head = self.store.head()
        self.check(head, recorded, self.store.tile)
        if head.size == 0:
            raise UsageError("log.empty", "The log has no entries.")
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

    def check(self, head: Head, recorded: bytes | None, tile: Callable[[int, int], bytes]) -> None:
        """Return if ``head`` is a state that the log's key signed and that continues what it signed last.

        Raises ``IntegrityError("log.corrupt")`` or ``RefusedError("log.rollback")``.
        """
        stated = self._open(head.checkpoint)
        held = Checkpoint(self.origin, head.size, root(head.peaks))
        if stated != held or len(head.peaks) != head.size.bit_count():
            raise IntegrityError("log.corrupt", "The head is not what its checkpoint states.", size=head.size)
        if recorded is None or recorded == head.checkpoint:
            return
        last = self._open(recorded)
        if last.size > head.size:
            raise _rollback("The database is behind the last signed checkpoint.", last, held)
        nodes = TileNodes(head.size, stored(tile))
        if root_at(last.size, head, nodes) != last.root:
            raise _rollback("The database contradicts the last signed checkpoint.", last, held)

    def record(self, head: Head, recorded: bytes | None) -> None:
        """Bring the last-signed record up to the head. Must return before a receipt leaves."""
        if head.checkpoint != recorded and head.size:
            self.last_signed.write(head.checkpoint)

    def _open(self, checkpoint: bytes) -> Checkpoint:
        """Return what one of our own checkpoints states; ``b""`` is that of the empty log."""
        if not checkpoint:
            return Checkpoint(self.origin, 0, EMPTY_ROOT)
        note, opened = self._opened
        if note != checkpoint:
            with corruption("A stored checkpoint is not signed by the log's key."):
                opened = open_checkpoint(checkpoint, [self.verifier])
            self._opened = (checkpoint, opened)
        return opened

    def _extend(
        self, transaction: EntryTransaction, head: Head, fresh: Sequence[tuple[bytes, bytes]]
    ) -> tuple[Head, TileNodes]:
        """Add the entries; return the new head and a node source over the new tree."""
        rows = [self.project(index, envelope) for index, (_, envelope) in enumerate(fresh, head.size)]
        leaves = [leaf for leaf, _ in fresh]
        changed = grow(head.size, stored(transaction.tile), leaves)
        size, peaks = head.size + len(fresh), extend(head.size, head.peaks, leaves)
        nodes = TileNodes(
            size, stored(lambda level, index: changed.get((level, index)) or transaction.tile(level, index))
        )
        # Every node that a new entry's proof can use lies under these peaks, so this checks all the proofs.
        if peaks_of(0, size, nodes) != peaks:
            raise IntegrityError(
                "log.corrupt", "The tiles at the log's edge do not lead to its root.", size=size
            )
        grown = Head(size, peaks, sign_checkpoint(self.origin, size, root(peaks), [self.signer]))
        transaction.append(head.size, fresh, self._clock.now())
        transaction.put_tiles(changed)
        transaction.project([row for row, _ in rows], [row for _, found in rows for row in found])
        transaction.put_head(grown)
        return grown, nodes


def stored(tile: Callable[[int, int], bytes]) -> TileReader:
    """Return a reader of the store's own tiles: there a missing one is ``IntegrityError("log.corrupt")``."""

    def read(wanted: Tile) -> bytes:
        hashes = tile(wanted.level, wanted.index)
        if len(hashes) < wanted.width * len(EMPTY_ROOT):
            raise IntegrityError("log.corrupt", "A stored tile is missing or too short.", tile=wanted.path)
        return hashes

    return read


@contextmanager
def corruption(message: str) -> Iterator[None]:
    """Run the block; what it raises about our own records leaves as ``IntegrityError("log.corrupt")``."""
    try:
        yield
    except (IntegrityError, MalformedError, UndecidedError) as error:
        raise IntegrityError("log.corrupt", message, **{**error.evidence, "cause": error}) from error


def root_at(size: int, head: Head, nodes: TileNodes) -> bytes:
    """Return the root that the log had at ``size <= head.size``.

    Raises ``IntegrityError("log.corrupt")`` when the tiles do not lead from it to the head.
    """
    if size == head.size:
        return root(head.peaks)
    past = node_over(0, size, nodes)
    with corruption("The tiles do not lead to the signed root."):
        verify_consistency(size, head.size, consistency_proof(size, head.size, nodes), past, root(head.peaks))
    return past


def _leaf(envelope: bytes) -> bytes:
    if len(envelope) > MAX_ENTRY:
        raise MalformedError(
            "envelope.too-large", "The entry is too large.", size=len(envelope), limit=MAX_ENTRY
        )
    return leaf_hash(envelope)


def _sort_out(
    envelopes: Sequence[bytes], leaves: Sequence[bytes], known: Mapping[bytes, int], first: int
) -> _Batch:
    beyond = [index for index in known.values() if index >= first]
    if beyond:
        raise IntegrityError(
            "log.corrupt", "The log holds entries beyond its head.", size=first, index=min(beyond)
        )
    batch = _Batch([], [])
    indices = dict(known)
    for leaf, envelope in zip(leaves, envelopes, strict=True):
        duplicate = leaf in indices
        if not duplicate:
            indices[leaf] = first + len(batch.fresh)
            batch.fresh.append((leaf, envelope))
        batch.places.append((leaf, indices[leaf], duplicate))
    return batch


def _prove(batch: _Batch, head: Head, nodes: TileNodes) -> list[Proof]:
    """Return the inclusion proof of each envelope of the batch."""
    first = head.size - len(batch.fresh)
    fresh = inclusion_proofs(first, head.size, head.size, nodes) if batch.fresh else []
    return [
        fresh[index - first] if index >= first else _proof(index, leaf, head, nodes)
        for leaf, index, _ in batch.places
    ]


def _proof(index: int, leaf: bytes, head: Head, nodes: TileNodes) -> Proof:
    """Return an inclusion proof that leads to the head."""
    proof = inclusion_proof(index, head.size, nodes)
    with corruption("The entry and the tiles do not lead to the signed root."):
        verify_inclusion(index, head.size, leaf, proof, root(head.peaks))
    return proof


def _rollback(message: str, last: Checkpoint, held: Checkpoint) -> RefusedError:
    return RefusedError(
        "log.rollback",
        message,
        signed_size=last.size,
        signed_root=last.root.hex(),
        held_size=held.size,
        held_root=held.root.hex(),
    )
