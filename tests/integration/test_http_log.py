"""Somebody else's log over real sockets: bounded in size and time whatever the other side does."""

import datetime as dt
import gzip
import ipaddress
import socket
import ssl
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ledger.adapters.http import FolderLog, HttpLog, published_log
from ledger.errors import MalformedError, RakkanError, UndecidedError, UsageError
from tests.support.web import Misbehaving, Talk, serve_folder

TILE = bytes(range(256)) * 32
BUNDLE = "tile/entries/000"


def answer(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def says(data: bytes, *, keep: bool = False) -> Talk:
    """Send these bytes for each request."""

    def talk(connection: socket.socket, request: bytes) -> bool:
        connection.sendall(data)
        return keep

    return talk


def code_of(call: Callable[[], object]) -> str:
    with pytest.raises(RakkanError) as error:
        call()
    return error.value.code


def asked(talk: Talk, path: str = "tile/0/000", seconds: float = 5.0) -> bytes | None:
    with Misbehaving(talk) as server:
        return HttpLog(server.url, seconds).get(path)


# --- what is there -----------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "lo g"
    (folder / "tile" / "0").mkdir(parents=True)
    (folder / "checkpoint").write_bytes(b"a note")
    (folder / "tile" / "0" / "000").write_bytes(TILE)
    return folder


def test_files_are_read_over_http_from_a_folder_and_from_a_file_url(folder: Path) -> None:
    with serve_folder(folder.parent) as url:
        for place in (f"{url}/lo%20g", f"{url}/lo%20g/", str(folder), folder.as_uri()):
            log = published_log(place)
            assert log.get("checkpoint") == b"a note"
            assert log.get("tile/0/000") == TILE
            assert log.get("tile/1/000.p/1") is None
            assert log.get("tile/0/000.p/7") is None


def test_a_connection_is_kept_and_opened_again_when_the_server_ended_it() -> None:
    turns = iter([True, True, False, True])

    def talk(connection: socket.socket, request: bytes) -> bool:
        connection.sendall(answer(TILE))
        return next(turns)

    with Misbehaving(talk) as server:
        log = HttpLog(server.url)
        assert [log.get("tile/0/000") for _ in range(4)] == [TILE] * 4
        assert server.connections == 2
        assert server.requests[0].startswith(b"GET /tile/0/000 HTTP/1.1\r\nHost: 127.0.0.1:")
        del log


def test_a_missing_file_does_not_end_the_connection() -> None:
    with Misbehaving(says(answer(b"no", status="404 Not Found"), keep=True)) as server:
        log = HttpLog(server.url)
        assert [log.get("checkpoint"), log.get("tile/0/000")] == [None, None]
        assert server.connections == 1


def test_a_long_error_page_is_not_read_to_its_end() -> None:
    page = answer(bytes(10_000_000), status="404 Not Found")
    assert asked(says(page)) is None


@pytest.mark.parametrize("path", ["checkpoint", "tile/0/000", BUNDLE])
def test_what_is_packed_is_unpacked(path: str) -> None:
    assert asked(says(answer(gzip.compress(TILE), "Content-Encoding: gzip")), path) == TILE
    assert asked(says(answer(TILE, "Content-Encoding: identity")), path) == TILE


def test_a_body_in_chunks_is_whole() -> None:
    body = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    assert asked(says(body), "checkpoint") == b"abcde"


# --- too much ----------------------------------------------------------------------------------------------

LIMITS = [("checkpoint", 1_000_000), ("tile/0/000", 8192), ("tile/3/000.p/1", 8192), (BUNDLE, 256 * 65_537)]


@pytest.mark.parametrize(("path", "limit"), LIMITS)
def test_each_kind_has_its_greatest_size(path: str, limit: int, tmp_path: Path) -> None:
    target = tmp_path / path
    target.parent.mkdir(parents=True, exist_ok=True)
    with serve_folder(tmp_path) as url:
        target.write_bytes(bytes(limit))
        for log in (HttpLog(url), FolderLog(tmp_path)):
            found = log.get(path)
            assert found is not None
            assert len(found) == limit
        target.write_bytes(bytes(limit + 1))
        expected = "checkpoint.malformed" if path == "checkpoint" else "tile.malformed"
        assert code_of(lambda: HttpLog(url).get(path)) == expected
        assert code_of(lambda: FolderLog(tmp_path).get(path)) == expected


def test_a_body_without_end_is_cut() -> None:
    def talk(connection: socket.socket, request: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            connection.sendall(b"10000\r\n" + bytes(65536) + b"\r\n")

    assert code_of(lambda: asked(talk)) == "tile.malformed"


@pytest.mark.parametrize(
    "packed",
    [
        gzip.compress(bytes(1_000_000_00)),
        gzip.compress(TILE)[:-1],
        gzip.compress(TILE) + b"x",
        b"not gzip",
        b"",
    ],
    ids=["bomb", "cut-short", "more-behind-it", "no-gzip", "empty"],
)
def test_what_is_not_packed_as_it_says_is_malformed(packed: bytes) -> None:
    assert code_of(lambda: asked(says(answer(packed, "Content-Encoding: gzip")))) == "tile.malformed"


def test_another_packing_is_malformed() -> None:
    assert code_of(lambda: asked(says(answer(TILE, "Content-Encoding: br")))) == "tile.malformed"


# --- too slow, cut short, not HTTP -------------------------------------------------------------------------


def drip(data: bytes) -> Talk:
    """Send a byte each 50 ms: no single wait is long."""

    def talk(connection: socket.socket, request: bytes) -> None:
        for byte in data:
            connection.sendall(bytes([byte]))
            time.sleep(0.05)

    return talk


def silent(connection: socket.socket, request: bytes) -> None:
    connection.settimeout(60)
    connection.recv(1)  # until the client has had enough


@pytest.mark.parametrize(
    "talk",
    [silent, drip(b"HTTP/1.1 200 OK\r\n" + b"X-Slow: 1\r\n" * 20), drip(answer(TILE))],
    ids=["silent", "slow-headers", "slow-body"],
)
def test_a_deadline_ends_every_wait(talk: Talk) -> None:
    began = time.monotonic()
    with pytest.raises(UndecidedError, match=r"no whole answer within 0\.3 seconds") as error:
        asked(talk, seconds=0.3)
    assert error.value.code == "http.unavailable"
    assert time.monotonic() - began < 8


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"garbage\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 8192\r\n\r\n" + TILE[:8191],
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2000\r\n" + TILE[:100],
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000 + b"\r\n",
        answer(b"", status="500 Internal Server Error"),
        answer(b"", status="403 Forbidden"),
        answer(b"", status="304 Not Modified"),
        answer(TILE, status="206 Partial Content"),
    ],
    ids=[
        "nothing",
        "garbage",
        "headers-cut",
        "body-cut",
        "chunk-cut",
        "many-headers",
        "500",
        "403",
        "304",
        "206",
    ],
)
def test_whatever_else_comes_decides_nothing(data: bytes) -> None:
    assert code_of(lambda: asked(says(data))) == "http.unavailable"


def test_nobody_there_decides_nothing() -> None:
    with Misbehaving(silent) as server:
        url = server.url
    assert code_of(lambda: HttpLog(url).get("checkpoint")) == "http.unavailable"
    assert code_of(lambda: HttpLog("http://no-such-host.invalid").get("checkpoint")) == "http.unavailable"


@pytest.mark.parametrize("said", ["Retry-After: 1", "Retry-After: soon", "X: y"])
def test_a_server_that_has_had_too_many_requests_is_waited_for(said: str) -> None:
    turns = iter([answer(b"", said, status="429 Too Many Requests"), answer(TILE)])

    def talk(connection: socket.socket, request: bytes) -> bool:
        connection.sendall(next(turns))
        return True

    began = time.monotonic()
    assert asked(talk) == TILE
    assert time.monotonic() - began >= 1


def test_a_server_that_always_wants_to_be_asked_later_is_not_waited_for_ever() -> None:
    talk = says(answer(b"", "Retry-After: 0", status="429 Too Many Requests"), keep=True)
    assert code_of(lambda: asked(talk)) == "http.unavailable"


# --- redirects ---------------------------------------------------------------------------------------------


def test_a_redirect_on_the_same_server_is_followed() -> None:
    def talk(connection: socket.socket, request: bytes) -> bool:
        moved = request.startswith(b"GET /new/")
        connection.sendall(
            answer(TILE) if moved else answer(b"", "Location: /new/tile/0/000", status="301 Moved")
        )
        return True

    assert asked(talk) == TILE


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1:1/tile/0/000",
        "https://{host}/tile/0/000",
        "http://user@{host}/tile/0/000",
        "//localhost/tile/0/000",
        "file:///etc/passwd",
        "ftp://{host}/x",
        "/again",
        "http://[bad",
        "/a b\tc",
        "",
    ],
)
def test_no_redirect_leads_elsewhere(location: str) -> None:
    def talk(connection: socket.socket, request: bytes) -> None:
        host = request.split(b"Host: ")[1].split(b"\r\n")[0].decode()
        connection.sendall(answer(b"", f"Location: {location.format(host=host)}", status="302 Found"))

    with Misbehaving(talk) as server:
        assert code_of(lambda: HttpLog(server.url).get("tile/0/000")) == "http.unavailable"
        assert len(server.requests) == (6 if location == "/again" else 1)


# --- TLS ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a PEM file with a key and a certificate for 127.0.0.1 that it signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "loopback")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .add_extension(x509.BasicConstraints(True, None), True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    pem = serialization.Encoding.PEM
    path.write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(pem)
    )
    return path


def server_context(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def test_tls_is_used_and_the_certificate_checked(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Misbehaving(says(answer(TILE), keep=True), server_context(certificate)) as server:
        assert code_of(lambda: HttpLog(server.url).get("tile/0/000")) == "http.unavailable"
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        log = HttpLog(server.url)
        assert [log.get("tile/0/000"), log.get("tile/0/000")] == [TILE, TILE]
        other = server.url.replace("127.0.0.1", "localhost")
        assert code_of(lambda: HttpLog(other).get("tile/0/000")) == "http.unavailable"
        del log


def test_a_handshake_that_drips_is_ended() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    with listener:
        began = time.monotonic()
        log = HttpLog(f"https://127.0.0.1:{listener.getsockname()[1]}", seconds=0.3)
        assert code_of(lambda: log.get("checkpoint")) == "http.unavailable"
        assert time.monotonic() - began < 8


# --- names -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "ftp://host/log",
        "http://",
        "http:///log",
        "http://user:secret@host/log",
        "http://host/log?x=1",
        "http://host/log#x",
        "http://host:port/",
        "http://[host/",
        "http://host/a b",
        "http://host/é",
        "file://elsewhere/log",
        "file:///log?x",
        "s3://bucket",
        "://",
    ],
)
def test_another_url_is_refused(url: str) -> None:
    with pytest.raises(UsageError) as error:
        published_log(url)
    assert error.value.code == "http.url"
    assert "secret" not in str(error.value.to_json())


@pytest.mark.parametrize(
    "path", ["", "../checkpoint", "tile/0/1", "checkpoint/", "checkpoint?x", "/checkpoint"]
)
def test_only_a_logs_files_are_asked_for(tmp_path: Path, path: str) -> None:
    for log in (HttpLog("http://127.0.0.1:1"), FolderLog(tmp_path)):
        with pytest.raises(MalformedError) as error:
            log.get(path)
        assert error.value.code == "tile.malformed"


def test_what_is_no_file_in_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "checkpoint").mkdir()
    with pytest.raises(UsageError) as error:
        FolderLog(tmp_path).get("checkpoint")
    assert error.value.code == "file.not-a-file"


def test_a_token_never_travels_in_clear_to_another_machine() -> None:
    for url in ("http://ledger.example/log", "http://192.0.2.7/log"):
        with pytest.raises(UsageError) as error:
            HttpLog(url, token="rakkan_secret")
        assert error.value.code == "http.url"
        assert "secret" not in str(error.value.to_json())
    HttpLog("https://ledger.example/log", token="rakkan_secret")
