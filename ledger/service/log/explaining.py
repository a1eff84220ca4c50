"""A log's proofs, explained: what is hashed with what, up to a root that the log's key signed.

What is shown is the receipt that everybody can fetch, and it was verified before it is taken apart: the steps
of a proof that does not hold are never shown.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from ledger.core.checkpoint import Checkpoint, parse_checkpoint
from ledger.core.merkle import leaf_hash
from ledger.core.note import NoteVerifier, parse_note, verified_lines
from ledger.core.proof_steps import Join, consistency_steps, inclusion_steps
from ledger.core.receipt import Receipt
from ledger.errors import UsageError
from ledger.service.log.receipts import receipt, signed, tree
from ledger.service.studio import Studio


@dataclass(frozen=True, slots=True)
class Proven:
    """An entry's receipt: its leaf hash, and each step from there to the root that the checkpoint states.

    ``keys`` are those of the log's keys that signed the checkpoint.
    """

    receipt: Receipt
    leaf: bytes
    stated: Checkpoint
    steps: tuple[Join, ...]
    keys: tuple[NoteVerifier, ...]


def proven(studio: Studio, index: int) -> Proven:
    """Return the proof that the log holds an entry. Raises as ``receipts.receipt``."""
    found = receipt(studio.log, studio.checkpoints, index)
    stated = parse_checkpoint(found.checkpoint)
    leaf = leaf_hash(studio.entries.envelope(index))
    keys = tuple(key for key, _ in verified_lines(parse_note(found.checkpoint), studio.log.verifiers))
    return Proven(found, leaf, stated, inclusion_steps(index, stated.size, leaf, found.proof), keys)


@dataclass(frozen=True, slots=True)
class Grown:
    """Two states of a log, the steps to each root, and which of the two states is signed as it stands.

    Without steps there is nothing to prove: the older tree is empty, or the two are one.
    """

    old: Checkpoint
    new: Checkpoint
    steps_of_old: tuple[Join, ...]
    steps_of_new: tuple[Join, ...]
    signed_old: bool
    signed_new: bool


def grown(studio: Studio, old: int, new: int) -> Grown:
    """Return the proof that the log at size ``new`` continues the log at size ``old``.

    Raises as ``Log.consistency``.
    """
    proof = studio.log.consistency(old, new)
    before, after = tree(studio.log, old), tree(studio.log, new)
    of_old, of_new = consistency_steps(old, new, proof, before.root) if 0 < old < new else ((), ())
    return Grown(before, after, of_old, of_new, _is_signed(studio, old), _is_signed(studio, new))


def _is_signed(studio: Studio, size: int) -> bool:
    """Whether a checkpoint of this size is at hand."""
    with suppress(UsageError):
        signed(studio.log, studio.checkpoints, size)
        return True
    return False
