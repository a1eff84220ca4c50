"""The sequencer on a real database: places, receipts, duplicates, refusals, and what a crash leaves."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.adapters.files import FileLastSigned
from ledger.adapters.sql.engine import open_database
from ledger.adapters.sql.store import SqlEntryStore
from ledger.core import merkle
from ledger.core.checkpoint import open_checkpoint, sign_checkpoint
from ledger.core.note import NoteSigner
from ledger.core.receipt import verify_receipt
from ledger.core.tiles import MAX_ENTRY
from ledger.errors import IntegrityError, MalformedError, RefusedError, UsageError
from ledger.service.log.sequence import Log
from ledger.testing import MemoryLastSigned, SeedSigner
from tests.support.log import ORIGIN, TYPE, engine_of, entries, new_log, sqlite_log, tree_hash, url


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    with sqlite_log(tmp_path) as log:
        yield log


def root_of(found: list[bytes]) -> bytes:
    return tree_hash([merkle.leaf_hash(entry) for entry in found])


def test_entries_get_consecutive_places_and_receipts_that_verify(log: Log) -> None:
    batch = entries(5)
    for index, (entry, appended) in enumerate(zip(batch, log.append(batch), strict=True)):
        assert (appended.index, appended.receipt.index, appended.duplicate) == (index, index, False)
        checkpoint = verify_receipt(appended.receipt, entry, [log.verifier])
        assert (checkpoint.origin, checkpoint.size, checkpoint.root) == (ORIGIN, 5, root_of(batch))


def test_nothing_appended_is_nothing_written(log: Log) -> None:
    assert log.append([]) == []
    assert log.store.head().size == 0


def test_a_retry_returns_the_first_index_with_a_fresh_receipt(log: Log) -> None:
    first = log.append([b"a", b"b"])
    (_, again) = log.append([b"c", b"a"])
    assert (again.index, again.duplicate) == (0, True)
    assert verify_receipt(again.receipt, b"a", [log.verifier]).size == 3
    assert again.receipt != first[0].receipt
    assert log.store.head().size == 3


def test_a_batch_of_known_entries_signs_nothing_new(log: Log) -> None:
    log.append([b"a", b"b"])
    before = log.store.head()
    assert [found.index for found in log.append([b"b", b"a", b"b"])] == [1, 0, 1]
    assert log.store.head() == before


def test_duplicates_within_a_batch_share_a_place(log: Log) -> None:
    found = log.append([b"a", b"b", b"a"])
    assert [(one.index, one.duplicate) for one in found] == [(0, False), (1, False), (0, True)]
    assert found[0].receipt == found[2].receipt


def test_projections_move_with_the_entries(log: Log) -> None:
    log.append(entries(3))
    assert [row.index for row in log.store.statements(TYPE)] == [0, 1, 2]
    assert [row.name for row in log.store.artifacts(index=2)] == ["frame 2", "plate"]


@pytest.mark.parametrize("size", [0, MAX_ENTRY])
def test_the_smallest_and_the_largest_entry_are_taken(log: Log, size: int) -> None:
    (appended,) = log.append([bytes(size)])
    verify_receipt(appended.receipt, bytes(size), [log.verifier])


def test_a_larger_entry_is_refused_before_anything_is_written(log: Log) -> None:
    with pytest.raises(MalformedError) as error:
        log.append([b"fine", bytes(MAX_ENTRY + 1)])
    assert (error.value.code, error.value.evidence["limit"]) == ("envelope.too-large", MAX_ENTRY)
    assert log.store.head().size == 0


def test_an_entry_that_cannot_be_projected_refuses_its_batch(log: Log) -> None:
    log.append([b"a"])
    with pytest.raises(ValueError, match="invalid"):
        log.append([b"b", b"invalid"])
    assert log.store.head().size == 1
    assert [found.index for found in log.append([b"b"])] == [1]


def test_a_receipt_is_against_the_current_head(log: Log) -> None:
    log.append(entries(300))
    for index in (0, 255, 256, 299):
        assert verify_receipt(log.receipt(index), f"entry {index}".encode(), [log.verifier]).size == 300


@pytest.mark.parametrize("index", [-1, 3])
def test_there_is_no_receipt_beyond_the_log(log: Log, index: int) -> None:
    log.append(entries(3))
    with pytest.raises(UsageError) as error:
        log.receipt(index)
    assert error.value.code == "log.no-such-entry"


def test_an_empty_log_has_no_receipts(log: Log) -> None:
    for call in (log.head, lambda: log.receipt(0), lambda: log.consistency(0, 0)):
        with pytest.raises(UsageError) as error:
            call()
        assert error.value.code == "log.empty"


def test_consistency_proofs_verify(log: Log) -> None:
    batch = entries(600)
    log.append(batch)
    for old, new in [(0, 600), (1, 600), (256, 512), (257, 600), (599, 600), (600, 600), (0, 0)]:
        proof = log.consistency(old, new)
        merkle.verify_consistency(old, new, proof, root_of(batch[:old]), root_of(batch[:new]))


@pytest.mark.parametrize(("old", "new"), [(3, 2), (-1, 2), (0, 4)])
def test_there_is_no_consistency_with_sizes_that_never_were(log: Log, old: int, new: int) -> None:
    log.append(entries(3))
    with pytest.raises(UsageError):
        log.consistency(old, new)


def test_two_logs_in_one_database_do_not_touch(tmp_path: Path) -> None:
    from ledger.adapters.sql.store import create_log

    with sqlite_log(tmp_path) as log:
        log.append(entries(3))
        engine = engine_of(log)
        create_log(engine, "ledger.example/other")
        other = new_log(SqlEntryStore(engine, "ledger.example/other"))
        other.append(entries(2, "other"))
        assert (log.store.head().size, other.store.head().size) == (3, 2)
        assert other.store.index(merkle.leaf_hash(b"entry 0")) is None
        log.append(entries(4))


# --- what was signed ------------------------------------------------------------------------------------


def test_the_record_is_written_before_the_receipt_is_returned(tmp_path: Path) -> None:
    with sqlite_log(tmp_path) as log:
        (appended,) = log.append([b"a"])
        assert FileLastSigned(tmp_path / "last-signed").read() == appended.receipt.checkpoint


class FullDisk(MemoryLastSigned):
    """A record that cannot be written."""

    def write(self, checkpoint: bytes) -> None:
        raise RefusedError("log.disk-full", "No space.")


def test_without_the_record_no_receipt_leaves_and_a_retry_finds_the_entry() -> None:
    log = new_log(last_signed=FullDisk())
    for call in (lambda: log.append([b"a"]), lambda: log.append([b"a"]), lambda: log.receipt(0)):
        with pytest.raises(RefusedError) as error:
            call()
        assert error.value.code == "log.disk-full"
    mended = new_log(log.store)
    assert [found.duplicate for found in mended.append([b"a"])] == [True]


def test_a_record_behind_the_database_is_brought_up(tmp_path: Path) -> None:
    """As a crash between the commit and the record leaves it."""
    with sqlite_log(tmp_path) as log:
        log.append(entries(3))
        behind = log.store.head().checkpoint
        log.append(entries(300, "more"))
        record = MemoryLastSigned()
        record.checkpoint = behind
        again = new_log(log.store, record)
        verify_receipt(again.receipt(2), b"entry 2", [log.verifier])
        assert record.checkpoint == log.store.head().checkpoint
        record.checkpoint = behind
        again.append([b"last"])
        assert record.checkpoint == log.store.head().checkpoint


def rolled_back(kept: int) -> Log:
    """Return a log of `kept` entries whose key has signed for 20."""
    newer = new_log()
    newer.append(entries(20))
    older = new_log(last_signed=newer.last_signed)
    older.last_signed = MemoryLastSigned()
    older.append(entries(kept) if kept else [])
    older.last_signed = newer.last_signed
    return older


@pytest.mark.parametrize("kept", [0, 1, 19])
def test_a_database_behind_the_record_signs_nothing(kept: int) -> None:
    log = rolled_back(kept)
    for call in (lambda: log.append([b"new"]), log.head, lambda: log.receipt(0)):
        with pytest.raises(RefusedError) as error:
            call()
        assert error.value.code == "log.rollback"
        assert (error.value.evidence["signed_size"], error.value.evidence["held_size"]) == (20, kept)
    assert log.store.head().size == kept


@pytest.mark.parametrize("extra", [0, 5])
def test_a_database_that_took_another_turn_signs_nothing(extra: int) -> None:
    """The same size or a larger one, with another root under what was signed."""
    honest = new_log()
    honest.append(entries(20))
    forked = new_log()
    forked.append([*entries(19), b"another", *entries(extra, "more")])
    forked.last_signed = honest.last_signed
    with pytest.raises(RefusedError) as error:
        forked.append([b"new"])
    assert error.value.code == "log.rollback"


def test_a_record_by_another_key_stops_the_log() -> None:
    log = new_log()
    log.append(entries(3))
    other = NoteSigner(ORIGIN, SeedSigner("other"))
    record = MemoryLastSigned()
    record.checkpoint = sign_checkpoint(ORIGIN, 9, bytes(32), [other])
    log.last_signed = record
    with pytest.raises(IntegrityError) as error:
        log.append([b"new"])
    assert error.value.code == "log.corrupt"


# --- several writers, and crashes -------------------------------------------------------------------------


def test_threads_share_a_log(log: Log) -> None:
    def work(name: str) -> None:
        for at in range(0, 30, 3):
            for entry, found in zip(batch := entries(30, name)[at : at + 3], log.append(batch), strict=True):
                verify_receipt(found.receipt, entry, [log.verifier])
            verify_receipt(log.receipt(0), log.store.envelope(0), [log.verifier])

    threads = [threading.Thread(target=work, args=(name,)) for name in ("a", "b", "c")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    head = log.store.head()
    assert head.size == 90
    assert merkle.root(head.peaks) == root_of(list(log.store.envelopes(0, 90)))


def test_a_second_process_is_told_that_the_log_is_busy(tmp_path: Path) -> None:
    with sqlite_log(tmp_path) as log, log.store.begin():
        engine = open_database(url(tmp_path), busy_seconds=0.05)
        try:
            second = new_log(SqlEntryStore(engine, ORIGIN), FileLastSigned(tmp_path / "last-signed"))
            with pytest.raises(RefusedError) as error:
                second.append([b"x"])
            assert error.value.code == "log.busy"
        finally:
            engine.dispose()


WRITER = """
import sys
from pathlib import Path
from tests.support.log import engine_of, sqlite_log
with sqlite_log(Path(sys.argv[1])) as log:
    number = log.store.head().size
    while True:
        batch = [f"{sys.argv[2]} {number} {i}".encode() * 40 for i in range(1 + number % 7)]
        for entry, found in zip(batch, log.append(batch)):
            sys.stdout.write(f"{found.index} {entry.hex()}\\n")
        sys.stdout.flush()
        number += 1
"""


def killed_writer(folder: Path, name: str, seconds: float) -> list[tuple[int, bytes]]:
    """Return what a writer acknowledged until it was killed."""
    command = [sys.executable, "-c", WRITER, str(folder), name]
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline()]
        time.sleep(seconds)
        process.kill()
        lines += process.stdout.readlines()
    whole = [line.split() for line in lines if line.endswith(b"\n")]
    return [(int(index), bytes.fromhex(entry.decode())) for index, entry in whole]


@pytest.mark.slow
@pytest.mark.sample
def test_what_was_acknowledged_survives_kill_9(tmp_path: Path) -> None:
    acknowledged: dict[int, bytes] = {}
    for life in range(6):
        found = killed_writer(tmp_path, f"life {life}", 0.05 + 0.037 * life)
        assert found
        for index, entry in found:
            assert acknowledged.setdefault(index, entry) == entry
        with sqlite_log(tmp_path) as log:
            held = list(log.store.envelopes(0, 2**63 - 1))
            assert {index: held[index] for index in acknowledged} == acknowledged
            checkpoint = open_checkpoint(log.head().checkpoint, [log.verifier])
            assert (checkpoint.size, checkpoint.root) == (len(held), root_of(held))
            verify_receipt(log.receipt(max(acknowledged)), held[max(acknowledged)], [log.verifier])
