"""Files that were made to hurt: each gets an answer, in time, and none is ever called a forgery or proven."""

from __future__ import annotations

import http.server
import io
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from c2pa import Builder
from fastapi.testclient import TestClient

from ledger.adapters.c2pa_codec import library
from tests.e2e.conftest import ROOT, Shot, Studio
from tests.e2e.test_cli_serve import serving
from tests.support import hostile_files, media
from tests.support.codec import GOOD
from tests.support.hostile_files import FILES
from tests.support.verifying import OFTEN, codes, send, verifying

CEILING = 30
"""Seconds for one file on a busy machine; the limit of the endpoint itself is 15."""


@pytest.fixture(scope="module")
def client(shot: Shot, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with verifying(
        tmp_path_factory.mktemp("uploads"), shot.studio.home, seconds=15.0, cpu_seconds=10
    ) as served:
        yield served


DEAR = {"deep.png", "deflate.png"}
"""Those that use up all the time they are given."""


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (name in DEAR)) for name in FILES]
)
def test_a_file_made_to_hurt_is_answered(client: TestClient, name: str) -> None:
    began = time.monotonic()
    answer = send(client, FILES[name](), name=name)
    assert time.monotonic() - began < CEILING
    assert answer["outcome"] == "undecided", answer["verdict"]
    for character in "\x00\x1b\u202e\u2066":
        assert character not in json.dumps(answer, ensure_ascii=False)
    assert max(len(check["words"]) for check in answer["checks"]) < 5_000
    assert "passwd" not in json.dumps({**answer, "file": ""})


def test_ten_thousand_assertions_of_one_label(client: TestClient) -> None:
    store = hostile_files.many_assertions()
    began = time.monotonic()
    for answer in (
        send(client, media.picture_bytes("PNG"), store),
        client.post("/v1/verify", content=store, headers={"Content-Type": "application/c2pa"}).json(),
    ):
        assert answer["outcome"] == "undecided"
        assert "manifest.too-large" in codes(answer)
    assert time.monotonic() - began < CEILING


def test_lists_within_lists_without_end(client: TestClient) -> None:
    answer = send(client, media.picture_bytes("PNG"), hostile_files.deep_cbor())
    assert answer["outcome"] in ("altered", "undecided")
    assert send(client, media.picture_bytes("PNG"))["outcome"] != "altered"


@pytest.mark.parametrize("name", ["png", "jpg", "tif", "mp4", "webp"])
def test_a_file_that_is_cut_off_is_never_proven(shot: Shot, client: TestClient, name: str) -> None:
    media.require(name)
    data = shot.files[name].read_bytes()
    for part in (0.02, 0.3, 0.7, 0.999):
        answer = send(client, data[: max(1, int(len(data) * part))], name=f"a.{name}")
        assert answer["outcome"] in ("altered", "undecided")


def test_every_byte_of_a_sidecar_may_lie(shot: Shot, client: TestClient) -> None:
    data = shot.files["exr"].read_bytes()
    store = (shot.files["exr"].with_name(shot.files["exr"].name + ".c2pa")).read_bytes()
    for at in range(0, len(store), max(1, len(store) // 40)):
        broken = bytearray(store)
        broken[at] ^= 0xFF
        answer = send(client, data, bytes(broken), name="a.exr")
        assert answer["outcome"] in ("altered", "undecided", "proven")  # some bytes are padding
        assert not codes(answer) & {"verify.crashed", "verify.timeout"}


def test_a_manifest_that_lies_elsewhere_is_not_fetched(client: TestClient, tmp_path: Path) -> None:
    asked: list[str] = []

    class Listening(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

    server = http.server.HTTPServer(("127.0.0.1", 0), Listening)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.server_port}/a.c2pa"
        said = {"claim_generator_info": [{"name": "x", "version": "1"}], "title": "x", "assertions": []}
        source, out = media.make("jpg", tmp_path, "source"), io.BytesIO()
        with Builder(said, context=library._signing_context()) as builder:
            builder.set_remote_url(url)
            builder.set_no_embed()
            signer = library.identity(GOOD, None).signer
            builder.sign(signer, "image/jpeg", io.BytesIO(source.read_bytes()), out)
        answer = send(client, out.getvalue(), name="a.jpg")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert (answer["outcome"], asked) == ("undecided", [])
    assert "verify.no-manifest" in codes(answer)


def test_a_body_beyond_the_limit_is_refused(shot: Shot, tmp_path: Path) -> None:
    with verifying(tmp_path / "uploads", shot.studio.home, max_file_bytes=1_000_000) as client:
        stated = client.post("/v1/verify", content=bytes(1_000_001))
        streamed = client.post("/v1/verify", content=iter([bytes(1 << 20)] * 3))
        part = client.post("/v1/verify", files={"file": ("a.png", bytes(1_000_001))})
        for answer in (stated, streamed, part):
            assert (answer.status_code, answer.json()["code"]) == (413, "request.too-large")
            assert answer.json()["evidence"]["limit"]
        assert send(client, shot.files["png"])["outcome"] == "proven"


def test_a_gigabyte_is_cut_off_and_a_slow_body_is_not_waited_for(studio: Studio) -> None:
    (studio.home / "service.toml").write_text(
        "[verify]\nmax_file_bytes = 5_000_000\n[pace]\ngrace_seconds = 1.0\nrate = 1_000_000\n"
    )
    head = b"POST /v1/verify HTTP/1.1\r\nHost: x\r\n"
    with serving(studio) as url:
        host, port = url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), 10) as line:
            line.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n")
            sent = 0
            try:
                while sent < 1 << 30:
                    line.sendall(b"100000\r\n" + bytes(1 << 20) + b"\r\n")
                    sent += 1 << 20
            except ConnectionError:
                pass
            assert sent < 100 << 20
        with socket.create_connection((host, int(port)), 10) as line:
            line.sendall(head + b"Content-Length: 1000\r\n\r\nx")
            assert line.recv(100).startswith(b"HTTP/1.1 408 ")


@pytest.mark.slow
def test_who_finds_no_place_is_told_when_to_come_back(shot: Shot, tmp_path: Path) -> None:
    data = FILES["deep.png"]()
    with (
        verifying(tmp_path / "uploads", shot.studio.home, at_once=1, wait_seconds=0.2) as client,
        ThreadPoolExecutor(6) as pool,
    ):
        sent = [pool.submit(client.post, "/v1/verify", files={"file": ("a.png", data)}) for _ in range(6)]
        found = [item.result() for item in sent]
    refused = [item for item in found if item.status_code == 503]
    assert {item.status_code for item in found} <= {200, 503}
    assert refused
    assert all(item.json()["code"] == "verify.busy" and item.headers["retry-after"] for item in refused)


@pytest.mark.slow
def test_fifty_at_once_on_a_real_server(production: Studio) -> None:
    (production.home / "service.toml").write_text(OFTEN)
    path = production.sealed()
    good, bad = path.read_bytes(), hostile_files.huge_png()

    def one(number: int) -> str:
        request = urllib.request.Request(f"{url}/v1/verify", good if number % 5 else bad)
        request.add_header("Content-Type", "image/png")
        with urllib.request.urlopen(request, timeout=60) as answer:
            return str(json.load(answer)["outcome"])

    with serving(production) as url, ThreadPoolExecutor(50) as pool:
        found = list(pool.map(one, range(50)))
    assert found == ["proven" if number % 5 else "undecided" for number in range(50)]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_server_that_was_killed_leaves_nothing_behind(studio: Studio) -> None:
    uploads = studio.home / "uploads"
    process = subprocess.Popen(
        [sys.executable, "-m", "ledger", "serve", "--listen", "127.0.0.1:0"],
        env=studio.environment(),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    url = [process.stdout.readline() for _ in range(2)][1].split()[-1]
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as half:
        half.sendall(
            b"POST /v1/verify HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000\r\n\r\n" + bytes(3 << 20)
        )
        until = time.monotonic() + 10
        while not list(uploads.glob("server-*/job-*/upload")) and time.monotonic() < until:
            time.sleep(0.05)
        assert list(uploads.glob("server-*/job-*/upload"))
        helpers = _children(process.pid)
        assert helpers
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
    until = time.monotonic() + 10
    while any(Path(f"/proc/{number}").exists() for number in helpers) and time.monotonic() < until:
        time.sleep(0.05)
    assert not [number for number in helpers if Path(f"/proc/{number}").exists()]
    with serving(studio) as url, urllib.request.urlopen(f"{url}/health", timeout=10):
        assert len(list(uploads.iterdir())) == 1
    assert list(uploads.iterdir()) == []


def _children(number: int) -> list[int]:
    """Return all that this process started, and what that started."""
    direct = [
        int(text)
        for task in Path(f"/proc/{number}/task").iterdir()
        for text in (task / "children").read_text().split()
    ]
    return direct + [inner for child in direct for inner in _children(child)]
