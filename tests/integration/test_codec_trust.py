"""Whose manifests the codec believes, and what it says of a signer."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding

from ledger.adapters import pki
from ledger.core.manifest import ClaimCredential
from ledger.errors import RakkanError
from ledger.ports import Anchors
from tests.support import media
from tests.support.codec import DIGEST, GOOD
from tests.support.sealing import key_pem, plan, spki, stranger, workshop


def test_anchors_decide() -> None:
    shop, other = workshop(), stranger()
    path = Path(__file__)
    from hashlib import sha256

    store = shop.codec.seal_digest(plan(), sha256(path.read_bytes()).hexdigest(), GOOD)
    for anchors, state in (
        (shop.anchors, "Trusted"),
        (other.anchors, "Valid"),
        (Anchors("", ""), "Valid"),
        (Anchors("", shop.anchors.timestamp_pem), "Valid"),
        (Anchors(other.anchors.manifest_pem + shop.anchors.manifest_pem, ""), "Trusted"),
    ):
        reading = shop.codec.read(path, store, anchors)
        assert reading is not None
        untrusted = "signingCredential.untrusted" in {finding.code for finding in reading.failure}
        assert (reading.state, untrusted, reading.trust_list is not None) == (
            state,
            state != "Trusted",
            state == "Trusted",
        )


def test_the_list_is_named_the_same_every_time() -> None:
    from ledger.adapters.c2pa_codec import library

    shop, path = workshop(), Path(__file__)
    store = shop.codec.seal_digest(plan(), DIGEST, GOOD)
    names = set()
    for _ in range(20):
        library._reading_context.cache_clear()
        reading = shop.codec.read(path, store, shop.anchors)
        assert reading is not None
        names.add(reading.trust_list)
    assert names == {"urn:rakkan:trust:manifest"}


def test_a_time_stamp_certificate_cannot_vouch_for_claims() -> None:
    shop = workshop()
    forged = ClaimCredential(shop.tsa.key_pem(), shop.tsa.chain_pem)
    store = shop.codec.seal_digest(plan(), DIGEST, forged)
    reading = shop.codec.read(Path(__file__), store, shop.anchors)
    assert reading is not None
    assert "signingCredential.untrusted" in {finding.code for finding in reading.failure}
    assert "signingCredential.trusted" not in {finding.code for finding in reading.success}
    assert reading.trust_list is None


@pytest.mark.parametrize(
    "pem", ["no PEM", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "x" * 2**21]
)
def test_damaged_anchors(pem: str, tmp_path: Path) -> None:
    path = media.make("png", tmp_path)
    with pytest.raises(RakkanError) as caught:
        workshop().codec.read(path, None, Anchors(pem, ""))
    assert caught.value.code == "trust.malformed"


@pytest.mark.parametrize(
    "key", [ec.generate_private_key(ec.SECP256R1()), ed25519.Ed25519PrivateKey.generate()]
)
def test_the_signer_is_read_from_the_certificate(key: ec.EllipticCurvePrivateKey, tmp_path: Path) -> None:
    from hashlib import sha256

    from cryptography import x509

    shop = workshop()
    chain = pki.make_leaf(shop.issuing, "Studio Lantern", "ink-02", spki(key), datetime.now(UTC))
    leaf = x509.load_pem_x509_certificates(chain)[0]
    source = media.make("tif", tmp_path, "source")
    shop.codec.seal_file(plan(), source, tmp_path / "sealed.tif", ClaimCredential(key_pem(key), chain))
    reading = shop.codec.read(tmp_path / "sealed.tif", None, shop.anchors)
    assert reading is not None
    signer = reading.active_manifest.signer
    assert signer is not None
    assert (signer.common_name, signer.organization) == ("ink-02", "Studio Lantern")
    assert signer.certificate_sha256 == sha256(leaf.public_bytes(Encoding.DER)).hexdigest()
    assert signer.serial == str(leaf.serial_number)
    assert (signer.not_before, signer.not_after) == (leaf.not_valid_before_utc, leaf.not_valid_after_utc)
    assert signer.ekus == ("1.3.6.1.4.1.62558.2.1", "1.3.6.1.5.5.7.3.4")
