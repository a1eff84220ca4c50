"""Whatever bit flips, and while the log grows: fsck tells the truth."""

from __future__ import annotations

import random
import shutil
import sqlite3
import threading
from pathlib import Path

import pytest

from ledger.errors import RakkanError
from ledger.service.log.fsck import Condition
from ledger.service.log.publish import publish
from tests.support.damage import SIZE, check
from tests.support.log import entries, publication, sqlite_log

LOGICAL = (
    "SELECT idx, leaf_hash, envelope FROM entry ORDER BY idx",
    "SELECT level, idx, hashes FROM tile ORDER BY level, idx",
    "SELECT size, peaks, checkpoint FROM head",
    "SELECT idx, predicate_type, keyid FROM statement ORDER BY idx",
    "SELECT idx, role, position, name, sha256, pixels FROM artifact ORDER BY idx, seq",
)


def logical(folder: Path) -> list[list[tuple[object, ...]]]:
    connection = sqlite3.connect(folder / "ledger.db")
    found = [connection.execute(query).fetchall() for query in LOGICAL]
    connection.close()
    return found


@pytest.mark.slow
@pytest.mark.sample
def test_whatever_bit_of_the_database_flips_a_log_called_sound_has_its_rows(
    original: Path, tmp_path: Path
) -> None:
    expected, seeded = logical(original), random.Random(20261122)
    data = (original / "ledger.db").read_bytes()
    found = dict.fromkeys(Condition, 0)
    shutil.copytree(original, tmp_path / "bad")
    for _ in range(30):
        bad = bytearray(data)
        bad[seeded.randrange(len(bad))] ^= 1 << seeded.randrange(8)
        (tmp_path / "bad" / "ledger.db").write_bytes(bad)
        try:
            condition = check(tmp_path / "bad").condition
        except RakkanError:  # it could not even be opened
            continue
        found[condition] += 1
        if condition is Condition.SOUND:
            assert logical(tmp_path / "bad") == expected
    assert found[Condition.DAMAGED] > 8


def test_a_log_that_grows_while_it_is_checked_is_sound(folder: Path) -> None:
    stop = threading.Event()

    def write() -> None:
        with sqlite_log(folder) as log:
            number = SIZE
            while not stop.is_set():
                number += 40
                log.append(entries(number)[-40:])
                publish(log, publication(folder))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(8):
            report = check(folder)
            assert report.condition is Condition.SOUND, report
    finally:
        stop.set()
        writer.join()
