"""COSE Receipts (RFC 9942) over the log's tree: the RFC 9162 proofs of the other receipts, in CBOR.

* A receipt is a COSE_Sign1 (RFC 9052) by the log's key. The payload is the root, and is left out: the reader
  computes it from the entry (inclusion), or has it from a checkpoint (consistency).
* Protected: algorithm EdDSA, the tree RFC9162_SHA256, and as ``kid`` the name and the key id that a vkey
  begins with: a receipt says under its signature which log it is of. Unprotected: exactly one proof.
* What is signed begins with the CBOR text ``Signature1``; a note's text begins with an origin. No message of
  one kind can be read as one of the other.
* **The signature covers the root alone.** The index and the sizes are only as true as the shape of the proof
  makes them; who needs those reads the ``.tlog-proof``, whose checkpoint signs the size.
* What does not format back to the same bytes is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from ledger.core import cbor
from ledger.core.checkpoint import MAX_SIZE, Checkpoint
from ledger.core.merkle import HASH_SIZE, inclusion_root, leaf_hash, verify_consistency
from ledger.core.note import NoteSigner, NoteVerifier
from ledger.core.receipt import MAX_PROOF
from ledger.errors import IntegrityError, MalformedError, UndecidedError

MAX_BYTES = 16_384
"""The longest proof takes 2,142 bytes; the rest is room for the log's name."""

_SIGN1 = b"\xd2"  # tag 18: COSE_Sign1
_ALG, _KID, _VDS, _VDP = 1, 4, 395, 396
_EDDSA, _RFC9162_SHA256 = -8, 1
_SIGNATURE_SIZE = 64
_KEY = re.compile(r"[^+\s\x00-\x1f]+\+[0-9a-f]{8}")


@dataclass(frozen=True, slots=True)
class Inclusion:
    """The entry ``index`` is in the tree of ``size``; ``path`` from the leaf to the root."""

    LABEL: ClassVar[int] = -1

    size: int
    index: int
    path: tuple[bytes, ...]

    @property
    def numbers(self) -> tuple[int, int]:
        """The two numbers before the path, in the order of an inclusion-proof."""
        return self.size, self.index


@dataclass(frozen=True, slots=True)
class Consistency:
    """The tree of size ``old`` is a prefix of the tree of size ``new``."""

    LABEL: ClassVar[int] = -2

    old: int
    new: int
    path: tuple[bytes, ...]

    @property
    def numbers(self) -> tuple[int, int]:
        """The two numbers before the path, in the order of a consistency-proof."""
        return self.old, self.new


_KINDS: Mapping[int, type[Inclusion | Consistency]] = {kind.LABEL: kind for kind in (Inclusion, Consistency)}


@dataclass(frozen=True, slots=True)
class CoseReceipt:
    """``key`` is the beginning of the log's vkey, ``<origin>+<key id>``; the signature has 64 bytes."""

    key: str
    proof: Inclusion | Consistency
    signature: bytes


def sign_cose_receipt(proof: Inclusion | Consistency, root: bytes, signer: NoteSigner) -> bytes:
    """Return the receipt of a proof that leads to ``root``.

    The caller guarantees that the log had this root: the signature says so for ever.
    """
    key = key_of(signer.verifier)
    return format_cose_receipt(CoseReceipt(key, proof, signer.key.sign(_message(key, root))))


def format_cose_receipt(receipt: CoseReceipt) -> bytes:
    """Return the receipt as bytes; the exact inverse of ``parse_cose_receipt``."""
    proof = cbor.encode([*receipt.proof.numbers, receipt.proof.path])
    unprotected = {_VDP: {receipt.proof.LABEL: [proof]}}
    return _SIGN1 + cbor.encode([_protected(receipt.key), unprotected, None, receipt.signature])


def parse_cose_receipt(data: bytes) -> CoseReceipt:
    """Return the receipt, its signature and proof **unverified**.

    Raises ``MalformedError("receipt.malformed")``, also for what RFC 9942 allows and we do not write: other
    algorithms and headers, an attached payload, more than one proof.
    """
    try:
        if len(data) > MAX_BYTES:
            raise ValueError("too long")
        protected, unprotected, _, signature = cbor.decode(data)
        ((label, (blob,)),) = unprotected[_VDP].items()
        first, second, path = cbor.decode(blob)
        key = cbor.decode(protected)[_KID].decode()
        if not _plausible(key, [first, second], path, signature):
            raise ValueError("a part is of another type or size")
        receipt = CoseReceipt(key, _KINDS[label](first, second, tuple(path)), signature)
        if format_cose_receipt(receipt) != data:
            raise ValueError("it does not format back to the same bytes")
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        raise MalformedError("receipt.malformed", "This is not a COSE receipt of ours.") from error
    return receipt


def verify_cose_inclusion(receipt: CoseReceipt, entry: bytes, verifiers: Sequence[NoteVerifier]) -> bytes:
    """Return the root of the log that holds ``entry`` (its exact bytes).

    Raises ``MalformedError`` with ``receipt.malformed`` for a receipt of something else or
    ``proof.malformed``, ``UndecidedError("key.unknown")``, and ``IntegrityError("receipt.signature")``: of
    entry, proof and signature one is wrong, and which one cannot be told.
    """
    proof = receipt.proof
    if not isinstance(proof, Inclusion):
        raise MalformedError("receipt.malformed", "This receipt is not one of inclusion.")
    tree_root = inclusion_root(proof.index, proof.size, leaf_hash(entry), proof.path)
    _verify_signature(receipt, tree_root, verifiers)
    return tree_root


def verify_cose_consistency(
    receipt: CoseReceipt, old: Checkpoint, new: Checkpoint, verifiers: Sequence[NoteVerifier]
) -> None:
    """Return if the tree of ``old`` is proven to be a prefix of that of ``new``.

    The checkpoints are verified by the caller. Raises as ``verify_cose_inclusion``, and
    ``IntegrityError("proof.mismatch")``.
    """
    proof = receipt.proof
    if not isinstance(proof, Consistency) or proof.numbers != (old.size, new.size):
        raise MalformedError(
            "receipt.malformed",
            "This receipt is not one of consistency between these sizes.",
            old=old.size,
            new=new.size,
        )
    _verify_signature(receipt, new.root, verifiers)
    verify_consistency(old.size, new.size, proof.path, old.root, new.root)


def key_of(verifier: NoteVerifier) -> str:
    """Return what a receipt by this key has as its ``kid``: the vkey without the key itself."""
    return f"{verifier.name}+{verifier.key_id.hex()}"


def _verify_signature(receipt: CoseReceipt, root: bytes, verifiers: Sequence[NoteVerifier]) -> None:
    known = {key_of(verifier): verifier.public_key for verifier in verifiers}
    if receipt.key not in known:
        raise UndecidedError("key.unknown", "No known key signed this receipt.", signed_by=receipt.key)
    try:
        key = Ed25519PublicKey.from_public_bytes(known[receipt.key])
        key.verify(receipt.signature, _message(receipt.key, root))
    except (InvalidSignature, ValueError) as error:
        words = "The log's key did not sign the root that this receipt leads to."
        raise IntegrityError("receipt.signature", words, key=receipt.key, root=root.hex()) from error


def _message(key: str, root: bytes) -> bytes:
    """Return the Sig_structure (RFC 9052 section 4.4) over a root."""
    return cbor.encode(["Signature1", _protected(key), b"", root])


def _protected(key: str) -> bytes:
    return cbor.encode({_ALG: _EDDSA, _KID: key.encode(), _VDS: _RFC9162_SHA256})


def _plausible(key: str, numbers: Sequence[Any], path: Sequence[Any], signature: Any) -> bool:
    """Return whether the parts, as read, are what the types of a receipt say."""
    return (
        _KEY.fullmatch(key) is not None
        and all(isinstance(number, int) and 0 <= number <= MAX_SIZE for number in numbers)
        and len(path) <= MAX_PROOF
        and all(isinstance(item, bytes) and len(item) == HASH_SIZE for item in path)
        and isinstance(signature, bytes)
        and len(signature) == _SIGNATURE_SIZE
    )
