"""Recomputing everything that is computed: tiles, head, checkpoint and projections, from the entries alone.

* One transaction: afterwards every projection is what the entries say, or nothing was changed.
* Every entry's stored leaf hash must be that of its bytes.
* The recomputed root must be one that the log's key already signed: the stored checkpoint's or, when that is
  damaged, the last-signed record's. Rebuilding never makes a damaged log look sound.
* Entries are read a tile's worth at a time, so memory does not grow with the log.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

from ledger.core.checkpoint import MAX_SIZE, Checkpoint, open_checkpoint, sign_checkpoint
from ledger.core.merkle import Peaks, extend, leaf_hash, root
from ledger.core.tiles import WIDTH, grow, tiles_of
from ledger.errors import IntegrityError, RakkanError
from ledger.ports import EntryTransaction, Head
from ledger.service.log.nodes import stored
from ledger.service.log.sequence import Log


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """How many entries were read, and how many artifact rows and tiles they gave."""

    entries: int
    artifacts: int
    tiles: int


def rebuild(log: Log) -> Rebuilt:
    """Drop the log's projections and recompute them from its entries; return the counts.

    A sound log ends with the same rows and, since Ed25519 is deterministic, the same checkpoint. Raises
    ``IntegrityError("log.corrupt")``, ``RefusedError("log.rollback")``, and what the projector raises; then
    nothing was changed.
    """
    with log.store.begin() as transaction:
        recorded = log.last_signed.read()
        before = transaction.head()
        transaction.clear_projections()
        size, artifacts = 0, 0
        peaks: Peaks = ()
        for envelopes in _pieces(log):
            leaves = _checked_leaves(transaction, size, envelopes)
            transaction.put_tiles(grow(size, stored(transaction.tile), leaves))
            artifacts += _project(log, transaction, size, envelopes)
            size, peaks = size + len(leaves), extend(size, peaks, leaves)
        head = replace(_vouched(log, size, peaks, [before.checkpoint, recorded]), epoch=before.epoch)
        log.guard.check(head, recorded, transaction.tile)
        if head.size:
            transaction.put_head(head)
    log.record(head, recorded)
    return Rebuilt(size, artifacts, sum(1 for _ in tiles_of(0, size)))


def _pieces(log: Log) -> Iterator[list[bytes]]:
    envelopes = log.store.envelopes(0, MAX_SIZE)
    while piece := list(islice(envelopes, WIDTH)):
        yield piece


def _checked_leaves(transaction: EntryTransaction, first: int, envelopes: list[bytes]) -> list[bytes]:
    """Return the leaf hashes, each found in the store under the entry's own index."""
    leaves = [leaf_hash(envelope) for envelope in envelopes]
    known = transaction.indices(leaves)
    for index, leaf in enumerate(leaves, first):
        if known.get(leaf) != index:
            raise IntegrityError("log.corrupt", "An entry is not the one that was stored.", index=index)
    return leaves


def _project(log: Log, transaction: EntryTransaction, first: int, envelopes: list[bytes]) -> int:
    rows = [log.project(index, envelope) for index, envelope in enumerate(envelopes, first)]
    artifacts = [row for _, found in rows for row in found]
    transaction.project([row for row, _ in rows], artifacts)
    return len(artifacts)


def _vouched(log: Log, size: int, peaks: Peaks, signed: list[bytes | None]) -> Head:
    """Return the head of the recomputed tree, if one of the signed checkpoints states just that tree.

    The stored checkpoint decides when it can be read. Only a damaged one leaves it to the next.
    """
    if size == 0 and not any(signed):
        return Head(0, (), b"")
    computed = Checkpoint(log.origin, size, root(peaks))
    stated = next((found for note in signed if (found := _open(log, note)) is not None), None)
    if stated != computed:
        raise IntegrityError(
            "log.corrupt",
            "The entries do not lead to the signed checkpoint.",
            computed_size=size,
            computed_root=computed.root.hex(),
            signed_size=stated.size if stated else None,
            signed_root=stated.root.hex() if stated else None,
        )
    return Head(size, peaks, sign_checkpoint(log.origin, size, computed.root, log.signers))


def _open(log: Log, checkpoint: bytes | None) -> Checkpoint | None:
    if not checkpoint:
        return None
    try:
        return open_checkpoint(checkpoint, log.verifiers)
    except RakkanError:
        return None
