"""What the agent seals, and what it leaves alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.conftest import Studio
from tests.support.capturing import CaptureDevice, statements

STEP, LOST = "step/v2", "lost-record/v1"


@pytest.fixture
def device(studio: Studio, tmp_path: Path) -> CaptureDevice:
    return CaptureDevice(tmp_path / "device", studio.home, studio.work).install()


def captures(studio: Studio, kind: str = STEP) -> list[dict[str, object]]:
    return [item["predicate"]["capture"] for item in statements(studio, kind)]


def test_publishing_seals_and_saving_does_not(device: CaptureDevice, studio: Studio) -> None:
    device.install(seal=("publish", "final"))
    saved, published = studio.png("saved.png", 1), studio.png("published.png", 2)
    for path, event in ((saved, "save"), (published, "publish")):
        with device.step(event=event) as step:
            step.writes(path)
    before = saved.read_bytes()
    device.turn()
    assert saved.read_bytes() == before
    assert studio.verify(published).code == 0
    device.turn()
    assert len(statements(studio, "seal/v1")) == 1


def test_a_file_that_was_changed_after_publishing_is_not_sealed(
    device: CaptureDevice, studio: Studio
) -> None:
    device.install(seal=("publish",))
    path = studio.png("published.png", 2)
    with device.step(event="publish") as step:
        step.writes(path)
    path.write_bytes(b"not what was published")
    device.turn()
    assert path.read_bytes() == b"not what was published"
    with device.agent() as agent:
        assert agent.ways[0].chain.counts()["unsealed"] == 0


def test_one_file_that_cannot_be_sealed_holds_no_other_up(device: CaptureDevice, studio: Studio) -> None:
    device.install(seal=("publish",))
    first, second = studio.png("first.png", 1), studio.png("second.png", 2)
    (studio.work / "second.png.c2pa").mkdir()
    for path in (second, first):
        with device.step(event="publish") as step:
            step.writes(path)
    exr = studio.work / "third.bin"
    exr.write_bytes(b"not a picture")
    (studio.work / "third.bin.c2pa").mkdir()  # where its sidecar belongs
    with device.step(event="publish") as step:
        step.writes(exr)
    device.turn()
    assert studio.verify(first).code == 0
    with device.agent() as agent:
        assert agent.ways[0].chain.counts()["unsealed"] == 1
        agent.turn()
        assert agent.ways[0].trouble is not None
        asked = agent.ways[0].seals_again
        agent.turn()
        assert agent.ways[0].seals_again == asked
    (studio.work / "third.bin.c2pa").rmdir()
    device.turn()
    assert (studio.work / "third.bin.c2pa").is_file()


def test_a_mark_that_came_in_is_not_lost(
    device: CaptureDevice, studio: Studio, elsewhere: Studio, tmp_path: Path
) -> None:
    """A picture that another studio sealed goes into one of ours; sealing ours keeps their manifest."""
    device.install(seal=("publish",))
    theirs = elsewhere.sealed("theirs.png", seed=9)
    plate = studio.work / "plate.png"
    plate.write_bytes(theirs.read_bytes())
    final = studio.png("final.png", 10)
    with device.step("composite", event="publish") as step:
        step.reads(plate, "component")
        step.writes(final)
    plate_copy = plate.read_bytes()
    device.turn()
    assert plate.read_bytes() == plate_copy
    report = studio.verify(final)
    assert report.code in (0, 3)
    assert b"Studio Elsewhere" in final.read_bytes()
