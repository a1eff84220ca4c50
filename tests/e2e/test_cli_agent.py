"""`rakkan agent` and `rakkan doctor` as an operator meets them: processes, settings, one screen."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ledger.adapters.systemd import unit_text
from ledger.errors import MalformedError
from tests.e2e.conftest import ROOT, Result, Studio
from tests.support.capturing import CaptureDevice, statements

Rakkan = Callable[..., Result]


@pytest.fixture
def device(studio: Studio, tmp_path: Path) -> CaptureDevice:
    return CaptureDevice(tmp_path / "device", studio.home, studio.work)


def places(device: CaptureDevice) -> dict[str, str]:
    return {
        "RAKKAN_SPOOL": str(device.spool.folder),
        "RAKKAN_AGENT_HOME": str(device.agent_home.folder),
        "RAKKAN_CACHE": str(device.folder / "cache"),
    }


def on(device: CaptureDevice, studio: Studio, *arguments: object) -> subprocess.CompletedProcess[str]:
    return studio.process(*arguments, stdout=subprocess.PIPE, **places(device))


@contextmanager
def running(device: CaptureDevice, studio: Studio) -> Iterator[subprocess.Popen[str]]:
    """The agent in a process of its own; told to stop at the end."""
    process = subprocess.Popen(
        [sys.executable, "-m", "ledger", "agent", "run"],
        env={**studio.environment(), **places(device), "PYTHONUNBUFFERED": "1"},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        until((device.spool.folder / "heartbeat").exists)
        yield process
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.communicate()


def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.05)


def marks(result: subprocess.CompletedProcess[str]) -> dict[str, str]:
    return {item["name"]: item["state"] for item in json.loads(result.stdout)}


def test_a_device_without_an_agent_is_told_so(device: CaptureDevice, studio: Studio) -> None:
    found = on(device, studio, "doctor", "--json")
    assert found.returncode == 3
    assert marks(found)["settings"] == marks(found)["agent"] == "ill"
    assert "rakkan agent install" in on(device, studio, "doctor").stdout
    assert on(device, studio, "agent", "run").returncode == 2


def test_one_command_installs_and_the_agent_works(device: CaptureDevice, studio: Studio) -> None:
    options = ("--root", studio.work, "--place", "{sequence}/{shot}", "--seal", "publish", "--no-service")
    done = on(device, studio, "agent", "install", *options, "--http", "127.0.0.1:0")
    assert done.returncode == 0, done.stderr
    with running(device, studio) as process:
        path = device.draws("sq010/sh010/a.png")
        until(lambda: not device.waiting())
        found = on(device, studio, "doctor", "--json")
        assert (found.returncode, marks(found)["agent"]) == (0, "well")
        assert process.stdout is not None
        url = process.stdout.readline().split()[4].rstrip(";")
        record = {
            "hook": {"name": "curl", "version": "1"},
            "action": "draw",
            "tool": {"name": "Exporter", "version": "7"},
            "outputs": [{"path": str(path)}],
        }
        request = urllib.request.Request(url, json.dumps(record).encode())
        request.add_header("Authorization", f"Bearer {device.agent_home.token().decode()}")
        with urllib.request.urlopen(request) as answer:
            assert answer.status == 201
        second = on(device, studio, "agent", "run")
        assert (second.returncode, "agent.running" in second.stderr) == (2, True)
        until(lambda: not device.waiting())
    made = statements(studio, "step/v2")
    assert [item["predicate"]["tool"]["name"] for item in made] == ["painter", "Exporter"]
    assert made[0]["predicate"]["place"]["shot"] == "sh010"


def test_the_settings_are_private_and_survive_a_second_install(device: CaptureDevice, studio: Studio) -> None:
    device.install(trainer="party:kumo", datasets=(("/data/plates.csv", "focused"),), watch=None)
    settings = device.agent_home.settings()
    assert settings.productions[0].trainer == "party:kumo"
    assert settings.productions[0].datasets == (("/data/plates.csv", "focused"),)
    for name in ("secret", "token"):
        device.agent_home.token()
        assert (device.agent_home.folder / name).stat().st_mode & 0o077 == 0
    assert device.spool.folder.stat().st_mode & 0o077 == 0
    device.install()
    assert len(device.agent_home.settings().productions) == 1


@pytest.mark.parametrize(
    "text",
    [
        "device = ",
        "device = 'x'",
        "device = 'x'\n[[production]]\nhome = '/x'\nroots = ['relative']\n",
        "device = 'x'\n[[production]]\nhome = '/x'\nprompts = 'everywhere'\n",
        "device = 'x'\n[[production]]\nhome = '/x'\npolicy = 'maybe'\n",
        "device = 'x'\n[[production]]\nhome = '/x'\nseal = ['always']\n",
        "device = 'x'\n[[production]]\nhome = '/x'\ndatasets = { '/a.csv' = 'deep' }\n",
        "device = 'x'\ncolour = 'red'\n[[production]]\nhome = '/x'\n",
    ],
)
def test_settings_that_cannot_be_meant_are_refused(device: CaptureDevice, text: str) -> None:
    device.agent_home.folder.mkdir(parents=True)
    device.agent_home.settings_file.write_text(text)
    with pytest.raises(MalformedError) as caught:
        device.agent_home.settings()
    assert caught.value.code == "agent.malformed"
    assert str(device.agent_home.settings_file) in caught.value.message


def test_the_agent_and_the_doctor_say_what_is_wrong_with_the_settings(
    device: CaptureDevice, studio: Studio
) -> None:
    device.agent_home.folder.mkdir(parents=True)
    device.agent_home.settings_file.write_text("device = ")
    result = on(device, studio, "agent", "run", "--once")
    assert (result.returncode, "agent.malformed" in result.stderr) == (2, True), result.stderr
    assert "agent.malformed" in on(device, studio, "doctor").stdout


def test_doctor_names_what_is_ill(device: CaptureDevice, studio: Studio) -> None:
    device.install(roots=(str(studio.work), "/nowhere/at/all"))
    (device.spool.folder / "heartbeat").touch()
    os.utime(device.spool.folder / "heartbeat", (time.time() - 3600, time.time() - 3600))
    (device.spool.folder / "held" / f"{1:016d}-x.json").write_bytes(b"{")
    (device.spool.folder / "held" / f"{1:016d}-x.json.why").write_text('{"code": "capture.newer"}')
    (device.spool.folder / "faults.log").write_text("2026-11-22 number 3: OSError: full\n")
    shown = on(device, studio, "doctor")
    assert shown.returncode == 3
    for words in (
        "silent for 60 min",
        "put aside: 1 of the code capture.newer",
        "hooks could not write 1 record",
        "its root /nowhere/at/all is not there",
    ):
        assert words in shown.stdout, shown.stdout


def test_a_device_whose_key_has_ended_is_told(device: CaptureDevice, studio: Studio) -> None:
    device.install()
    device.draws("a.png")
    home = studio.home / "keys"
    kept = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}
    certificates = studio.home / "certificates/devices"
    kept |= {path: path.read_bytes() for path in certificates.glob("workstation*")}
    studio.ok("key", "revoke", "workstation", "--why", "retired")
    for path, data in kept.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        path.chmod(0o600)
    assert on(device, studio, "agent", "run", "--once").returncode == 3
    assert "key.revoked" in on(device, studio, "doctor").stdout
    assert device.waiting() == []


def test_the_unit_starts_this_rakkan_in_this_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAKKAN_AGENT_HOME", '/shows/50% "dark"/agent')
    text = unit_text()
    assert f'ExecStart="{sys.executable}" -m ledger agent run' in text
    assert 'Environment="RAKKAN_AGENT_HOME=/shows/50%% \\"dark\\"/agent"' in text
    assert "Restart=always" in text


@pytest.mark.slow
def test_a_running_agent_follows_the_log_s_new_key_and_new_settings(
    device: CaptureDevice, studio: Studio
) -> None:
    device.install()
    with running(device, studio):
        device.draws("a.png")
        until(lambda: len(statements(studio, "step/v2")) == 1)
        studio.ok("key", "rotate")
        device.draws("b.png")
        until(lambda: len(statements(studio, "step/v2")) == 2)
        outside = studio.work.parent / "outside"
        device.install(roots=(str(studio.work), str(outside)))
        with device.step() as step:
            outside.mkdir()
            (outside / "c.png").write_bytes(b"c")
            step.writes(outside / "c.png")
        until(lambda: len(statements(studio, "step/v2")) == 3)
