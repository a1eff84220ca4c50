"""Sealing: chains of sealed and unsealed files, marks that came in, names, folders, batches."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from PIL import Image

from tests.e2e.conftest import Result, Studio, checks, sidecar, snapshot
from tests.support.media import exr, make, picture_bytes

GENERATE = ("--action", "generate", "--tool", "painter 1.0")


def named(result: Result) -> dict[str, bool]:
    """The models and datasets of a report, and whether a grant covered each."""
    return {thing["name"]: any(g["inTerm"] for g in thing["grants"]) for thing in result.json["named"]}


def proven(studio: Studio, path: Path) -> Result:
    result = studio.verify(path)
    assert (result.code, result.json["outcome"]) == (0, "proven"), result.out
    return result


# --- what it answers ---------------------------------------------------------------------------------------


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


# --- into another folder -----------------------------------------------------------------------------------


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


# --- chains ------------------------------------------------------------------------------------------------


def test_generate_edit_composite_with_sealed_parents(production: Studio) -> None:
    first = production.sealed("gen.png", *GENERATE, "--model", "sky", "--prompt", "night")
    production.record(production.png("edit.png", 2), "--action", "edit", "--parent", first)
    production.ok("seal", production.work / "edit.png")
    comp = make("exr", production.work, "comp")
    production.record(
        comp, "--action", "composite", "--component", production.work / "edit.png", "--component", first
    )
    production.ok("seal", comp)
    for path in (first, production.work / "edit.png", comp):
        assert named(proven(production, path)) == {"sky": True, "plates": True}
    words = {check["check"]: check["words"] for check in production.verify(comp).json["checks"]}
    assert words["ancestry"].startswith("4 ancestors")  # gen, edit, sky, plates


def test_unsealed_parents_pass_their_models_on(production: Studio) -> None:
    generated = production.record(production.png("gen.png"), *GENERATE, "--model", "sky")
    middle = production.record(production.png("mid.png", 2), "--action", "edit", "--parent", generated)
    last = production.record(production.png("last.png", 3), "--action", "convert", "--parent", middle)
    production.ok("seal", last)
    report = proven(production, last)
    assert named(report) == {"sky": True, "plates": True}
    assert [step["action"] for step in report.json["steps"]] == ["generate", "edit", "convert"]


def test_an_unlicensed_model_is_inherited_through_sealed_and_unsealed_parents(production: Studio) -> None:
    rogue = production.work / "rogue.bin"
    rogue.write_bytes(b"weights from nowhere")
    first = production.sealed("a.png", *GENERATE, "--model", rogue)
    middle = production.record(production.png("b.png", 2), "--action", "edit", "--parent", first)
    last = production.record(
        make("exr", production.work, "c"), "--action", "composite", "--component", middle
    )
    production.ok("seal", last)
    for path in (first, last):
        report = production.verify(path)
        assert (report.code, named(report)) == (3, {"rogue.bin": False})
        assert checks(report)["grants"] == "undecided"


def test_an_artist_opens_the_sealed_file_and_saves_it(production: Studio) -> None:
    sealed = production.sealed("a.png", *GENERATE, "--model", "sky")
    edited = production.work / "a_v2.png"
    with Image.open(sealed) as picture:
        picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(edited)  # the manifest is gone
    production.record(edited, "--action", "edit", "--parent", sealed)
    production.ok("seal", edited)
    assert named(proven(production, edited)) == {"sky": True, "plates": True}


def test_the_sealed_file_is_edited_in_place(production: Studio) -> None:
    path = production.sealed("a.png", *GENERATE, "--model", "sky")
    kept = production.work / "a_v1.png"
    shutil.copy(path, kept)
    path.write_bytes(picture_bytes("PNG", Image.new("RGB", (8, 8))))
    production.record(path, "--action", "edit", "--parent", kept)
    production.ok("seal", path)
    assert named(proven(production, path)) == {"sky": True, "plates": True}


def test_a_tool_that_carries_the_manifest_along(production: Studio) -> None:
    """The edited file still holds the old manifest, which no longer fits it; the parent is known."""
    path = production.sealed("a.png", *GENERATE, "--model", "sky")
    data = path.read_bytes()
    edited = production.work / "b.png"
    edited.write_bytes(data[:-12] + _text_chunk() + data[-12:])
    production.record(edited, "--action", "edit", "--parent", path)
    production.ok("seal", edited)
    assert named(proven(production, edited)) == {"sky": True, "plates": True}


def test_a_parent_with_a_sidecar(production: Studio) -> None:
    scan = production.record(make("exr", production.work, "plate"), *GENERATE, "--model", "sky")
    production.ok("seal", scan)
    graded = production.record(production.png("graded.png"), "--action", "edit", "--parent", scan)
    production.ok("seal", graded)
    assert named(proven(production, graded)) == {"sky": True, "plates": True}


def test_a_jpeg_of_a_sealed_png(production: Studio) -> None:
    sealed = production.sealed("a.png", *GENERATE, "--model", "sky")
    preview = production.work / "a.jpg"
    with Image.open(sealed) as picture:
        picture.save(preview, quality=90)
    production.record(preview, "--action", "convert", "--parent", sealed)
    production.ok("seal", preview)
    assert named(proven(production, preview)) == {"sky": True, "plates": True}


def test_a_parent_that_is_its_own_output(studio: Studio) -> None:
    path = studio.png()
    studio.record(path, "--action", "edit", "--parent", path)
    studio.ok("seal", path)
    proven(studio, path)


def test_a_parent_sealed_in_the_same_command(production: Studio) -> None:
    first = production.record(production.png("a.png"), *GENERATE, "--model", "sky")
    second = production.record(production.png("b.png", 2), "--action", "edit", "--parent", first)
    production.ok("seal", first, second)
    assert named(proven(production, second)) == {"sky": True, "plates": True}


def test_a_long_chain_stays_verifiable(production: Studio) -> None:
    path = production.sealed("v0.png", *GENERATE, "--model", "sky")
    for version in range(1, 9):
        newer = production.record(
            production.png(f"v{version}.png", version + 1), "--action", "edit", "--parent", path
        )
        production.ok("seal", newer)
        path = newer
    assert named(proven(production, path)) == {"sky": True, "plates": True}


# --- marks that came in ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["png", "jpg", "tif", "mp4", "exr"])
def test_a_file_sealed_elsewhere_keeps_its_manifest(
    studio: Studio, elsewhere: Studio, kind: str, tmp_path: Path
) -> None:
    foreign = make(kind, tmp_path, f"foreign-{kind}")
    elsewhere.record(foreign)
    elsewhere.ok("seal", foreign)
    plate = studio.work / foreign.name
    shutil.copy(foreign, plate)
    if sidecar(foreign).exists():
        shutil.copy(sidecar(foreign), sidecar(plate))
    studio.ok("record", plate, "--action", "import")
    studio.ok("seal", plate)
    report = studio.verify(plate)
    found = checks(report)
    assert (report.code, found["ancestry"]) == (3, "undecided"), report.out
    assert "failed" not in found.values()
    assert {found["bytes"], found["claim"], found["signer"]} == {"passed"}
    ancestry = next(check for check in report.json["checks"] if check["check"] == "ancestry")
    assert ancestry["codes"] == ["signingCredential.untrusted"]
    assert b"Studio Elsewhere" in (sidecar(plate) if kind == "exr" else plate).read_bytes()


@pytest.mark.parametrize("kind", ["png", "exr"])
def test_a_foreign_parent_brings_its_manifest_into_what_is_made_from_it(
    studio: Studio, elsewhere: Studio, kind: str, tmp_path: Path
) -> None:
    foreign = make(kind, tmp_path, f"parent-{kind}")
    elsewhere.record(foreign)
    elsewhere.ok("seal", foreign)
    painted = studio.record(studio.png("painted.png", 5), "--action", "edit", "--parent", foreign)
    foreign.unlink()
    studio.ok("seal", painted)
    report = studio.verify(painted)
    assert (report.code, checks(report)["ancestry"]) == (3, "undecided"), report.out
    assert b"Studio Elsewhere" in painted.read_bytes()


def test_a_sidecar_that_came_with_a_png_is_kept_in_the_new_manifest(
    studio: Studio, elsewhere: Studio, tmp_path: Path
) -> None:
    """Some tools write sidecars for every format."""
    stand_in = tmp_path / "stand-in.bin"
    path = studio.png()
    stand_in.write_bytes(path.read_bytes())
    weights = ("model", "add", "stand-in", stand_in)
    elsewhere.ok(*weights)
    shutil.copy(sidecar(stand_in), sidecar(path))
    studio.record(path, "--action", "import")
    studio.ok("seal", path)
    assert b"Studio Elsewhere" in path.read_bytes()
    report = studio.verify(path)  # the embedded manifest speaks, not the sidecar of the unsealed bytes
    assert (report.code, checks(report)["bytes"], checks(report)["ancestry"]) == (3, "passed", "undecided")


def test_a_sidecar_of_other_bytes_is_never_overwritten(
    studio: Studio, elsewhere: Studio, tmp_path: Path
) -> None:
    foreign = make("exr", tmp_path, "foreign-stale")
    elsewhere.record(foreign)
    elsewhere.ok("seal", foreign)
    ours = studio.work / "plate.exr"
    exr(ours, seed=9)
    shutil.copy(sidecar(foreign), sidecar(ours))
    studio.record(ours, "--action", "render")
    studio.fails("target.exists", "seal", ours)


def test_rendering_again_over_a_sealed_file(studio: Studio) -> None:
    """The old sidecar is ours and of the old bytes: the ledger holds it, so a new one takes its place."""
    path = studio.work / "shot.exr"
    exr(path, seed=1)
    studio.record(path, "--action", "render")
    studio.ok("seal", path)
    first = sidecar(path).read_bytes()
    exr(path, seed=2)
    assert studio.verify(path).code == 1
    studio.record(path, "--action", "render")
    studio.ok("seal", path)
    assert sidecar(path).read_bytes() != first
    proven(studio, path)


def test_an_import_claims_no_creation(studio: Studio) -> None:
    path = studio.png()
    studio.record(path, "--action", "import")
    studio.ok("seal", path)
    proven(studio, path)
    data = path.read_bytes()
    assert b"c2pa.opened" in data
    assert b"digitalCreation" not in data


# --- again, and twice --------------------------------------------------------------------------------------


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


# --- many --------------------------------------------------------------------------------------------------


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


def _text_chunk() -> bytes:
    from tests.support.media import chunk

    return chunk(b"tEXt", b"Comment\0saved by a tool that copies every chunk")


def test_the_seal_entry_says_what_was_sealed(studio: Studio) -> None:
    path = studio.record(studio.png())
    source = json.loads(studio.ok("show", path).out)["statement"]["subject"][0]["digest"]["sha256"]
    answer = studio.ok("seal", path, "--json").json[0]
    entry = json.loads(studio.ok("show", str(answer["entry"])).out)["statement"]
    assert entry["subject"][0]["digest"]["sha256"] == answer["sha256"]
    assert entry["predicate"]["manifests"][0]["source"] == source
