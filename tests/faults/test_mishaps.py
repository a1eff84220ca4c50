"""What befalls a log in operation: a full disk, an old backup, a lost reply, a clock set back, a flood."""

import itertools
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from ledger.adapters.files import FileLastSigned
from ledger.adapters.sql.store import SqlEntryStore
from ledger.adapters.sql.transaction import SqlEntryTransaction
from ledger.core.receipt import format_receipt, verify_receipt
from ledger.errors import RefusedError
from ledger.service.log.fsck import fsck
from ledger.service.log.publish import Published, Publisher, publish
from ledger.service.log.sequence import Log
from ledger.service.log.sequencer import Sequencer
from ledger.testing import FixedClock
from tests.faults.strace import ROOT
from tests.support.faults import ALL, OLD, VERIFIER, Told, examine, resume
from tests.support.log import ORIGIN, database, entries, new_log, publication, sqlite_log
from tests.support.records import records_of

Fresh = Callable[[], Path]
MAX = 2**63 - 1


# --- a full disk ------------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path, template: Path) -> Iterator[Path]:
    """A file system of 2 MB, with a log on it."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "rakkan-test", str(place)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no file system may be mounted here")
    try:
        shutil.copytree(template, place / "log")
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.parametrize("left", [0, 40_000, 150_000, 600_000])
def test_a_full_disk_is_named_and_the_log_goes_on_when_there_is_room(small_disk: Path, left: int) -> None:
    folder, ballast, told = small_disk / "log", small_disk / "ballast", Told()
    ballast.write_bytes(bytes(shutil.disk_usage(small_disk).free - left))
    with pytest.raises(RefusedError) as error:
        append_and_publish(folder, told)
    assert error.value.code == "log.disk-full"
    ballast.unlink()
    examine(folder, told)
    with sqlite_log(folder) as log:
        log.append([b"there is room again"])
        publish(log, publication(folder))
        examine(folder, told)


def append_and_publish(folder: Path, told: Told) -> None:
    """Go on until something is refused."""
    with sqlite_log(folder) as log:
        for number in itertools.count():
            batch = [f"{number} {index}".encode() * 100 for index in range(5)]
            for entry, found in zip(batch, log.append(batch), strict=True):
                told({"entry": [found.index, entry.hex(), format_receipt(found.receipt).decode()]})
            told({"published": publish(log, publication(folder)).size})


# --- a reply that is lost ---------------------------------------------------------------------------------


class ForgetfulStore(SqlEntryStore):
    """A store whose connection breaks after the commit, before the answer."""

    @contextmanager
    def begin(self) -> Iterator[SqlEntryTransaction]:
        with super().begin() as transaction:
            yield transaction
        raise RefusedError("log.storage", "The connection broke.")


def test_a_retry_after_a_lost_reply_finds_the_entry(fresh: Fresh) -> None:
    folder = fresh()
    with database(folder) as engine:
        record = FileLastSigned(folder / "last-signed")
        with pytest.raises(RefusedError):
            new_log(ForgetfulStore(engine, ORIGIN), record).append([b"y", b"z"])
        found = new_log(SqlEntryStore(engine, ORIGIN), record).append([b"z", b"y"])
        assert [(one.index, one.duplicate) for one in found] == [(len(OLD) + 1, True), (len(OLD), True)]
        for entry, one in zip([b"z", b"y"], found, strict=True):
            verify_receipt(one.receipt, entry, [VERIFIER])


# --- a clock that is set back -----------------------------------------------------------------------------


def test_a_clock_set_back_neither_reorders_the_log_nor_stops_publication(fresh: Fresh) -> None:
    with sqlite_log(folder := fresh()) as log:
        clock = log._clock
        assert isinstance(clock, FixedClock)
        published: list[Published | None] = []
        publisher = Publisher(lambda: publish(log, publication(folder)), clock)
        for number, jump in enumerate((0, 3600, -7200, -86400 * 365, 0, 2)):
            clock.moment += timedelta(seconds=jump)
            (found,) = log.append([f"at {jump} {number}".encode()])
            assert found.index == len(OLD) + number
            published.append(publisher.tick())
    # Only the one without any time in between has to wait.
    assert [one is not None for one in published] == [True, True, True, True, False, True]
    examine(folder, Told())


# --- yesterday's backup -----------------------------------------------------------------------------------


def test_a_restored_backup_is_read_and_not_signed(fresh: Fresh) -> None:
    folder = fresh()
    backup = (folder / "ledger.db").read_bytes()
    resume(folder)
    (folder / "ledger.db").write_bytes(backup)
    with sqlite_log(folder) as log:
        for call in (log.head, lambda: log.append([b"new"]), lambda: publish(log, publication(folder))):
            with pytest.raises(RefusedError) as error:
                call()
            assert error.value.code == "log.rollback"
        assert list(log.store.envelopes(0, MAX)) == OLD
        report = fsck(records_of(log), publication(folder))
        assert report.exit_code == 1
        assert "last-signed.ahead" in report.finding("last-signed").check.codes
        assert publication(folder).get("checkpoint") is not None


# --- two sequencers, and a flood --------------------------------------------------------------------------

WRITER = """
import sys
from pathlib import Path
from ledger.core.receipt import format_receipt
from ledger.errors import RefusedError
from tests.support.log import sqlite_log
name, folder = sys.argv[1:]
with sqlite_log(Path(folder)) as log:
    for number in range(16):
        batch = [b"common %d" % number, *(f"{name} {number} {index}".encode() for index in range(number % 4))]
        while True:
            try:
                found = log.append(batch)
                break
            except RefusedError as error:
                assert error.code in {"log.fenced", "log.busy"}, error
        for entry, one in zip(batch, found, strict=True):
            print(one.index, entry.hex(), format_receipt(one.receipt).hex())
"""


def raced(folder: Path) -> Told:
    """Let two processes append to the log at the same time; return what both acknowledged."""
    command = [sys.executable, "-c", WRITER]
    both = [
        subprocess.Popen([*command, name, str(folder)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        for name in ("a", "b")
    ]
    told = Told()
    for process in both:
        out, _ = process.communicate(timeout=120)
        assert process.returncode == 0
        for index, entry, receipt in map(str.split, out.splitlines()):
            told({"entry": [int(index), entry, bytes.fromhex(receipt).decode()]})
    return told


def test_two_sequencers_on_sqlite_make_one_log(fresh: Fresh) -> None:
    told = raced(folder := fresh())
    assert len(told.messages) == 2 * (16 + 24)
    examine(folder, told)
    with sqlite_log(folder) as log:
        assert log.head().size == len(OLD) + 16 + 2 * 24


def test_ten_thousand_duplicates_at_once_have_one_place_each(fresh: Fresh) -> None:
    some = entries(10, "flood")
    with sqlite_log(folder := fresh()) as log, Sequencer(log, max_waiting=10_000) as sequencer:
        with ThreadPoolExecutor(20) as pool:
            waiting = [*pool.map(lambda _: sequencer.submit(some * 50), range(20))]
        found = [one.result() for futures in waiting for one in futures]
    assert len(found) == 10_000
    assert [one.index for one in found] == [len(OLD) + number for number in range(10)] * 1000
    assert sum(not one.duplicate for one in found) == 10
    for number, one in enumerate(found[-20:]):
        verify_receipt(one.receipt, some[number % 10], [VERIFIER])
    examine(folder, Told())


def test_threads_that_append_the_same_get_the_same_place(fresh: Fresh) -> None:
    def add(log: Log) -> list[int]:
        return [one.index for one in log.append(ALL)]

    with sqlite_log(folder := fresh()) as log, ThreadPoolExecutor(8) as pool:
        assert {tuple(found) for found in pool.map(add, [log] * 40)} == {tuple(range(len(ALL)))}
    examine(folder, Told())
