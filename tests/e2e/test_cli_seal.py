"""`rakkan seal`: what it answers, other folders, sealing twice, many files."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from PIL import Image

from tests.e2e.conftest import Studio, sidecar, snapshot
from tests.support.media import make, picture_bytes
from tests.support.sealed import proven


def test_the_answer_in_json(studio: Studio) -> None:
    picture, scan = studio.record(studio.png()), studio.record(make("exr", studio.work))
    answer = studio.ok("seal", picture, scan, "--json").json
    assert [set(item) for item in answer] == [{"file", "manifest", "sha256", "form", "entry"}] * 2
    assert [item["form"] for item in answer] == ["embedded", "sidecar"]
    assert [item["manifest"] for item in answer] == [str(picture), str(sidecar(scan))]
    assert answer[0]["entry"] == answer[1]["entry"]


def test_the_file_keeps_its_permissions_and_no_scratch_is_left(studio: Studio) -> None:
    path = studio.record(studio.png())
    path.chmod(0o640)
    studio.ok("seal", path)
    assert path.stat().st_mode & 0o777 == 0o640
    assert [item.name for item in studio.work.iterdir()] == ["frame.png"]


def test_the_picture_is_the_same_after_sealing(studio: Studio) -> None:
    path = studio.png()
    before = Image.open(path).tobytes()
    studio.record(path)
    studio.ok("seal", path)
    assert Image.open(path).tobytes() == before


def test_a_trusted_time_stamp(studio: Studio) -> None:
    path = studio.record(studio.png())
    studio.ok("seal", path, "--timestamp")
    times = [check for check in proven(studio, path).json["checks"] if check["check"] == "time"]
    assert times[0]["codes"] == ["timeStamp.trusted"]


@pytest.mark.parametrize("kind", ["png", "tif", "exr"])
def test_out_leaves_the_original_alone(studio: Studio, kind: str, tmp_path: Path) -> None:
    path = studio.record(make(kind, studio.work))
    before, out = snapshot(studio.work), tmp_path / "delivery" / "v1"
    studio.ok("seal", path, "--out", out)
    assert snapshot(studio.work) == before
    proven(studio, out / path.name)


@pytest.mark.parametrize("there", ["frame.exr", "frame.exr.c2pa"])
def test_out_overwrites_nothing(studio: Studio, tmp_path: Path, there: str) -> None:
    path = studio.record(make("exr", studio.work, "frame"))
    out = tmp_path / "delivery"
    out.mkdir()
    (out / there).write_bytes(b"somebody else's")
    studio.fails("target.exists", "seal", path, "--out", out)
    assert snapshot(out) == {there: snapshot(out)[there]}


def test_out_refuses_two_files_of_one_name_before_writing_either(studio: Studio, tmp_path: Path) -> None:
    (studio.work / "b").mkdir()
    first, second = studio.record(studio.png("frame.png", 1)), studio.record(studio.png("b/frame.png", 2))
    studio.fails("target.exists", "seal", first, second, "--out", tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_out_may_be_the_files_own_folder(studio: Studio) -> None:
    path = studio.record(studio.png())
    studio.ok("seal", path, "--out", studio.work)
    proven(studio, path)


@pytest.mark.parametrize("kind", ["png", "mp4", "exr"])
def test_sealing_twice(studio: Studio, kind: str) -> None:
    path = studio.record(make(kind, studio.work))
    studio.ok("seal", path)
    studio.fails("seal.already-sealed", "seal", path)
    assert studio.ok("seal", path, "--skip-sealed", "--json").json == []


def test_one_sealed_file_among_many_stops_them_all_unless_skipped(studio: Studio) -> None:
    done, fresh = studio.sealed("a.png"), studio.record(studio.png("b.png", 2))
    studio.fails("seal.already-sealed", "seal", fresh, done)
    answer = studio.ok("seal", fresh, done, "--skip-sealed", "--json").json
    assert [item["file"] for item in answer] == [str(fresh)]


def test_a_lost_sidecar_is_made_again(studio: Studio) -> None:
    path = studio.record(make("exr", studio.work))
    studio.ok("seal", path)
    sidecar(path).unlink()
    studio.ok("seal", path)
    proven(studio, path)


def test_a_file_recorded_twice_is_sealed_by_its_newest_record(studio: Studio) -> None:
    path = studio.png()
    studio.record(path, "--action", "import")
    studio.record(path, "--action", "draw", "--tool", "brush 3")
    studio.ok("seal", path)
    assert [step["tool"] for step in proven(studio, path).json["steps"]] == ["brush 3"]


def test_a_sealed_file_recorded_again_is_still_sealed(studio: Studio) -> None:
    path = studio.sealed()
    studio.record(path, "--action", "import")
    studio.fails("seal.already-sealed", "seal", path)
    assert studio("verify", path).code == 0


def test_two_files_with_the_same_content(studio: Studio) -> None:
    first, second = studio.png("a.png"), studio.png("b.png")
    studio.ok("record", first, second, "--action", "render")
    studio.ok("seal", first, second)
    for path in (first, second):
        proven(studio, path)
        assert path.name.encode() in path.read_bytes()


def test_the_same_file_named_twice(studio: Studio) -> None:
    path = studio.record(studio.png())
    same = studio.work / ".." / studio.work.name / path.name
    assert len(studio.ok("seal", path, same, path, "--json").json) == 1
    proven(studio, path)


@pytest.mark.parametrize("kind", ["png", "exr"])
def test_a_link_is_followed_and_stays_a_link(studio: Studio, kind: str) -> None:
    path = studio.record(make(kind, studio.work, "v003"))
    link = studio.work / f"latest.{kind}"
    link.symlink_to(path.name)
    studio.ok("seal", link)
    assert link.readlink() == Path(path.name)
    proven(studio, path)
    proven(studio, link)


def test_a_hard_link_elsewhere_keeps_the_original(studio: Studio, tmp_path: Path) -> None:
    path = studio.record(studio.png())
    before = path.read_bytes()
    os.link(path, tmp_path / "archive.png")
    studio.ok("seal", path)
    assert (tmp_path / "archive.png").read_bytes() == before


def _batch(studio: Studio, count: int) -> list[Path]:
    paths = []
    for number in range(count):
        path = studio.work / f"f{number:04d}.png"
        path.write_bytes(picture_bytes("PNG", Image.new("RGB", (2, 2), (number % 256, number // 256, 7))))
        paths.append(path)
    return paths


def test_250_files_in_one_command(production: Studio) -> None:
    paths = _batch(production, 250)
    before = production.size()
    for start in range(0, 250, 50):
        production.ok("record", *paths[start : start + 50], "--action", "generate", "--model", "sky")
    answer = production.ok("seal", *paths, "--json").json
    assert [item["file"] for item in answer] == [str(path) for path in paths]
    assert [item["entry"] for item in answer] == [before + 5] * 100 + [before + 6] * 100 + [before + 7] * 50
    for path in (paths[0], paths[99], paths[100], paths[249]):
        proven(production, path)
        assert production("verify", path).code == 0


def test_a_mistake_in_the_last_file_stops_the_first(studio: Studio) -> None:
    paths = _batch(studio, 101)
    studio.ok("record", *paths[:100], "--action", "render")
    result = studio.fails("seal.not-recorded", "seal", *paths)
    assert paths[100].name in result.err


def test_too_many_outputs_for_one_entry(studio: Studio) -> None:
    paths = _batch(studio, 300)
    result = studio.fails("envelope.too-large", "record", *paths, "--action", "render")
    assert "Split the step" in result.err


def test_the_seal_entry_says_what_was_sealed(studio: Studio) -> None:
    path = studio.record(studio.png())
    source = json.loads(studio.ok("show", path).out)["statement"]["subject"][0]["digest"]["sha256"]
    answer = studio.ok("seal", path, "--json").json[0]
    entry = json.loads(studio.ok("show", str(answer["entry"])).out)["statement"]
    assert entry["subject"][0]["digest"]["sha256"] == answer["sha256"]
    assert entry["predicate"]["manifests"][0]["source"] == source
