"""The agent is killed, or its disk fills up, at any moment: every record comes into the log, once."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from tests.e2e.conftest import ROOT, Studio, found
from tests.support.capturing import CaptureDevice, statements
from tests.support.mishaps import mounted

RECORDS = 5
CALLS = ("fdatasync", "fsync", "pwrite64", "unlink,unlinkat", "rename,renameat")
SAMPLE = (("pwrite64", 3), ("unlink,unlinkat", 1))


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    return found(tmp_path_factory.mktemp("founded"))


@pytest.fixture
def device(founded: Studio, tmp_path: Path) -> CaptureDevice:
    shutil.copytree(founded.home, tmp_path / "home")
    work = tmp_path / "work"
    work.mkdir()
    device = CaptureDevice(tmp_path / "device", tmp_path / "home", work).install()
    for number in range(RECORDS):
        device.draws(f"{number}.png")
    return device


def studio_of(device: CaptureDevice) -> Studio:
    return Studio(device.home, device.work)


def run_agent(device: CaptureDevice, *before: str) -> int:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RAKKAN_")}
    places = {
        "RAKKAN_SPOOL": str(device.spool.folder),
        "RAKKAN_AGENT_HOME": str(device.agent_home.folder),
        "RAKKAN_CACHE": str(device.folder / "cache"),
        "PYTHONPATH": str(ROOT),
    }
    command = [*before, sys.executable, "-m", "ledger", "agent", "run", "--once"]
    return subprocess.run(
        command, env={**kept, **places}, cwd=ROOT, capture_output=True, check=False
    ).returncode


def once_each(device: CaptureDevice) -> None:
    studio = studio_of(device)
    made = statements(studio, "step/v2")
    assert sorted(item["subject"][0]["name"] for item in made) == [f"{n}.png" for n in range(RECORDS)]
    assert [item["predicate"]["capture"]["sequence"] for item in made] == list(range(RECORDS))
    assert statements(studio, "lost-record/v1") == []
    assert studio("devices", "--check").code == 0
    assert device.waiting() == []


def fill(path: Path) -> None:
    """Take all the space that there is."""
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"x" * 65536)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
@pytest.mark.parametrize(
    ("calls", "when"),
    [
        pytest.param(calls, when, marks=[pytest.mark.sample] if (calls, when) in SAMPLE else [])
        for calls in CALLS
        for when in (1, 2, 3, 7)
    ],
)
def test_killed_at_a_system_call(device: CaptureDevice, calls: str, when: int) -> None:
    inject = f"inject={calls}:signal=KILL:when={when}"
    code = run_agent(device, "strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={calls}", "-e", inject)
    assert code in (0, 137, -9)
    assert run_agent(device) == 0
    once_each(device)


@pytest.mark.slow
def test_a_full_disk_keeps_hooks_writing_and_the_agent_waiting(founded: Studio, tmp_path: Path) -> None:
    """The spool is on a small disk that somebody else has filled up."""
    shutil.copytree(founded.home, tmp_path / "home")
    work, small = tmp_path / "work", tmp_path / "device"
    work.mkdir()
    small.mkdir()
    with mounted(small, "size=24m"):
        device = CaptureDevice(small, tmp_path / "home", work).install()
        filler = small / "somebody-elses"
        fill(filler)
        for number in range(RECORDS):
            device.draws(f"{number}.png")
        assert len(device.waiting()) == RECORDS
        assert run_agent(device) in (0, 2, 3)
        filler.unlink()
        assert run_agent(device) == 0
        once_each(device)
