"""Public keys: what is one, and what it is called."""

import hashlib
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa, x25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ledger.adapters.keys import new_claim_key
from ledger.core.identity import parse_public_key
from ledger.errors import MalformedError
from tests.support.builders import (
    DEVICE,
)


def spki(key: Any) -> bytes:
    data = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert isinstance(data, bytes)
    return data


def compressed(key: ec.EllipticCurvePrivateKey) -> bytes:
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    head = bytes.fromhex("3039301306072a8648ce3d020106082a8648ce3d030107032200")
    return head + point


P256 = ec.generate_private_key(ec.SECP256R1())
NOT_KEYS = {
    "nothing": b"",
    "text": b"ssh-ed25519 AAAA",
    "raw Ed25519": DEVICE.public_key[-32:],
    "cut short": DEVICE.public_key[:-1],
    "one byte more": DEVICE.public_key + b"\0",
    "P-384": spki(ec.generate_private_key(ec.SECP384R1())),
    "secp256k1": spki(ec.generate_private_key(ec.SECP256K1())),
    "RSA": spki(rsa.generate_private_key(65537, 2048)),
    "X25519": spki(x25519.X25519PrivateKey.generate()),
    "Ed448": spki(ed448.Ed448PrivateKey.generate()),
    "compressed point": compressed(P256),
    "point off the curve": spki(P256)[:-1] + bytes([spki(P256)[-1] ^ 1]),
}


@pytest.mark.parametrize("data", NOT_KEYS.values(), ids=NOT_KEYS)
def test_only_two_kinds_of_key_in_one_form(data: bytes) -> None:
    with pytest.raises(MalformedError) as error:
        parse_public_key(data)
    assert error.value.code == "key.malformed"


@pytest.mark.parametrize("data", [DEVICE.public_key, spki(P256)], ids=["Ed25519", "P-256"])
def test_a_key_is_named_by_its_digest(data: bytes) -> None:
    assert parse_public_key(data).keyid == hashlib.sha256(data).hexdigest()


def test_a_p256_key_signs_der() -> None:
    signer = new_claim_key()
    parse_public_key(signer.public_key).verify(signer.sign(b"x"), b"x")
