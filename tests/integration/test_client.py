"""The Python client against servers that misbehave byte by byte: bounded, honest, and never twice."""

from __future__ import annotations

import json
import socket
import time

import pytest

from ledger.adapters.answered import MAX_ANSWER
from ledger.client import Client
from ledger.errors import RakkanError
from ledger.service.capture.store import Receipted
from tests.support.web import Misbehaving, Talk


def answer(document: object, status: str = "200 OK", *headers: str) -> bytes:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def problem(code: str, status: str, *headers: str) -> bytes:
    return answer({"code": code, "message": "No.", "evidence": {"limit": "3", "code": "x"}}, status, *headers)


def says(*answers: bytes) -> Talk:
    """Send each of these in turn, the last one again and again."""
    left = list(answers)

    def talk(connection: socket.socket, request: bytes) -> bool:
        connection.sendall(left.pop(0) if len(left) > 1 else left[0])
        return False

    return talk


def sent(talk: Talk, timeout: float = 60, patience: float = 30) -> tuple[object, int]:
    """What one entry came to, and how often the server was asked."""
    with (
        Misbehaving(talk) as server,
        Client(server.url, production="p", timeout=timeout, patience=patience) as client,
    ):
        try:
            return client.send([b"{}"])[0], server.connections
        except RakkanError as error:
            return error, server.connections


RECEIPTED = answer({"entries": [{"index": 7, "receipt": "YQ=="}]})
BUSY = problem("log.overloaded", "503 Service Unavailable", "Retry-After: 1")


def test_an_answer_of_ours_is_read() -> None:
    assert sent(says(RECEIPTED)) == (Receipted(7, b"a"), 1)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (problem("log.no-such-entry", "404 Not Found"), "log.no-such-entry"),
        (problem("log.of-tomorrow", "409 Conflict"), "server.refused"),
        (answer({"entries": [{"error": {"code": "key.unknown", "message": "m"}}]}), "key.unknown"),
        (answer({"entries": []}), "server.unreachable"),
        (answer({"entries": [{"index": 1, "receipt": "?"}]}), "server.unreachable"),
        (answer([1]), "server.unreachable"),
        (answer(b"<html>"), "server.unreachable"),
        (answer(b"[" * 100_000), "server.unreachable"),
        (answer({"code": 7}, "500 Internal Server Error"), "server.unreachable"),
        (answer({}, "302 Found", "Location: http://127.0.0.1:1/"), "server.unreachable"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}", "server.unreachable"),
        (b"HTTP/1.1 200 OK\r\n\r\n{}", "server.unreachable"),
        (b"SSH-2.0-OpenSSH_9.9\r\n", "server.unreachable"),
    ],
)
def test_any_other_answer_has_a_code(data: bytes, code: str) -> None:
    found, _ = sent(says(data), patience=0)
    assert isinstance(found, RakkanError)
    assert found.code == code
    assert found.hint


def test_the_server_s_evidence_is_kept_and_cannot_pose_as_the_error() -> None:
    found, _ = sent(says(problem("log.no-such-entry", "404 Not Found")))
    assert isinstance(found, RakkanError)
    assert found.evidence == {"limit": "3"}


def test_it_waits_as_long_as_the_server_says_and_tries_again() -> None:
    begun = time.monotonic()
    found, asked = sent(says(BUSY, RECEIPTED))
    assert (found, asked) == (Receipted(7, b"a"), 2)
    assert 1 < time.monotonic() - begun < 20


def test_its_patience_ends() -> None:
    found, asked = sent(says(problem("log.overloaded", "503 Busy", "Retry-After: 99999999999")), patience=5)
    assert isinstance(found, RakkanError)
    assert (found.code, found.evidence["retry_after"], asked) == ("log.overloaded", 3600, 1)


def test_a_slow_answer_ends_at_the_deadline() -> None:
    def drips(connection: socket.socket, request: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(1000):
            time.sleep(0.05)
            connection.sendall(b" ")

    begun = time.monotonic()
    found, _ = sent(drips, timeout=0.3, patience=0)
    assert isinstance(found, RakkanError)
    assert time.monotonic() - begun < 20


def test_a_huge_answer_is_not_read() -> None:
    def floods(connection: socket.socket, request: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n")
        for _ in range(2 * (MAX_ANSWER >> 20)):
            connection.sendall(b" " * (1 << 20))

    found, _ = sent(floods, patience=0)
    assert isinstance(found, RakkanError)
    assert found.code == "server.unreachable"


def test_nobody_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        nobody = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with Client(nobody, patience=0) as client, pytest.raises(RakkanError) as error:
        client.send([b"{}"])
    assert (error.value.code, error.value.exit_code) == ("server.unreachable", 3)


@pytest.mark.parametrize("url", ["ftp://a/", "http://", "http://u:p@a/", "http://a/?b", "http://[", "a"])
def test_what_is_no_url(url: str) -> None:
    with pytest.raises(RakkanError) as error:
        Client(url)
    assert error.value.code == "http.url"
