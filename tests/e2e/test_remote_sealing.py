"""Devices without a ledger seal over HTTP: the same files, the same proofs, and no mark is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.conftest import Studio, checks, sidecar
from tests.e2e.test_cli_serve import laptop
from tests.e2e.test_independent_judges import judged, verdict
from tests.support.capturing import CaptureDevice, statements
from tests.support.here import serving
from tests.support.media import noise, picture_bytes

__all__ = ["laptop"]
STEP, SEAL = "step/v2", "seal/v1"


def picture(laptop: CaptureDevice, name: str, seed: int = 1) -> Path:
    path = laptop.work / name
    path.write_bytes(picture_bytes("PNG", noise(seed=seed)))
    return path


def published(laptop: CaptureDevice, name: str, seed: int = 1, *used: Path) -> Path:
    """A picture that a tool on the laptop published, made from these files."""
    path = picture(laptop, name, seed)
    with laptop.step("composite" if used else "draw", event="publish") as step:
        for item in used:
            step.reads(item, "component")
        step.writes(path)
    return path


def carried(laptop: CaptureDevice) -> Studio:
    """The command on the laptop."""
    return Studio(laptop.home, laptop.work)


def seals(studio: Studio) -> list[dict[str, object]]:
    return statements(studio, SEAL)


def test_the_agent_seals_what_was_published(studio: Studio, laptop: CaptureDevice) -> None:
    with serving(studio.home) as url:
        laptop.install(server=url, seal=("publish",))
        path, exr = published(laptop, "final.png"), laptop.work / "final.exr"
        exr.write_bytes(b"\x76\x2f\x31\x01" + b"pixels" * 100)
        with laptop.step(event="publish") as step:
            step.writes(exr)
        laptop.turn()
        with laptop.agent() as agent:
            assert agent.ways[0].trouble is None
            assert not agent.unfinished
        laptop.turn()
    for sealed, media_type, store in (
        (path, "image/png", None),
        (
            exr,
            "image/png",
            sidecar(exr).read_bytes(),
        ),  # it has no name for EXR; the binding is over all bytes
    ):
        report = studio.verify(sealed)
        assert report.code == 0, report.out
        assert verdict(judged(studio, sealed, media_type, store)) == ("valid", "match", "Trusted")
    assert len(seals(studio)) == 2
    assert not (laptop.home / "ledger.sqlite").exists()
    # The studio can seal what is made from it: it has the manifests.
    assert {store.read_bytes() for store in (studio.home / "manifests").rglob("*.c2pa")} >= {
        sidecar(exr).read_bytes()
    }


@pytest.mark.slow
def test_the_command_seals_against_a_server(studio: Studio, laptop: CaptureDevice) -> None:
    device = carried(laptop)
    with serving(studio.home) as url:
        laptop.install(server=url)
        path = published(laptop, "final.png")
        laptop.turn()
        before = path.read_bytes()
        assert studio.verify(path).code == 3
        said = ("--server", url, "--device", "ws-07")
        (sealed,) = device.ok("seal", path, *said, "--json").json
        assert path.read_bytes() != before
        assert studio.verify(path).code == 0
        assert sealed["entry"] == studio.size() - 1
        device.fails("seal.already-sealed", "seal", path, *said)
        assert device.ok("seal", path, *said, "--skip-sealed").out == ""
        device.fails("seal.not-recorded", "seal", picture(laptop, "other.png", 9), *said)
    device.fails("server.unreachable", "seal", path, *said, exit_code=3)


def test_what_is_under_a_file_goes_in_as_it_does_at_the_studio(production: Studio, tmp_path: Path) -> None:
    """A model with a grant, and a picture that the studio sealed: the laptop never saw either manifest."""
    plate = production.sealed("plate.png", "--action", "generate", "--tool", "t 1", "--model", "sky", seed=3)
    home = tmp_path / "carried"
    production.ok("enrol", "ws-07", "--out", home)
    laptop = CaptureDevice(tmp_path / "laptop", home, tmp_path, device="ws-07")
    with serving(production.home) as url:
        laptop.install(server=url, seal=("publish",))
        path = published(laptop, "comp.png", 4, plate)
        laptop.turn()
        laptop.turn()
    report = production.verify(path)
    assert report.code == 0, report.out
    assert set(checks(report).values()) == {"passed"}
    said = production.ok("verify", path, "--offline", "--trust", production.trust).out
    assert "model “sky”" in said
    assert "G-1" in said


def test_a_mark_that_came_in_is_not_lost(studio: Studio, laptop: CaptureDevice, elsewhere: Studio) -> None:
    theirs = elsewhere.sealed("theirs.png", seed=9)
    plate = laptop.work / "plate.png"
    plate.write_bytes(theirs.read_bytes())
    with serving(studio.home) as url:
        laptop.install(server=url, seal=("publish",))
        path = published(laptop, "final.png", 10, plate)
        laptop.turn()
        laptop.turn()
    assert plate.read_bytes() == theirs.read_bytes()
    assert b"Studio Elsewhere" in path.read_bytes()
    assert studio.verify(path).code in (0, 3)
    kept = list((studio.home / "manifests").rglob("*.c2pa"))
    assert any(b"Studio Elsewhere" in store.read_bytes() for store in kept)
    with laptop.agent() as agent:
        assert agent.ways[0].left() == 0
