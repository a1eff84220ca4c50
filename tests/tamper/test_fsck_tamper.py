"""Each kind of damage to what is kept of a log is found by fsck, named exactly, and mended as fsck says."""

from __future__ import annotations

import random
import shutil
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from ledger.adapters.files import FileLastSigned
from ledger.core.checkpoint import sign_checkpoint
from ledger.core.note import NoteSigner
from ledger.core.report import Status
from ledger.core.tiles import Tile
from ledger.errors import RakkanError
from ledger.service.log.fsck import Condition, FsckReport, Mend, fsck
from ledger.service.log.publish import publish
from ledger.service.log.rebuild import rebuild
from tests.support.log import KEY, ORIGIN, entries, new_log, publication, sqlite_log
from tests.support.records import records_of

SIZE = 700
PUBLISHED = 600
FULL = 66_000
"""Entries of a log whose level 1 has a full tile."""


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log with a publication that is behind it. Never written to."""
    folder = tmp_path_factory.mktemp("original")
    with sqlite_log(folder) as log:
        log.append(entries(300))
        log.append(entries(PUBLISHED))
        publish(log, publication(folder))
        log.append(entries(SIZE))
    return folder


@pytest.fixture
def folder(original: Path, tmp_path: Path) -> Path:
    shutil.copytree(original, tmp_path / "log")
    return tmp_path / "log"


def run(folder: Path, *statements: str) -> None:
    connection = sqlite3.connect(folder / "ledger.db")
    connection.create_function("flip", 2, flip)
    with connection:
        for statement in statements:
            assert connection.execute(statement).rowcount > 0, statement
    connection.close()


def flip(value: bytes, at: int) -> bytes:
    """The bytes with the lowest bit of one of them flipped."""
    return bytes([*value[:at], value[at] ^ 1, *value[at + 1 :]])


def check(folder: Path) -> FsckReport:
    with sqlite_log(folder) as log:
        return fsck(records_of(log), publication(folder))


def failing(report: FsckReport) -> dict[str, tuple[str, ...]]:
    return {
        finding.check.name: finding.check.codes
        for finding in report.findings
        if finding.check.status is Status.FAILED
    }


def test_a_sound_log_is_sound(folder: Path) -> None:
    report = check(folder)
    assert (report.condition, report.exit_code, report.entries) == (Condition.SOUND, 0, SIZE)
    assert {finding.check.status for finding in report.findings} == {Status.PASSED}
    assert len(report.findings) == 9


SWAP = (
    "UPDATE entry SET idx = idx - 1000 WHERE idx IN (3, 4)",
    "UPDATE entry SET idx = CASE idx WHEN -997 THEN 4 ELSE 3 END WHERE idx < 0",
)
ARTIFACT = """INSERT INTO artifact SELECT log_id, {}, 2, role, position, name, sha256, pixels
FROM artifact WHERE idx = 5 AND seq = 0"""
# name: statements, check, its last code, words that name the place, how to mend it
DAMAGE: dict[str, tuple[tuple[str, ...], str, str, str, Mend]] = {
    "envelope-bit": (
        ("UPDATE entry SET envelope = flip(envelope, 2) WHERE idx = 400",),
        "entries",
        "entries.changed",
        "Entry 400 ",
        Mend.RESTORE,
    ),
    "envelope-bit-at-the-edge": (
        ("UPDATE entry SET envelope = flip(envelope, 2) WHERE idx = 699",),
        "entries",
        "entries.changed",
        "ntry 699",
        Mend.RESTORE,
    ),
    "envelope-and-leaf-hash": (
        ("UPDATE entry SET envelope = 'forged', leaf_hash = randomblob(32) WHERE idx = 70",),
        "entries",
        "entries.changed",
        "ntry 70 ",
        Mend.RESTORE,
    ),
    "leaf-hash-bit": (
        ("UPDATE entry SET leaf_hash = flip(leaf_hash, 2) WHERE idx = 400",),
        "entries",
        "entries.leaf-hash",
        "beside entry 400 ",
        Mend.RESTORE,
    ),
    "entry-missing": (
        ("DELETE FROM entry WHERE idx = 400",),
        "entries",
        "entries.missing",
        "Entry 400 ",
        Mend.RESTORE,
    ),
    "first-entry-missing": (
        ("DELETE FROM entry WHERE idx = 0",),
        "entries",
        "entries.missing",
        "Entry 0 ",
        Mend.RESTORE,
    ),
    "last-entry-missing": (
        ("DELETE FROM entry WHERE idx = 699",),
        "entries",
        "entries.missing",
        "Entry 699 ",
        Mend.RESTORE,
    ),
    "all-entries-missing": (("DELETE FROM entry",), "entries", "entries.missing", "Entry 0 ", Mend.RESTORE),
    "entry-beyond-the-head": (
        ("INSERT INTO entry SELECT log_id, 700, randomblob(32), 'x', received_at FROM entry WHERE idx = 0",),
        "entries",
        "entries.beyond",
        "entry",
        Mend.RESTORE,
    ),
    "entry-before-the-first": (
        ("INSERT INTO entry SELECT log_id, -1, randomblob(32), 'x', received_at FROM entry WHERE idx = 0",),
        "entries",
        "entries.beyond",
        "entry",
        Mend.RESTORE,
    ),
    "entries-swapped": (SWAP, "entries", "entries.changed", "Entry 3 ", Mend.RESTORE),
    "tile-bit": (
        ("UPDATE tile SET hashes = flip(hashes, 8191) WHERE level = 0 AND idx = 1",),
        "tiles",
        "tiles.changed",
        "tile/0/001",
        Mend.REBUILD,
    ),
    "tile-bit-at-the-edge": (
        ("UPDATE tile SET hashes = flip(hashes, 0) WHERE level = 0 AND idx = 2",),
        "tiles",
        "tiles.changed",
        "tile/0/002.p/188",
        Mend.REBUILD,
    ),
    "tile-bit-above": (
        ("UPDATE tile SET hashes = flip(hashes, 33) WHERE level = 1",),
        "tiles",
        "tiles.changed",
        "tile/1/000.p/2",
        Mend.REBUILD,
    ),
    "tile-missing": (
        ("DELETE FROM tile WHERE level = 0 AND idx = 1",),
        "tiles",
        "tiles.missing",
        "tile/0/001",
        Mend.REBUILD,
    ),
    "tile-missing-above": (
        ("DELETE FROM tile WHERE level = 1",),
        "tiles",
        "tiles.missing",
        "tile/1/000.p/2",
        Mend.REBUILD,
    ),
    "tile-too-short": (
        ("UPDATE tile SET hashes = substr(hashes, 1, 8160) WHERE level = 0 AND idx = 0",),
        "tiles",
        "tiles.missing",
        "tile/0/000",
        Mend.REBUILD,
    ),
    "tile-too-long": (
        ("UPDATE tile SET hashes = hashes || zeroblob(32) WHERE level = 0 AND idx = 2",),
        "tiles",
        "tiles.extra",
        "tile/0/002",
        Mend.REBUILD,
    ),
    "tile-too-many": (
        ("INSERT INTO tile SELECT log_id, 0, 3, hashes FROM tile WHERE level = 1",),
        "tiles",
        "tiles.extra",
        "tile/0/003",
        Mend.REBUILD,
    ),
    "tile-too-high": (
        ("INSERT INTO tile SELECT log_id, 2, 0, hashes FROM tile WHERE level = 1",),
        "tiles",
        "tiles.extra",
        "tile/2/000",
        Mend.REBUILD,
    ),
    "tiles-gone": (("DELETE FROM tile",), "tiles", "tiles.missing", "tile/0/000", Mend.REBUILD),
    "peaks-bit": (("UPDATE head SET peaks = flip(peaks, 40)",), "head", "head.peaks", "peaks", Mend.REBUILD),
    "peaks-cut": (
        ("UPDATE head SET peaks = substr(peaks, 1, 40)",),
        "head",
        "head.peaks",
        "peaks",
        Mend.REBUILD,
    ),
    "checkpoint-bit": (
        ("UPDATE head SET checkpoint = flip(checkpoint, 40)",),
        "head",
        "head.checkpoint",
        "checkpoint",
        Mend.REBUILD,
    ),
    "head-size": (("UPDATE head SET size = 699",), "head", "head.size", "699", Mend.REBUILD),
    "head-gone": (("DELETE FROM head",), "head", "head.missing", "missing", Mend.REBUILD),
    "statement-missing": (
        ("DELETE FROM statement WHERE idx = 255",),
        "statements",
        "statements.changed",
        "Entry 255: 0 rows",
        Mend.REBUILD,
    ),
    "statement-changed": (
        ("UPDATE statement SET keyid = 'x' WHERE idx = 256",),
        "statements",
        "statements.changed",
        "Entry 256: a row differs",
        Mend.REBUILD,
    ),
    "statement-extra": (
        ("INSERT INTO statement SELECT log_id, 700, predicate_type, keyid FROM statement WHERE idx = 0",),
        "statements",
        "statements.beyond",
        "outside the 700",
        Mend.REBUILD,
    ),
    "artifact-missing": (
        ("DELETE FROM artifact WHERE idx = 699 AND seq = 1",),
        "artifacts",
        "artifacts.changed",
        "Entry 699: 1 rows",
        Mend.REBUILD,
    ),
    "artifact-changed": (
        ("UPDATE artifact SET sha256 = pixels WHERE idx = 5 AND seq = 0",),
        "artifacts",
        "artifacts.changed",
        "Entry 5: a row differs",
        Mend.REBUILD,
    ),
    "artifact-order": (
        ("UPDATE artifact SET seq = 2 WHERE idx = 5 AND seq = 0",),
        "artifacts",
        "artifacts.changed",
        "Entry 5: a row differs",
        Mend.REBUILD,
    ),
    "artifact-extra": (
        (ARTIFACT.format("idx"),),
        "artifacts",
        "artifacts.changed",
        "Entry 5: 3 rows",
        Mend.REBUILD,
    ),
    "artifact-beyond": (
        (ARTIFACT.format("9999"),),
        "artifacts",
        "artifacts.beyond",
        "outside the 700",
        Mend.REBUILD,
    ),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_is_found_named_and_mended(folder: Path, name: str) -> None:
    statements, where, code, words, mend = DAMAGE[name]
    run(folder, *statements)
    report = check(folder)
    assert (report.condition, report.exit_code) == (Condition.DAMAGED, 1)
    finding = report.finding(where)
    assert finding.check.status is Status.FAILED, finding
    assert (finding.check.codes, finding.mend) == (("log.corrupt", code), mend)
    assert words in finding.check.words
    if mend is Mend.REBUILD:
        assert set(failing(report)) == {where}
        with sqlite_log(folder) as log:
            rebuild(log)
        assert check(folder).condition is Condition.SOUND


@pytest.mark.parametrize(
    "name", ["envelope-bit", "envelope-bit-at-the-edge", "leaf-hash-bit", "entry-missing"]
)
def test_a_damaged_entry_accuses_no_tile_and_no_published_file(folder: Path, name: str) -> None:
    run(folder, *DAMAGE[name][0])
    assert set(failing(check(folder))) == {"entries"}


def test_damage_of_each_kind_at_once_is_all_named(folder: Path) -> None:
    run(
        folder,
        *DAMAGE["envelope-bit"][0],
        *DAMAGE["tile-bit"][0],
        *DAMAGE["statement-missing"][0],
        *DAMAGE["artifact-changed"][0],
        *DAMAGE["peaks-bit"][0],
    )
    (folder / "public" / "tile" / "0" / "000").unlink()
    report = check(folder)
    assert set(failing(report)) == {"head", "entries", "tiles", "statements", "artifacts", "published-files"}
    assert "ntry 400 " in report.finding("entries").check.words
    assert "tile/0/001" in report.finding("tiles").check.words


def test_a_damaged_index_is_found_and_mended(folder: Path) -> None:
    """The rows are all sound, and yet a look-up would miss one of them."""
    connection = sqlite3.connect(folder / "ledger.db")
    connection.execute("PRAGMA writable_schema = ON")
    sql = "SELECT rootpage FROM sqlite_schema WHERE name = 'artifact_sha256'"
    page = connection.execute(sql).fetchone()[0]
    ((other,),) = connection.execute("SELECT sha256 FROM artifact WHERE idx = 650 AND seq = 0").fetchall()
    connection.close()
    data = bytearray((folder / "ledger.db").read_bytes())
    at = data.index(other[:16].encode(), (page - 1) * 4096)
    data[at] ^= 1
    (folder / "ledger.db").write_bytes(data)
    assert failing(check(folder)) == {"database": ("log.corrupt", "database.damaged")}
    connection = sqlite3.connect(folder / "ledger.db")
    connection.execute("REINDEX")
    connection.close()
    assert check(folder).condition is Condition.SOUND


# --- the last-signed record --------------------------------------------------------------------------------


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


# --- the publication ---------------------------------------------------------------------------------------

FILES = ["tile/0/002.p/88", "tile/1/000.p/2", "tile/entries/001"]
CHANGES: dict[str, Callable[[Path], object]] = {
    "missing": Path.unlink,
    "flipped-bit": lambda path: path.write_bytes(flip(path.read_bytes(), 40)),
    "extra-long": lambda path: path.write_bytes(path.read_bytes() + b"\0"),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-1]),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("name", FILES)
def test_a_damaged_published_file_is_named_and_can_be_published_again(
    folder: Path, name: str, change: str
) -> None:
    public = folder / "public"
    CHANGES[change](public / name)
    report = check(folder)
    code = "published.missing" if change == "missing" else "published.changed"
    assert failing(report) == {"published-files": ("log.conflict", code)}
    finding = report.finding("published-files")
    assert finding.check.words.startswith(f"{name} is ")
    assert finding.mend is Mend.REPUBLISH
    (public / name).unlink(missing_ok=True)
    (public / "checkpoint").unlink()
    with sqlite_log(folder) as log:
        publish(log, publication(folder))
    assert check(folder).condition is Condition.SOUND


def test_files_of_a_publication_that_was_cut_short_are_harmless_if_they_are_the_same(folder: Path) -> None:
    """They are what the next publication writes; other bytes there would stop it."""
    public = folder / "public"
    before = (public / "checkpoint").read_bytes()
    with sqlite_log(folder) as log:
        publish(log, publication(folder))
    (public / "checkpoint").write_bytes(before)
    report = check(folder)
    assert report.condition is Condition.SOUND
    assert "2 more are there already" in report.finding("published-files").check.words
    name = Tile(0, 2, SIZE - 512).bundle_path
    (public / name).write_bytes(b"other")
    report = check(folder)
    assert failing(report) == {"published-files": ("log.conflict", "published.changed")}
    assert report.finding("published-files").check.words.startswith(name)


def test_a_missing_or_foreign_published_checkpoint_is_found(folder: Path) -> None:
    path = folder / "public" / "checkpoint"
    note = path.read_bytes()
    path.unlink()
    assert check(folder).finding("published-checkpoint").check.codes == ("published.nothing",)
    path.write_bytes(flip(note, 30))
    assert set(failing(check(folder))) == {"published-checkpoint"}
    path.write_bytes(
        sign_checkpoint("other.example/log", 1, bytes(32), [NoteSigner("other.example/log", KEY)])
    )
    report = check(folder)
    assert (report.condition, report.exit_code) == (Condition.UNDECIDED, 3)
    assert report.origin == ORIGIN


# --- a tall tree -------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_damage_in_a_tall_tree_is_named_exactly(tmp_path: Path) -> None:
    with sqlite_log(tmp_path) as log:
        log.append(entries(FULL))
    run(
        tmp_path,
        "UPDATE tile SET hashes = flip(hashes, 100) WHERE level = 1 AND idx = 0",
        "UPDATE tile SET hashes = flip(hashes, 100) WHERE level = 0 AND idx = 17",
        "UPDATE entry SET envelope = flip(envelope, 2) WHERE idx = 65000",
    )
    with sqlite_log(tmp_path) as log:
        report = fsck(records_of(log))
    assert set(failing(report)) == {"entries", "tiles"}
    assert "Entry 65000 " in report.finding("entries").check.words
    assert "tile/0/017)" in report.finding("tiles").check.words


# --- chance ------------------------------------------------------------------------------------------------

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
