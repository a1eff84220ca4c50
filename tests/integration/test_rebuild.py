"""Rebuilding: everything computed comes back from the entries, and a damaged log stays as it is."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from ledger.adapters.sql import tables
from ledger.adapters.sql.engine import writing
from ledger.errors import IntegrityError, RefusedError
from ledger.service.log.publish import publish
from ledger.service.log.rebuild import Rebuilt, rebuild
from ledger.service.log.sequence import Log
from ledger.testing import MemoryLastSigned, MemoryPublication
from tests.support.log import engine_of, entries, new_log, sqlite_log

COMPUTED = (tables.tile, tables.head, tables.statement, tables.artifact)


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    with sqlite_log(tmp_path) as log:
        for size in (1, 100, 300, 700):
            log.append(entries(size))
        yield log


def run(log: Log, sql: str) -> None:
    with writing(engine_of(log)).begin() as connection:
        assert connection.execute(text(sql)).rowcount > 0


def rows(log: Log) -> dict[str, list[tuple[object, ...]]]:
    """Return the tables' rows, in an order that does not depend on when they were written."""
    with engine_of(log).begin() as connection:
        return {
            table.name: sorted(map(tuple, connection.execute(table.select())), key=repr)
            for table in (*COMPUTED, tables.entry)
        }


def test_a_sound_log_ends_with_the_same_rows(log: Log) -> None:
    before = rows(log)
    assert rebuild(log) == Rebuilt(entries=700, artifacts=1400, tiles=4)
    assert rows(log) == before
    assert [found.index for found in log.append([b"next"])] == [700]


def test_rebuilding_twice_is_fine(log: Log) -> None:
    assert rebuild(log) == rebuild(log)


def test_an_empty_log_has_nothing_to_rebuild(tmp_path: Path) -> None:
    with sqlite_log(tmp_path) as log:
        assert rebuild(log) == Rebuilt(0, 0, 0)


DAMAGE = {
    "tiles-gone": "DELETE FROM tile",
    "tile-flipped": "UPDATE tile SET hashes = zeroblob(length(hashes)) WHERE level = 0 AND idx = 1",
    "tile-short": "UPDATE tile SET hashes = substr(hashes, 1, 32) WHERE level = 1",
    "tile-too-many": "INSERT INTO tile SELECT log_id, 5, 5, hashes FROM tile WHERE level = 1",
    "head-gone": "DELETE FROM head",
    "head-behind": "UPDATE head SET size = 699",
    "peaks-flipped": "UPDATE head SET peaks = zeroblob(length(peaks))",
    "checkpoint-gone": "UPDATE head SET checkpoint = ''",
    "checkpoint-damaged": "UPDATE head SET checkpoint = substr(checkpoint, 2)",
    "statement-gone": "DELETE FROM statement WHERE idx = 5",
    "statement-changed": "UPDATE statement SET keyid = 'mallory' WHERE idx = 5",
    "artifact-gone": "DELETE FROM artifact WHERE idx = 5",
    "artifact-changed": "UPDATE artifact SET sha256 = pixels WHERE idx = 5 AND seq = 0",
    "artifact-invented": "INSERT INTO artifact SELECT log_id, idx, 9, role, position, name, sha256, pixels"
    " FROM artifact WHERE idx = 5 AND seq = 0",
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_whatever_happens_to_the_projections_comes_back(log: Log, damage: str) -> None:
    before = rows(log)
    run(log, DAMAGE[damage])
    assert rows(log) != before
    rebuild(log)
    assert rows(log) == before


ENTRIES_DAMAGED = {
    "envelope-flipped": "UPDATE entry SET envelope = CAST('Entry 400' AS BLOB) WHERE idx = 400",
    "envelope-made-text": "UPDATE entry SET envelope = 'Entry 400' WHERE idx = 400",
    "leaf-hash-flipped": "UPDATE entry SET leaf_hash = zeroblob(32) WHERE idx = 400",
    "entry-gone": "DELETE FROM entry WHERE idx = 400",
    "last-entry-gone": "DELETE FROM entry WHERE idx = 699",
    "entries-gone": "DELETE FROM entry",
    "entry-added": "INSERT INTO entry SELECT log_id, 700, randomblob(32), 'x', received_at"
    " FROM entry WHERE idx = 0",
    "entries-swapped": "UPDATE entry SET idx = CASE idx WHEN 3 THEN -4 ELSE -3 END WHERE idx IN (3, 4)",
}


@pytest.mark.parametrize("damage", ENTRIES_DAMAGED)
def test_damaged_entries_are_found_and_nothing_is_changed(log: Log, damage: str) -> None:
    run(log, ENTRIES_DAMAGED[damage])
    if damage == "entries-swapped":
        run(log, "UPDATE entry SET idx = -idx WHERE idx < 0")
    before = rows(log)
    with pytest.raises(IntegrityError) as error:
        rebuild(log)
    assert error.value.code == "log.corrupt"
    assert rows(log) == before


def test_a_forged_log_whose_checkpoint_is_gone_is_not_signed(log: Log) -> None:
    """Without the stored checkpoint, the last-signed record must vouch for just these entries."""
    run(log, "DELETE FROM head")
    run(log, "DELETE FROM entry WHERE idx = 699")
    with pytest.raises(IntegrityError) as error:
        rebuild(log)
    assert (error.value.code, error.value.evidence["signed_size"]) == ("log.corrupt", 700)


def test_entries_that_nothing_vouches_for_are_not_signed(log: Log) -> None:
    run(log, "DELETE FROM head")
    log.last_signed = MemoryLastSigned()
    with pytest.raises(IntegrityError) as error:
        rebuild(log)
    assert error.value.code == "log.corrupt"


def test_an_older_database_is_not_rebuilt_into_a_signed_one(log: Log, tmp_path: Path) -> None:
    (tmp_path / "older").mkdir()
    with sqlite_log(tmp_path / "older") as older:
        older.append(entries(600))
        before = rows(older)
        older.last_signed = log.last_signed
        with pytest.raises(RefusedError) as error:
            rebuild(older)
        assert error.value.code == "log.rollback"
        assert rows(older) == before


def test_a_rebuilt_log_publishes_the_same_files(log: Log) -> None:
    before, after = MemoryPublication(), MemoryPublication()
    publish(log, before)
    run(log, "DELETE FROM tile")
    rebuild(log)
    publish(log, after)
    assert after.files == before.files


def test_a_log_in_memory_is_rebuilt_by_the_same_code() -> None:
    log = new_log()
    log.append(entries(300))
    before = log.store.head()
    assert rebuild(log) == Rebuilt(entries=300, artifacts=600, tiles=3)
    assert log.store.head() == before
