"""`rakkan backup` and `rakkan restore`: nothing half, nothing leaked, and no second history."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import ROOT, Studio, found, snapshot
from tests.support.service import running


@pytest.fixture
def copy(studio: Studio, tmp_path: Path) -> Path:
    studio.record(studio.png())
    studio.ok("publish")
    studio.ok("backup", tmp_path / "copy")
    return tmp_path / "copy"


def test_a_home_comes_back_whole(studio: Studio, copy: Path, tmp_path: Path) -> None:
    assert not list(copy.rglob("*.pem")) or not (copy / "home/keys").exists()
    rows, elsewhere = studio.rows("entry"), Studio(tmp_path / "new/home", studio.work)
    answer = elsewhere.ok("restore", copy, "--json").json
    assert answer["restored"] is True
    assert elsewhere.rows("entry") == rows
    shutil.copytree(studio.home / "keys", elsewhere.home / "keys")
    elsewhere.ok("fsck")
    elsewhere.record(elsewhere.png("b.png", 2))
    assert elsewhere.size() == answer["entries"] + 1


def test_a_backup_of_a_home_in_use_is_one_state(studio: Studio, tmp_path: Path) -> None:
    import threading

    done, founded = threading.Event(), studio.size()

    def write() -> None:
        number = 10
        while not done.is_set():
            studio.process(
                "record", studio.png(f"{number}.png", number), "--action", "generate", "--tool", "x 1"
            )
            number += 1

    with running(studio) as server:
        server.health()
        writer = threading.Thread(target=write)
        writer.start()
        try:
            for number in range(3):
                studio.process("backup", tmp_path / f"copy{number}")
        finally:
            done.set()
            writer.join()
        sizes = []
        for number in range(3):
            told = Studio(tmp_path / f"home{number}", studio.work).ok(
                "restore", tmp_path / f"copy{number}", "--json"
            )
            sizes.append(told.json["entries"])
    assert sizes == sorted(sizes)
    assert founded < sizes[-1] <= studio.size()


def test_keys_are_taken_only_encrypted(
    studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    studio.fails("backup.keys", "backup", tmp_path / "copy", "--keys")
    assert not (tmp_path / "copy").exists()
    monkeypatch.setenv("RAKKAN_PASSPHRASE", "correct horse")
    safe = found(tmp_path / "safe")
    safe.ok("backup", tmp_path / "copy", "--keys")
    other = Studio(tmp_path / "other", safe.work)
    other.ok("restore", tmp_path / "copy")
    other.record(other.png())


def test_an_older_state_is_restored_only_into_recovery(studio: Studio, copy: Path) -> None:
    studio.record(studio.png("b.png", 2))
    studio.ok("publish")
    size = studio.size()
    studio.fails("restore.older", "restore", copy)
    dry = studio.ok("restore", copy, "--dry-run", "--json").json
    assert (dry["signed"], dry["entries"]) == (size, size - 1)
    studio.ok("restore", copy, "--older")
    studio.fails("log.rollback", "record", studio.png("c.png", 3), "--action", "generate", "--tool", "x 1")
    studio.ok("recover")
    assert studio.size() == size
    studio.record(studio.work / "c.png")
    studio.ok("fsck", "--published")


@pytest.mark.parametrize("where", ["publication", "backup"])
def test_a_lost_record_does_not_open_the_way_to_a_fork(studio: Studio, copy: Path, where: str) -> None:
    if where == "publication":
        studio.record(studio.png("b.png", 2))
        studio.ok("publish")
    (studio.home / "last-signed").unlink()
    studio.ok("restore", copy, "--older")
    result = studio("record", studio.png("c.png", 3), "--action", "generate", "--tool", "x 1")
    assert result.error == ("log.rollback" if where == "publication" else "")


def test_a_backup_that_was_changed_is_refused_before_anything_is_touched(studio: Studio, copy: Path) -> None:
    before = _kept(studio)
    names = list(json.loads((copy / "backup.json").read_text())["files"])
    for name in names:
        data = (copy / name).read_bytes()
        (copy / name).write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        studio.fails("backup.damaged", "restore", copy, exit_code=1)
        (copy / name).write_bytes(data)
    (copy / "home/extra").write_text("x")
    studio.fails("backup.damaged", "restore", copy, exit_code=1)
    (copy / "home/extra").unlink()
    (copy / names[0]).rename(copy / "aside")
    studio.fails("backup.damaged", "restore", copy, exit_code=1)
    (copy / "aside").rename(copy / names[0])
    manifest = (copy / "backup.json").read_text()
    for text in ("{}", manifest.replace("backup/v1", "backup/v2"), manifest.replace('"keys"', '"kegs"')):
        (copy / "backup.json").write_text(text)
        studio.fails("backup.malformed", "restore", copy)
    assert _kept(studio) == before


@pytest.mark.slow
def test_a_home_in_use_or_of_somebody_else_is_left_alone(
    studio: Studio, copy: Path, elsewhere: Studio
) -> None:
    elsewhere.fails("restore.other", "restore", copy)
    with running(studio) as server:
        server.health()
        studio.fails("restore.in-use", "restore", copy)


def test_a_target_that_is_there_is_not_overwritten(studio: Studio, copy: Path) -> None:
    studio.fails("target.exists", "backup", copy)


def _kept(studio: Studio) -> dict[str, object]:
    """Every file of the home but SQLite's own, which come and go with its readers."""
    found = snapshot(studio.home)
    return {name: what for name, what in found.items() if not name.endswith(("-wal", "-shm"))}


CALLS = "renameat2,rename,link,linkat,mkdir,fsync,unlink"


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed (apt-get install strace)")
@pytest.mark.parametrize("when", [1, 5, 20, 40, -1])
def test_killed_at_any_moment_the_home_is_the_old_one_or_the_new_one(
    studio: Studio, copy: Path, when: int, tmp_path: Path
) -> None:
    studio.record(studio.png("b.png", 2))
    size = studio.size()
    call, number = ("renameat2", 1) if when < 0 else (CALLS, when)
    trace = [
        "strace",
        "-f",
        "-qq",
        "-o",
        tmp_path / "trace",
        "-e",
        f"inject={call}:signal=KILL:when={number}",
    ]
    done = subprocess.run(
        [*map(str, trace), sys.executable, "-m", "ledger", "restore", str(copy), "--older"],
        env=studio.environment(),
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    assert done.returncode in {0, -9, 137}, done.stderr
    assert studio.size() in {size, size - 1}
    if studio.size() == size:
        studio.ok("fsck")
        studio.record(studio.png("c.png", 3))
    else:
        studio.fails(
            "log.rollback", "record", studio.png("c.png", 3), "--action", "generate", "--tool", "x 1"
        )
    assert (studio.home / "keys/log.pem").exists()
