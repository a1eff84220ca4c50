"""The outside poller, against a real loopback HTTP server that gives what a real ComfyUI answered."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from ledger.core.predicates.capture import Layer
from ledger.hooks import comfyui_poller, rakkan_capture
from tests.support import comfyui


class FakeServer(ThreadingHTTPServer):
    """Answers three addresses; ``answers`` may be changed by tests, and a text is sent as it is."""

    answers: dict[str, Any]


class Handler(BaseHTTPRequestHandler):
    server: FakeServer

    def do_GET(self) -> None:
        asked = urlsplit(self.path)
        answer = self.server.answers.get(asked.path.strip("/"))
        self.send_response(500 if answer is None else 200)
        self.end_headers()
        if asked.path == "/history" and isinstance(answer, dict):
            most = int(parse_qs(asked.query)["max_items"][0])
            answer = dict(list(answer.items())[-most:])
        self.wfile.write(answer.encode() if isinstance(answer, str) else json.dumps(answer).encode())

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that the base class gives it
        pass


class Outside:
    """A ComfyUI behind an address, its folders, and the spool of the machine that polls it."""

    def __init__(self, base: Path, version: str, server: FakeServer) -> None:
        self.base, self.server, self.entries = base, server, comfyui.entries(version)
        self.url = f"http://127.0.0.1:{server.server_port}"
        self.answers = server.answers = {
            name: comfyui.said(version, name) for name in ("history", "object_info", "system_stats")
        }

    def poll(self, *more: str) -> int:
        """Run the program once, and return what it returns."""
        folders = [f"--{name}={self.base / name}" for name in ("models", "input", "output")]
        return comfyui_poller.main([self.url, *folders, "--once", *more])

    def write(self) -> None:
        """Let the files of all runs be there, as if just written."""
        for entry in self.entries.values():
            comfyui.write_outputs(self.base, entry)
        for path in (self.base / "output").iterdir():
            os.utime(path, (1795351580, 1795351580))  # the clock of the capture


@pytest.fixture(params=comfyui.VERSIONS)
def outside(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Outside]:
    monkeypatch.setenv("RAKKAN_SPOOL", str(tmp_path / "spool"))
    comfyui.make_folders(tmp_path)
    with FakeServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        found = Outside(tmp_path, request.param, server)
        found.write()
        yield found
        server.shutdown()
        thread.join()


def test_every_run_that_wrote_is_recorded_from_outside(outside: Outside, tmp_path: Path) -> None:
    assert outside.poll() == 0
    records = comfyui.spooled(tmp_path / "spool")
    saved = [record for record in records if record.outputs]
    assert [record.outputs[0].shown for record in saved] == [
        *(f"shot_0000{n}_.png" for n in range(1, 7)),
        "before_00001_.png",
        "before_00002_.png",
        "remote_00001_.png",
    ]
    assert {record.layer for record in records} == {Layer.WATCH}
    assert [record.failed for record in saved[6:8]] == ["RuntimeError", "interrupted"]
    models = {item.shown for item in saved[1].inputs if item.role == "model"}
    assert models == {
        "tiny_sd3.safetensors",
        "tiny_taesd.safetensors",
        "kumo.safetensors",
        "watery.safetensors",
    }


def test_a_record_has_the_id_that_the_hook_inside_gives_it(
    outside: Outside, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside.poll()
    first = comfyui.spooled(tmp_path / "spool")[0]
    recorder = comfyui.load_recorder(tmp_path)
    at = recorder.comfyui_run.Installation(
        lambda name: outside.answers["object_info"].get(name, {}),
        recorder.comfyui_run.Folders({}, str(tmp_path / "input"), str(tmp_path / "output")),
        "1",
    )
    (inside,) = recorder.comfyui_run.records(outside.entries["txt2img"], at, "app")
    assert inside["id"] == first.record_id


def test_asking_again_records_nothing_twice(outside: Outside, tmp_path: Path) -> None:
    for _ in range(3):
        assert outside.poll() == 0
    records = comfyui.spooled(tmp_path / "spool")
    assert len({record.record_id for record in records}) == len(records)


def test_it_goes_on_where_it_stopped(outside: Outside, tmp_path: Path) -> None:
    history = outside.answers["history"]
    outside.answers["history"] = dict(list(history.items())[:2])
    outside.poll()
    assert len(comfyui.spooled(tmp_path / "spool")) == 2
    outside.answers["history"] = history
    outside.poll()
    assert len([r for r in comfyui.spooled(tmp_path / "spool") if r.outputs]) == 9


def test_after_a_long_absence_it_asks_for_more(outside: Outside, tmp_path: Path) -> None:
    (entry,) = [entry for name, entry in outside.entries.items() if name == "all-cached"]
    outside.answers["history"] = {f"prompt-{n}": entry for n in range(700)}
    outside.poll()
    (state,) = (tmp_path / "spool/comfyui").iterdir()
    assert json.loads(state.read_text()) == list(outside.answers["history"])


def test_a_file_that_was_changed_since_is_left_out(outside: Outside, tmp_path: Path) -> None:
    os.utime(tmp_path / "output/shot_00001_.png", (1795351580 + 900, 1795351580 + 900))
    outside.poll()
    names = [item.shown for record in comfyui.spooled(tmp_path / "spool") for item in record.outputs]
    assert "shot_00001_.png" not in names
    assert "shot_00002_.png" in names


@pytest.mark.parametrize("answer", [None, "", "no JSON", "[]", "{", '"text"', "\x00" * 100])
@pytest.mark.parametrize("asked", ["history", "object_info", "system_stats"])
def test_a_wrong_answer_is_said_and_loses_nothing(
    outside: Outside, tmp_path: Path, asked: str, answer: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    right = outside.answers[asked]
    outside.answers[asked] = answer
    assert outside.poll() == 1
    assert "Nothing was recorded" in caplog.text
    outside.answers[asked] = right
    assert outside.poll() == 0
    assert len([r for r in comfyui.spooled(tmp_path / "spool") if r.outputs]) == 9


def test_a_damaged_memory_is_said_rather_than_forgotten(
    outside: Outside, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    outside.poll()
    (state,) = (tmp_path / "spool/comfyui").iterdir()
    state.write_text("{")
    before = len(comfyui.spooled(tmp_path / "spool"))
    assert outside.poll() == 1
    assert state.name in caplog.text
    assert len(comfyui.spooled(tmp_path / "spool")) == before


def test_what_was_recorded_before_a_crash_is_not_recorded_again(
    outside: Outside, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = rakkan_capture.spool

    def crash_at_the_fourth(record: Any) -> None:
        if len(comfyui.spooled(tmp_path / "spool")) == 3:
            raise MemoryError("made to crash")
        write(record)

    with monkeypatch.context() as patch:
        patch.setattr(rakkan_capture, "spool", crash_at_the_fourth)
        with pytest.raises(MemoryError):
            outside.poll()
    outside.poll()
    names = [item.shown for record in comfyui.spooled(tmp_path / "spool") for item in record.outputs]
    assert len(names) == len(set(names)) == 9


@pytest.mark.parametrize("url", ["file:///etc/passwd", "127.0.0.1:8188", ""])
def test_only_web_addresses_are_asked(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = [f"--{name}={tmp_path}" for name in ("models", "input", "output")]
    with pytest.raises(SystemExit):
        comfyui_poller.main([url, *given])
    assert "http://" in capsys.readouterr().err
