"""What the log takes in: only what an enrolled key that may say it signed, as of the entry's own index."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from ledger.adapters.files import FileLastSigned
from ledger.adapters.sql.store import SqlEntryStore
from ledger.core.artifact import Artifact
from ledger.core.digest import sha256_hex
from ledger.core.predicates import LogKey, Predicate, Revocation
from ledger.core.predicates.log_key import LogKeyState
from ledger.core.predicates.revocation import Reason
from ledger.core.predicates.step import Place
from ledger.errors import IntegrityError, RakkanError, RefusedError
from ledger.ports import EntryStore
from ledger.service.log.admission import KeyAdmission
from ledger.service.log.guard import LastSigned
from ledger.service.log.projection import project
from ledger.service.log.sequence import Appended, Log
from ledger.testing import AdmitAll, FixedClock, MemoryEntryStore, MemoryLastSigned, SeedSigner
from tests.support.builders import (
    DAY,
    DEVICE,
    END,
    ORIGIN,
    OTHER,
    REGISTRAR,
    START,
    dataset,
    enrolment,
    envelope,
    grant,
    registrar_enrolment,
    seal,
    step,
)
from tests.support.log import database
from tests.support.stated_captures import refused_call, service_call

KEY = SeedSigner("log")


def new_log(store: EntryStore | None = None, last_signed: LastSigned | None = None) -> Log:
    """Return a log with real admission; in memory where nothing else is given."""
    admission = KeyAdmission(ORIGIN, (REGISTRAR.public_key,), (KEY.public_key,))
    return Log(
        store or MemoryEntryStore(),
        [KEY],
        ORIGIN,
        FixedClock(),
        admission,
        last_signed or MemoryLastSigned(),
    )


def founded(store: EntryStore | None = None, last_signed: LastSigned | None = None) -> Log:
    """Return a log that holds the registrar's enrolment and a device's."""
    log = new_log(store, last_signed)
    log.append([envelope(registrar_enrolment()), envelope(enrolment())])
    return log


def numbered(number: int, *signers: SeedSigner) -> bytes:
    return envelope(step(step_id=f"step-{number}"), *signers)


def revocation(signer: SeedSigner = DEVICE) -> bytes:
    keyid = sha256_hex(signer.public_key)
    return envelope(Revocation("ws-01", Reason.STOLEN), REGISTRAR, subjects=[Artifact("ws-01", keyid)])


def outcomes(log: Log, envelopes: Sequence[bytes]) -> list[int | str]:
    """Commit the entries one beside the other; return each one's index, or why it has none."""
    found = log.commit([log.offer(item) for item in envelopes])
    return [item.index if isinstance(item, Appended) else item.code for item in found]


def refused(log: Log, data: bytes) -> RakkanError:
    size = log.store.head().size
    with pytest.raises(RakkanError) as error:
        log.append([data])
    assert log.store.head().size == size
    return error.value


def test_what_an_enrolled_device_signs_is_added() -> None:
    assert outcomes(founded(), [numbered(1), envelope(seal())]) == [2, 3]


def test_an_unknown_key_adds_nothing() -> None:
    error = refused(founded(), numbered(1, OTHER))
    assert (type(error), error.code) == (RefusedError, "key.unknown")


def test_nobody_signs_before_the_registrar_is_there() -> None:
    error = refused(new_log(), numbered(1))
    assert (type(error), error.code) == (RefusedError, "key.unknown")


@pytest.mark.parametrize("predicate", [dataset(), grant(), enrolment(OTHER)], ids=lambda item: item.TYPE)
def test_a_device_cannot_license_or_enrol(predicate: Predicate) -> None:
    error = refused(founded(), envelope(predicate, DEVICE))
    assert (type(error), error.code) == (RefusedError, "key.not-valid")


def test_a_forged_signature_is_seen_before_the_transaction() -> None:
    log = founded()
    imposter = SeedSigner("imposter")
    data = numbered(1, imposter).replace(imposter.keyid.encode(), DEVICE.keyid.encode())
    with pytest.raises(IntegrityError) as error:
        log.offer(data)
    assert error.value.code == "envelope.signature"


def test_a_step_outside_the_validity_is_refused() -> None:
    error = refused(founded(), envelope(step(started=END, finished=END + DAY)))
    assert (type(error), error.code) == (RefusedError, "key.not-valid")


def test_a_key_may_sign_from_the_entry_after_its_enrolment_on() -> None:
    """Also within one batch, where its signature could not be verified beforehand."""
    assert outcomes(founded(), [numbered(1, OTHER), envelope(enrolment(OTHER)), numbered(2, OTHER)]) == [
        "key.unknown",
        2,
        3,
    ]


def test_a_forged_signature_of_a_key_of_the_same_batch_is_seen() -> None:
    imposter = SeedSigner("imposter")
    forged = numbered(2, imposter).replace(imposter.keyid.encode(), OTHER.keyid.encode())
    assert outcomes(founded(), [envelope(enrolment(OTHER)), forged, numbered(3)]) == [
        2,
        "envelope.signature",
        3,
    ]


def test_a_revoked_key_adds_nothing_more() -> None:
    log = founded()
    assert outcomes(log, [numbered(1), revocation(), numbered(2), numbered(1)]) == [2, 3, "key.revoked", 2]
    error = refused(log, numbered(3))
    assert (type(error), error.code) == (RefusedError, "key.revoked")
    assert refused(log, envelope(enrolment(valid_from=START + DAY))).code == "key.revoked"


def test_a_batch_that_was_not_committed_changes_no_keys() -> None:
    log = founded()
    with pytest.raises(RefusedError):
        log.append([revocation(), numbered(1)])
    assert outcomes(log, [numbered(1)]) == [2]


def test_a_duplicate_of_a_key_that_has_ended_keeps_its_index() -> None:
    """The reply was lost, the device was revoked, and the agent tries again."""
    log = founded()
    assert outcomes(log, [numbered(1)]) == [2]
    log.append([revocation()])
    assert outcomes(log, [numbered(1)]) == [2]


def test_another_process_s_revocation_counts_at_once(tmp_path: Path) -> None:
    with database(tmp_path) as engine:
        last_signed = FileLastSigned(tmp_path / "last-signed")
        one = founded(SqlEntryStore(engine, ORIGIN), last_signed)
        two = new_log(SqlEntryStore(engine, ORIGIN), last_signed)
        assert outcomes(two, [numbered(1)]) == [2]
        offer = two.offer(numbered(2))
        one.append([revocation()])
        (late,) = two.commit([offer])
        assert isinstance(late, RefusedError)
        assert late.code == "key.revoked"


def test_another_log_s_key_is_not_announced_here() -> None:
    following = SeedSigner("next")
    elsewhere = LogKey("ledger.example/elsewhere", LogKeyState.ANNOUNCED, following.public_key)
    subject = Artifact("key", sha256_hex(following.public_key))
    error = refused(founded(), envelope(elsewhere, KEY, following, subjects=[subject]))
    assert error.code == "key.not-valid"


def test_a_log_of_rogue_entries_still_opens() -> None:
    """Entries from before there was admission: verifiers refuse them, and so do we, one by one."""
    store, last_signed = MemoryEntryStore(), MemoryLastSigned()
    founded(store, last_signed)
    open_log = Log(store, [KEY], ORIGIN, FixedClock(), AdmitAll(project), last_signed)
    open_log.append([envelope(enrolment(OTHER), DEVICE)])
    log = new_log(store, last_signed)
    assert refused(log, numbered(1, OTHER)).code == "key.unknown"
    assert outcomes(log, [numbered(1)]) == [3]


def test_a_device_states_how_a_call_went_also_when_it_came_to_nothing(tmp_path: Path) -> None:
    with database(tmp_path) as engine:
        log = founded(SqlEntryStore(engine, ORIGIN), MemoryLastSigned())
        assert outcomes(log, [envelope(service_call()), envelope(refused_call())]) == [2, 3]
        assert (
            refused(log, envelope(refused_call(place=Place("nightfall")), REGISTRAR)).code == "key.not-valid"
        )
