"""Marks that came in with a file are never lost."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.e2e.conftest import Studio, checks, sidecar
from tests.support.media import exr, make
from tests.support.sealed import proven


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
