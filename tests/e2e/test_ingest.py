"""Entries over HTTP: one, a batch, a stream; each with its own answer, and whatever comes instead of them."""

from __future__ import annotations

import gzip
import json
import socket
from base64 import b64decode
from collections.abc import Iterator
from contextlib import closing, suppress
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from api.app import create_app
from api.routes.entries import direct
from ledger.core.receipt import parse_receipt, verify_receipt
from ledger.wiring import home_at
from tests.e2e.conftest import Studio, copied
from tests.support.posting import device_of, signed_steps
from tests.support.service import running

ENTRIES = "/v1/productions/nightfall/entries"
DSSE, JSON, NDJSON = "application/vnd.dsse.envelope.v1+json", "application/json", "application/x-ndjson"


@pytest.fixture(scope="module")
def busy(founded: Studio, tmp_path_factory: pytest.TempPathFactory) -> Studio:
    """A studio that every test of this module may add to."""
    return copied(founded, tmp_path_factory.mktemp("busy"))


@pytest.fixture(scope="module")
def client(busy: Studio) -> Iterator[TestClient]:
    with TestClient(create_app(busy.home)) as client:
        yield client


def steps(studio: Studio, name: str, count: int) -> list[bytes]:
    return list(signed_steps(studio.home, device_of(studio.home), name, count))


def post(client: TestClient, body: Any, kind: str = DSSE, **headers: str) -> Any:
    fields = {"Content-Type": kind, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return client.post(ENTRIES, content=body, headers=fields)


def check_receipt(studio: Studio, item: dict[str, Any], entry: bytes) -> None:
    """The receipt proves these bytes at this index, under the log's key."""
    receipt = parse_receipt(b64decode(item["receipt"]))
    home = home_at(studio.home)
    verify_receipt(receipt, entry, home.trust().log_verifiers(home.settings().origin))
    assert receipt.index == item["index"]


@pytest.mark.parametrize("kind", [DSSE, JSON, f"{DSSE}; charset=utf-8"])
def test_one_entry_is_made_once(busy: Studio, client: TestClient, kind: str) -> None:
    (entry,) = steps(busy, f"o{len(kind)}", 1)
    first, again = post(client, entry, kind), post(client, entry, kind)
    assert (first.status_code, again.status_code) == (201, 200)
    assert (first.json()["duplicate"], again.json()["duplicate"]) == (False, True)
    assert first.json()["index"] == again.json()["index"]
    check_receipt(busy, first.json(), entry)
    check_receipt(busy, again.json(), entry)


def test_a_batch_is_cut_out_byte_for_byte(busy: Studio, client: TestClient) -> None:
    """However the document around them is laid out, and with one that comes twice and one that is none."""
    entries = steps(busy, "batch", 3)
    body = b'{ "entries" :\n[ ' + b" ,\n".join([*entries, entries[0], b'{"a": 1}']) + b"\t] }\n"
    answer = post(client, body, JSON)
    items = answer.json()["entries"]
    assert (answer.status_code, len(items)) == (200, 5)
    for item, entry in zip(items, [*entries, entries[0]], strict=False):
        check_receipt(busy, item, entry)
    assert [item["duplicate"] for item in items[:4]] == [False, False, False, True]
    assert items[3]["index"] == items[0]["index"]
    assert items[4]["error"]["code"] == "json.not-canonical"


def test_lines_are_answered_with_one_document_or_line_by_line(busy: Studio, client: TestClient) -> None:
    entries = steps(busy, "lines", 40)
    body = b"\n\n".join([*entries, b"nothing", entries[0]])
    document = post(client, body, NDJSON).json()["entries"]
    answer = post(client, body, NDJSON, Accept=NDJSON)
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert answer.headers["content-type"] == NDJSON
    for found in (document, lines):
        for item, entry in zip(found[:40], entries, strict=True):
            check_receipt(busy, item, entry)
        assert found[40]["error"]["code"] == "json.malformed"
        assert found[41]["index"] == found[0]["index"]
    assert [item["duplicate"] for item in document[:40]] == [False] * 40
    assert all(item["duplicate"] for item in lines if "index" in item)


def test_a_stream_has_no_greatest_number_of_lines(client: TestClient) -> None:
    def body() -> Iterator[bytes]:
        yield b"\n" * 100_000
        for _ in range(1_500):
            yield b"{}\n"
        yield b"x" * 10_000_000
        yield b"\n[]"

    lines = [json.loads(line) for line in post(client, body(), NDJSON, Accept=NDJSON).text.splitlines()]
    codes = [line["error"]["code"] for line in lines]
    assert codes[:1_500] == ["envelope.malformed"] * 1_500
    assert codes[1_500:] == ["envelope.too-large", "envelope.malformed"]


@pytest.mark.parametrize(
    ("body", "kind", "status", "code"),
    [
        (b"", DSSE, 400, "json.malformed"),
        (b"\0", DSSE, 400, "json.malformed"),
        (b"{}", DSSE, 400, "envelope.malformed"),
        (b"{}\n", DSSE, 400, "json.not-canonical"),
        (b"\xff" * 100, DSSE, 400, "json.malformed"),
        (b"[" * 60_000, DSSE, 400, "json.too-deep"),
        (b"1" * 60_000, DSSE, 400, "json.number"),
        (b"x" * 65_536, DSSE, 413, "request.too-large"),
        (b"x" * (17 << 20), JSON, 413, "request.too-large"),
        (b"x" * (17 << 20), NDJSON, 413, "request.too-large"),
        (b"", NDJSON, 400, "capture.body"),
        (b"\n" * 100_000, NDJSON, 400, "capture.body"),
        (b"{}\n" * 1_001, NDJSON, 400, "capture.body"),
        (b'{"entries":[]}', JSON, 400, "capture.body"),
        (b'{"entries":[{}', JSON, 400, "capture.body"),
        (b'{"entries":[{},]}', JSON, 400, "capture.body"),
        (b'{"entries":[{}],"more":1}', JSON, 400, "capture.body"),
        (b'{"entries":[\xff]}', JSON, 400, "capture.body"),
        (b'{"entries":[' + b"[" * 100_000, JSON, 400, "capture.body"),
        (b'{"entries":[' + b"{}," * 1_000 + b"{}]}", JSON, 400, "capture.body"),
        (b"{}", "", 415, "request.media-type"),
        (b"{}", "text/plain", 415, "request.media-type"),
        (b"a=b", "application/x-www-form-urlencoded", 415, "request.media-type"),
    ],
)
def test_a_body_that_is_no_entry_is_answered_with_a_code(
    busy: Studio, client: TestClient, body: bytes, kind: str, status: int, code: str
) -> None:
    size = busy.size()
    answer = post(client, body, kind)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert busy.size() == size


@pytest.mark.parametrize("coding", ["gzip", "br", "identity, gzip"])
def test_a_coded_body_is_refused(busy: Studio, client: TestClient, coding: str) -> None:
    (entry,) = steps(busy, "gzip", 1)
    answer = post(client, gzip.compress(entry), Content_Encoding=coding)
    assert (answer.status_code, answer.json()["code"]) == (415, "request.encoding")


def test_a_limit_stands_in_its_error(client: TestClient) -> None:
    assert post(client, b"x" * 65_536).json()["evidence"]["limit"] == "65535"
    assert post(client, b"{}\n" * 1_001, NDJSON).json()["evidence"]["limit"] == "1000"


def test_an_entry_that_may_not_be_added_is_refused_with_the_reason(studio: Studio, elsewhere: Studio) -> None:
    device = device_of(studio.home)
    late, changed = steps(studio, "late", 2)
    (stranger,) = steps(elsewhere, "other", 1)
    broken = changed.replace(b'"sig":"', b'"sig":"AAAA', 1)
    studio.ok("key", "revoke", device, "--why", "lost")
    with TestClient(create_app(studio.home)) as client:
        for entry, status, code in (
            (late, 409, "key.revoked"),
            (stranger, 409, "key.unknown"),
            (broken, 400, "envelope.signature"),
        ):
            answer = post(client, entry)
            assert (answer.status_code, answer.json()["code"]) == (status, code)
            (item,) = post(client, entry + b"\n", NDJSON).json()["entries"]
            assert item["error"]["code"] == code


def test_a_production_that_is_not_here_is_not_found(client: TestClient) -> None:
    answer = client.post("/v1/productions/daybreak/entries", content=b"{}", headers={"Content-Type": DSSE})
    assert (answer.status_code, answer.json()["code"]) == (404, "production.unknown")


def test_the_route_is_described() -> None:
    application = FastAPI()
    application.include_router(direct)
    described = application.openapi()["paths"]["/v1/productions/{production}/entries"]["post"]
    assert set(described["requestBody"]["content"]) == {DSSE, JSON, NDJSON}
    assert {"200", "201", "400", "404", "408", "409", "413", "415", "503"} <= set(described["responses"])
    assert [item["name"] for item in described["parameters"]] == ["production"]


# --- slow and endless senders, against a real server -------------------------------------------------------


def raw(url: str, head: str) -> socket.socket:
    """Open a connection and send the head of a request."""
    host, _, port = url.removeprefix("http://").partition(":")
    connection = socket.create_connection((host, int(port)), timeout=20)
    connection.sendall(f"POST {ENTRIES} HTTP/1.1\r\nHost: x\r\n{head}\r\n\r\n".encode())
    return connection


def answer_of(connection: socket.socket) -> bytes:
    """Return all that comes until the server closes."""
    found = b""
    try:
        while part := connection.recv(65_536):
            found += part
    except ConnectionResetError:
        pass  # it closed with something of ours still unread
    return found


def filled(connection: socket.socket, most: int) -> int:
    """Send chunks until the server hangs up; return how many bytes it took, at most so many."""
    sent = 0
    try:
        while sent < most:
            connection.sendall(b"100000\r\n" + b"x" * 0x100000 + b"\r\n")
            sent += 0x100000
    except OSError:
        return sent
    return most


def test_slow_and_endless_senders_are_cut_off(studio: Studio) -> None:
    """Nobody keeps a place by sending slowly, and nobody fills the memory by sending much."""
    pace = {"RAKKAN_SERVE_PACE_GRACE_SECONDS": "0.5", "RAKKAN_SERVE_PACE_IDLE_SECONDS": "0.5"}
    lines, chunked = f"Content-Type: {NDJSON}\r\n", "Transfer-Encoding: chunked"
    with running(studio, **pace) as server:
        for head in (f"Content-Type: {DSSE}\r\nContent-Length: 1000", lines + chunked):
            with closing(raw(server.url, head)) as connection:
                assert b"HTTP/1.1 408 " in connection.recv(4096)
        with closing(raw(server.url, f"{lines}Accept: {NDJSON}\r\n{chunked}")) as stream:
            stream.sendall(b"3\r\n{}\n\r\n2\r\n{}\r\n")
            told = [json.loads(line) for line in answer_of(stream).splitlines() if line.startswith(b"{")]
        assert [set(line) for line in told] == [{"error"}, {"stopped"}]
        assert told[1]["stopped"]["code"] == "request.slow"
        with closing(raw(server.url, f"{lines}Content-Length: {1 << 30}")) as giant:
            answer = giant.recv(4096)
        assert b"HTTP/1.1 413 " in answer
        assert b"connection: close" in answer.lower()
        with closing(raw(server.url, lines + chunked)) as giant:
            assert filled(giant, 1 << 30) < 64 << 20
        assert server.health() == 200


@pytest.mark.slow
def test_who_reads_no_answers_is_not_read_either(studio: Studio) -> None:
    """Natural back-pressure: the server holds a window, then the connection is full in both directions."""
    line = b"%x\r\n%s\r\n" % (3_000, b"{}\n" * 1_000)
    with running(studio) as server:
        head = f"Content-Type: {NDJSON}\r\nAccept: {NDJSON}\r\nTransfer-Encoding: chunked"
        with closing(raw(server.url, head)) as stream:
            stream.settimeout(2)
            taken = 0
            with suppress(TimeoutError):
                while taken < 64 << 20:
                    stream.sendall(line)
                    taken += len(line)
            assert taken < 32 << 20
            assert server.health() == 200
            stream.settimeout(20)
            assert stream.recv(4096).startswith(b"HTTP/1.1 200 ")
