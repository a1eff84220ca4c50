"""Somebody else's published log, over HTTP or in a folder; see ``ports.PublishedLog``.

* Nothing that the other side sends is trusted: each kind of file has its greatest size, an answer has one
  deadline however slowly it drips, and a redirect is followed only within the same scheme, host and port.
* A file that is not there is ``None``. Every other trouble is ``UndecidedError("http.unavailable")``: it says
  nothing about the log.
* A server that has had too many requests is waited for, a few times and a few seconds: a large log is more
  than some give at a stretch.
* A file may come compressed with gzip, as c2sp.org/tlog-tiles allows; the greatest size counts unpacked.
* The connection is kept. No proxy is used. A token goes to that server only, and never in clear to another
  machine.
"""

from __future__ import annotations

import re
import time
import zlib
from pathlib import Path
from urllib.parse import urljoin, urlsplit
from urllib.request import url2pathname

from ledger.adapters.connection import TROUBLE, Answer, Call, Connection, parse_url
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
_TOO_MANY = 429
_PATIENCE, _LONGEST = 3, 15
"""How often a server is waited for that has had too many requests, and for how many seconds at most."""
_SECONDS = re.compile("[0-9]{1,9}")
_NOT_YOU = {401, 403}
_HERE = {"127.0.0.1", "::1", "localhost"}
_GZIP = 16 + zlib.MAX_WBITS


def published_log(place: str, token: str | None = None) -> PublishedLog:
    """Return the log at an ``http``, ``https`` or ``file`` URL or in a folder. Reads nothing yet.

    ``token`` is shown to the server of an ``http`` or ``https`` URL. Raises ``UsageError("http.url")``.
    """
    if "://" not in place:
        return FolderLog(Path(place))
    if not place.startswith("file://"):
        return HttpLog(place, token=token)
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


class HttpLog:
    """The log below an ``http`` or ``https`` URL. Not to be shared by threads.

    ``seconds`` is the deadline of each answer. ``token`` says who asks: some logs show entries only to some.
    Raises ``UsageError("http.url")``, also for a token that would travel in clear.
    """

    def __init__(self, url: str, seconds: float = 30.0, token: str | None = None) -> None:
        server, path = parse_url(url)
        if token is not None and server.scheme != "https" and server.host not in _HERE:
            raise UsageError("http.url", "A token is sent over https only.", host=server.host)
        self._headers = {"Accept-Encoding": "gzip, identity"}
        if token is not None:
            self._headers["Authorization"] = f"Bearer {token}"
        self._connection = Connection(server, seconds)
        self._path = path.rstrip("/")

    def get(self, path: str) -> bytes | None:
        """Return the published file, or ``None``.

        Raises ``UndecidedError("http.unavailable")``, and ``MalformedError`` with ``tile.malformed`` or
        ``checkpoint.malformed`` for what is too long or is not packed as it says.
        """
        code, limit = _limit(path)
        target = f"{self._path}/{path}"
        answer = self._asked(target, limit)
        for _ in range(_MAX_REDIRECTS):
            if answer.status in _REDIRECTS:
                target = self._redirected(target, answer.headers.get("Location", ""))
                answer = self._asked(target, limit)
        if answer.status in _GONE:
            return None
        if answer.status in _NOT_YOU:
            raise self._unavailable(target, "it shows this only to who may see it (RAKKAN_TOKEN)")
        if answer.status != 200:
            raise self._unavailable(target, f"it answers with status {answer.status}")
        return _checked(_unpacked(answer, limit), code, limit, path)

    def _asked(self, target: str, limit: int) -> Answer:
        """Return the answer, later where the server says so."""
        answer = self._ask(target, limit)
        for _ in range(_PATIENCE):
            if answer.status != _TOO_MANY:
                break
            said = answer.headers.get("Retry-After", "").strip()
            time.sleep(min(int(said), _LONGEST) if _SECONDS.fullmatch(said) else 1)
            answer = self._ask(target, limit)
        return answer

    def _ask(self, target: str, limit: int) -> Answer:
        most = limit + limit // 100 + 1024  # what gzip makes of bytes that it cannot make smaller
        call = Call("GET", target, self._headers, most)
        try:
            return self._connection.ask(lambda: call)
        except (*TROUBLE, ValueError) as error:  # ValueError: a redirect to what is no URL
            raise self._unavailable(target, str(error) or type(error).__name__) from error

    def _redirected(self, target: str, location: str) -> str:
        try:
            server, path = parse_url(urljoin(self._connection.server.url(target), location))
        except (ValueError, UsageError):
            server, path = None, ""
        if not location or server != self._connection.server:
            raise self._unavailable(target, "it sends us elsewhere")
        return path

    def _unavailable(self, target: str, why: str) -> UndecidedError:
        url = self._connection.server.url(target)
        return UndecidedError("http.unavailable", f"{url} cannot be read: {why}.", url=url)


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


def _unpacked(answer: Answer, limit: int) -> bytes | None:
    """Return the body, at most one byte longer than the limit when it came packed; ``None``: no gzip."""
    encoding = answer.headers.get("Content-Encoding", "").strip().lower()
    if encoding in {"", "identity"}:
        return answer.body
    if encoding != "gzip":
        return None
    packed = zlib.decompressobj(_GZIP)
    try:
        data = packed.decompress(answer.body, limit + 1)
    except zlib.error:
        return None
    return data if packed.eof and not packed.unused_data else None
