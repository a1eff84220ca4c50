"""Each kind of damage to what is kept of a log is found by fsck, named exactly, and mended as fsck says."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from ledger.core.report import Status
from ledger.service.log.fsck import Condition, Mend
from ledger.service.log.rebuild import rebuild
from tests.support.damage import SIZE, check, failing, run
from tests.support.log import sqlite_log


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
        ("INSERT INTO statement (log_id, idx, predicate_type, keyid) VALUES (1, 700, 't', 'k')",),
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
