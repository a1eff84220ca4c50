"""One flipped bit anywhere: in the published files, in the last-signed record, in the database file.

What is wrong is found, or nothing is wrong: fsck never calls a log sound that cannot prove what it holds.
"""

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ledger.core.digest import sha256_hex
from ledger.core.merkle import leaf_hash
from ledger.core.receipt import verify_receipt
from ledger.errors import RakkanError
from ledger.service.log.fsck import fsck
from ledger.service.log.publish import publish
from ledger.service.log.sequence import Log
from tests.support.faults import ALL, VERIFIER, resume
from tests.support.log import publication, sqlite_log
from tests.support.records import records_of

SEED = 3
MAX = 2**63 - 1


@pytest.fixture
def folder(fresh: Callable[[], Path]) -> Path:
    """A log that was published, with both slots of its record written."""
    made = fresh()
    resume(made)
    return made


def flipped(path: Path, count: int) -> Iterator[str]:
    """Flip one bit of the file after another, each for as long as the caller looks; yield which."""
    whole = path.read_bytes()
    chosen = random.Random(SEED)
    for _ in range(count):
        at, bit = chosen.randrange(len(whole)), chosen.randrange(8)
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << bit]) + whole[at + 1 :])
        yield f"{path.name}: byte {at}, bit {bit}"
    path.write_bytes(whole)


def condition(log: Log, folder: Path) -> int:
    return fsck(records_of(log), publication(folder)).exit_code


def test_a_flipped_bit_in_a_published_file_is_found(folder: Path) -> None:
    # Partial tiles of sizes that were published before: nothing leads to them any more.
    stale = {"254", "3"}
    with sqlite_log(folder) as log:
        assert condition(log, folder) == 0
        for path in sorted((folder / "public").rglob("*")):
            if path.is_file() and path.stat().st_size and path.name not in stale:
                for place in flipped(path, 6):
                    assert condition(log, folder) == 1, place
        assert condition(log, folder) == 0


def test_a_flipped_bit_in_the_last_signed_record_is_found_and_signs_no_rollback(folder: Path) -> None:
    record = folder / "last-signed"
    with sqlite_log(folder) as log:
        head = log.head()
        for place in flipped(record, 24):
            assert condition(log, folder) == 1, place
            assert log.head() == head
            assert condition(log, folder) in {0, 1}
        assert condition(log, folder) == 0


@pytest.mark.parametrize(
    "count",
    [
        pytest.param(60, marks=[pytest.mark.slow, pytest.mark.sample]),
        pytest.param(500, marks=pytest.mark.slow),
    ],
)
def test_a_flipped_bit_in_the_database_is_found_or_changes_nothing(folder: Path, count: int) -> None:
    record = (folder / "last-signed").read_bytes()
    found = 0
    for place in flipped(folder / "ledger.db", count):
        try:
            with sqlite_log(folder) as log:
                sound = condition(log, folder) == 0
                if sound:
                    proves_everything(log, folder, place)
                found += not sound
        except RakkanError:
            found += 1
        for name in ("ledger.db-wal", "ledger.db-shm"):
            (folder / name).unlink(missing_ok=True)
        (folder / "last-signed").write_bytes(record)
    assert found > count // 3  # many pages hold nothing yet: the tables of bases, and what is kept free


def proves_everything(log: Log, folder: Path, place: str) -> None:
    """What fsck calls sound holds every entry, finds each by its hash, and proves it."""
    assert list(log.store.envelopes(0, MAX)) == ALL, place
    for index in range(0, len(ALL), 37):
        verify_receipt(log.receipt(index), ALL[index], [VERIFIER])
    assert [log.store.index(leaf_hash(entry)) for entry in ALL] == list(range(len(ALL))), place
    for index, entry in enumerate(ALL):
        assert [row.index for row in log.store.artifacts(sha256=sha256_hex(entry))] == [index], place
    publish(log, publication(folder))
