"""Chains of sealed and unsealed files: every parent keeps its say."""

from __future__ import annotations

import shutil

from PIL import Image

from tests.e2e.conftest import Studio, checks
from tests.support.media import make, picture_bytes
from tests.support.sealed import GENERATE, named, proven


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


def _text_chunk() -> bytes:
    from tests.support.media import chunk

    return chunk(b"tEXt", b"Comment\0saved by a tool that copies every chunk")
