"""Public keys: one name, one form, two algorithms.

* A key's name (keyid) is the SHA-256 of its DER SubjectPublicKeyInfo; the keyid inside an envelope is a hint
  that finds the key and never decides anything.
* What formats back to other bytes is refused: a key has one name.
"""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from ledger.core.digest import sha256_hex
from ledger.errors import IntegrityError, MalformedError

ED25519 = "ed25519"
ECDSA = "ecdsa-p256-sha256"


@dataclass(frozen=True, slots=True)
class PublicKey:
    """An Ed25519 or ECDSA P-256 public key, as DER SubjectPublicKeyInfo."""

    spki: bytes
    keyid: str
    """SHA-256 (hex) of ``spki``."""
    _key: ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey

    @property
    def algorithm(self) -> str:
        """``ED25519`` or ``ECDSA``, as RFC 9421 names them."""
        return ED25519 if isinstance(self._key, ed25519.Ed25519PublicKey) else ECDSA

    def signed(self, signature: bytes, message: bytes) -> bool:
        """Whether the signature (64 bytes, or DER for ECDSA) is of these bytes by this key."""
        try:
            if isinstance(self._key, ed25519.Ed25519PublicKey):
                self._key.verify(signature, message)
            else:
                self._key.verify(signature, message, ec.ECDSA(SHA256()))
        except InvalidSignature:
            return False
        return True

    def verify(self, signature: bytes, message: bytes) -> None:
        """Return if the signature is good. Raises ``IntegrityError("envelope.signature")``."""
        if not self.signed(signature, message):
            raise IntegrityError(
                "envelope.signature", "The signature does not fit the key and the bytes.", keyid=self.keyid
            )


def parse_public_key(spki: bytes) -> PublicKey:
    """Return the key. Raises ``MalformedError("key.malformed")`` for any other algorithm or encoding."""
    try:
        key = load_der_public_key(spki)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise MalformedError("key.malformed", "Not a DER SubjectPublicKeyInfo.") from error
    if not isinstance(key, ed25519.Ed25519PublicKey) and not (
        isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1)
    ):
        raise MalformedError("key.malformed", "The key is neither Ed25519 nor P-256.")
    if key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) != spki:
        raise MalformedError("key.malformed", "The key does not format back to the same bytes.")
    return PublicKey(spki, sha256_hex(spki), key)
