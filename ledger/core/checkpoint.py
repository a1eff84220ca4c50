"""Checkpoints (c2sp.org/tlog-checkpoint): a log's size and root hash as a signed note.

* The text is three lines: the origin, the size in decimal, the root in base64. Extension lines, which the
  specification does not recommend, are refused.
* The log signs under its origin as the key name. So a verifier named like the origin is the log's own key;
  all others are witnesses, and a checkpoint that only witnesses signed is refused. A key of a cosignature
  type is a witness's whatever its name is.
* What does not format back to the same bytes is refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ledger.core.encoding import decode_base64, encode_base64
from ledger.core.merkle import EMPTY_ROOT, HASH_SIZE
from ledger.core.note import (
    NoteSigner,
    NoteVerifier,
    Verifier,
    open_note,
    parse_note,
    sign_note,
)
from ledger.errors import MalformedError, UndecidedError

MAX_SIZE = 2**63 - 1
"""Entries. What SQL databases and most other implementations hold in an integer."""

_BODY = re.compile(r"(?P<origin>[^\n]+)\n(?P<size>0|[1-9][0-9]{0,18})\n(?P<root>[A-Za-z0-9+/]{43}=)\n")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state of a log: its origin, the number of entries, and the 32-byte root over them."""

    origin: str
    size: int
    root: bytes


def format_body(checkpoint: Checkpoint) -> str:
    """Return the note text of a checkpoint; the exact inverse of ``parse_body``."""
    return f"{checkpoint.origin}\n{checkpoint.size}\n{encode_base64(checkpoint.root)}\n"


def parse_body(text: str) -> Checkpoint:
    """Return the checkpoint that a note text states. Raises ``MalformedError("checkpoint.malformed")``."""
    checkpoint = read_body(text)
    if checkpoint.size == 0 and checkpoint.root != EMPTY_ROOT:
        raise MalformedError("checkpoint.malformed", "No tree has this size and root.", text=text[:200])
    return checkpoint


def read_body(text: str) -> Checkpoint:
    """Return as ``parse_body``, also where the empty tree has a root that is not its own.

    For a witness, which must tell that case from a malformed text.
    """
    match = _BODY.fullmatch(text)
    tree_root = decode_base64(match["root"]) if match else None
    if match is None or tree_root is None or int(match["size"]) > MAX_SIZE:
        raise MalformedError("checkpoint.malformed", "This is not a checkpoint.", text=text[:200])
    return Checkpoint(match["origin"], int(match["size"]), tree_root)


def parse_checkpoint(data: bytes) -> Checkpoint:
    """Return what a signed checkpoint states, its signatures **unverified**.

    Raises ``MalformedError`` with ``note.malformed`` or ``checkpoint.malformed``.
    """
    return parse_body(parse_note(data).text)


def sign_checkpoint(origin: str, size: int, root: bytes, signers: Sequence[NoteSigner]) -> bytes:
    """Return the signed checkpoint. One of the signers must be the log's own: named like the origin.

    Raises ``MalformedError("checkpoint.origin")`` when none is, and ``MalformedError`` for values that no
    checkpoint may have. The caller guarantees that no inconsistent checkpoint was ever signed.
    """
    text = format_body(Checkpoint(origin, size, root))
    if len(root) != HASH_SIZE or parse_body(text) != Checkpoint(origin, size, root):
        raise MalformedError("checkpoint.malformed", "No tree has this size and root.", size=size)
    if all(signer.name != origin for signer in signers):
        raise MalformedError("checkpoint.origin", "The log's own key does not sign.", origin=origin)
    return sign_note(text, signers)


def open_checkpoint(data: bytes, verifiers: Sequence[Verifier]) -> Checkpoint:
    """Return the checkpoint, signed by the log's own key and by no known key wrongly.

    Raises ``MalformedError`` for other bytes and ``IntegrityError("note.signature")`` when a known key's
    signature is wrong. What cannot be judged is not forged: ``UndecidedError("checkpoint.origin")`` when the
    checkpoint is of a log that none of the verifiers is named after, and ``UndecidedError("key.unknown")``
    when no key of the log that is known here signed it.
    """
    checkpoint = parse_checkpoint(data)
    own = [
        verifier
        for verifier in verifiers
        if isinstance(verifier, NoteVerifier) and verifier.name == checkpoint.origin
    ]
    if not own:
        names = ", ".join(verifier.name for verifier in verifiers)
        raise UndecidedError(
            "checkpoint.origin", "This checkpoint is of another log.", origin=checkpoint.origin, known=names
        )
    _, signed = open_note(data, verifiers)
    if not any(verifier in own for verifier in signed):
        raise UndecidedError("key.unknown", "The log's own key did not sign.", origin=checkpoint.origin)
    return checkpoint
