"""The witness's client against real sockets: slow, dead, lying, endless; and against our own server."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import uvicorn

from api.witness import create_witness
from ledger.adapters.witness_http import MAX_ANSWER, HttpWitness
from ledger.core.note import Note, parse_lines, parse_note, verified_lines
from ledger.core.witness import MAX_REQUEST, SIZE_TYPE, StaleSizeError
from ledger.errors import IntegrityError, MalformedError, RefusedError, UndecidedError
from ledger.service.log.witness import Cosigner
from ledger.testing import MemoryPublication
from tests.support.log import ORIGIN, entries, new_log
from tests.support.witness import new_witness

LOG = new_log()
LOG.append(entries(9))
CHECKPOINT = LOG.head().checkpoint
SECONDS = 0.5


@contextmanager
def serving(cosigner: Cosigner) -> Iterator[str]:
    """Serve our witness as `rakkan witness serve` does; yields its URL."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        server = uvicorn.Server(uvicorn.Config(create_witness(cosigner), log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            while not server.started:
                time.sleep(0.01)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


@contextmanager
def answering(answer: Callable[[BaseHTTPRequestHandler], None]) -> Iterator[str]:
    """Serve one answer to everything; yields the URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            answer(self)

        def do_GET(self) -> None:
            answer(self)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            """Stay quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def says(status: int, body: bytes, **headers: str) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in {"Content_Length": str(len(body)), **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def ask(url: str, seconds: float = 60) -> bytes:
    return HttpWitness("w", url, seconds).add_checkpoint(0, (), CHECKPOINT)


def unavailable(url: str) -> UndecidedError:
    """Ask, and return the error; the time it takes is bounded."""
    began = time.monotonic()
    with pytest.raises(UndecidedError) as error:
        ask(url, SECONDS)
    assert time.monotonic() - began < 20
    assert error.value.code == "witness.unavailable"
    assert error.value.evidence["witness"] == "w"
    return error.value


# --- our own server -----------------------------------------------------------------------------------------


def test_our_client_and_our_server_agree() -> None:
    cosigner = new_witness("w")
    note = parse_note(CHECKPOINT)
    with serving(cosigner) as url:
        witness = HttpWitness("w", url)
        assert witness.checkpoint(ORIGIN) is None
        lines = parse_lines(witness.add_checkpoint(0, (), CHECKPOINT).decode())
        ((verifier, _),) = verified_lines(Note(note.text, lines), [cosigner.signer.verifier])
        assert verifier == cosigner.signer.verifier
        held = witness.checkpoint(ORIGIN)
        assert held is not None
        assert parse_note(held).signatures == note.signatures + lines
        with pytest.raises(StaleSizeError) as stale:
            witness.add_checkpoint(0, (), CHECKPOINT)
        assert stale.value.size == 9
        other = new_log()
        other.append(entries(9, "other"))
        with pytest.raises(IntegrityError) as fork:
            witness.add_checkpoint(9, (), other.head().checkpoint)
        assert fork.value.code == "witness.fork"


def test_what_the_server_answers_byte_for_byte() -> None:
    import http.client

    def call(method: str, path: str, body: bytes = b"") -> tuple[int, str | None, bytes]:
        connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=10)
        with closing(connection):
            connection.request(method, path, body)
            answer = connection.getresponse()
            return answer.status, answer.headers["Content-Type"], answer.read()

    request = b"old 0\n\n" + CHECKPOINT
    with serving(new_witness("w")) as url:
        assert call("POST", "/add-checkpoint", request)[:2] == (200, "text/plain; charset=utf-8")
        assert call("POST", "/add-checkpoint", request) == (409, SIZE_TYPE, b"9\n")
        assert call("POST", "/add-checkpoint", b"old 10\n\n" + CHECKPOINT)[0] == 400
        assert call("POST", "/add-checkpoint", b"")[0] == 400
        assert call("POST", "/add-checkpoint", b"x" * (MAX_REQUEST + 1))[0] == 413
        assert call("GET", "/add-checkpoint")[0] == 405
        for path in ("/", "/checkpoint", f"/{'0' * 64}/checkpoint", "/x/checkpoint", "/%2e%2e/checkpoint"):
            assert call("GET", path)[0] == 404


def test_a_witness_whose_disk_is_full_gives_no_cosignature() -> None:
    class Full(MemoryPublication):
        def swap(self, path: str, old: bytes | None, new: bytes) -> None:
            raise RefusedError("log.disk-full", "Full.")

    with serving(new_witness("w", Full())) as url:
        assert unavailable(url).evidence["status"] == 500


def test_an_unknown_log_is_unavailable_and_no_fork() -> None:
    with serving(new_witness("w", logs=[])) as url:
        assert unavailable(url).evidence["status"] == 404


# --- servers that are not ours ------------------------------------------------------------------------------


def test_a_witness_that_is_not_there() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = listener.getsockname()[1]
    unavailable(f"http://127.0.0.1:{port}/")


def test_a_witness_that_accepts_and_says_nothing() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        unavailable(f"http://127.0.0.1:{listener.getsockname()[1]}/")


@pytest.mark.parametrize("place", ["headers", "body"])
def test_a_witness_that_drips(place: str) -> None:
    """Each read succeeds in time, so only a limit on the whole call ends this."""
    stop = threading.Event()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        if place == "body":
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        else:
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
        try:
            while not stop.wait(0.05):
                handler.wfile.write(b"x")
        except OSError:
            return

    with answering(drip) as url:
        try:
            unavailable(url)
        finally:
            stop.set()


@pytest.mark.parametrize("length", [str(3 * 10**9), None], ids=["announced", "unannounced"])
def test_a_witness_that_answers_three_gigabytes(length: str | None) -> None:
    sent = [0]

    def flood(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        if length is not None:
            handler.send_header("Content-Length", length)
        handler.end_headers()
        try:
            while sent[0] < 3 * 10**9:
                sent[0] += handler.wfile.write(bytes(1 << 16))
        except OSError:
            return

    with answering(flood) as url:
        unavailable(url)
    assert sent[0] < 100 * MAX_ANSWER


@pytest.mark.parametrize(
    "answer",
    [
        says(404, b"no such log\n"),
        says(403, b""),
        says(500, b"<html>"),
        says(301, b"", Location="http://127.0.0.1:1/"),
        says(200, b"short", Content_Length="100"),
        says(409, b"nine\n", Content_Type=SIZE_TYPE),
        lambda handler: handler.wfile.write(b"SSH-2.0-OpenSSH_9.2\r\n") and None,
    ],
    ids=["404", "403", "500", "redirect", "cut", "no-size", "not-http"],
)
def test_answers_that_say_nothing_about_the_log(answer: Callable[[BaseHTTPRequestHandler], None]) -> None:
    with answering(answer) as url:
        unavailable(url)


@pytest.mark.parametrize("answer", [says(422, b""), says(409, b"9\n")], ids=["422", "bare-409"])
def test_answers_that_say_fork(answer: Callable[[BaseHTTPRequestHandler], None]) -> None:
    with answering(answer) as url, pytest.raises(IntegrityError) as error:
        ask(url)
    assert error.value.code == "witness.fork"


def test_the_prefix_of_the_url_is_kept() -> None:
    paths = []

    def note_path(handler: BaseHTTPRequestHandler) -> None:
        paths.append(handler.path)
        says(404, b"")(handler)

    with answering(note_path) as url:
        for prefix in ("", "witness", "witness/"):
            unavailable(url + prefix)
    assert paths == ["/add-checkpoint", "/witness/add-checkpoint", "/witness/add-checkpoint"]


@pytest.mark.parametrize(
    "url", ["", "ftp://x/", "file:///etc/passwd", "http://", "http://x/?a=b", "http://x/#f"]
)
def test_a_url_that_is_not_http_is_refused(url: str) -> None:
    with pytest.raises(MalformedError) as error:
        HttpWitness("w", url)
    assert error.value.code == "policy.malformed"
