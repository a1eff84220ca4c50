"""The studio's own certificates: root, issuing authority, time stamp authority, one leaf per device.

Rules:

* keys are P-256: hardware tokens, browsers and every C2PA reader know it;
* the path is root (20 years) -> issuing (10 years) -> device leaf (366 days, the longest that the C2PA
  certificate profiles allow); the time stamp leaf hangs right under the root and outlives device leaves;
* a leaf carries the C2PA signing *and* the e-mail protection purpose: the first is what the profile asks for,
  the second is what every reader accepts without extra settings; it never carries a third;
* each certificate names its issuer's key (AuthorityKeyIdentifier): readers refuse a signer without it;
* reports are signed by a leaf of their own under issuing, for documents (RFC 9336) and for what cannot be
  denied later (contentCommitment), and for mail besides: older readers judge a document's signer by that;
* nothing is valid earlier than ``now`` minus ``SKEW``, and nothing outlives its issuer;
* nothing here touches a disk or reads a clock.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_public_key,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from ledger.errors import MalformedError, RefusedError

C2PA_SIGNING = ObjectIdentifier("1.3.6.1.4.1.62558.2.1")
"""c2pa-kp-claimSigning (C2PA certificate policy)."""

DOCUMENT_SIGNING = ObjectIdentifier("1.3.6.1.5.5.7.3.36")
"""id-kp-documentSigning (RFC 9336)."""

SKEW = timedelta(minutes=5)
"""How far the clocks of two machines of one studio may differ."""

ROOT_LIFE = timedelta(days=20 * 365)
ISSUING_LIFE = timedelta(days=10 * 365)
LEAF_LIFE = timedelta(days=366)

_LeafKey = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey


@dataclass(frozen=True, slots=True)
class Authority:
    """A private key with its certificates: its own first, then its issuers', without the root.

    The root's ``certificates`` is the root alone.
    """

    key: ec.EllipticCurvePrivateKey = field(repr=False)
    certificates: tuple[x509.Certificate, ...]

    @property
    def certificate(self) -> x509.Certificate:
        """Its own certificate."""
        return self.certificates[0]

    @property
    def chain_pem(self) -> bytes:
        """The certificates as PEM, leaf first."""
        return _pem(self.certificates)

    def key_pem(self, passphrase: bytes | None = None) -> bytes:
        """Return the private key as PKCS#8 PEM, encrypted when a passphrase is given."""
        encryption: KeySerializationEncryption = NoEncryption()
        if passphrase is not None:
            encryption = BestAvailableEncryption(passphrase)
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


def make_root(studio: str, now: datetime) -> Authority:
    """Return a self-signed root that may sign authorities, and those only leaves."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(f"{studio} Rakkan root", studio)
    builder = _builder(name, name, key.public_key(), key.public_key())
    builder = _ca(builder, path_length=1)
    return Authority(key, (_sign(builder, key, now, now + ROOT_LIFE),))


def make_issuing(root: Authority, studio: str, now: datetime) -> Authority:
    """Return the authority that enrols devices."""
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _under(root, _name(f"{studio} Rakkan issuing", studio), key.public_key())
    builder = _ca(builder, path_length=0)
    return Authority(key, (_sign(builder, root.key, now, _capped(now + ISSUING_LIFE, root)),))


def make_tsa(root: Authority, studio: str, now: datetime) -> Authority:
    """Return the time stamp authority (RFC 3161 §2.3: critical, its only purpose)."""
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _under(root, _name(f"{studio} Rakkan time stamps", studio), key.public_key())
    builder = _end_entity(builder, [ExtendedKeyUsageOID.TIME_STAMPING], _usage(), critical_purpose=True)
    return Authority(key, (_sign(builder, root.key, now, _capped(now + ISSUING_LIFE, root)),))


def make_leaf(
    issuing: Authority, studio: str, device: str, spki: bytes, now: datetime, life: timedelta = LEAF_LIFE
) -> bytes:
    """Return the PEM chain (leaf, issuing) that lets the holder of ``spki`` (DER) sign claims as ``device``.

    Raises ``MalformedError("key.malformed")`` for anything but an Ed25519 or P-256 public key.
    """
    builder = _under(issuing, _name(device, studio), _leaf_key(spki))
    purposes = [C2PA_SIGNING, ExtendedKeyUsageOID.EMAIL_PROTECTION]
    builder = _end_entity(builder, purposes, _usage(), critical_purpose=False)
    leaf = _sign(builder, issuing.key, now, _capped(now + life, issuing))
    return _pem((leaf, *issuing.certificates))


def make_reporting(issuing: Authority, studio: str, now: datetime) -> Authority:
    """Return what signs the studio's reports."""
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _under(issuing, _name(f"{studio} Rakkan reports", studio), key.public_key())
    purposes = [DOCUMENT_SIGNING, ExtendedKeyUsageOID.EMAIL_PROTECTION]
    builder = _end_entity(builder, purposes, _usage(commitment=True), critical_purpose=False)
    leaf = _sign(builder, issuing.key, now, _capped(now + LEAF_LIFE, issuing))
    return Authority(key, (leaf, *issuing.certificates))


def parse_authority(key_pem: bytes, chain_pem: bytes, passphrase: bytes | None = None) -> Authority:
    """Return the authority stored as PKCS#8 PEM and PEM chain.

    Raises ``MalformedError("key.malformed")`` for another kind of key or no certificate, and
    ``RefusedError`` with ``key.passphrase`` or ``key.certificate-mismatch``.
    """
    key = _load_key(key_pem, passphrase)
    try:
        certificates = tuple(x509.load_pem_x509_certificates(chain_pem))
    except ValueError as error:
        raise MalformedError("key.malformed", "The authority's certificates cannot be read.") from error
    if _spki(certificates[0].public_key()) != _spki(key.public_key()):
        raise RefusedError("key.certificate-mismatch", "The certificate was issued for another key.")
    return Authority(key, certificates)


def _load_key(key_pem: bytes, passphrase: bytes | None) -> ec.EllipticCurvePrivateKey:
    try:
        key = load_pem_private_key(key_pem, passphrase)
    except TypeError as error:  # encrypted and no passphrase, or the reverse
        raise RefusedError(
            "key.passphrase", "The key needs a passphrase, or was stored without one."
        ) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        if b"ENCRYPTED" in key_pem:
            raise RefusedError("key.passphrase", "The passphrase does not open the key.") from error
        raise MalformedError("key.malformed", "Not a PKCS#8 PEM private key.") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise MalformedError("key.malformed", "The authority's key is not a P-256 key.")
    return key


def _leaf_key(spki: bytes) -> _LeafKey:
    try:
        key = load_der_public_key(spki)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise MalformedError("key.malformed", "Not a DER SubjectPublicKeyInfo.") from error
    if isinstance(key, ed25519.Ed25519PublicKey):
        return key
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
        return key
    raise MalformedError("key.malformed", "The key is neither Ed25519 nor P-256.")


def _spki(key: object) -> bytes:
    """Return the DER form of a public key; ``b""`` for a kind that this product never issues."""
    if isinstance(key, ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey):
        return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return b""


def _name(common_name: str, organization: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, _cut(organization)),
            x509.NameAttribute(NameOID.COMMON_NAME, _cut(common_name)),
        ]
    )


def _cut(text: str) -> str:
    # X.520 allows 64 characters, and `cryptography` counts bytes: a long name must not stop an enrolment.
    return text.encode()[:64].decode(errors="ignore")


def _builder(
    subject: x509.Name, issuer: x509.Name, public: _LeafKey, issuer_key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key), critical=False)
    )


def _under(issuer: Authority, subject: x509.Name, public: _LeafKey) -> x509.CertificateBuilder:
    return _builder(subject, issuer.certificate.subject, public, issuer.key.public_key())


def _ca(builder: x509.CertificateBuilder, path_length: int) -> x509.CertificateBuilder:
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
    return builder.add_extension(_usage(authority=True), critical=True)


def _end_entity(
    builder: x509.CertificateBuilder,
    purposes: list[ObjectIdentifier],
    usage: x509.KeyUsage,
    *,
    critical_purpose: bool,
) -> x509.CertificateBuilder:
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(usage, critical=True)
    return builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=critical_purpose)


def _usage(*, authority: bool = False, commitment: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=commitment,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _capped(not_after: datetime, issuer: Authority) -> datetime:
    return min(not_after, issuer.certificate.not_valid_after_utc)


def _sign(
    builder: x509.CertificateBuilder, key: ec.EllipticCurvePrivateKey, now: datetime, not_after: datetime
) -> x509.Certificate:
    # X.509 counts whole seconds: a start rounded up would not be valid yet.
    start = (now - SKEW).replace(microsecond=0)
    return builder.not_valid_before(start).not_valid_after(not_after).sign(key, SHA256())


def _pem(certificates: tuple[x509.Certificate, ...]) -> bytes:
    return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates)
