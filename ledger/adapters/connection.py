"""One kept HTTP connection to one server, bounded in size and time whatever the other side does.

* An answer has one deadline, however slowly it drips, and one greatest size.
* A body whose end nobody stated, or that ends early, is no answer.
* No redirect is followed here and no proxy is used.
"""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPConnection, HTTPException, HTTPResponse
from threading import Event, Timer
from urllib.parse import urlsplit

import ledger
from ledger.errors import UsageError

TROUBLE = (OSError, HTTPException)
_PORTS = {"http": 80, "https": 443}
_URL_PATH = re.compile(r"[!$&'()*+,./0-9:;=@A-Z_a-z~%-]*")


@dataclass(frozen=True, slots=True)
class Server:
    """Who answers: what a redirect may not change."""

    scheme: str
    host: str
    port: int

    @property
    def authority(self) -> str:
        """The ``Host`` field: the port is left out where it is the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    def url(self, target: str) -> str:
        """Return the URL of a target on this server."""
        return f"{self.scheme}://{self.authority}{target}"


@dataclass(frozen=True, slots=True)
class Call:
    """A request. ``most`` bytes of the answer's body are read, at most."""

    method: str
    target: str
    headers: Mapping[str, str]
    most: int
    body: bytes | Iterable[bytes] | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer with its body, whole unless it has ``most`` bytes."""

    status: int
    headers: Message
    body: bytes


class Connection:
    """A connection that is opened when it is needed and kept. Not to be shared by threads.

    ``seconds`` is the deadline of each answer.
    """

    def __init__(self, server: Server, seconds: float) -> None:
        self._open: tuple[HTTPConnection, socket.socket] | None = None
        self.server = server
        self._seconds = seconds
        self._tls = ssl.create_default_context() if server.scheme == "https" else None

    def __del__(self) -> None:
        # Whoever holds the connection may not know that it does.
        self.close()

    def ask(self, make: Callable[[], Call], *, again: bool = True) -> Answer:
        """Return the answer. Raises what is in ``TROUBLE``; ``TimeoutError`` at the deadline.

        A server may end a connection that it had kept: with ``again`` the request is then made once more.
        """
        kept = self._open is not None
        try:
            try:
                return self._exchange(make())
            except ConnectionError:
                if not (kept and again):
                    raise
                self.close()
                return self._exchange(make())
        except TROUBLE:
            self.close()
            raise

    @contextmanager
    def stream(self, call: Call, idle: float) -> Iterator[tuple[Answer, Iterator[bytes]]]:
        """Ask, and yield the answer, without its body where that is one of success, and the body's lines.

        The lines raise what is in ``TROUBLE`` after ``idle`` seconds of silence. The connection is closed.
        """
        self.close()
        try:
            connection, guard = self._connect()
            with deadline(guard, self._seconds):
                connection.request(call.method, call.target, call.body, self._headers(call))
                response = connection.getresponse()
                body = b"" if response.status == 200 else _body(response, call.most)
            guard.settimeout(idle)
            if isinstance(connection.sock, socket.socket):
                connection.sock.settimeout(idle)
            with closing(response):
                yield Answer(response.status, response.headers, body), _lines(response, call.most)
        finally:
            self.close()

    def close(self) -> None:
        """Close the connection. The next ``ask`` opens another."""
        if self._open is not None:
            for end in self._open:
                end.close()
            self._open = None

    def _headers(self, call: Call) -> dict[str, str]:
        return {
            "Host": self.server.authority,
            "User-Agent": f"rakkan/{ledger.__version__}",
            **call.headers,
        }

    def _exchange(self, call: Call) -> Answer:
        connection, guard = self._open or self._connect()
        with deadline(guard, self._seconds):
            connection.request(call.method, call.target, call.body, self._headers(call))
            with closing(connection.getresponse()) as response:
                body = _body(response, call.most)
                reusable = response.isclosed() and not response.will_close
        if not reusable:
            self.close()
        return Answer(response.status, response.headers, body)

    def _connect(self) -> tuple[HTTPConnection, socket.socket]:
        server = self.server
        plain = socket.create_connection((server.host, server.port), self._seconds)
        # Head and body leave in two pieces: the second must not wait for the other side's word, 40 ms.
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # A second handle ends the connection at the deadline, also after TLS has taken the first one over.
        connection, guard = HTTPConnection(server.host, server.port), plain.dup()
        self._open = connection, guard
        connection.auto_open = 0
        connection.sock = plain
        if self._tls is not None:
            with deadline(guard, self._seconds):
                connection.sock = self._tls.wrap_socket(plain, server_hostname=server.host)
        return self._open


def parse_url(url: str) -> tuple[Server, str]:
    """Return who answers for a URL, and its path as it is sent. Raises ``UsageError("http.url")``."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise UsageError("http.url", "This is not a URL.", url=url[:200]) from error
    extra = "@" in parts.netloc or parts.query or parts.fragment
    if parts.scheme not in _PORTS or not host or extra or not _URL_PATH.fullmatch(parts.path):
        raise UsageError("http.url", "This is not a URL of ours.", scheme=parts.scheme, host=host)
    return Server(parts.scheme, host, port or _PORTS[parts.scheme]), parts.path


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
    except TimeoutError:
        late.set()  # the socket's own timeout was faster
    except TROUBLE:
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


def _lines(response: HTTPResponse, most: int) -> Iterator[bytes]:
    """Yield the body's lines without their ends. Raises ``HTTPException`` for one longer than ``most``."""
    while line := response.readline(most + 1):
        if len(line) > most:
            raise HTTPException("a line of the answer is too long")
        yield line.rstrip(b"\r\n")
