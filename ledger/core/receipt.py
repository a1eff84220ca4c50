"""Receipts: an entry's index, its inclusion proof and a signed checkpoint (c2sp.org/tlog-proof).

* The text is ``c2sp.org/tlog-proof@v1``, ``index <n>``, one base64 hash a line from the leaf to the root, a
  blank line, and the checkpoint byte for byte.
* The optional ``extra`` line is refused: nothing authenticates what it says.
* What does not format back to the same bytes is refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ledger.core.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint
from ledger.core.encoding import decode_base64, encode_base64
from ledger.core.merkle import HASH_SIZE, leaf_hash, verify_inclusion
from ledger.core.note import MAX_NOTE, NoteVerifier
from ledger.errors import MalformedError

HEADER = "c2sp.org/tlog-proof@v1"
MAX_PROOF = 63
"""Hashes. A tree of 2^63 leaves needs no more."""

_MAX_HEAD = 4096
_INDEX = re.compile(r"index (?P<index>0|[1-9][0-9]{0,18})")


@dataclass(frozen=True, slots=True)
class Receipt:
    """Evidence that a log holds an entry: 0-based index, sibling hashes (leaf first), the signed note."""

    index: int
    proof: tuple[bytes, ...]
    checkpoint: bytes


def format_receipt(receipt: Receipt) -> bytes:
    """Return the receipt as a ``.tlog-proof``; the exact inverse of ``parse_receipt``."""
    hashes = "".join(f"{encode_base64(item)}\n" for item in receipt.proof)
    return f"{HEADER}\nindex {receipt.index}\n{hashes}\n".encode() + receipt.checkpoint


def parse_receipt(data: bytes) -> Receipt:
    """Return the receipt, its signatures and proof **unverified**.

    Raises ``MalformedError`` with ``receipt.malformed``, or with ``note.malformed`` or
    ``checkpoint.malformed`` when the checkpoint in it is not one.
    """
    head, blank, checkpoint = data.partition(b"\n\n")
    if not blank or len(head) > _MAX_HEAD or len(data) > _MAX_HEAD + MAX_NOTE:
        raise _malformed("it has no checkpoint or is too long")
    lines = head.decode("ascii", errors="replace").split("\n")
    if lines[0] != HEADER:
        raise _malformed("its first line is wrong")
    if any(line.startswith("extra ") for line in lines):
        raise _malformed("it carries an extra line, which this reader does not take")
    match = _INDEX.fullmatch(lines[1]) if len(lines) > 1 else None
    if match is None:
        raise _malformed("its second line is not an index")
    receipt = Receipt(int(match["index"]), _parse_hashes(lines[2:]), checkpoint)
    parse_checkpoint(checkpoint)
    if format_receipt(receipt) != data:
        raise _malformed("it does not format back to the same bytes")
    return receipt


def verify_receipt(receipt: Receipt, entry: bytes, verifiers: Sequence[NoteVerifier]) -> Checkpoint:
    """Return the checkpoint of the log that holds ``entry`` (its exact bytes) at the receipt's index.

    ``verifiers`` name the trusted logs and witnesses, as ``open_checkpoint`` takes them. Raises what that
    function raises, and ``MalformedError("proof.malformed")`` or ``IntegrityError("proof.mismatch")``.
    """
    checkpoint = open_checkpoint(receipt.checkpoint, verifiers)
    leaf = leaf_hash(entry)
    verify_inclusion(receipt.index, checkpoint.size, leaf, receipt.proof, checkpoint.root)
    return checkpoint


def _parse_hashes(lines: Sequence[str]) -> tuple[bytes, ...]:
    if len(lines) > MAX_PROOF:
        raise _malformed("its proof is too long")
    hashes = []
    for line in lines:
        item = decode_base64(line)
        if item is None or len(item) != HASH_SIZE:
            raise _malformed("a line of its proof is not a hash", line=line[:80])
        hashes.append(item)
    return tuple(hashes)


def _malformed(why: str, **evidence: object) -> MalformedError:
    return MalformedError("receipt.malformed", f"This is not a receipt: {why}.", **evidence)
