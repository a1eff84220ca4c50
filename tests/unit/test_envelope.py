"""DSSE envelopes: one byte form, signatures over bytes, and a code for each way to be wrong."""

import base64
from collections.abc import Callable
from typing import Any

import pytest

from ledger.adapters.keys import new_claim_key, new_statement_key
from ledger.core import canonical
from ledger.core import envelope as dsse
from ledger.core.envelope import MAX_BYTES, PAYLOAD_TYPE, Envelope, Signature
from ledger.core.identity import parse_public_key
from ledger.errors import IntegrityError, MalformedError, UndecidedError
from ledger.ports import Signer
from ledger.testing import SeedSigner

PAYLOAD = '{"artist":"落款","mood":"naïve"}'.encode()
ALICE, BOB = SeedSigner("alice"), SeedSigner("bob")
GOOD = dsse.sign(PAYLOAD, ALICE)


def test_pae_is_that_of_the_specification() -> None:
    """The example of DSSE v1, with our payload type in its place."""
    assert dsse.pae(b"hello world") == b"DSSEv1 28 application/vnd.in-toto+json 11 hello world"


def test_pae_counts_bytes_not_characters() -> None:
    text = "落款"
    assert (len(text), len(text.encode())) == (2, 6)
    assert dsse.pae(text.encode()) == b"DSSEv1 28 application/vnd.in-toto+json 6 " + text.encode()


def test_an_envelope_comes_back() -> None:
    envelope = dsse.decode(GOOD)
    assert envelope.payload == PAYLOAD
    assert [signature.keyid for signature in envelope.signatures] == [ALICE.keyid]
    assert dsse.encode(envelope) == GOOD


@pytest.mark.parametrize("make", [new_statement_key, new_claim_key], ids=["Ed25519", "P-256"])
def test_both_kinds_of_key_sign(make: Callable[[], Signer]) -> None:
    signer = make()
    envelope = dsse.decode(dsse.sign(PAYLOAD, signer))
    dsse.verify(envelope, parse_public_key(signer.public_key))
    changed = Envelope(PAYLOAD + b" ", envelope.signatures)
    with pytest.raises(IntegrityError) as error:
        dsse.verify(changed, parse_public_key(signer.public_key))
    assert error.value.code == "envelope.signature"


@pytest.mark.parametrize("length", [0, 1, 63, 65, 72, 200])
@pytest.mark.parametrize("make", [new_statement_key, new_claim_key], ids=["Ed25519", "P-256"])
def test_a_signature_of_any_length_is_only_wrong(make: Callable[[], Signer], length: int) -> None:
    signer = make()
    envelope = Envelope(PAYLOAD, (Signature(signer.keyid, b"\x30" * length),))
    with pytest.raises(IntegrityError) as error:
        dsse.verify(envelope, parse_public_key(signer.public_key))
    assert error.value.code == "envelope.signature"


def test_an_envelope_by_others_is_undecided() -> None:
    with pytest.raises(UndecidedError) as error:
        dsse.verify(dsse.decode(GOOD), parse_public_key(BOB.public_key))
    assert error.value.code == "envelope.unsigned"


def test_the_keyid_is_only_a_hint() -> None:
    """Bob's signature under Alice's name fails with Alice's key."""
    forged = Envelope(PAYLOAD, (Signature(ALICE.keyid, BOB.sign(dsse.pae(PAYLOAD))),))
    with pytest.raises(IntegrityError):
        dsse.verify(forged, parse_public_key(ALICE.public_key))


def test_one_of_several_signatures_is_found() -> None:
    envelope = dsse.decode(dsse.sign(PAYLOAD, BOB, ALICE))
    for signer in (ALICE, BOB):
        dsse.verify(envelope, parse_public_key(signer.public_key))


def broken(change: Callable[[dict[str, Any]], object]) -> str:
    document = canonical.decode(GOOD)
    change(document)
    with pytest.raises(MalformedError) as error:
        dsse.decode(canonical.encode(document))
    return error.value.code


def sign_with(**members: Any) -> Callable[[dict[str, Any]], object]:
    return lambda document: document["signatures"][0].update(members)


CASES: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "no payload": (lambda d: d.pop("payload"), "envelope.malformed"),
    "no payload type": (lambda d: d.pop("payloadType"), "envelope.malformed"),
    "no signatures": (lambda d: d.pop("signatures"), "envelope.malformed"),
    "other payload type": (lambda d: d.update(payloadType="text/plain"), "envelope.payload-type"),
    "payload type in upper case": (
        lambda d: d.update(payloadType=PAYLOAD_TYPE.upper()),
        "envelope.payload-type",
    ),
    "unknown field": (lambda d: d.update(timestamp=1), "envelope.malformed"),
    "unsigned": (lambda d: d.update(signatures=[]), "envelope.unsigned"),
    "signatures not a list": (lambda d: d.update(signatures={}), "envelope.malformed"),
    "signature not an object": (lambda d: d.update(signatures=["x"]), "envelope.malformed"),
    "signature without keyid": (lambda d: d["signatures"][0].pop("keyid"), "envelope.malformed"),
    "signature without sig": (lambda d: d["signatures"][0].pop("sig"), "envelope.malformed"),
    "signature with a certificate": (sign_with(cert="x"), "envelope.malformed"),
    "empty keyid": (sign_with(keyid=""), "envelope.malformed"),
    "two signatures by one keyid": (
        lambda d: d["signatures"].append({**d["signatures"][0], "sig": "AAAA"}),
        "envelope.malformed",
    ),
    "payload with a newline": (lambda d: d.update(payload=d["payload"] + "\n"), "envelope.malformed"),
    "payload without padding": (
        lambda d: d.update(payload=base64.b64encode(b"a").decode().rstrip("=")),
        "envelope.malformed",
    ),
    "payload with spare bits": (lambda d: d.update(payload="YR=="), "envelope.malformed"),
    "payload in the url alphabet": (lambda d: d.update(payload="_-8="), "envelope.malformed"),
    "sig with a space": (sign_with(sig="AA AA"), "envelope.malformed"),
    "sig with too much padding": (sign_with(sig="AAAA===="), "envelope.malformed"),
    "sig as bytes": (sign_with(sig=[1, 2]), "envelope.malformed"),
}


@pytest.mark.parametrize(("change", "code"), CASES.values(), ids=CASES)
def test_refused(change: Callable[[dict[str, Any]], object], code: str) -> None:
    assert broken(change) == code


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "json.malformed"),
        (GOOD[:-1], "json.malformed"),
        (GOOD + b"\n", "json.not-canonical"),
        (b" " + GOOD, "json.not-canonical"),
        (GOOD.replace(b'"payload":', b'"payload":"","payload":', 1), "json.duplicate-key"),
        (GOOD.replace(b'"keyid"', b'"\xff"', 1), "json.malformed"),
        (b"[]", "envelope.malformed"),
        (b'"x"', "envelope.malformed"),
    ],
    ids=["empty", "cut", "newline", "space", "member twice", "bad UTF-8", "array", "text"],
)
def test_other_bytes_are_refused(data: bytes, code: str) -> None:
    with pytest.raises(MalformedError) as error:
        dsse.decode(data)
    assert error.value.code == code


def sized(size: int) -> bytes:
    """Return an envelope of this size, or a few bytes less where base64 has none of it."""
    for length in range(3 * (size - len(dsse.sign(b"", ALICE))) // 4 + 3, 0, -1):
        data = canonical.encode(
            {
                "payload": base64.b64encode(b"x" * length).decode(),
                "payloadType": PAYLOAD_TYPE,
                "signatures": [{"keyid": ALICE.keyid, "sig": "AAAA" + "A" * 84}],
            }
        )
        if len(data) <= size:
            return data
    raise AssertionError(size)


def test_the_largest_envelope_is_65_535_bytes() -> None:
    largest = sized(MAX_BYTES)
    assert MAX_BYTES - 4 < len(largest) <= MAX_BYTES == 0xFFFF
    assert dsse.encode(dsse.decode(largest)) == largest


@pytest.mark.parametrize("size", [MAX_BYTES + 1, 64 * 1024 + 1, 10_000_000])
def test_a_larger_one_is_refused_before_it_is_parsed(size: int) -> None:
    with pytest.raises(MalformedError) as error:
        dsse.decode(b"[" * size)
    assert error.value.code == "envelope.too-large"
    assert error.value.evidence["size"] == size


def test_a_larger_one_is_not_written() -> None:
    with pytest.raises(MalformedError) as error:
        dsse.sign(b"x" * MAX_BYTES, ALICE)
    assert error.value.code == "envelope.too-large"
