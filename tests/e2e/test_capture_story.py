"""A cut by three tools on two devices, one of them offline; and the same with one tool that nobody hooked."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ledger.hooks import rakkan_capture
from tests.e2e.conftest import ROOT, Studio
from tests.support.capturing import CaptureDevice
from tests.support.here import serving

FRAMES = 6
PAINT = """
import sys
from PIL import Image
for number in range(1001, 1001 + int(sys.argv[2])):
    Image.effect_noise((64, 36), number % 97 + 5).convert("RGB").save(f"{sys.argv[1]}/plate.{number}.png")
"""
GRADE = """
import sys
from pathlib import Path
import rakkan_capture
from PIL import Image, ImageOps
for plate in sorted(Path(sys.argv[1]).glob("plate.*.png")):
    with rakkan_capture.Step("edit", ("grade", "2.1"), {"sequence": "sq010", "shot": "sh010"}) as step:
        step.reads(plate, "parent")
        graded = Path(sys.argv[2]) / plate.name.replace("plate", "grade")
        ImageOps.invert(Image.open(plate)).save(graded)
        step.writes(graded)
"""


class Cut:
    """The production's folders, and the two devices that work in them."""

    def __init__(self, studio: Studio, folder: Path) -> None:
        self.studio, self.folder = studio, folder
        self.plates, self.grades, self.out = (studio.work / name for name in ("plates", "grades", "out"))
        for each in (self.plates, self.grades, self.out):
            each.mkdir()
        self.farm = CaptureDevice(folder / "farm", studio.home, studio.work).install()
        studio.ok("enrol", "laptop", "--out", folder / "carried")
        self.laptop = CaptureDevice(folder / "laptop", folder / "carried", studio.work, device="laptop")

    def runs(self, device: CaptureDevice, *command: object, **environment: str) -> None:
        """Run a tool on a device: a process of its own, which finds nothing but the device's spool."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("RAKKAN_")}
        hooks = os.pathsep.join((str(ROOT), str(Path(rakkan_capture.__file__).parent)))
        spool = {"RAKKAN_SPOOL": str(device.spool.folder), "PYTHONPATH": hooks}
        subprocess.run(
            list(map(str, command)), env={**kept, **spool, **environment}, check=True, capture_output=True
        )

    def paints(self) -> None:
        """Tool one, on the farm: any program, traced."""
        self.runs(self.farm, *RUN, sys.executable, "-c", PAINT, self.plates, FRAMES)

    def grades_them(self, **environment: str) -> None:
        """Tool two, on the laptop: pipeline code with the context manager."""
        self.runs(self.laptop, sys.executable, "-c", GRADE, self.plates, self.grades, **environment)

    def edits(self) -> Path:
        """Tool three, on the farm: ffmpeg, traced."""
        film = self.out / "cut.mkv"
        pattern = self.grades / "grade.%04d.png"
        command = ("ffmpeg", "-v", "error", "-start_number", 1001, "-i", pattern, "-c:v", "ffv1", film)
        self.runs(self.farm, *RUN, *command)
        return film


RUN = (sys.executable, "-m", "ledger", "run", "--sequence", "sq010", "--shot", "sh010", "--")
needs_tools = pytest.mark.skipif(
    not (shutil.which("ffmpeg") and shutil.which("strace")), reason="ffmpeg or strace is not installed"
)


@needs_tools
def test_three_tools_on_two_devices_are_one_lineage(studio: Studio, tmp_path: Path) -> None:
    cut = Cut(studio, tmp_path)
    cut.laptop.install(server="http://127.0.0.1:9")  # nothing listens there: the laptop is in a train
    cut.paints()
    cut.farm.turn()
    cut.grades_them()
    cut.laptop.turn()
    film = cut.edits()
    cut.farm.turn()
    away = studio("coverage", studio.work, "--json")
    assert away.code == 3
    assert away.json["classes"]["used"]["files"] == FRAMES
    with serving(studio.home) as url:
        cut.laptop.install(server=url)
        cut.laptop.turn()
    found = studio("coverage", studio.work, "--json")
    assert (found.code, found.json["classes"]["bytes"]["files"]) == (0, 2 * FRAMES + 1)
    reasons = studio("clear", film, "--policy", "internal-previz", "--json").json["reasons"]
    assert {"CHAIN_GAP", "CYCLE_OR_FORK", "WEAK_EVIDENCE"}.isdisjoint(item["code"] for item in reasons)
    touched = studio.ok("impact", cut.plates / "plate.1001.png", "--json").json
    assert (touched["entries"], touched["shots"]) == (2, {"sq010/sh010": 1})
    assert studio.ok("devices", "--check").out.count("✓") == 2


@needs_tools
def test_a_tool_that_nobody_hooked_is_the_gap(studio: Studio, tmp_path: Path) -> None:
    cut = Cut(studio, tmp_path)
    cut.paints()
    cut.grades_them(RAKKAN_CAPTURE="0")
    film = cut.edits()
    cut.farm.turn()
    found = studio("coverage", studio.work, "--list", "--json")
    assert found.code == 3
    graded = {f"grades/grade.{number}.png" for number in range(1001, 1001 + FRAMES)}
    assert {item["path"] for item in found.json["used"]} == graded
    assert found.json["unattributed"] == []
    reasons = studio("clear", film, "--policy", "internal-previz", "--json").json["reasons"]
    gaps = {item["subject"]["name"] for item in reasons if item["code"] == "CHAIN_GAP"}
    assert gaps == {path.rpartition("/")[2] for path in graded}
