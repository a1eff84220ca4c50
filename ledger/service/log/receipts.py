"""Receipts for other people: against a checkpoint that witnesses cosigned, and in the form of RFC 9942.

* A receipt leads to the smallest cosigned checkpoint that covers the entry; without one, to the head.
* Before a kept or given checkpoint is used, the log's tree of today must have its tree as a prefix.
* A COSE receipt is one more signature by the log's key. It is made only for a root that the checked tree of
  today leads back to, so it commits the log to nothing new.
* What is made here is verified as a stranger would, before it leaves.
"""

from __future__ import annotations

from ledger.core.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint
from ledger.core.cose_receipt import (
    Consistency,
    Inclusion,
    parse_cose_receipt,
    sign_cose_receipt,
    verify_cose_consistency,
    verify_cose_inclusion,
)
from ledger.core.merkle import inclusion_proof
from ledger.core.receipt import Receipt, verify_receipt
from ledger.core.tiles import TileNodes
from ledger.errors import IntegrityError, RefusedError, UsageError
from ledger.ports import CheckpointStore
from ledger.service.log.nodes import corruption, root_at, stored
from ledger.service.log.sequence import Log


def receipt(log: Log, checkpoints: CheckpointStore, index: int) -> Receipt:
    """Return the receipt of an entry.

    Raises what ``Log.receipt`` raises, and what ``held`` raises about the cosigned checkpoint.
    """
    cosigned = checkpoints.covering(index + 1) if index >= 0 else None
    if cosigned is None:
        return log.receipt(index)
    size = held(log, cosigned).size
    proof = inclusion_proof(index, size, TileNodes(log.store.head().size, stored(log.store.tile)))
    found = Receipt(index, proof, cosigned)
    with corruption("The entry and the tiles do not lead to the cosigned root."):
        verify_receipt(found, log.store.envelope(index), log.verifiers)
    return found


def tree(log: Log, size: int) -> Checkpoint:
    """Return the state that the log had at this size. Raises ``UsageError("log.no-such-entry")`` for none."""
    head = log.head()
    if not 0 <= size <= head.size:
        raise UsageError("log.no-such-entry", "The log had no such size.", asked=size, size=head.size)
    nodes = TileNodes(head.size, stored(log.store.tile))
    return Checkpoint(log.origin, size, root_at(size, head, nodes))


def held(log: Log, checkpoint: bytes) -> Checkpoint:
    """Return what a checkpoint of this log states, if the log's tree of today has that tree as a prefix.

    Raises what ``open_checkpoint`` raises, ``RefusedError("log.rollback")`` for one that is ahead of the
    database, ``IntegrityError("log.conflict")`` for one of another tree, and what ``Log.head`` raises.
    """
    stated = open_checkpoint(checkpoint, log.verifiers)
    signed = {"signed_size": stated.size, "signed_root": stated.root.hex()}
    if stated.size > (size := log.head().size):
        words = "The database is behind a checkpoint that the log's key signed."
        raise RefusedError("log.rollback", words, held_size=size, **signed)
    own = tree(log, stated.size)
    if own != stated:
        words = "The log's key signed this checkpoint, and the log holds another tree: a fork."
        raise IntegrityError("log.conflict", words, held_root=own.root.hex(), **signed)
    return stated


def signed(log: Log, checkpoints: CheckpointStore, size: int) -> bytes:
    """Return the checkpoint of exactly this size that the log signed.

    Raises ``UsageError("checkpoint.missing")`` when it is neither the present one nor kept with cosignatures.
    """
    kept = checkpoints.covering(size)
    if kept is not None and parse_checkpoint(kept).size == size:
        return kept
    head = log.head()
    if head.size != size:
        raise UsageError(
            "checkpoint.missing", "No signed checkpoint of this size is at hand.", asked=size, size=head.size
        )
    return head.checkpoint


def cose_inclusion(log: Log, found: Receipt) -> bytes:
    """Return a receipt of this log as a COSE Receipt of inclusion. Raises what ``held`` raises."""
    stated = held(log, found.checkpoint)
    proof = Inclusion(stated.size, found.index, found.proof)
    data = sign_cose_receipt(proof, stated.root, log.signers[0])
    verify_cose_inclusion(parse_cose_receipt(data), log.store.envelope(found.index), log.verifiers)
    return data


def cose_consistency(log: Log, old: int, new: int) -> bytes:
    """Return a COSE Receipt of consistency between two sizes. Raises what ``Log.consistency`` raises."""
    before, after = tree(log, old), tree(log, new)
    data = sign_cose_receipt(Consistency(old, new, log.consistency(old, new)), after.root, log.signers[0])
    verify_cose_consistency(parse_cose_receipt(data), before, after, log.verifiers)
    return data
