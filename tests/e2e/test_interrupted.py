"""Commands at the same time, held up, interrupted and killed: the log and the files stay whole."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time

import pytest

from tests.e2e.conftest import ROOT, Studio
from tests.support.media import make
from tests.support.mishaps import RECORD


def test_two_processes_record_at_once(studio: Studio) -> None:
    paths = [studio.png(f"{number}.png", number) for number in range(4)]
    command = [sys.executable, "-m", "ledger", "record"]
    running = [
        subprocess.Popen(
            [*command, str(path), *RECORD],
            env=studio.environment(),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for path in paths
    ]
    ended = [(process.communicate(timeout=60), process.returncode) for process in running]
    kept = sum(code == 0 for _, code in ended)
    assert all(code == 0 or "[log.busy]" in err for (_, err), code in ended), ended
    assert kept >= 1
    assert studio.size() == 2 + kept
    studio.ok("rebuild")
    studio.ok("publish")


def test_a_log_that_somebody_holds(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    from ledger.adapters.sql import engine

    monkeypatch.setattr(engine.open_database, "__defaults__", (0.1,))
    holder = sqlite3.connect(studio.home / "ledger.sqlite", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        result = studio("record", studio.png(), *RECORD)
    finally:
        holder.rollback()
        holder.close()
    assert (result.code, result.error) == (2, "log.busy")
    assert studio.size() == 2


def test_ctrl_c(studio: Studio) -> None:
    path = studio.record(studio.png())
    before = studio.state()
    program = f"""
import signal, sys
from ledger.service.studio import Studio
def append(*_): signal.raise_signal(signal.SIGINT)
Studio.append = append
import ledger.cli
ledger.cli.main(["seal", {str(path)!r}])
"""
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, env=studio.environment()
    )
    assert (ran.returncode, ran.stdout, ran.stderr.strip()) == (130, "", "Stopped.")
    assert studio.state() == before


@pytest.mark.slow
@pytest.mark.sample
def test_killed_at_any_moment(studio: Studio) -> None:
    """Whatever is left: the original or the sealed file, whole; and a log that goes on."""
    path = studio.record(make("tif", studio.work))
    original = path.read_bytes()
    for delay in (0.15, 0.25, 0.3, 0.35, 0.4, 0.5):
        process = subprocess.Popen(
            [sys.executable, "-m", "ledger", "seal", str(path)],
            env=studio.environment(),
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        process.wait()
        if path.read_bytes() != original:
            break
    studio("seal", path)
    assert studio.verify(path).code == 0
    studio.ok("rebuild")


@pytest.mark.parametrize(
    "arguments", [("--help",), ("verify", "{}"), ("verify", "{}", "--json"), ("show", "0")]
)
def test_a_closed_pipe_is_never_taken_for_a_verdict(studio: Studio, arguments: tuple[str, ...]) -> None:
    path = studio.sealed()
    reading, writing = os.pipe()
    os.close(reading)
    try:
        ran = studio.process(
            *(str(path) if item == "{}" else item for item in arguments),
            stdout=writing,
        )
    finally:
        os.close(writing)
    assert (ran.returncode, ran.stderr) == (141, "")
