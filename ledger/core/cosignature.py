"""Cosignatures (c2sp.org/tlog-cosignature): what a witness puts under a checkpoint, with the time it did.

* A cosignature is a note signature line: 8 bytes of POSIX time, big-endian, and the signature. There are two
  types, Ed25519 (0x04) and ML-DSA-44 (0x06).
* The Ed25519 type signs ``cosignature/v1``, ``time <seconds>`` and the checkpoint's text. The ML-DSA-44 type
  signs a structure that also names the witness, and says of the whole tree what it can say of a part.
* The time of a witness's cosignature is not zero and not beyond 2^63 - 1.
* A cosignature says that the tree is the largest consistent one that the witness had seen then. It never
  stands in for the log's own signature.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

from ledger.core.checkpoint import Checkpoint, open_checkpoint, parse_body
from ledger.core.note import (
    MessageSigner,
    NoteSignature,
    NoteVerifier,
    check_name,
    format_vkey,
    key_id,
    parse_note,
    split_vkey,
    verified_lines,
)
from ledger.errors import IntegrityError, MalformedError

MAX_TIME = 2**63 - 1
"""POSIX seconds. The specification allows no later time."""

_ED25519 = b"\x04"
_ML_DSA_44 = b"\x06"
_KEY_SIZES = {_ED25519: 32, _ML_DSA_44: 1312}
_SPKI = {
    _ED25519: bytes.fromhex("302a300506032b6570032100"),
    _ML_DSA_44: bytes.fromhex("30820532300b06096086480165030403110382052100"),
}
_TIME_SIZE = 8


@dataclass(frozen=True, slots=True)
class CosignatureVerifier:
    """A witness's public key: its signature type (0x04 or 0x06) and the raw key. A ``note.Verifier``."""

    name: str
    type: bytes
    public_key: bytes

    @property
    def key_id(self) -> bytes:
        """The 4 bytes that stand before a signature by this key."""
        return key_id(self.name, self.type + self.public_key)

    @property
    def vkey(self) -> str:
        """The key as text: ``<name>+<key id in hex>+<base64(type || public key)>``."""
        return format_vkey(self.name, self.type + self.public_key)

    def verify(self, text: str, signature: bytes) -> None:
        """Return if ``signature`` (time and signature) is this key's over the checkpoint's text.

        Raises ``IntegrityError("note.signature")``, and ``MalformedError("checkpoint.malformed")`` for a text
        that is no checkpoint.
        """
        key = (Ed25519PublicKey if self.type == _ED25519 else MLDSA44PublicKey).from_public_bytes
        try:
            time = time_of(signature)
            key(self.public_key).verify(signature[_TIME_SIZE:], _message(self, text, time))
        except (InvalidSignature, ValueError) as error:
            raise IntegrityError("note.signature", "A cosignature is wrong.", key=self.vkey) from error


@dataclass(frozen=True, slots=True)
class CosignatureSigner:
    """A witness's private key, Ed25519 or ML-DSA-44, under the name it cosigns with.

    The Ed25519 message does not name the witness: one key must not serve under two names.
    """

    name: str
    key: MessageSigner

    @property
    def verifier(self) -> CosignatureVerifier:
        """The public half. Raises ``MalformedError("key.malformed")`` for another kind of key or name."""
        spki = self.key.public_key
        for kind, prefix in _SPKI.items():
            if spki.startswith(prefix) and len(spki) == len(prefix) + _KEY_SIZES[kind]:
                return CosignatureVerifier(check_name(self.name), kind, spki[len(prefix) :])
        raise MalformedError(
            "key.malformed", "A witness signs with an Ed25519 or an ML-DSA-44 key.", name=self.name
        )

    def cosign(self, text: str, time: int) -> NoteSignature:
        """Return the signature line over a checkpoint's text, as of ``time`` (POSIX seconds).

        Raises ``MalformedError("checkpoint.malformed")`` for a text that is no checkpoint, and ``ValueError``
        for a time that no cosignature may have.
        """
        if not 0 < time <= MAX_TIME:
            raise ValueError(f"no cosignature has this time: {time}")
        verifier = self.verifier
        signature = self.key.sign(_message(verifier, text, time))
        return NoteSignature(self.name, verifier.key_id, time.to_bytes(_TIME_SIZE, "big") + signature)


@dataclass(frozen=True, slots=True)
class Cosignature:
    """One verified cosignature: by whom, and at which POSIX second the witness says it was."""

    verifier: CosignatureVerifier
    time: int


def parse_cosigner(text: str) -> CosignatureVerifier:
    """Return the witness's key that a vkey text describes.

    Raises ``MalformedError("key.malformed")`` for another form or another signature type than 0x04 and 0x06.
    """
    name, typed = split_vkey(text)
    if len(typed) != 1 + _KEY_SIZES.get(typed[:1], 0):
        raise MalformedError("key.malformed", "This is not the vkey of a witness.", text=text[:200])
    return CosignatureVerifier(name, typed[:1], typed[1:])


def time_of(signature: bytes) -> int:
    """Return the POSIX time of a cosignature. Raises ``ValueError`` for one that cannot be right."""
    time = int.from_bytes(signature[:_TIME_SIZE], "big")
    if len(signature) <= _TIME_SIZE or not 0 < time <= MAX_TIME:
        raise ValueError("no cosignature has this time")
    return time


def open_cosigned(
    data: bytes, logs: Sequence[NoteVerifier], witnesses: Sequence[CosignatureVerifier]
) -> tuple[Checkpoint, tuple[Cosignature, ...]]:
    """Return the checkpoint, signed by the log's own key, and the cosignatures by these witnesses.

    Of several by one witness the newest counts. Raises what ``open_checkpoint`` raises: a wrong signature by
    a known key refuses the whole note. No cosignature at all is no error: a policy says how many it takes.
    """
    checkpoint = open_checkpoint(data, logs)
    newest: dict[CosignatureVerifier, int] = {}
    for verifier, line in verified_lines(parse_note(data), witnesses):
        newest[verifier] = max(newest.get(verifier, 0), time_of(line.signature))
    return checkpoint, tuple(Cosignature(verifier, time) for verifier, time in newest.items())


def _message(verifier: CosignatureVerifier, text: str, time: int) -> bytes:
    """Return what is signed. Raises ``MalformedError``, and ``ValueError`` for too long a name."""
    checkpoint = parse_body(text)
    if verifier.type == _ED25519:
        return f"cosignature/v1\ntime {time}\n{text}".encode()
    return b"".join(
        (
            b"subtree/v1\n\0",
            _short(verifier.name),
            time.to_bytes(8, "big"),
            _short(checkpoint.origin),
            bytes(8),  # start: a checkpoint is the whole tree
            checkpoint.size.to_bytes(8, "big"),
            checkpoint.root,
        )
    )


def _short(text: str) -> bytes:
    """Return a text behind its length in one byte (RFC 8446 section 3.4)."""
    data = text.encode()
    if len(data) > 255:
        raise ValueError("this name is too long for an ML-DSA-44 cosignature")
    return bytes([len(data)]) + data
