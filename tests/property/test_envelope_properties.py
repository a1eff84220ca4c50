"""Envelopes: every byte counts. Change one, and the envelope is refused or its signature is."""

from hypothesis import given
from hypothesis import strategies as st

from ledger.core import envelope as dsse
from ledger.core.envelope import MAX_BYTES, Envelope, Signature
from ledger.core.identity import parse_public_key
from ledger.errors import IntegrityError, MalformedError, UndecidedError
from ledger.ports import Signer
from ledger.testing import SeedSigner
from tests.support.builders import refusal
from tests.vectors.generate_envelopes import P256Signer

ALICE, BOB = SeedSigner("alice"), SeedSigner("bob")
P256 = P256Signer("token")  # deterministic: hypothesis repeats what it draws from
signers: st.SearchStrategy[Signer] = st.sampled_from([ALICE, P256])
payloads = st.binary(max_size=300) | st.text(max_size=100).map(lambda text: text.encode("utf-8", "replace"))


@given(payloads, st.lists(st.sampled_from([ALICE, BOB, P256]), min_size=1, unique=True))
def test_what_is_signed_is_read_and_verified(payload: bytes, by: list[Signer]) -> None:
    data = dsse.sign(payload, *by)
    envelope = dsse.decode(data)
    assert envelope.payload == payload
    assert dsse.encode(envelope) == data
    for signer in by:
        dsse.verify(envelope, parse_public_key(signer.public_key))


@given(payloads, signers, st.data())
def test_no_byte_can_be_another(payload: bytes, signer: Signer, data: st.DataObject) -> None:
    """It is refused as bytes, or the signature is missing or wrong; never verified with another meaning."""
    good = dsse.sign(payload, signer)
    place = data.draw(st.integers(0, len(good) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != good[place]))
    changed = good[:place] + bytes([other]) + good[place + 1 :]
    try:
        envelope = dsse.decode(changed)
        assert dsse.encode(envelope) == changed
        dsse.verify(envelope, parse_public_key(signer.public_key))
    except (MalformedError, IntegrityError, UndecidedError):
        return
    raise AssertionError(changed)


@given(payloads, st.data())
def test_no_byte_can_be_left_out_or_put_in(payload: bytes, data: st.DataObject) -> None:

    def opened(data: bytes) -> None:
        dsse.verify(dsse.decode(data), parse_public_key(ALICE.public_key))

    good = dsse.sign(payload, ALICE)
    place = data.draw(st.integers(0, len(good) - 1))
    inserted = data.draw(st.binary(min_size=1, max_size=3))
    for changed in (good[:place] + good[place + 1 :], good[:place] + inserted + good[place:], good[:place]):
        assert refusal(opened, changed) is not None


@given(payloads, payloads)
def test_no_two_payloads_are_signed_as_the_same_bytes(one: bytes, two: bytes) -> None:
    assert (dsse.pae(one) == dsse.pae(two)) == (one == two)


@given(payloads, st.binary(max_size=100))
def test_any_signature_is_right_or_wrong(payload: bytes, signature: bytes) -> None:
    for signer in (ALICE, P256):
        envelope = Envelope(payload, (Signature(signer.keyid, signature),))
        code = refusal(dsse.verify, envelope, parse_public_key(signer.public_key))
        assert code == "envelope.signature"


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    assert refusal(dsse.decode, data) is not None


@given(st.integers(MAX_BYTES + 1, MAX_BYTES + 100))
def test_nothing_above_the_limit_is_looked_at(size: int) -> None:
    assert refusal(dsse.decode, bytes(size)) == "envelope.too-large"


@given(st.binary(max_size=120))
def test_any_bytes_are_a_key_or_refused(data: bytes) -> None:
    code = refusal(parse_public_key, data)
    assert code == "key.malformed" or parse_public_key(data).spki == data


@given(st.integers(0, 90), st.integers(1, 255))
def test_a_changed_key_is_another_key_or_none(place: int, change: int) -> None:
    spki = P256.public_key
    changed = bytearray(spki)
    changed[place] ^= change
    try:
        key = parse_public_key(bytes(changed))
    except MalformedError:
        return
    assert key.keyid != P256.keyid
