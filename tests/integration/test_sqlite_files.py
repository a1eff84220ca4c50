"""What a SQLite log leaves in its files: the line of who is writing, and nothing of what was erased."""

import fcntl
import hashlib
import json
import os
import random
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from ledger.adapters.sql.openings import SqlOpeningStore
from ledger.adapters.sql.store import SqlEntryStore
from ledger.adapters.sql.turn import writer_turn
from ledger.errors import RefusedError
from tests.support.log import ORIGIN, database

ROOT = Path(__file__).parents[2]

HOLD = """
import sys, time
from pathlib import Path
from ledger.adapters.sql.engine import open_database
from ledger.adapters.sql.store import SqlEntryStore
from tests.support.log import ORIGIN, url
sys.argv = ["/usr/bin/rakkan", "publish", "--prompt", "a secret"]
with SqlEntryStore(open_database(url(Path(PATH))), ORIGIN).begin():
    print("in", flush=True)
    time.sleep(60)
"""


def holder(folder: Path) -> "subprocess.Popen[str]":
    script = HOLD.replace("PATH", repr(str(folder)))
    process = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "in\n"
    return process


def test_a_busy_log_says_who_writes_and_is_free_when_they_die(tmp_path: Path) -> None:
    with database(tmp_path, busy_seconds=0.2) as engine:
        store = SqlEntryStore(engine, ORIGIN)
        with holder(tmp_path) as process:
            began = time.monotonic()
            with pytest.raises(RefusedError) as error, store.begin():
                pass
            waited = time.monotonic() - began
            process.kill()
        assert error.value.code == "log.busy"
        host = os.uname().nodename
        assert re.fullmatch(
            rf"The log is being written to by rakkan publish, process {process.pid} on host {host},"
            r" since \d\d:\d\d:\d\dZ\.",
            error.value.message,
        )
        assert set(error.value.evidence) == {"program", "pid", "host", "since"}
        assert "secret" not in (tmp_path / "ledger.db.writer").read_text()
        assert 0.2 <= waited < 5
        with store.begin():
            assert json.loads((tmp_path / "ledger.db.writer").read_text())["pid"] == os.getpid()
        assert (tmp_path / "ledger.db.writer").read_bytes() == b""


@pytest.mark.parametrize("line", [b"", b"{", b"[]", b"\xff\x00", b'{"pid": 1}'])
def test_a_line_that_cannot_be_read_names_nobody(tmp_path: Path, line: bytes) -> None:
    with database(tmp_path, busy_seconds=0) as engine:
        store = SqlEntryStore(engine, ORIGIN)
        with store.begin():
            (tmp_path / "ledger.db.writer").write_bytes(line)
            with pytest.raises(RefusedError) as error, store.begin():
                pass
    assert error.value.message == "Another process is writing to this log."


def test_whoever_waits_comes_before_whoever_had_its_turn(tmp_path: Path) -> None:
    path, order = tmp_path / "ledger.db", []

    def other() -> None:
        with writer_turn(path, 20):
            order.append("other")

    waiting = threading.Thread(target=other)
    with writer_turn(path, 20):
        waiting.start()
        while is_free(tmp_path / "ledger.db.next"):
            time.sleep(0.001)
    with writer_turn(path, 20):
        order.append("again")
    waiting.join()
    assert order == ["other", "again"]


def is_free(path: Path) -> bool:
    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def test_no_lock_file_no_write(tmp_path: Path) -> None:
    with database(tmp_path) as engine:
        store = SqlEntryStore(engine, ORIGIN)
        (tmp_path / "ledger.db.writer").unlink()
        (tmp_path / "ledger.db.writer").mkdir()
        with pytest.raises(RefusedError) as error, store.begin():
            pass
    assert error.value.code == "log.storage"


# --- erasing ----------------------------------------------------------------------------------------------


def found_in(folder: Path) -> set[bytes]:
    """Return the numbers of the openings that any file of the folder still shows."""
    return {number for path in folder.iterdir() for number in re.findall(rb"<(\d{9})>", path.read_bytes())}


def test_what_is_erased_leaves_no_bytes_in_any_file(tmp_path: Path) -> None:
    """Rows of many sizes, put and erased in turns: pages are split, merged and balanced many times."""
    dice = random.Random(4)
    kept: dict[str, bytes] = {}
    with database(tmp_path) as engine:
        openings = SqlOpeningStore(engine)
        for turn in range(25):
            new = {}
            for count in range(turn * 40, turn * 40 + 40):
                digest = hashlib.sha256(b"%d" % count).hexdigest()
                kept[digest] = b"%09d" % count
                new[digest] = f"<{count:09d}>" * dice.choice([2, 5, 40, 300, 900])
            openings.put(new)
            gone = dice.sample(sorted(kept), 25)
            assert found_in(tmp_path) >= {kept[digest] for digest in gone}
            assert openings.erase(gone) == 25
            for digest in gone:
                del kept[digest]
            assert found_in(tmp_path) == set(kept.values())
        assert (tmp_path / "ledger.db-wal").stat().st_size == 0


def test_a_reader_in_the_way_is_told_and_the_next_try_cleans_up(tmp_path: Path) -> None:
    with database(tmp_path, busy_seconds=0.1) as engine:
        openings = SqlOpeningStore(engine)
        openings.put({"d": "<000000001>"})
        with engine.begin() as reader:
            reader.exec_driver_sql("SELECT count(*) FROM opening").all()
            with pytest.raises(RefusedError) as error:
                openings.erase(["d"])
            assert error.value.code == "log.busy"
            assert openings.get("d") is None
            assert found_in(tmp_path) == {b"000000001"}
        assert openings.erase(["d"]) == 0
        assert found_in(tmp_path) == set()
