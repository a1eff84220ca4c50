"""What prompts and files say: commitments, one parameter, and questions about names on the watch list."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from tests.e2e.conftest import Studio
from tests.support.capturing import CaptureDevice, statements

STEP, FINDING = "step/v2", "finding/v1"
A1111 = (
    "castle in the style of Mori Hanako\nNegative prompt: kawa\n"
    "Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 7, Size: 8x8, Model hash: c86c40aa03, Model: skyline, "
    "Version: v1.9.4"
)


@pytest.fixture
def device(studio: Studio, tmp_path: Path) -> CaptureDevice:
    names = tmp_path / "names.csv"
    names.write_text("term,kind,aliases,note\nMori Hanako,artist,森花子,\nKawa,artist,,\n", encoding="utf-8")
    return CaptureDevice(tmp_path / "device", studio.home, studio.work).install(watch=str(names))


def generated(path: Path) -> Path:
    """A picture as a web UI saves it."""
    info = PngInfo()
    info.add_text("parameters", A1111)
    Image.new("RGB", (8, 8), (1, 2, 3)).save(path, pnginfo=info)
    return path


def test_a_file_speaks_where_no_hook_did(device: CaptureDevice, studio: Studio) -> None:
    with device.step("convert") as step:
        step.writes(generated(studio.work / "a.png"))
    device.turn()
    (made,), (asked,) = statements(studio, STEP), statements(studio, FINDING)
    says = made["predicate"]["parameters"]["fileSays"]
    assert "skyline" in says
    assert "castle" not in str([made, asked])
    assert "Mori" not in str([made, asked])
    assert (asked["predicate"]["state"], asked["predicate"]["evidence"]) == ("open", "declared")
    assert asked["subject"][0]["digest"] == made["subject"][0]["digest"]
    assert studio.ok("devices", "--check").out.startswith("✓")


def test_the_prompt_that_a_hook_saw_is_asked_and_the_file_is_not(
    device: CaptureDevice, studio: Studio
) -> None:
    with device.step("generate") as step:
        step.writes(generated(studio.work / "a.png"))
        step.secret("prompt", "a hill, 森花子")
    device.turn()
    (made,), (asked,) = statements(studio, STEP), statements(studio, FINDING)
    assert "parameters" not in made["predicate"]
    assert asked["predicate"]["evidence"] == "observed"


def test_a_question_needs_a_person_and_blocks_nothing(device: CaptureDevice, studio: Studio) -> None:
    path = studio.png("a.png", 5)
    with device.step("draw") as step:
        step.writes(path)
        step.secret("prompt", "by Kawa")
    device.turn()
    found = studio("clear", path, "--policy", "internal-previz", "--json")
    severities = {item["code"]: item["severity"] for item in found.json["reasons"]}
    assert severities["STYLE_REFERENCE"] == "noted"


def test_a_damaged_file_is_recorded_all_the_same(device: CaptureDevice, studio: Studio) -> None:
    path = studio.work / "broken.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"\x00" * 40)
    with device.step("convert") as step:
        step.writes(path)
    device.turn()
    assert len(statements(studio, STEP)) == 1
