"""Somebody else's published log, over HTTP or in a folder; see ``ports.PublishedLog``.

* Nothing that the other side sends is trusted: each kind of file has its greatest size, an answer has one
  deadline however slowly it drips, and a redirect is followed only within the same scheme, host and port.
* A file that is not there is ``None``. Every other trouble is ``UndecidedError("http.unavailable")``: it says
  nothing about the log.
* A file may come compressed with gzip, as c2sp.org/tlog-tiles allows; the greatest size counts unpacked.
* The connection is kept. No proxy is used.
"""

from __future__ import annotations

import re
import socket
import ssl
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse
from pathlib import Path
from threading import Event, Timer
from urllib.parse import urljoin, urlsplit
from urllib.request import url2pathname

import ledger
from ledger.core.merkle import HASH_SIZE
from ledger.core.note import MAX_NOTE
from ledger.core.tiles import MAX_ENTRY, WIDTH, parse_path
from ledger.errors import MalformedError, UndecidedError, UsageError
from ledger.ports import PublishedLog
from ledger.service.files import read_whole

CHECKPOINT = "checkpoint"
_REDIRECTS = {301, 302, 303, 307, 308}
_MAX_REDIRECTS = 5
_GONE = {404, 410}
_GZIP = 16 + zlib.MAX_WBITS
_PORTS = {"http": 80, "https": 443}
_URL_PATH = re.compile(r"[!$&'()*+,./0-9:;=@A-Z_a-z~%-]*")
_TROUBLE = (OSError, HTTPException, ValueError)  # ValueError: a redirect to what is no URL


def published_log(place: str) -> PublishedLog:
    """Return the log at an ``http``, ``https`` or ``file`` URL or in a folder. Reads nothing yet.

    Raises ``UsageError("http.url")``.
    """
    if "://" not in place:
        return FolderLog(Path(place))
    if not place.startswith("file://"):
        return HttpLog(place)
    parts = urlsplit(place)
    if parts.netloc not in {"", "localhost"} or parts.query or parts.fragment:
        raise UsageError("http.url", f"This file is on another machine: {place}.", url=place)
    return FolderLog(Path(url2pathname(parts.path)))


class FolderLog:
    """The log whose files are in a folder: a copy, or a mounted one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, path: str) -> bytes | None:
        """Return the published file, or ``None``. Raises ``file.…`` and ``….malformed``."""
        code, limit = _limit(path)
        try:
            return _checked(read_whole(self._folder / path, limit + 1), code, limit, path)
        except UsageError as error:
            if error.code == "file.missing":
                return None
            raise


@dataclass(frozen=True, slots=True)
class _Server:
    """Who answers: what a redirect may not change."""

    scheme: str
    host: str
    port: int

    def url(self, target: str) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}{target}"


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    location: str
    encoding: str
    body: bytes


class HttpLog:
    """The log below an ``http`` or ``https`` URL. Not to be shared by threads.

    ``seconds`` is the deadline of each answer. Raises ``UsageError("http.url")``.
    """

    def __init__(self, url: str, seconds: float = 30.0) -> None:
        self._open: tuple[HTTPConnection, socket.socket] | None = None
        self._server, path = _parse(url)
        self._path = path.rstrip("/")
        self._seconds = seconds
        self._tls = ssl.create_default_context() if self._server.scheme == "https" else None

    def __del__(self) -> None:
        # A log is read from wherever it is handed to: nobody there knows that it may hold a connection.
        self.close()

    def get(self, path: str) -> bytes | None:
        """Return the published file, or ``None``.

        Raises ``UndecidedError("http.unavailable")``, and ``MalformedError`` with ``tile.malformed`` or
        ``checkpoint.malformed`` for what is too long or is not packed as it says.
        """
        code, limit = _limit(path)
        target = f"{self._path}/{path}"
        answer = self._ask(target, limit)
        for _ in range(_MAX_REDIRECTS):
            if answer.status in _REDIRECTS:
                target = self._redirected(target, answer.location)
                answer = self._ask(target, limit)
        if answer.status in _GONE:
            return None
        if answer.status != 200:
            raise self._unavailable(target, f"it answers with status {answer.status}")
        return _checked(_unpacked(answer, limit), code, limit, path)

    def close(self) -> None:
        """Close the connection. The next ``get`` opens another."""
        if self._open is not None:
            for end in self._open:
                end.close()
            self._open = None

    def _ask(self, target: str, limit: int) -> _Answer:
        kept = self._open is not None
        try:
            try:
                return self._exchange(target, limit)
            except ConnectionError:
                if not kept:
                    raise
                self.close()  # a server may end a connection that it had kept
                return self._exchange(target, limit)
        except _TROUBLE as error:
            self.close()
            raise self._unavailable(target, str(error) or type(error).__name__) from error

    def _exchange(self, target: str, limit: int) -> _Answer:
        connection, guard = self._open or self._connect()
        headers = {"User-Agent": f"rakkan/{ledger.__version__}", "Accept-Encoding": "gzip, identity"}
        most = limit + limit // 100 + 1024  # what gzip makes of bytes that it cannot make smaller
        with deadline(guard, self._seconds):
            connection.request("GET", target, headers=headers)
            with closing(connection.getresponse()) as response:
                body = _body(response, most)
                reusable = response.isclosed() and not response.will_close
        if not reusable:
            self.close()
        named = response.headers
        encoding = named.get("Content-Encoding", "").strip().lower()
        return _Answer(response.status, named.get("Location", ""), encoding, body)

    def _connect(self) -> tuple[HTTPConnection, socket.socket]:
        plain = socket.create_connection((self._server.host, self._server.port), self._seconds)
        # A second handle ends the connection at the deadline, also after TLS has taken the first one over.
        connection, guard = HTTPConnection(self._server.host, self._server.port), plain.dup()
        self._open = connection, guard
        connection.auto_open = 0
        connection.default_port = _PORTS[self._server.scheme]
        connection.sock = plain
        if self._tls is not None:
            with deadline(guard, self._seconds):
                connection.sock = self._tls.wrap_socket(plain, server_hostname=self._server.host)
        return self._open

    def _redirected(self, target: str, location: str) -> str:
        try:
            server, path = _parse(urljoin(self._server.url(target), location))
        except (ValueError, UsageError):
            server, path = None, ""
        if not location or server != self._server:
            raise self._unavailable(target, "it sends us elsewhere")
        return path

    def _unavailable(self, target: str, why: str) -> UndecidedError:
        url = self._server.url(target)
        return UndecidedError("http.unavailable", f"{url} cannot be read: {why}.", url=url)


@contextmanager
def deadline(connection: socket.socket, seconds: float) -> Iterator[None]:
    """End the connection unless the block is done in time; then raise ``TimeoutError``.

    A socket's own timeout starts again with each byte.
    """
    late = Event()

    def cut() -> None:
        late.set()
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)

    watch = Timer(seconds, cut)
    watch.daemon = True
    watch.start()
    try:
        yield
    except _TROUBLE:
        if not late.is_set():
            raise
    finally:
        watch.cancel()
    if late.is_set():
        raise TimeoutError(f"no whole answer within {seconds:g} seconds")


def _body(response: HTTPResponse, most: int) -> bytes:
    """Return at most so many bytes of the body. Raises ``HTTPException`` when it ends too early."""
    if response.length is None and not response.chunked:
        # It would end where the connection ends, and so could be cut short unseen.
        raise HTTPException("the answer does not say how long it is")
    body = response.read(most)
    if response.length and len(body) < most:
        raise HTTPException("the answer was cut short")
    return body


def _parse(url: str) -> tuple[_Server, str]:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise UsageError("http.url", "This is not a URL.", url=url[:200]) from error
    extra = "@" in parts.netloc or parts.query or parts.fragment
    if parts.scheme not in _PORTS or not host or extra or not _URL_PATH.fullmatch(parts.path):
        raise UsageError("http.url", "This is not the URL of a log.", scheme=parts.scheme, host=host)
    return _Server(parts.scheme, host, port or _PORTS[parts.scheme]), parts.path


def _limit(path: str) -> tuple[str, int]:
    """Return the code for a file that is too long, and the greatest size in bytes."""
    if path == CHECKPOINT:
        return "checkpoint.malformed", MAX_NOTE
    found = parse_path(path)
    return "tile.malformed", WIDTH * (MAX_ENTRY + 2) if found.entries else WIDTH * HASH_SIZE


def _checked(data: bytes | None, code: str, limit: int, path: str) -> bytes:
    if data is None or len(data) > limit:
        raise MalformedError(code, "The file is too long, or not packed as it says.", path=path, limit=limit)
    return data


def _unpacked(answer: _Answer, limit: int) -> bytes | None:
    """Return the body, at most one byte longer than the limit when it came packed; ``None``: no gzip."""
    if answer.encoding in {"", "identity"}:
        return answer.body
    if answer.encoding != "gzip":
        return None
    packed = zlib.decompressobj(_GZIP)
    try:
        data = packed.decompress(answer.body, limit + 1)
    except zlib.error:
        return None
    return data if packed.eof and not packed.unused_data else None
