"""What a witness is asked and by which rules it answers (c2sp.org/tlog-witness). No clock, no disk, no key.

    old 20852014
    PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=      <- 0 to 63 hashes of the consistency proof
                                                      <- empty
    example.com/behind-the-sofa                       <- the checkpoint, to the end
    ...

* A request that does not format back to the same bytes is refused.
* ``judge`` is the whole witness: from the newest checkpoint that it cosigned and a request to the next one,
  or to a refusal with its HTTP status. It changes nothing.
* A refusal is a fork when the log's own signature stands under two checkpoints that cannot both be true. It
  is *proven* for two roots at one size. It is *possible* when a proof is wrong: anybody can send a log's
  checkpoint with a wrong proof, so that alone accuses nobody.
* Checkpoints with extension lines are refused (``checkpoint``).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from ledger.core.checkpoint import MAX_SIZE, Checkpoint, parse_checkpoint, read_body
from ledger.core.encoding import decode_base64, encode_base64
from ledger.core.merkle import EMPTY_ROOT, HASH_SIZE, verify_consistency
from ledger.core.note import Note, NoteVerifier, format_note, parse_note, verified_lines
from ledger.errors import IntegrityError, MalformedError, RakkanError

MAX_PROOF = 63
"""Hashes. More cannot be needed below 2^63 entries."""

MAX_REQUEST = 128 * 1024
"""Bytes: room for the longest proof and more than 16 ML-DSA signatures."""

SIZE_TYPE = "text/x.tlog.size"
"""The media type of an answer that only says which size the witness knows."""

_OLD = re.compile(r"old (0|[1-9][0-9]{0,18})")


class StaleSizeError(Exception):
    """The witness holds another size than the request began at; ``size`` is its own. Ask again from there."""

    def __init__(self, size: int) -> None:
        super().__init__(f"the witness holds size {size}")
        self.size = size


@dataclass(frozen=True, slots=True)
class Request:
    """An add-checkpoint request: the size to continue, the consistency proof, the checkpoint as sent."""

    old_size: int
    proof: tuple[bytes, ...]
    checkpoint: bytes

    @property
    def note(self) -> Note:
        """The checkpoint as a note, its signatures unverified. ``parse_request`` has shown that it is one."""
        return parse_note(self.checkpoint)

    @property
    def stated(self) -> Checkpoint:
        """What the checkpoint states, unverified; an empty tree may have a root that is not its own."""
        return read_body(self.note.text)


class Fork(StrEnum):
    """How much a refusal says about the log."""

    POSSIBLE = "possible"
    PROVEN = "proven"


@dataclass(frozen=True, slots=True)
class Accepted:
    """The witness may cosign. ``note`` is the checkpoint with the log's own signatures and no others."""

    checkpoint: Checkpoint
    note: Note


@dataclass(frozen=True, slots=True)
class Refused:
    """The witness must not cosign: the HTTP status, why, and for 409 the ``size`` that it knows.

    ``fork`` comes with ``evidence``: the refused checkpoint under the log's own signature.
    """

    status: int
    reason: str
    size: int | None = None
    fork: Fork | None = None
    evidence: bytes = b""


def parse_request(data: bytes) -> Request:
    """Return the request, its checkpoint well-formed and unverified.

    Raises ``MalformedError`` with ``witness.request``, ``note.malformed`` or ``checkpoint.malformed``.
    """
    head, blank, checkpoint = data.partition(b"\n\n")
    try:
        first, *rows = head.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise _malformed("it is not ASCII before its checkpoint") from error
    old, proof = _OLD.fullmatch(first), tuple(decode_base64(row) for row in rows)
    if len(data) > MAX_REQUEST or not blank or old is None or int(old[1]) > MAX_SIZE:
        raise _malformed("it has no old size, no blank line, or is too long")
    if len(proof) > MAX_PROOF or any(item is None or len(item) != HASH_SIZE for item in proof):
        raise _malformed("its proof is not at most 63 hashes in base64")
    request = Request(int(old[1]), tuple(item for item in proof if item is not None), checkpoint)
    _ = request.stated
    return request


def format_request(request: Request) -> bytes:
    """Return the request as bytes; the exact inverse of ``parse_request``."""
    proof = "".join(f"{encode_base64(item)}\n" for item in request.proof)
    return f"old {request.old_size}\n{proof}\n".encode() + request.checkpoint


def judge(request: Request, held: Checkpoint | None, logs: Sequence[NoteVerifier]) -> Accepted | Refused:
    """Return the checkpoint to cosign next, or why not.

    ``held`` is the newest checkpoint that this witness cosigned for the origin, ``logs`` the keys that it
    trusts for it.
    """
    stated = request.stated
    # SPEC: If the checkpoint origin is unknown, the witness MUST respond with a "404 Not Found".
    if all(log.name != stated.origin for log in logs):
        return Refused(404, "This witness does not know the log.")
    signed = _signed(request.note, [log for log in logs if log.name == stated.origin])
    # SPEC: ... "403 Forbidden" ... if either no signature from a trusted key for the origin is present, or
    # a signature line's key name and ID match a trusted key but the signature itself fails to verify.
    if signed is None:
        return Refused(403, "The log's own key did not sign this checkpoint.")
    return _continue(request, stated, held, signed)


def check_answer(status: int, media_type: str, body: bytes, request: Request) -> bytes:
    """Return the signature lines of a witness's answer to our request, unverified.

    Raises ``StaleSizeError``; ``IntegrityError("witness.fork")`` for an answer that says the checkpoint
    contradicts what the witness holds; and ``MalformedError("witness.answer")`` for all other answers.
    """
    if status == 200:
        return body
    if status == 409 and media_type == SIZE_TYPE:
        size = re.fullmatch(rb"(0|[1-9][0-9]{0,18})\n", body)
        if size is None or int(size[1]) == request.old_size:
            raise MalformedError("witness.answer", "The witness names no other size.", body=body[:100])
        raise StaleSizeError(int(size[1]))
    # Some witnesses answer a fork with a bare 409 where the specification says 422.
    if status in {409, 422}:
        stated = parse_checkpoint(request.checkpoint)
        raise IntegrityError(
            "witness.fork",
            "A witness holds a checkpoint that contradicts ours.",
            status=status,
            size=stated.size,
            root=stated.root.hex(),
        )
    raise MalformedError("witness.answer", "The witness did not cosign.", status=status, body=body[:100])


def _continue(
    request: Request, stated: Checkpoint, held: Checkpoint | None, signed: Note
) -> Accepted | Refused:
    """Judge whether a checkpoint that the log did sign continues the one that is held."""
    known, evidence = 0 if held is None else held.size, format_note(signed)
    # SPEC: The old size MUST be equal to or lower than the checkpoint size. Otherwise ... "400 Bad Request".
    if request.old_size > stated.size:
        return Refused(400, "The old size is larger than the checkpoint's.")
    forked = held is not None and stated.size == held.size and stated.root != held.root
    # SPEC: The witness MUST check that the old size matches the size of the latest checkpoint it cosigned
    # ... If it doesn't match, the witness MUST respond with a "409 Conflict".
    if request.old_size != known:
        proven = Fork.PROVEN if forked else None
        return Refused(409, "The witness holds another size.", known, proven, evidence)
    # SPEC: A checkpoint of size zero MUST have the root hash of the empty tree ... Otherwise, ... "422".
    # SPEC: If the old size matches the checkpoint size, the witness MUST check that the root hashes are also
    # identical. If they don't match, ... "422 Unprocessable Entity".
    if forked or (stated.size == 0 and stated.root != EMPTY_ROOT):
        return Refused(422, "No tree has both roots.", None, Fork.PROVEN, evidence)
    try:
        # SPEC: If the old size is zero, the consistency proof MUST be empty.
        # SPEC: ... or if a Merkle Consistency Proof doesn't verify, the witness MUST respond with a "422".
        old_root = EMPTY_ROOT if held is None else held.root
        verify_consistency(known, stated.size, request.proof, old_root, stated.root)
    except (MalformedError, IntegrityError):
        fork = Fork.POSSIBLE if known else None  # every tree continues the empty one
        return Refused(422, "The consistency proof is wrong.", None, fork, evidence)
    return Accepted(stated, signed)


def _signed(note: Note, logs: Sequence[NoteVerifier]) -> Note | None:
    """Return the note with the lines of these keys alone, ``None`` when there are none or one is wrong."""
    try:
        lines = tuple(line for _, line in verified_lines(note, logs))
    except RakkanError:
        return None
    return Note(note.text, lines) if lines else None


def _malformed(why: str) -> MalformedError:
    return MalformedError("witness.request", f"This is not an add-checkpoint request: {why}.")
