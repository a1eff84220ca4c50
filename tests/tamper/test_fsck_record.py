"""A last-signed record that is damaged, missing or ahead of the database."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.adapters.files import FileLastSigned
from ledger.service.log.fsck import Condition, Mend
from ledger.service.log.publish import publish
from tests.support.damage import SIZE, check, failing, flip
from tests.support.log import entries, new_log, publication, sqlite_log


def test_a_flipped_bit_in_the_last_signed_record_is_found(folder: Path) -> None:
    path = folder / "last-signed"
    data = path.read_bytes()
    for at in (0, 100, 4095, 4096, 4200, 8191):
        path.write_bytes(flip(data, at))
        assert failing(check(folder)) == {"last-signed": ("log.corrupt", "last-signed.damaged")}, at
    with sqlite_log(folder) as log:
        log.append([b"one more"])
    assert check(folder).condition is Condition.SOUND


def test_a_last_signed_record_damaged_in_both_slots_is_found(folder: Path) -> None:
    path = folder / "last-signed"
    path.write_bytes(flip(flip(path.read_bytes(), 100), 4200))
    assert failing(check(folder)) == {"last-signed": ("log.corrupt", "last-signed.damaged")}


def test_without_a_last_signed_record_nothing_says_that_the_database_is_the_newest(folder: Path) -> None:
    (folder / "last-signed").unlink()
    report = check(folder)
    assert (report.condition, report.exit_code) == (Condition.UNDECIDED, 3)
    assert report.finding("last-signed").check.codes == ("last-signed.missing",)


def test_a_record_that_a_crash_left_behind_is_harmless(folder: Path) -> None:
    with sqlite_log(folder) as log:
        older = log.last_signed.read()
        log.append([b"one more"])
    assert older is not None
    (folder / "last-signed").unlink()
    FileLastSigned(folder / "last-signed").write(older)
    report = check(folder)
    assert report.condition is Condition.SOUND
    assert "1 behind" in report.finding("last-signed").check.words


def test_an_older_database_is_told_to_recover(folder: Path, tmp_path: Path) -> None:
    data = (folder / "ledger.db").read_bytes()
    with sqlite_log(folder) as log:
        log.append([b"one more"])
        publish(log, publication(folder))
    (folder / "ledger.db").write_bytes(data)
    report = check(folder)
    assert failing(report) == {
        "last-signed": ("log.rollback", "last-signed.ahead"),
        "published-checkpoint": ("log.rollback", "published-checkpoint.ahead"),
    }
    assert {report.finding(name).mend for name in failing(report)} == {Mend.RECOVER}


@pytest.mark.parametrize("size", [SIZE, 555])
def test_two_checkpoints_of_one_size_are_a_fork(folder: Path, size: int) -> None:
    other = new_log()
    other.append(entries(size, "another"))
    (folder / "last-signed").unlink()
    FileLastSigned(folder / "last-signed").write(other.store.head().checkpoint)
    (folder / "public" / "checkpoint").write_bytes(other.store.head().checkpoint)
    report = check(folder)
    found = failing(report)
    assert found["last-signed"] == ("log.rollback", "last-signed.contradicts")
    assert found["published-checkpoint"] == ("log.conflict", "published-checkpoint.contradicts")
    words = report.finding("last-signed").check.words
    assert f"{size} entries" in words
    assert words.count("fork") == 1
