"""Group commit: everybody is answered, and nobody fails for somebody else's fault."""

import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path

import pytest

from ledger.adapters.sql.store import SqlEntryStore, create_log
from ledger.core.receipt import verify_receipt
from ledger.errors import MalformedError, RakkanError, RefusedError
from ledger.service.log.sequence import Appended, Log, Offer
from ledger.service.log.sequencer import Sequencer
from ledger.testing import AdmitAll, FixedClock, MemoryLastSigned
from tests.support.log import KEY, ORIGIN, database, entries, new_log, project, sqlite_log

WAIT = 20.0


def answer(future: "Future[Appended]") -> Appended | BaseException:
    return future.exception(WAIT) or future.result()


def held(log: Log, monkeypatch: pytest.MonkeyPatch) -> tuple[threading.Event, list[int]]:
    """Make commits wait until the event is set; return it, and the list that gets the size of each batch."""
    gate, sizes = threading.Event(), []
    commit = log.commit

    def slow(offers: Sequence[Offer], *, together: bool = False) -> list[Appended | RakkanError]:
        assert gate.wait(WAIT)
        sizes.append(len(offers))
        return commit(offers, together=together)

    monkeypatch.setattr(log, "commit", slow)  # a disk that takes its time
    return gate, sizes


def taken(sequencer: Sequencer, left: int = 0) -> None:
    """Return when no more than `left` entries wait."""
    deadline = time.monotonic() + WAIT
    while len(sequencer._queue) > left and time.monotonic() < deadline:
        time.sleep(0.001)


def test_every_entry_gets_its_receipt() -> None:
    log = new_log()
    with Sequencer(log) as sequencer:
        futures = sequencer.submit(entries(300))
        found = [future.result(WAIT) for future in futures]
    assert [item.index for item in found] == list(range(300))
    for item, entry in zip(found, entries(300), strict=True):
        verify_receipt(item.receipt, entry, log.verifiers)


def test_what_queues_during_a_commit_is_the_next_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    log = new_log()
    gate, sizes = held(log, monkeypatch)
    with Sequencer(log) as sequencer:
        first = sequencer.submit([b"first"])
        taken(sequencer)
        later = [sequencer.submit([entry])[0] for entry in entries(50)]
        gate.set()
        assert [answer(future) for future in first + later]
    assert sizes == [1, 50]


def test_a_batch_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    log = new_log()
    gate, sizes = held(log, monkeypatch)
    with Sequencer(log, max_batch=20) as sequencer:
        futures = sequencer.submit(entries(50))
        gate.set()
        assert [future.result(WAIT).index for future in futures] == list(range(50))
    assert sizes == [20, 20, 10]


def test_an_entry_that_may_not_be_added_fails_alone() -> None:
    log = new_log()
    with Sequencer(log) as sequencer:
        futures = sequencer.submit([b"a", bytes(70_000), b"b"])
        assert [future.result(WAIT).index for future in (futures[0], futures[2])] == [0, 1]
        error = futures[1].exception(WAIT)
    assert isinstance(error, MalformedError)
    assert error.code == "envelope.too-large"


def test_a_poison_entry_fails_only_its_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    """`invalid…` makes the projector raise inside the transaction, which nobody foresaw."""
    log = new_log()
    gate, _ = held(log, monkeypatch)
    with Sequencer(log) as sequencer:
        futures = sequencer.submit([*entries(40), b"invalid one", *entries(40, "more"), b"invalid two"])
        gate.set()
        found = [answer(future) for future in futures]
    assert [type(item) for item in found if not isinstance(item, Appended)] == [ValueError, ValueError]
    assert sorted(item.index for item in found if isinstance(item, Appended)) == list(range(80))
    assert log.store.head().size == 80


def test_what_stops_the_log_is_everybody_s_answer_and_a_retry_succeeds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log = new_log()
    commit = log.commit
    monkeypatch.setattr(log, "commit", _refuse)  # a full disk
    with Sequencer(log) as sequencer:
        codes = {getattr(answer(future), "code", "") for future in sequencer.submit(entries(10))}
        assert codes == {"log.disk-full"}
        monkeypatch.setattr(log, "commit", commit)  # some space was freed
        assert [future.result(WAIT).index for future in sequencer.submit(entries(10))] == list(range(10))


def _refuse(offers: Sequence[Offer], *, together: bool = False) -> list[Appended | RakkanError]:
    raise RefusedError("log.disk-full", "The disk that holds the log is full.")


@pytest.mark.parametrize("fault", [SystemExit, MemoryError, KeyboardInterrupt])
def test_nothing_ends_the_thread(fault: type[BaseException], monkeypatch: pytest.MonkeyPatch) -> None:
    log = new_log()
    commit, faults = log.commit, iter([fault()])

    def torn(offers: Sequence[Offer], *, together: bool = False) -> list[Appended | RakkanError]:
        for error in faults:
            raise error
        return commit(offers, together=together)

    monkeypatch.setattr(log, "commit", torn)  # the machine in trouble
    with Sequencer(log, max_batch=1) as sequencer:
        found = [answer(future) for future in sequencer.submit(entries(3))]
    assert [isinstance(item, Appended) for item in found] == [False, True, True]


def test_a_full_queue_says_when_to_come_back_and_takes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    log = new_log()
    gate, _ = held(log, monkeypatch)
    with Sequencer(log, max_waiting=10, max_batch=5) as sequencer:
        futures = sequencer.submit(entries(10))
        taken(sequencer, left=5)
        with pytest.raises(RefusedError) as error:
            sequencer.submit(entries(6, "flood"))
        assert error.value.code == "log.overloaded"
        assert int(str(error.value.evidence["retry_after"])) >= 1
        futures += sequencer.submit(entries(5, "fits"))
        gate.set()
        assert sorted(future.result(WAIT).index for future in futures) == list(range(15))
    assert log.store.head().size == 15


def test_a_flood_is_refused_before_it_costs_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    log = new_log()
    gate, _ = held(log, monkeypatch)
    with Sequencer(log, max_waiting=1) as sequencer:
        sequencer.submit([b"a"])
        taken(sequencer)
        sequencer.submit([b"b"])
        monkeypatch.setattr(log, "offer", _never)  # reading an entry is the dear part
        with pytest.raises(RefusedError):
            sequencer.submit([b"c", b"d"])
        gate.set()


def _never(envelope: bytes) -> Offer:
    raise AssertionError(envelope)


def test_bulk_and_single_entries_share_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    log = new_log()
    gate, _ = held(log, monkeypatch)
    with Sequencer(log, max_batch=10) as sequencer:
        sequencer.submit([b"first"])
        taken(sequencer)
        mountain = sequencer.submit(entries(30, "bulk"), bulk=True)
        singles = sequencer.submit(entries(8))
        gate.set()
        assert max(future.result(WAIT).index for future in singles[:5]) <= 10
        assert min(future.result(WAIT).index for future in mountain) <= 10
        assert [future.result(WAIT).index for future in mountain] == sorted(
            future.result(WAIT).index for future in mountain
        )


def test_bulk_has_half_of_the_room(monkeypatch: pytest.MonkeyPatch) -> None:
    log = new_log()
    gate, _ = held(log, monkeypatch)
    with Sequencer(log, max_waiting=10) as sequencer:
        sequencer.submit([b"first"])
        taken(sequencer)
        sequencer.submit(entries(5, "bulk"), bulk=True)
        with pytest.raises(RefusedError):
            sequencer.submit([b"more"], bulk=True)
        sequencer.submit(entries(10))
        gate.set()


def test_the_queue_counts_bytes_too(monkeypatch: pytest.MonkeyPatch) -> None:
    log = new_log()
    gate, _ = held(log, monkeypatch)
    with Sequencer(log, max_bytes=1_000) as sequencer:
        sequencer.submit([b"first"])
        taken(sequencer)
        sequencer.submit([bytes(900)])
        with pytest.raises(RefusedError) as error:
            sequencer.submit([bytes(101)])
        assert error.value.code == "log.overloaded"
        sequencer.submit([b"x" * 100])
        gate.set()


def test_a_caller_that_gave_up_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    log = new_log()
    gate, _ = held(log, monkeypatch)
    with Sequencer(log) as sequencer:
        (first,) = sequencer.submit([b"first"])
        taken(sequencer)
        given_up, stays = sequencer.submit([b"given up", b"stays"])
        assert given_up.cancel()
        gate.set()
        assert [first.result(WAIT).index, stays.result(WAIT).index] == [0, 1]


def test_closing_answers_everybody_and_takes_nothing_more() -> None:
    log = new_log()
    sequencer = Sequencer(log)
    futures = sequencer.submit(entries(100))
    sequencer.close()
    assert all(future.done() for future in futures)
    with pytest.raises(RefusedError) as error:
        sequencer.append(b"late")
    assert error.value.code == "log.closed"
    sequencer.close()


def test_ten_thousand_submissions_of_one_entry_are_one_entry(tmp_path: Path) -> None:
    with sqlite_log(tmp_path) as log, Sequencer(log) as sequencer:
        found: list[Appended] = []

        def storm() -> None:
            futures = [sequencer.submit([b"the same"])[0] for _ in range(1_250)]
            found.extend(future.result(WAIT) for future in futures)

        threads = [threading.Thread(target=storm) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(found) == 10_000
        assert {item.index for item in found} == {0}
        assert sum(not item.duplicate for item in found) == 1
        assert log.store.head().size == 1


def test_many_logs_in_one_process_and_one_database(tmp_path: Path) -> None:
    origins = [ORIGIN, "ledger.example/second", "ledger.example/third"]
    with database(tmp_path) as engine:
        for origin in origins:
            create_log(engine, origin)
        logs = [
            Log(
                SqlEntryStore(engine, origin),
                [KEY],
                origin,
                FixedClock(),
                AdmitAll(project),
                MemoryLastSigned(),
            )
            for origin in origins
        ]
        sequencers = [Sequencer(log) for log in logs]
        futures = [
            (log, entry, sequencer.submit([entry])[0])
            for entry in entries(100)
            for log, sequencer in zip(logs, sequencers, strict=True)
        ]
        for log, entry, future in futures:
            verify_receipt(future.result(WAIT).receipt, entry, log.verifiers)
        for sequencer in sequencers:
            sequencer.close()
        assert [log.store.head().size for log in logs] == [100, 100, 100]
