"""Private keys as files: PKCS#8 PEM, mode 0600, encrypted when the studio has set a passphrase.

* A key file is created with its final mode: there is no moment at which others could read it.
* A key that others on the machine can read is refused, not merely warned about.
* Nothing here prints, logs or returns a private key except to the library that signs with it.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from ledger.core.digest import sha256_hex
from ledger.errors import MalformedError, RefusedError, UsageError

PrivateKey = ed25519.Ed25519PrivateKey | mldsa.MLDSA44PrivateKey | ec.EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class KeySigner:
    """A signer whose key is in memory. Implements ``ports.Signer``."""

    _key: PrivateKey = field(repr=False)
    public_key: bytes = field(init=False)
    """The public key as DER SubjectPublicKeyInfo."""

    def __post_init__(self) -> None:
        spki = self._key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        object.__setattr__(self, "public_key", spki)

    @property
    def keyid(self) -> str:
        """SHA-256 (hex) of the public key."""
        return sha256_hex(self.public_key)

    def sign(self, message: bytes) -> bytes:
        """Return the signature: 64 bytes for Ed25519, 2420 for ML-DSA-44, DER for ECDSA with SHA-256."""
        if isinstance(self._key, ec.EllipticCurvePrivateKey):
            return self._key.sign(message, ec.ECDSA(SHA256()))
        return self._key.sign(message)

    def pem(self, passphrase: bytes | None) -> bytes:
        """Return the key as PKCS#8 PEM for storage."""
        return self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, _encryption(passphrase))


def new_statement_key() -> KeySigner:
    """Return a new Ed25519 key."""
    return KeySigner(ed25519.Ed25519PrivateKey.generate())


def new_ml_dsa_key() -> KeySigner:
    """Return a new ML-DSA-44 key: what a witness may cosign with."""
    return KeySigner(mldsa.MLDSA44PrivateKey.generate())


def new_claim_key() -> KeySigner:
    """Return a new P-256 key."""
    return KeySigner(ec.generate_private_key(ec.SECP256R1()))


def save_private(path: Path, pem: bytes) -> None:
    """Create the key file, readable by its owner alone, durable. Raises ``RefusedError("target.exists")``.

    An ``OSError`` leaves no file behind: half a key would stand in the way of the next attempt.
    """
    for folder in [folder for folder in reversed(path.parents) if not folder.exists()]:
        folder.mkdir(exist_ok=True, mode=0o700)  # one by one: `parents=True` would open the ones between
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise RefusedError("target.exists", f"{path} is already there.", path=path) from error
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(pem)
            stream.flush()
            os.fsync(stream.fileno())
        _sync_folder(path.parent)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def read_private(path: Path) -> bytes:
    """Return the PEM of a key file.

    Raises ``UsageError("key.missing")`` and ``RefusedError("key.permissions")``.
    """
    try:
        with path.open("rb") as stream:
            mode = os.fstat(stream.fileno()).st_mode  # of the very file that is read
            pem = stream.read()
    except OSError as error:
        raise UsageError("key.missing", f"The key file {path} cannot be read.", path=path) from error
    if stat.S_IMODE(mode) & 0o077:
        raise RefusedError("key.permissions", f"Others can read the key file {path}.", path=path)
    return pem


def load_signer(path: Path, passphrase: bytes | None) -> KeySigner:
    """Return the signer of a key file.

    Raises as ``read_private``, ``RefusedError("key.passphrase")``, ``MalformedError("key.malformed")``.
    """
    return parse_signer(read_private(path), passphrase)


def parse_signer(pem: bytes, passphrase: bytes | None) -> KeySigner:
    """Return the signer of a PKCS#8 PEM. Raises as ``load_signer``."""
    encrypted = b"ENCRYPTED" in pem
    if encrypted and passphrase is None:
        raise RefusedError("key.passphrase", "The key is encrypted, and RAKKAN_PASSPHRASE is not set.")
    try:
        key = load_pem_private_key(pem, passphrase if encrypted else None)
    except (ValueError, UnsupportedAlgorithm) as error:
        if encrypted:
            raise RefusedError("key.passphrase", "The passphrase does not open this key.") from error
        raise MalformedError("key.malformed", "The key file is not a PKCS#8 PEM private key.") from error
    if not isinstance(key, ed25519.Ed25519PrivateKey | mldsa.MLDSA44PrivateKey) and not (
        isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1)
    ):
        raise MalformedError("key.malformed", "The key is neither Ed25519 nor ML-DSA-44 nor P-256.")
    return KeySigner(key)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _encryption(passphrase: bytes | None) -> KeySerializationEncryption:
    return BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
