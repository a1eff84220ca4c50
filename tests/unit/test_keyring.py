"""Who may sign what: which enrolment, revocation and announcement counts at which point of the log."""

from dataclasses import replace
from datetime import datetime

import pytest

from ledger.core import envelope as dsse
from ledger.core import statement as statements
from ledger.core.artifact import Artifact
from ledger.core.digest import sha256_hex
from ledger.core.keyring import KeyHistory, check_may_sign, judge, stated_time
from ledger.core.predicates import Enrolment, LogKey, Predicate, Revocation
from ledger.core.predicates.enrolment import KeyRole
from ledger.core.predicates.log_key import LogKeyState
from ledger.core.predicates.revocation import Reason
from ledger.core.statement import Statement
from ledger.errors import IntegrityError, MalformedError, RakkanError, RefusedError, UndecidedError
from ledger.testing import SeedSigner
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


def admit(found: KeyHistory, predicate: Enrolment | Revocation | LogKey, index: int, keyid: str = "") -> None:
    keyid = keyid if isinstance(predicate, Revocation) else sha256_hex(predicate.public_key)
    found.admit(Statement((Artifact("key", keyid),), predicate), index)


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
    admit(found, registrar_enrolment(), 0)
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
    admit(found, enrolment(), 7)
    error = refusal(found, DEVICE.keyid, index)
    assert isinstance(error, UndecidedError)
    assert error.code == "key.not-valid"


def renewed() -> KeyHistory:
    """Return a device that was enrolled at 3 until the middle of 2026, and renewed at 7."""
    found = history()
    admit(found, enrolment(valid_until=USED + DAY), 3)
    admit(found, enrolment(valid_from=USED, certificate=digest("second")), 7)
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
    admit(found, enrolment(REGISTRAR, valid_from=USED), 9)
    assert found.find(REGISTRAR.keyid, 10, START).role is KeyRole.DEVICE
    assert found.find(REGISTRAR.keyid, 9).role is KeyRole.REGISTRAR


def test_all_certificates_of_a_key_are_known() -> None:
    found = renewed()
    admit(found, enrolment(OTHER, device="ws-02", certificate=digest("other")), 8)
    assert found.certificates(DEVICE.keyid) == {CERTIFICATE, digest("second")}
    assert found.certificates("nobody") == frozenset()


def test_an_enrolment_of_no_key_is_refused() -> None:
    with pytest.raises(MalformedError) as error:
        admit(history(), enrolment(public_key=b"nonsense"), 1)
    assert error.value.code == "key.malformed"


DEVICE_WORDS: list[Predicate] = [step(), seal()]
REGISTRAR_WORDS: list[Predicate] = [dataset(), model(), grant(), enrolment(), registrar_enrolment()]


@pytest.mark.parametrize("predicate", REGISTRAR_WORDS, ids=lambda item: item.TYPE)
def test_a_device_never_grants_registers_or_enrols(predicate: Predicate) -> None:
    found = history()
    admit(found, enrolment(), 1)
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
    admit(found, enrolment(), 1)
    check_may_sign(found.find(DEVICE.keyid, 2), predicate)


@pytest.mark.parametrize("moment", [START - DAY, END, END + DAY])
def test_a_statement_outside_the_validity_is_undecided(moment: datetime) -> None:
    found = history()
    admit(found, enrolment(), 1)
    with pytest.raises(UndecidedError) as error:
        check_may_sign(found.find(DEVICE.keyid, 2), step(started=moment, finished=moment))
    assert error.value.code == "key.not-valid"


def test_the_validity_begins_with_its_first_moment() -> None:
    found = history()
    admit(found, enrolment(), 1)
    check_may_sign(found.find(DEVICE.keyid, 2), step(started=START, finished=START))


def revoked(suspect_from: int | None = None) -> KeyHistory:
    """Return a device that was enrolled at 1 and whose key ended at 5."""
    found = history()
    admit(found, enrolment(), 1)
    admit(found, Revocation("ws-01", Reason.STOLEN, suspect_from), 5, DEVICE.keyid)
    return found


@pytest.mark.parametrize("index", [2, 5])
def test_an_entry_before_the_revocation_keeps_its_worth(index: int) -> None:
    revoked().find(DEVICE.keyid, index)
    revoked().check_suspect(DEVICE.keyid, index)


@pytest.mark.parametrize("index", [6, 100])
def test_a_revoked_key_signs_nothing_more(index: int) -> None:
    error = refusal(revoked(), DEVICE.keyid, index)
    assert isinstance(error, RefusedError)
    assert error.code == "key.revoked"


def test_a_revoked_key_is_never_enrolled_again() -> None:
    with pytest.raises(RefusedError) as error:
        admit(revoked(), enrolment(), 7)
    assert error.value.code == "key.revoked"


def test_the_first_revocation_counts() -> None:
    found = revoked()
    admit(found, Revocation("ws-01", Reason.LOST), 9, DEVICE.keyid)
    assert refusal(found, DEVICE.keyid, 7).code == "key.revoked"


def test_entries_from_the_suspect_one_on_are_undecided() -> None:
    found = revoked(suspect_from=3)
    found.check_suspect(DEVICE.keyid, 2)
    with pytest.raises(UndecidedError) as error:
        found.check_suspect(DEVICE.keyid, 3)
    assert error.value.code == "key.suspect"
    found.check_suspect(OTHER.keyid, 3)


def test_a_registrar_may_be_revoked_too() -> None:
    found = history()
    admit(found, Revocation("registrar", Reason.LOST), 2, REGISTRAR.keyid)
    assert refusal(found, REGISTRAR.keyid, 3).code == "key.revoked"


def test_a_copy_grows_apart() -> None:
    found = history()
    other = found.copy()
    admit(other, enrolment(), 1)
    assert refusal(found, DEVICE.keyid, 2).code == "key.unknown"
    assert other.find(DEVICE.keyid, 2).index == 1


LOG = SeedSigner("log")
NEXT = SeedSigner("next log")


def said(
    predicate: Enrolment | Revocation | LogKey, *signers: SeedSigner, keyid: str = ""
) -> tuple[dsse.Envelope, Statement]:
    keyid = keyid if isinstance(predicate, Revocation) else sha256_hex(predicate.public_key)
    statement = Statement((Artifact("key", keyid),), predicate)
    return dsse.decode(dsse.sign(statements.encode(statement), *signers)), statement


def announced() -> LogKey:
    return LogKey("ledger.example/nightfall", LogKeyState.ANNOUNCED, NEXT.public_key)


def logs() -> KeyHistory:
    return KeyHistory((REGISTRAR.public_key,), (LOG.public_key,))


def refused(found: KeyHistory, envelope: dsse.Envelope, statement: Statement, index: int = 4) -> RakkanError:
    with pytest.raises(RakkanError) as error:
        judge(found, index, envelope, statement)
    return error.value


def test_both_keys_announce_the_new_one() -> None:
    found = logs()
    record = judge(found, 4, *said(announced(), LOG, NEXT))
    assert (record.key.keyid, record.role) == (LOG.keyid, None)
    assert found.find(NEXT.keyid, 5).index == 4


def test_a_new_log_key_must_sign_itself() -> None:
    error = refused(logs(), *said(announced(), LOG))
    assert (type(error), error.code) == (UndecidedError, "envelope.unsigned")


def test_a_log_key_does_not_announce_itself() -> None:
    error = refused(logs(), *said(announced(), NEXT))
    assert (type(error), error.code) == (UndecidedError, "key.unknown")


def test_a_forged_signature_of_the_new_key_is_seen() -> None:
    envelope, statement = said(announced(), LOG, NEXT)
    forged = replace(envelope.signatures[1], sig=bytes(64))
    error = refused(logs(), replace(envelope, signatures=(envelope.signatures[0], forged)), statement)
    assert (type(error), error.code) == (IntegrityError, "envelope.signature")


@pytest.mark.parametrize("signer", [REGISTRAR, DEVICE], ids=["registrar", "device"])
def test_only_the_log_speaks_of_its_keys(signer: SeedSigner) -> None:
    found = logs()
    admit(found, enrolment(), 1)
    error = refused(found, *said(announced(), signer, NEXT))
    assert (type(error), error.code) == (RefusedError, "key.not-valid")


def test_a_log_key_says_nothing_else() -> None:
    error = refused(logs(), *said(enrolment(), LOG))
    assert (type(error), error.code) == (RefusedError, "key.not-valid")


def test_the_next_key_retires_the_old_one() -> None:
    found = logs()
    judge(found, 4, *said(announced(), LOG, NEXT))
    retired = LogKey("ledger.example/nightfall", LogKeyState.RETIRED, LOG.public_key)
    assert refused(found, *said(retired, LOG), index=5).code == "key.not-valid"
    judge(found, 6, *said(retired, NEXT))
    assert refusal(found, LOG.keyid, 7).code == "key.revoked"
    found.find(NEXT.keyid, 7)


def test_only_a_registrar_revokes() -> None:
    found = history()
    admit(found, enrolment(), 1)
    revocation = Revocation("registrar", Reason.STOLEN)
    error = refused(found, *said(revocation, DEVICE, keyid=REGISTRAR.keyid))
    assert (type(error), error.code) == (RefusedError, "key.not-valid")
    judge(found, 4, *said(revocation, REGISTRAR, keyid=DEVICE.keyid))
    assert refusal(found, DEVICE.keyid, 5).code == "key.revoked"
