"""Whose signature it is: a public key, or a certificate that leads to a trusted root."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import ExtensionPolicy, PolicyBuilder, Store, VerificationError

from ledger.core.digest import sha256_hex
from ledger.errors import MalformedError

_HASHES: dict[str, HashAlgorithm] = {"secp256r1": SHA256(), "secp384r1": SHA384(), "secp521r1": SHA512()}
MAX_CHAIN = 8


@dataclass(frozen=True, slots=True)
class Signer:
    """A key and what it is called; without a key, ``words`` say why there is none."""

    key: ec.EllipticCurvePublicKey | None
    name: str | None
    words: str = ""

    @property
    def hints(self) -> tuple[str, ...]:
        """What a bundle may call this key: the SHA-256 of its PEM, as OpenSSF's signer writes it."""
        if self.key is None:
            return ()
        return (sha256_hex(self.key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)),)

    def signed(self, signature: bytes, message: bytes) -> bool:
        """Whether this key made the signature; never without a key."""
        if self.key is None:
            return False
        try:
            self.key.verify(signature, message, ec.ECDSA(_HASHES[self.key.curve.name]))
        except InvalidSignature:
            return False
        return True


def key_signer(pem: bytes) -> Signer:
    """Return the holder of a public key. Raises ``MalformedError("key.malformed")`` for any other kind."""
    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise MalformedError("key.malformed", "Not a public key in PEM.") from error
    checked = _checked(key)
    if checked is None:
        raise MalformedError("key.malformed", "The key is not ECDSA on P-256, P-384 or P-521.")
    der = checked.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return Signer(checked, f"sha256:{sha256_hex(der)}")


def chain_signer(certificates: tuple[bytes, ...], roots_pem: bytes, at: datetime) -> Signer:
    """Return the holder of the first certificate (DER) if it leads to one of the roots at that moment.

    Raises ``MalformedError("key.malformed")`` when a certificate or the roots cannot be read.
    """
    try:
        chain = [x509.load_der_x509_certificate(data) for data in certificates]
        roots = x509.load_pem_x509_certificates(roots_pem)
        leaf_key = chain[0].public_key()
        store = Store(roots)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise MalformedError("key.malformed", "A certificate cannot be read.") from error
    key = _checked(leaf_key)
    if key is None or not _may_sign(chain[0]):
        return Signer(None, None, "the certificate is not one for signing")
    policy = PolicyBuilder().store(store).time(at).max_chain_depth(MAX_CHAIN)
    # A signer's certificate is no web server's: it needs no host name and no purpose but the one above.
    policy = policy.extension_policies(
        ca_policy=ExtensionPolicy.webpki_defaults_ca(), ee_policy=ExtensionPolicy.permit_all()
    )
    try:
        policy.build_client_verifier().verify(chain[0], chain[1:])
    except VerificationError:
        return Signer(None, None, "the certificate leads to none of the given roots, or not at this time")
    return Signer(key, chain[0].subject.rfc4514_string())


def _checked(key: object) -> ec.EllipticCurvePublicKey | None:
    return key if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in _HASHES else None


def _may_sign(certificate: x509.Certificate) -> bool:
    """Whether it is meant for signatures: by its key usage or, without one, as a code signer's."""
    try:
        extensions = certificate.extensions
    except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        return False
    for extension in extensions:
        value = extension.value
        if isinstance(value, x509.KeyUsage) and value.digital_signature:
            return True
        if isinstance(value, x509.ExtendedKeyUsage) and ExtendedKeyUsageOID.CODE_SIGNING in value:
            return True
    return False
