"""The client that every hook uses: durable, numbered, never in the tool's way."""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from ledger.core.spooled import read_spooled
from ledger.hooks import rakkan_capture

RECORD: dict[str, Any] = {
    "hook": {"name": "test", "version": "1"},
    "layer": "app",
    "action": "edit",
    "tool": {"name": "grade", "version": "2"},
    "outputs": [{"path": "/prod/a.png"}],
}


@pytest.fixture(autouse=True)
def spool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith("RAKKAN_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("RAKKAN_SPOOL", str(tmp_path / "spool"))
    monkeypatch.setattr(rakkan_capture, "faults", [])
    return tmp_path / "spool"


def names(spool: Path) -> list[str]:
    return sorted(path.name for path in (spool / "new").glob("*"))


def number(name: str) -> int:
    return int(name[:16])


def on_call(monkeypatch: pytest.MonkeyPatch, name: str, before: Callable[..., None]) -> None:
    """Let ``before`` see each call of a function of ``os``."""
    real = getattr(os, name)

    def call(*arguments: Any, **named: Any) -> Any:
        before(*arguments)
        return real(*arguments, **named)

    monkeypatch.setattr(os, name, call)


def full_after(monkeypatch: pytest.MonkeyPatch, records: int) -> None:
    """Let the disk be full for every record after so many; the number, which needs no space, still fits."""
    left = [records]

    def write(handle: int, data: bytes) -> None:
        if len(data) > 32:
            if not left[0]:
                raise OSError(errno.ENOSPC, "No space left on device")
            left[0] -= 1

    on_call(monkeypatch, "write", write)


def test_a_record_reads_back(spool: Path) -> None:
    path = rakkan_capture.spool(RECORD)
    assert path is not None
    found = read_spooled(Path(path).read_bytes())
    assert (found.tool.name, found.outputs[0].path) == ("grade", "/prod/a.png")
    assert found.monotonic is not None
    assert found.boot == rakkan_capture.boot()
    assert Path(path).stat().st_mode & 0o777 == 0o600
    assert (spool / "new").stat().st_mode & 0o777 == 0o700
    assert list((spool / "tmp").iterdir()) == []


def test_a_record_is_on_disk_before_it_has_its_name(spool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Content, number and folder are forced to disk, in this order around the rename."""
    done: list[str] = []

    def synced(handle: int) -> None:
        done.append("sync " + Path(f"/proc/self/fd/{handle}").readlink().parent.name)

    on_call(monkeypatch, "fsync", synced)
    on_call(monkeypatch, "rename", lambda *paths: done.append("rename"))
    rakkan_capture.spool(RECORD)
    assert done == ["sync tmp", f"sync {spool.name}", "rename", f"sync {spool.name}"]


def _spool_many(count: int) -> None:
    for _ in range(count):
        while rakkan_capture.spool(RECORD) is None:
            raise AssertionError(rakkan_capture.faults)


def test_eight_processes_take_different_numbers(spool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # On a busy machine the lock may be held for longer, and a number of 0 would be right.
    monkeypatch.setattr(rakkan_capture, "PATIENCE", 30)
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_spool_many, args=(25,)) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0] * 8
    assert [number(name) for name in names(spool)] == list(range(1, 201))


def test_a_lock_that_is_held_too_long_costs_the_number(spool: Path) -> None:
    import fcntl

    rakkan_capture.spool(RECORD)
    with (spool / "number").open("r+") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        start = time.monotonic()
        assert rakkan_capture.spool(RECORD) is not None
        assert time.monotonic() - start >= rakkan_capture.PATIENCE
    assert [number(name) for name in names(spool)] == [0, 1]


def test_a_full_disk_uses_the_reserve(spool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (spool / "reserve").mkdir(parents=True)
    for piece in "ab":
        (spool / "reserve" / piece).write_bytes(b"room")
    refused: list[int] = []

    def write(handle: int, data: bytes) -> None:
        if len(data) > 32 and len(list((spool / "reserve").iterdir())) == 2:
            refused.append(handle)
            raise OSError(errno.ENOSPC, "No space left on device")

    on_call(monkeypatch, "write", write)
    assert rakkan_capture.spool(RECORD) is not None
    assert len(refused) == 1
    assert [path.name for path in (spool / "reserve").iterdir()] == ["b"]


def test_a_full_disk_leaves_a_gap_and_never_raises(spool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as full:
        full_after(full, 1)
        assert rakkan_capture.spool(RECORD) is not None
        assert rakkan_capture.spool(RECORD) is None
    assert rakkan_capture.spool(RECORD) is not None
    assert [number(name) for name in names(spool)] == [1, 3]
    assert len(rakkan_capture.faults) == 1
    assert "number 2: " in (spool / "faults.log").read_text()
    assert list((spool / "tmp").iterdir()) == []


def test_a_limit_on_file_size_leaves_a_gap(spool: Path) -> None:
    """A real refusal by the kernel, in the middle of the record."""
    script = (
        "import resource, signal, json, sys\n"
        "from ledger.hooks import rakkan_capture as client\n"
        "record = json.loads(sys.argv[1])\n"
        "client.spool(record)\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n"
        "print(client.spool(record), len(client.faults))\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script, json.dumps(RECORD)], capture_output=True, text=True, check=False
    )
    assert (ran.stdout, ran.stderr) == ("None 1\n", "")
    assert [number(name) for name in names(spool)] == [1]
    assert (spool / "number").read_text() == f"{2:020d}\n"


@pytest.mark.parametrize(
    "record",
    [
        {"outputs": 5},
        {"outputs": [{}]},
        {"outputs": [5]},
        {"outputs": None},
        {"x": object()},
        {"x": "y" * (5 << 20)},
    ],
    ids=["outputs no list", "output without path", "output no object", "no outputs", "no JSON", "too large"],
)
def test_a_bad_record_never_raises(
    spool: Path, monkeypatch: pytest.MonkeyPatch, record: dict[str, Any]
) -> None:
    rakkan_capture.spool({**RECORD, **record})
    full_after(monkeypatch, 0)
    assert rakkan_capture.spool({**RECORD, **record}) is None


def test_a_spool_that_cannot_be_made_never_raises(spool: Path) -> None:
    spool.write_text("a file")
    assert rakkan_capture.spool(RECORD) is None
    assert len(rakkan_capture.faults) == 1


def test_capturing_can_be_turned_off(spool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAKKAN_CAPTURE", "0")
    assert rakkan_capture.spool(RECORD) is None
    assert not spool.exists()


@pytest.fixture
def refusing(spool: Path, tmp_path: Path) -> dict[str, Any]:
    production = {"name": "secret", "roots": [str(tmp_path / "prod")], "policy": "refuse"}
    spool.mkdir()
    (spool / "settings.json").write_text(json.dumps({"productions": [production]}))
    return {**RECORD, "outputs": [{"path": str(tmp_path / "prod" / "a.png")}]}


def test_a_production_that_refuses_wants_a_living_agent(spool: Path, refusing: dict[str, Any]) -> None:
    production = rakkan_capture.production_of(refusing["outputs"][0]["path"])
    assert production is not None
    with pytest.raises(rakkan_capture.CaptureRefusedError, match="secret"):
        rakkan_capture.check(production)
    (spool / "heartbeat").touch()
    rakkan_capture.check(production)
    long_ago = time.time() - rakkan_capture.SILENT_AGENT - 5
    os.utime(spool / "heartbeat", (long_ago, long_ago))
    with pytest.raises(rakkan_capture.CaptureRefusedError):
        rakkan_capture.check(production)


def test_a_production_that_refuses_hears_of_a_lost_record(
    refusing: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    full_after(monkeypatch, 0)
    with pytest.raises(rakkan_capture.CaptureRefusedError):
        rakkan_capture.spool(refusing)
    assert rakkan_capture.spool(RECORD) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "5",
        '{"productions": 5}',
        '{"productions": [{}]}',
        '{"productions": [5]}',
        '{"productions": [{"name": "x", "roots": "/prod"}]}',
        "[" * 100_000,
    ],
)
def test_settings_that_make_no_sense_stop_nothing(spool: Path, text: str) -> None:
    spool.mkdir()
    (spool / "settings.json").write_text(text)
    assert rakkan_capture.production_of("/prod/a.png") is None
    assert rakkan_capture.spool(RECORD) is not None


def test_a_file_is_described_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "\udcff.png"
    path.write_bytes(b"picture")
    said = rakkan_capture.file(path)
    assert said["stamp"] == rakkan_capture.stamp(path.stat())
    assert said["sha256"] == sha256(b"picture").hexdigest()
    assert "sha256" not in rakkan_capture.file(path, "model", "kumo")
    assert rakkan_capture.file(tmp_path / "none") == {"path": str(tmp_path / "none")}
    assert rakkan_capture.file(tmp_path) == {"path": str(tmp_path)}


def _grade(target: Path) -> None:
    with rakkan_capture.Step("edit", ("grade", "2")) as step:
        step.reads("/prod/in.png", "parent")
        target.write_bytes(b"x")
        step.writes(target)
        raise ZeroDivisionError


def test_a_step_that_fails_is_recorded_with_what_it_wrote(spool: Path, tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        _grade(tmp_path / "out.png")
    (name,) = names(spool)
    found = read_spooled((spool / "new" / name).read_bytes())
    assert found.failed == "ZeroDivisionError"
    assert found.outputs[0].sha256 is not None
