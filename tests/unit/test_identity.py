"""Keys: what is one, who may sign what, and which enrolment counts at which point of the log."""

import hashlib
from datetime import datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa, x25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ledger.adapters.keys import new_claim_key
from ledger.core.identity import KeyHistory, check_may_sign, parse_public_key, stated_time
from ledger.core.predicates import Predicate
from ledger.core.predicates.enrolment import KeyRole
from ledger.errors import MalformedError, RakkanError, RefusedError, UndecidedError
from tests.support.builders import (
    CERTIFICATE,
    DAY,
    DEVICE,
    END,
    OTHER,
    REGISTRAR,
    START,
    USED,
    dataset,
    digest,
    enrolment,
    grant,
    model,
    registrar_enrolment,
    seal,
    step,
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


def test_stated_times() -> None:
    assert stated_time(step()) == USED
    assert stated_time(seal()) == seal().sealed
    assert [stated_time(item) for item in (dataset(), model(), grant(), enrolment())] == [None] * 4


def history() -> KeyHistory:
    return KeyHistory((REGISTRAR.public_key,))


def refusal(found: KeyHistory, keyid: str, index: int, moment: datetime | None = None) -> RakkanError:
    with pytest.raises(RakkanError) as error:
        found.find(keyid, index, moment)
    return error.value


def test_a_pinned_registrar_signs_from_the_first_entry_on() -> None:
    record = history().find(REGISTRAR.keyid, 0)
    assert (record.role, record.index, record.valid_from) == (KeyRole.REGISTRAR, None, None)


def test_its_own_enrolment_gives_it_a_name_and_a_term() -> None:
    found = history()
    found.admit(registrar_enrolment(), 0)
    assert found.find(REGISTRAR.keyid, 0).index is None
    assert found.find(REGISTRAR.keyid, 1).index == 0
    assert found.find(REGISTRAR.keyid, 1).valid_until == END


def test_an_unknown_key_is_undecided() -> None:
    error = refusal(history(), DEVICE.keyid, 5)
    assert isinstance(error, UndecidedError)
    assert error.code == "key.unknown"


@pytest.mark.parametrize("index", [0, 6, 7])
def test_a_key_enrolled_later_is_undecided(index: int) -> None:
    """An older enrolment may exist that nobody brought."""
    found = history()
    found.admit(enrolment(), 7)
    error = refusal(found, DEVICE.keyid, index)
    assert isinstance(error, UndecidedError)
    assert error.code == "key.not-valid"


def renewed() -> KeyHistory:
    """Return a device that was enrolled at 3 until the middle of 2026, and renewed at 7."""
    found = history()
    found.admit(enrolment(valid_until=USED + DAY), 3)
    found.admit(enrolment(valid_from=USED, certificate=digest("second")), 7)
    return found


@pytest.mark.parametrize(("index", "enrolled"), [(4, 3), (7, 3), (8, 7), (100, 7)])
def test_the_newest_enrolment_before_the_entry_counts(index: int, enrolled: int) -> None:
    assert renewed().find(DEVICE.keyid, index).index == enrolled
    assert renewed().find(DEVICE.keyid, index, USED).index == enrolled


def test_a_step_from_a_spool_counts_under_the_enrolment_it_was_made_under() -> None:
    record = renewed().find(DEVICE.keyid, 8, START)
    assert record.index == 3
    check_may_sign(record, step(started=START, finished=START))


def test_what_no_enrolment_covers_is_shown_under_the_newest() -> None:
    record = renewed().find(DEVICE.keyid, 8, START - DAY)
    assert record.index == 7


def test_an_older_role_is_gone() -> None:
    """A registrar who becomes a device keeps no power of the registrar, whatever time it states."""
    found = history()
    found.admit(enrolment(REGISTRAR, valid_from=USED), 9)
    assert found.find(REGISTRAR.keyid, 10, START).role is KeyRole.DEVICE
    assert found.find(REGISTRAR.keyid, 9).role is KeyRole.REGISTRAR


def test_all_certificates_of_a_key_are_known() -> None:
    found = renewed()
    found.admit(enrolment(OTHER, device="ws-02", certificate=digest("other")), 8)
    assert found.certificates(DEVICE.keyid) == {CERTIFICATE, digest("second")}
    assert found.certificates("nobody") == frozenset()


def test_an_enrolment_of_no_key_is_refused() -> None:
    with pytest.raises(MalformedError) as error:
        history().admit(enrolment(public_key=b"nonsense"), 1)
    assert error.value.code == "key.malformed"


DEVICE_WORDS: list[Predicate] = [step(), seal()]
REGISTRAR_WORDS: list[Predicate] = [dataset(), model(), grant(), enrolment(), registrar_enrolment()]


@pytest.mark.parametrize("predicate", REGISTRAR_WORDS, ids=lambda item: item.TYPE)
def test_a_device_never_grants_registers_or_enrols(predicate: Predicate) -> None:
    found = history()
    found.admit(enrolment(), 1)
    with pytest.raises(RefusedError) as error:
        check_may_sign(found.find(DEVICE.keyid, 2), predicate)
    assert error.value.code == "key.not-valid"
    check_may_sign(found.find(REGISTRAR.keyid, 2), predicate)


def test_a_registrar_records_no_step() -> None:
    with pytest.raises(RefusedError) as error:
        check_may_sign(history().find(REGISTRAR.keyid, 2), step())
    assert error.value.code == "key.not-valid"


@pytest.mark.parametrize("predicate", DEVICE_WORDS, ids=lambda item: item.TYPE)
def test_a_device_records_and_seals(predicate: Predicate) -> None:
    found = history()
    found.admit(enrolment(), 1)
    check_may_sign(found.find(DEVICE.keyid, 2), predicate)


@pytest.mark.parametrize("moment", [START - DAY, END, END + DAY])
def test_a_statement_outside_the_validity_is_undecided(moment: datetime) -> None:
    found = history()
    found.admit(enrolment(), 1)
    with pytest.raises(UndecidedError) as error:
        check_may_sign(found.find(DEVICE.keyid, 2), step(started=moment, finished=moment))
    assert error.value.code == "key.not-valid"


def test_the_validity_begins_with_its_first_moment() -> None:
    found = history()
    found.admit(enrolment(), 1)
    check_may_sign(found.find(DEVICE.keyid, 2), step(started=START, finished=START))
