"""A folder appears whole or not at all, however its writer ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ledger.adapters.new_folder import new_folder
from ledger.errors import RakkanError
from tests.e2e.conftest import ROOT

FILLER = """
import sys, time
from pathlib import Path
from ledger.adapters.new_folder import new_folder
with new_folder(Path(sys.argv[1])) as folder:
    (folder / "half").write_text("half")
    print("filling", flush=True)
    time.sleep(60)
"""


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_it_is_there_with_all_that_it_holds(tmp_path: Path) -> None:
    place = tmp_path / "deep" / "report"
    with new_folder(place) as folder:
        (folder / "tables").mkdir()
        (folder / "tables" / "shots.csv").write_text("shot\n")
        assert not place.exists()
    assert (place / "tables" / "shots.csv").read_text() == "shot\n"
    assert names(place.parent) == ["report"]


def test_nothing_is_left_of_one_that_failed(tmp_path: Path) -> None:
    def fail() -> None:
        with new_folder(tmp_path / "report") as folder:
            (folder / "a").write_text("a")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert names(tmp_path) == []


@pytest.mark.parametrize("kind", ["file", "folder", "link"])
def test_what_is_there_stays(tmp_path: Path, kind: str) -> None:
    place = tmp_path / "report"
    if kind == "file":
        place.write_text("mine")
    elif kind == "folder":
        (place / "mine").mkdir(parents=True)
    else:
        place.symlink_to(tmp_path / "nowhere")
    with pytest.raises(RakkanError) as error, new_folder(place):
        pass
    assert error.value.code == "target.exists"
    assert names(tmp_path) == ["report"]


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    place = tmp_path / "report"
    place.mkdir()
    with new_folder(place) as folder:
        (folder / "a").write_text("a")
    assert names(place) == ["a"]


def test_one_writer_at_a_time_and_what_a_killed_one_left_goes(tmp_path: Path) -> None:
    place = tmp_path / "report"
    command = [sys.executable, "-c", FILLER, str(place)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "filling\n"
        with pytest.raises(RakkanError) as error, new_folder(place):
            pass
        assert error.value.code == "report.busy"
        assert (tmp_path / ".report.part" / "half").exists()
        writer.send_signal(signal.SIGKILL)
        writer.wait()
    begun = time.monotonic()
    with new_folder(place) as folder:
        assert names(folder) == []
        (folder / "whole").write_text("whole")
    assert time.monotonic() - begun < 10
    assert names(place) == ["whole"]
