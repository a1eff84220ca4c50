"""Damage to what is published, and to tall trees, is named exactly."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ledger.core.checkpoint import sign_checkpoint
from ledger.core.note import NoteSigner
from ledger.core.tiles import Tile
from ledger.service.log.fsck import Condition, Mend, fsck
from ledger.service.log.publish import publish
from tests.support.damage import FULL, SIZE, check, failing, flip, run
from tests.support.log import KEY, ORIGIN, entries, publication, sqlite_log
from tests.support.records import records_of

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
