"""`rakkan serve` and devices elsewhere: what they sign reaches the log over HTTP, and nothing else does."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import ROOT, Studio
from tests.support.capturing import CaptureDevice, statements

STEP = "step/v2"


@contextmanager
def serving(studio: Studio, listen: str = "127.0.0.1:0") -> Iterator[str]:
    """Run the server in a process of its own; yields its URL."""
    process = subprocess.Popen(
        [sys.executable, "-m", "ledger", "serve", "--listen", listen],
        env=studio.environment(),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        lines = [process.stdout.readline() for _ in range(2)]
        assert lines[1].startswith("listens on http://127.0.0.1:"), lines
        yield lines[1].split()[-1]
    finally:
        process.terminate()
        assert process.wait(60) == 0
        process.stdout.close()


def post(url: str, body: bytes, fields: Mapping[str, str] | None = None) -> tuple[int, dict[str, str], Any]:
    request = urllib.request.Request(url, body, {"Content-Type": "application/x-ndjson", **(fields or {})})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, dict(answer.headers), json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, dict(error.headers), json.load(error)


@pytest.fixture
def laptop(studio: Studio, tmp_path: Path) -> CaptureDevice:
    """A device whose keys were carried to it; there is no ledger on it."""
    home = tmp_path / "carried"
    studio.ok("enrol", "ws-07", "--out", home)
    work = tmp_path / "laptop-work"
    work.mkdir()
    return CaptureDevice(tmp_path / "laptop", home, work, device="ws-07")


def test_the_studio_keeps_no_key_that_it_handed_over(studio: Studio, laptop: CaptureDevice) -> None:
    assert not (studio.home / "keys/devices/ws-07").exists()
    assert (laptop.home / "keys/devices/ws-07/statement.pem").stat().st_mode & 0o077 == 0
    assert not (laptop.home / "keys/log.pem").exists()
    studio.fails("target.exists", "enrol", "ws-08", "--out", laptop.home)


def test_a_device_elsewhere_brings_its_records(studio: Studio, laptop: CaptureDevice) -> None:
    with serving(studio) as url:
        laptop.install(server=url, prompts="studio")
        with laptop.step() as step:
            (laptop.work / "a.png").write_bytes(b"a")
            step.writes(laptop.work / "a.png")
            step.secret("prompt", "a castle")
        laptop.turn()
        with laptop.agent() as agent:
            assert agent.ways[0].trouble is None
            assert agent.ways[0].chain.counts()["covered"] == 1
    (made,) = statements(studio, STEP)
    assert made["subject"][0]["name"] == "a.png"
    assert {row[0] for row in studio.rows("opening")} == set(made["predicate"]["_sd"])
    assert "✓ ws-07" in studio.ok("devices", "--check").out


def test_a_server_that_is_down_loses_nothing(studio: Studio, laptop: CaptureDevice) -> None:
    with serving(studio) as url:
        laptop.install(server=url)
    laptop.draws("a.png")
    laptop.draws("b.png")
    with laptop.agent() as agent:
        agent.turn()
        assert agent.ways[0].trouble is not None
        assert agent.ways[0].trouble.code == "server.unreachable"
    with serving(studio, url.removeprefix("http://")):
        laptop.turn()
    assert len(statements(studio, STEP)) == 2


def test_a_stranger_can_add_nothing(studio: Studio, laptop: CaptureDevice, elsewhere: Studio) -> None:
    elsewhere.record(elsewhere.png("stranger.png", 5))
    rows = sorted(elsewhere.rows("entry"), key=lambda row: row[1])
    stranger = next(data for data in rows[-1] if isinstance(data, bytes) and data.startswith(b"{"))
    with serving(studio) as url:
        size = studio.size()
        for body in (b"{}\n", b"not json\n", stranger + b"\n"):
            status, _, answer = post(f"{url}/v1/productions/nightfall/entries", body)
            assert status == 200
            assert answer["entries"][0]["error"]["code"]
        assert studio.size() == size


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("nightfall/entries", b"", 400, "capture.body"),
        ("nightfall/entries", b"{}\n" * 1001, 400, "capture.body"),
        ("nightfall/entries", b"x" * (17 << 20), 413, "request.too-large"),
        ("daybreak/entries", b"{}\n", 404, "production.unknown"),
        ("nightfall/openings", b"[1]\n", 400, "capture.opening"),
        (
            "nightfall/openings",
            b'{"entry": 1, "disclosures": ["WyJ4IiwgInkiLCAieiJd"]}\n',
            400,
            "capture.opening",
        ),
        ("nightfall/openings", b'{"entry": 10000, "disclosures": []}\n', 404, "log.no-such-entry"),
    ],
)
def test_what_is_no_upload_is_answered_with_a_code(
    founded: Studio, path: str, body: bytes, status: int, code: str
) -> None:
    from fastapi.testclient import TestClient

    from api.app import create_app

    with TestClient(create_app(founded.home)) as client:
        answer = client.post(
            f"/v1/productions/{path}", content=body, headers={"Content-Type": "application/x-ndjson"}
        )
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_log_that_is_overloaded_says_when_to_come_back(
    studio: Studio, laptop: CaptureDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fastapi.testclient import TestClient

    from api.app import create_app
    from ledger.errors import RefusedError
    from ledger.service.log.sequencer import Sequencer

    def full(*_: object, **__: object) -> None:
        raise RefusedError("log.overloaded", "More is waiting than the log can take in.", retry_after=7)

    monkeypatch.setattr(Sequencer, "check_room", full)
    with TestClient(create_app(studio.home)) as client:
        kind = {"Content-Type": "application/vnd.dsse.envelope.v1+json"}
        answer = client.post("/v1/productions/nightfall/entries", content=b"{}", headers=kind)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "7")


def test_records_over_http_need_the_token(studio: Studio, tmp_path: Path) -> None:
    from ledger.adapters.hook_server import hook_server
    from ledger.wiring.capture import hand_in

    device = CaptureDevice(tmp_path / "device", studio.home, studio.work).install(http="127.0.0.1:0")
    path = studio.png("a.png")
    record = {
        "hook": {"name": "vendor-tool", "version": "3"},
        "action": "draw",
        "tool": {"name": "Vendor Tool", "version": "3"},
        "outputs": [{"path": str(path)}],
    }
    token = device.agent_home.token()
    with device.here(), hook_server("127.0.0.1:0", token, hand_in) as url:
        for sent, body, expected in (
            (b"", record, 401),
            (token[:-1] + b"x", record, 401),
            (token, {**record, "action": "steal"}, 400),
            (token, record, 201),
        ):
            request = urllib.request.Request(f"{url}/v1/records", json.dumps(body).encode())
            request.add_header("Authorization", f"Bearer {sent.decode()}")
            try:
                with urllib.request.urlopen(request) as answer:
                    status = answer.status
            except urllib.error.HTTPError as error:
                with error:
                    status = error.code
            assert status == expected
    device.turn()
    (made,) = statements(studio, STEP)
    assert made["predicate"]["tool"]["name"] == "Vendor Tool"
