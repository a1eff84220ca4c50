"""Files are found by name and known by their bytes; nothing outside the folders is ever opened."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path

import pytest

from ledger.adapters import picture_folders
from ledger.adapters.kept_pictures import KeptPictures
from ledger.adapters.picture_folders import READ, PictureFolders


def lay(path: Path, text: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return sha256(text.encode()).hexdigest()


def taken(folders: PictureFolders, name: str, digest: str, target: Path) -> str | None:
    return target.read_text() if folders.copy({name}, {digest}, target) else None


def test_a_file_is_taken_for_its_bytes_at_any_depth(tmp_path: Path) -> None:
    wanted = lay(tmp_path / "files/b/c/x.png", "right")
    lay(tmp_path / "files/a/x.png", "wrong")
    folders = PictureFolders([tmp_path / "files"])
    assert taken(folders, "x.png", wanted, tmp_path / "out") == "right"
    assert taken(folders, "x.png", "0" * 64, tmp_path / "out") is None
    assert taken(folders, "y.png", wanted, tmp_path / "out") is None


def test_no_link_is_followed(tmp_path: Path) -> None:
    wanted = lay(tmp_path / "outside/x.png", "secret")
    files = tmp_path / "files"
    lay(files / "y.png", "other")
    (files / "x.png").symlink_to(tmp_path / "outside/x.png")
    (files / "linked").symlink_to(tmp_path / "outside")
    folders = PictureFolders([files])
    assert taken(folders, "x.png", wanted, tmp_path / "out") is None


def test_a_folder_that_becomes_a_link_is_not_followed(tmp_path: Path) -> None:
    wanted = lay(tmp_path / "files/in/x.png", "same")
    folders = PictureFolders([tmp_path / "files"])
    assert taken(folders, "x.png", wanted, tmp_path / "out") == "same"
    (tmp_path / "files/in").rename(tmp_path / "outside")
    (tmp_path / "files/in").symlink_to(tmp_path / "outside")
    assert taken(folders, "x.png", wanted, tmp_path / "out") is None


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    os.mkfifo(tmp_path / "files/x.png")
    assert taken(PictureFolders([tmp_path / "files"]), "x.png", "0" * 64, tmp_path / "out") is None


def test_what_comes_later_is_found_when_a_look_is_due(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = PictureFolders([tmp_path / "files"])
    assert taken(folders, "x.png", "0" * 64, tmp_path / "out") is None
    wanted = lay(tmp_path / "files/x.png", "new")
    assert taken(folders, "x.png", wanted, tmp_path / "out") is None
    monkeypatch.setattr(folders, "_again", 0.0)
    assert taken(folders, "x.png", wanted, tmp_path / "out") == "new"


def test_many_of_one_name_cost_little_each_time_and_are_all_read_in_the_end(tmp_path: Path) -> None:
    for number in range(2 * READ):
        wanted = lay(tmp_path / f"files/{number:03}/x.png", f"file {number}")
    folders = PictureFolders([tmp_path / "files"])
    found = [taken(folders, "x.png", wanted, tmp_path / "out") for _ in range(2)]
    assert found == [None, f"file {2 * READ - 1}"]


def test_a_file_that_is_too_large_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture_folders, "LARGEST", 4)
    wanted = lay(tmp_path / "files/x.png", "large")
    assert taken(PictureFolders([tmp_path / "files"]), "x.png", wanted, tmp_path / "out") is None


def test_the_oldest_pictures_make_room(tmp_path: Path) -> None:
    kept = KeptPictures(tmp_path / "kept", most_bytes=25)
    for number in range(4):
        kept.put(str(number), 320, b"0123456789")
        os.utime(tmp_path / f"kept/{number}-320.jpg", (number, number))
    assert [kept.get(str(number), 320) is not None for number in range(4)] == [False, False, True, True]
    assert {path.suffix for path in (tmp_path / "kept").iterdir()} == {".jpg"}


def test_a_disk_that_is_away_keeps_nothing_and_breaks_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    kept = KeptPictures(tmp_path / "file")
    kept.put("0", 320, b"x")
    assert kept.get("0", 320) is None
