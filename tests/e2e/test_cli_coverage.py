"""`rakkan coverage` as a producer and a pipeline use it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.e2e.conftest import Studio, sidecar
from tests.support.cleared import place
from tests.support.media import make, noise

PAINTED = ("--action", "generate", "--tool", "painter 1.0")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep digests in a folder of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "rakkan" / "hashes.sqlite"


def covered(studio: Studio, *options: object, code: int = 0) -> Any:
    result = studio("coverage", studio.work, "--json", *options)
    assert (result.code, result.err) == (code, ""), result
    return result.json


def counts(found: Any) -> dict[str, int]:
    return {what: count["files"] for what, count in found["classes"].items() if count["files"]}


def paths(files: list[Any]) -> list[str]:
    return [item["path"] for item in files]


def test_a_production_that_is_recorded_is_covered_whatever_became_of_its_files(studio: Studio) -> None:
    frame = studio.record(studio.png("sh010.png"), *PAINTED, *place("sh010"))
    sealed = studio.sealed("sealed.png", *PAINTED, *place("sh010"), seed=2)
    other = make("exr", studio.work, "sh020")
    studio.record(other, *PAINTED, *place("sh020"))
    studio.ok("seal", other)
    assert sidecar(other).exists()
    (studio.work / "sh030").mkdir()
    shutil.copy(frame, studio.work / "sh030" / "copied.png")
    frame.rename(studio.work / "renamed.png")
    Image.open(sealed).save(studio.work / "stripped.png", compress_level=1)
    found = covered(studio)
    assert counts(found) == {"bytes": 4, "pixels": 1}
    assert found["percent"] == {"files": 100.0, "bytes": 100.0}
    assert found["reached"] is True
    assert found["apart"]["sidecar"]["files"] == 1
    by = {group["name"]: group["total"]["files"] for group in found["by"]["shot"]}
    assert by == {"sq010/sh010": 4, "sq010/sh020": 1}
    assert [(group["name"], group["gaps"]) for group in found["by"]["device"]] == [("workstation", None)]
    assert found["by"]["how"][0]["evidence"] == "declared"


def test_what_is_not_explained_is_named_and_counts_as_undecided_for_a_pipeline(studio: Studio) -> None:
    read = studio.png("plate.png", seed=3)
    frame = studio.record(studio.png("comp.png"), "--action", "edit", "--tool", "grade 2", "--parent", read)
    with frame.open("ab") as file:
        file.write(b"edited after it was recorded")
    Image.new("RGB", (8, 8)).save(studio.work / "frame.png")
    found = covered(studio, code=3)
    assert counts(found) == {"pixels": 1, "used": 1, "unattributed": 1}
    assert paths(found["unattributed"]) == ["frame.png"]
    (used,) = found["used"]
    assert (used["path"], used["role"], used["entry"]) == ("plate.png", "parent", 2)
    assert covered(studio, "--at-least", "33.3")["reached"] is True
    assert covered(studio, "--at-least", "33.4", code=3)["reached"] is False


def test_the_document_has_the_members_of_its_specification(studio: Studio) -> None:
    studio.png("frame.png")
    (studio.work / "link").symlink_to("frame.png")
    found = covered(studio, code=3)
    assert list(found) == [
        *("coverage", "root", "entries", "atLeast", "reached", "total", "explained", "percent", "classes"),
        *("apart", "by", "unattributed", "used", "undecided", "reported"),
    ]
    assert list(found["by"]) == ["shot", "folder", "device", "day", "how"]
    assert list(found["unattributed"][0]) == ["path", "bytes", "day", "shot", "sha256"]
    assert list(found["reported"][0]) == ["path", "bytes", "day", "shot", "what", "why"]


def test_a_person_sees_the_worst_first_and_the_first_twenty(studio: Studio) -> None:
    for number in range(25):
        folder = studio.work / f"sq010/sh{number % 12:03}/comp"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"f.{number}.bgeo").write_bytes(b"%d" % number)
    studio.record(studio.work / "sq010/sh000/comp/f.0.bgeo", *PAINTED, *place("sh000"))
    shown = studio("coverage", studio.work, "--place", "{sequence}/{shot}/{task}")
    assert shown.code == 3
    assert "4.0 % (1 of 25 files explained" in shown.out.splitlines()[0]
    assert shown.out.count("f.") == 20
    assert "and 4 more: --list" in shown.out
    assert "and 2 more: --by shot" in shown.out
    assert max(map(len, shown.out.splitlines()[1:])) <= 100
    table = studio("coverage", studio.work, "--place", "{sequence}/{shot}", "--by", "shot", "--list").out
    assert all(f"sq010/sh{number:03}" in table for number in range(12))
    assert table.count("f.") == 24
    assert "Day" not in table


def test_folders_are_shown_where_a_shot_is_not_known(studio: Studio) -> None:
    studio.record(studio.png("a.png"), *PAINTED, *place("sh010"))
    told = studio("coverage", studio.work).out
    assert ("sq010/sh010" in told, "Folder" in told) == (True, False)
    (studio.work / "stray").mkdir()
    studio.png("stray/b.png", seed=2)
    told = studio("coverage", studio.work).out
    assert ("(no shot known)" in told, "Folder" in told) == (True, True)
    (studio.work / "a.png").unlink()
    told = studio("coverage", studio.work).out
    assert ("Shot" in told, "Folder" in told) == (False, True)


def test_a_name_writes_nothing_over_the_answer(studio: Studio) -> None:
    (studio.work / "\x1b[2J100 % [red]\udcff.png").write_bytes(b"x")
    shown = studio("coverage", studio.work)
    assert "\x1b" not in shown.out
    assert "\\u001b[2J100 % [red]\\udcff.png" in shown.out
    assert paths(covered(studio, code=3)["unattributed"]) == ["\x1b[2J100 % [red]\udcff.png"]


def test_an_empty_folder_is_no_success(studio: Studio) -> None:
    shown = studio("coverage", studio.work)
    assert (shown.code, "Is the volume mounted?" in shown.out) == (3, True)
    assert covered(studio, code=3)["percent"] == {"files": None, "bytes": None}


@pytest.mark.parametrize("root", ["nowhere", "frame.png"])
def test_a_root_that_is_no_folder(studio: Studio, root: str) -> None:
    studio.png()
    studio.fails("coverage.root", "coverage", studio.work / root)


def test_a_pattern_without_a_shot(studio: Studio) -> None:
    studio.fails("coverage.place", "coverage", studio.work, "--place", "{sequence}")


def test_more_names_can_be_set_apart(studio: Studio) -> None:
    studio.png("frame.png")
    studio.png("preview.png")
    (studio.work / "cache").mkdir()
    studio.png("cache/a.png")
    found = covered(studio, "--ignore", "preview.*", "--ignore", "cache/*", code=3)
    assert paths(found["unattributed"]) == ["frame.png"]
    assert found["apart"]["ignored"]["files"] == 2


def test_without_a_cache_it_works_and_says_so(
    studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    studio.record(studio.png())
    shown = studio("coverage", studio.work, "--json")
    assert (shown.code, counts(shown.json)) == (0, {"bytes": 1})
    assert shown.err.startswith("warning: The digests of files are not kept:")
    assert shown.err.count("\n") == 1


def test_a_damaged_cache_is_set_aside_and_a_lying_one_is_not_asked(studio: Studio, cache: Path) -> None:
    studio.record(studio.png())
    covered(studio)
    cache.write_bytes(os.urandom(9_000))
    shown = studio("coverage", studio.work, "--json")
    assert (shown.code, counts(shown.json)) == (0, {"bytes": 1})
    assert "was set aside" in shown.err
    assert covered(studio, "--fresh")["reached"] is True


def test_two_at_once_agree(studio: Studio, tmp_path: Path) -> None:
    for number in range(300):
        (studio.work / f"{number}.bgeo").write_bytes(b"%d" % number)
    studio.record(studio.work / "7.bgeo")
    command = [sys.executable, "-m", "ledger", "coverage", str(studio.work), "--json"]
    environment = {**studio.environment(), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    running = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(2)
    ]
    (first, warned), (second, warned_too) = (process.communicate() for process in running)
    assert [process.returncode for process in running] == [3, 3]
    assert (warned, warned_too) == (b"", b"")
    assert first == second
    assert b'"unattributed"' in first


def test_large_pictures_that_are_damaged_stay_unattributed(studio: Studio) -> None:
    path = studio.work / "cut.png"
    noise(size=(300, 200)).save(path)
    os.truncate(path, path.stat().st_size // 2)
    assert paths(covered(studio, code=3)["unattributed"]) == ["cut.png"]
