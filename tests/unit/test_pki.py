from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ledger.adapters import pki
from ledger.errors import RakkanError
from tests.support.sealing import PrivateKey, key_pem, spki

NOW = datetime(2026, 11, 22, 3, 4, 5, 678_901, tzinfo=UTC)
ROOT = pki.make_root("Studio Lantern", NOW)
ISSUING = pki.make_issuing(ROOT, "Studio Lantern", NOW)
TSA = pki.make_tsa(ROOT, "Studio Lantern", NOW)


def leaf(
    key: PrivateKey | None = None, now: datetime = NOW, life: timedelta = pki.LEAF_LIFE
) -> list[x509.Certificate]:
    made = key or ec.generate_private_key(ec.SECP256R1())
    return x509.load_pem_x509_certificates(
        pki.make_leaf(ISSUING, "Studio Lantern", "paint-01", spki(made), now, life)
    )


def purposes(certificate: x509.Certificate) -> list[x509.ObjectIdentifier]:
    return list(certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)


def test_the_chain_verifies_from_leaf_to_root() -> None:
    chain = [*leaf(), ROOT.certificate]
    for child, parent in pairwise(chain):
        child.verify_directly_issued_by(parent)
        child_key = child.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
        parent_key = parent.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
        assert child_key == parent_key
    TSA.certificate.verify_directly_issued_by(ROOT.certificate)


@pytest.mark.parametrize(
    "key", [ec.generate_private_key(ec.SECP256R1()), ed25519.Ed25519PrivateKey.generate()]
)
def test_a_leaf_may_sign_claims_and_nothing_else(key: PrivateKey) -> None:
    certificate = leaf(key)[0]
    assert purposes(certificate) == [pki.C2PA_SIGNING, ExtendedKeyUsageOID.EMAIL_PROTECTION]
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert (usage.value.digital_signature, usage.value.key_cert_sign, usage.value.crl_sign) == (
        True,
        False,
        False,
    )
    assert certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca is False
    assert certificate.public_key() == key.public_key()


def test_a_time_stamp_certificate_has_one_critical_purpose() -> None:
    extension = TSA.certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    assert (list(extension.value), extension.critical) == ([ExtendedKeyUsageOID.TIME_STAMPING], True)


@pytest.mark.parametrize(("authority", "length"), [(ROOT, 1), (ISSUING, 0)])
def test_authorities_sign_only_what_is_below_them(authority: pki.Authority, length: int) -> None:
    constraints = authority.certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (constraints.value.ca, constraints.value.path_length, constraints.critical) == (True, length, True)
    usage = authority.certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    assert (usage.key_cert_sign, usage.digital_signature) == (True, False)


def test_nothing_is_valid_before_its_time_nor_after_its_issuer() -> None:
    start = (NOW - pki.SKEW).replace(microsecond=0)
    for certificate in (ROOT.certificate, ISSUING.certificate, TSA.certificate, leaf()[0]):
        assert certificate.not_valid_before_utc == start
    assert leaf()[0].not_valid_after_utc == (NOW + timedelta(days=366)).replace(microsecond=0)
    last_days = ISSUING.certificate.not_valid_after_utc - timedelta(days=10)
    assert leaf(now=last_days)[0].not_valid_after_utc == ISSUING.certificate.not_valid_after_utc


def test_a_leaf_that_is_already_expired_can_be_made() -> None:
    expired = leaf(now=NOW - timedelta(days=3), life=timedelta(days=1))[0]
    assert expired.not_valid_after_utc < NOW


def test_long_names_are_shortened() -> None:
    made = ec.generate_private_key(ec.SECP256R1())
    chain = pki.make_leaf(ISSUING, "落" * 100, "d" * 100, spki(made), NOW)
    subject = x509.load_pem_x509_certificates(chain)[0].subject
    assert subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == "d" * 64
    assert subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)[0].value == "落" * 21  # 64 bytes


@pytest.mark.parametrize("passphrase", [None, b"a lantern"])
def test_an_authority_comes_back_from_its_files(passphrase: bytes | None) -> None:
    again = pki.parse_authority(ISSUING.key_pem(passphrase), ISSUING.chain_pem, passphrase)
    assert again.certificates == ISSUING.certificates
    assert key_pem(again.key) == key_pem(ISSUING.key)


def test_a_key_is_not_shown() -> None:
    assert "PRIVATE" not in repr(ISSUING)
    assert "key=" not in repr(ISSUING)


WRONG_KEY = ed25519.Ed25519PrivateKey.generate()
DEFECTS = {
    "another key": (TSA.key_pem(), ISSUING.chain_pem, None, "key.certificate-mismatch"),
    "a wrong passphrase": (ISSUING.key_pem(b"right"), ISSUING.chain_pem, b"wrong", "key.passphrase"),
    "a missing passphrase": (ISSUING.key_pem(b"right"), ISSUING.chain_pem, None, "key.passphrase"),
    "no key": (b"", ISSUING.chain_pem, None, "key.malformed"),
    "another kind of key": (key_pem(WRONG_KEY), ISSUING.chain_pem, None, "key.malformed"),
    "no certificate": (ISSUING.key_pem(), b"", None, "key.malformed"),
}


@pytest.mark.parametrize(("key", "chain", "passphrase", "code"), DEFECTS.values(), ids=DEFECTS.keys())
def test_a_damaged_authority(key: bytes, chain: bytes, passphrase: bytes | None, code: str) -> None:
    with pytest.raises(RakkanError) as caught:
        pki.parse_authority(key, chain, passphrase)
    assert caught.value.code == code


def test_only_our_two_kinds_of_key_get_a_certificate() -> None:
    big = rsa.generate_private_key(65537, 2048).public_key()
    p384 = ec.generate_private_key(ec.SECP384R1()).public_key()
    keys = [key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) for key in (big, p384)]
    for wrong in (*keys, b"", b"\x30\x00"):
        with pytest.raises(RakkanError) as caught:
            pki.make_leaf(ISSUING, "Studio Lantern", "paint-01", wrong, NOW)
        assert caught.value.code == "key.malformed"


def test_the_plain_form_of_the_key_is_pkcs8() -> None:
    assert ISSUING.key_pem() == ISSUING.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
