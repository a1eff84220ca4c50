"""Whether one checkpoint of a log continues another, for somebody who holds both and a proof from anywhere.

* Two checkpoints of one size need no proof: with other roots, the log has signed two trees, a fork.
* Between two sizes, a proof that does not fit proves nothing about the log: anybody can send a wrong proof.
* A proof comes as an add-checkpoint request of tlog-witness, which carries the newer checkpoint, or as a COSE
  Receipt of consistency (RFC 9942).
"""

from __future__ import annotations

from collections.abc import Sequence

from ledger.core.checkpoint import Checkpoint
from ledger.core.cose_receipt import parse_cose_receipt, verify_cose_consistency
from ledger.core.merkle import verify_consistency
from ledger.core.note import NoteVerifier
from ledger.core.witness import parse_request
from ledger.errors import IntegrityError, MalformedError, UndecidedError

_COSE_SIGN1 = b"\xd2"


def compare(
    old: Checkpoint, new: Checkpoint, proof: bytes | None, verifiers: Sequence[NoteVerifier]
) -> tuple[bytes, ...]:
    """Return the hashes that prove ``new`` to continue ``old``; both are verified by the caller.

    Raises ``IntegrityError("log.conflict")`` for a fork, ``UndecidedError`` with ``checkpoint.origin`` for
    checkpoints of two logs or ``proof.missing``, ``IntegrityError("proof.mismatch")`` or
    ``MalformedError("proof.malformed")`` for a proof that does not lead from one to the other, and what
    reading the proof raises.
    """
    if old.origin != new.origin:
        raise UndecidedError(
            "checkpoint.origin", "These checkpoints are of two logs.", old=old.origin, new=new.origin
        )
    if old.size == new.size and old.root != new.root:
        words = "The log signed two different trees of the same size: a fork."
        raise IntegrityError("log.conflict", words, size=old.size, old=old.root.hex(), new=new.root.hex())
    if proof is None and 0 < old.size < new.size:
        words = "Only a proof can tell whether the larger tree continues the smaller one."
        raise UndecidedError("proof.missing", words, old=old.size, new=new.size)
    hashes = () if proof is None else _read(proof, old, new, verifiers)
    verify_consistency(old.size, new.size, hashes, old.root, new.root)
    return hashes


def _read(
    data: bytes, old: Checkpoint, new: Checkpoint, verifiers: Sequence[NoteVerifier]
) -> tuple[bytes, ...]:
    if data.startswith(_COSE_SIGN1):
        receipt = parse_cose_receipt(data)
        verify_cose_consistency(receipt, old, new, verifiers)
        return receipt.proof.path
    request = parse_request(data)
    if (request.old_size, request.stated) != (old.size, new):
        raise MalformedError(
            "proof.malformed",
            "The proof is between other trees.",
            old=request.old_size,
            new=request.stated.size,
        )
    return request.proof
