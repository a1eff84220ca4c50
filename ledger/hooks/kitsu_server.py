"""A Kitsu server's API, as far as the listener (``kitsu.py``) needs it: the standard library and no more.

* No redirect is followed, so the token goes nowhere else, and no proxy is used.
* The token and the password appear in no message.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import logging
import os
import shutil
import stat
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urlencode, urlsplit

try:
    import gazu
except ImportError:
    gazu = None

LIVE = gazu is not None
"""Whether live events are to be had here."""
TIMEOUT = 60
RECONNECT = 30

log = logging.getLogger("rakkan.kitsu")


class SetupError(Exception):
    """What somebody has to mend before this can run."""


class UnavailableError(Exception):
    """The server, or the spool, cannot do it now."""


class RefusedError(Exception):
    """The server answers that it will not."""


class Server:
    """The API of a Kitsu server.

    ``said`` has ``host`` (with ``/api``), and ``token`` or ``email`` and ``password``.
    """

    def __init__(self, said: dict[str, str]) -> None:
        self.said, self.token = said, said.get("token", "")
        self._url = urlsplit(said["host"].rstrip("/"))
        if self._url.scheme not in ("http", "https") or not self._url.netloc:
            raise SetupError("KITSU_HOST must be a URL such as https://kitsu.example/api.")

    def get(self, path: str, **query: Any) -> Any:
        """Return the answer to a GET."""
        return self.call("GET", path + ("?" + urlencode(query) if query else ""))

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Return the JSON answer. Raises ``SetupError``, ``UnavailableError`` and ``RefusedError``."""
        with self._answer(method, path, body) as answer:
            try:
                return json.loads(answer.read())
            except (ValueError, OSError, http.client.HTTPException) as error:
                raise UnavailableError("%s: %s" % (path, error)) from error

    def download(self, path: str, target: str) -> None:
        """Write the answer into a file, which appears in one step."""
        with self._answer("GET", path) as answer, open(target + ".part", "wb") as file:
            size = answer.length  # of a short answer, reading in pieces says nothing
            try:
                shutil.copyfileobj(answer, file)
            except (OSError, http.client.HTTPException) as error:
                raise UnavailableError("%s: %s" % (path, error)) from error
            if size is not None and file.tell() != size:
                raise UnavailableError("%s: %d of %d bytes came" % (path, file.tell(), size))
        os.replace(target + ".part", target)

    def log_in(self) -> None:
        """Get a token for the email and the password. Raises ``SetupError`` where they are wrong."""
        self.token = ""
        try:
            said = {name: self.said.get(name) for name in ("email", "password")}
            found = self.call("POST", "auth/login", said)
        except RefusedError as error:
            raise SetupError("Kitsu refuses this email and password. (%s)" % error) from error
        self.token = found["access_token"]

    @contextlib.contextmanager
    def _answer(self, method: str, path: str, body: Any = None) -> Iterator[http.client.HTTPResponse]:
        if not self.token and path != "auth/login":
            self.log_in()
        kind = http.client.HTTPSConnection if self._url.scheme == "https" else http.client.HTTPConnection
        connection = kind(self._url.netloc, timeout=TIMEOUT)
        headers = {"Content-Type": "application/json", "Connection": "close"}
        if self.token:
            headers["Authorization"] = "Bearer " + self.token
        try:
            data = None if body is None else json.dumps(body).encode("utf-8")
            try:
                connection.request(method, "%s/%s" % (self._url.path, path), data, headers)
                answer = connection.getresponse()
            except (OSError, http.client.HTTPException) as error:
                raise UnavailableError("%s does not answer: %s" % (self.said["host"], error)) from error
            self._judge(answer, path)
            yield answer
        finally:
            connection.close()

    def _judge(self, answer: http.client.HTTPResponse, path: str) -> None:
        if answer.status < 300:
            return
        if answer.status in (401, 422) and path != "auth/login":  # 422: what is no token at all
            if self.said.get("token"):
                raise SetupError("Kitsu does not accept KITSU_TOKEN (any more).")
            self.token = ""  # it has expired: the next call logs in again
            raise UnavailableError("the session has ended")
        if answer.status >= 500 or answer.status in (408, 425, 429):
            raise UnavailableError("%s answers with status %d" % (path, answer.status))
        raise RefusedError(
            "%s: status %d %s" % (path, answer.status, answer.read(300).decode("utf-8", "replace"))
        )


def credentials(path: str | None) -> dict[str, str]:
    """Return what ``Server`` needs, from a private JSON file or else the environment.

    Raises ``SetupError``.
    """
    if path is None:
        names = ("host", "email", "password", "token", "event_host")
        found: Any = {name: os.environ.get("KITSU_" + name.upper(), "") for name in names}
    else:
        try:
            with open(path, encoding="utf-8") as file:
                if sys.platform != "win32" and stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                    raise SetupError("%s can be read by others: chmod 600." % path)
                found = json.load(file)
        except (OSError, ValueError) as error:
            raise SetupError("%s cannot be read: %s." % (path, error)) from error
    if not isinstance(found, dict) or not found.get("host"):
        raise SetupError("Kitsu's address is missing: KITSU_HOST, or host in the file of --credentials.")
    if not found.get("token") and not (found.get("email") and found.get("password")):
        raise SetupError("Give KITSU_TOKEN, or KITSU_EMAIL and KITSU_PASSWORD.")
    return {name: str(value) for name, value in found.items() if value}


def listen(server: Server, names: Iterable[str], wake: threading.Event) -> None:
    """Set ``wake`` at each live event of these names, for ever. To be run as a thread of its own."""
    while True:
        try:
            if not server.token:
                server.log_in()
            client = gazu.client.create_client(server.said["host"])
            client.event_host = server.said.get("event_host", server.said["host"])
            client.access_token = server.token
            live = gazu.events.init(client=client)
            for name in names:
                gazu.events.add_listener(live, name, lambda _: wake.set())
            log.info("live events of %s", client.event_host)
            wake.set()  # what came while nobody listened
            gazu.events.run_client(live)
        except Exception as error:  # noqa: BLE001 - of gazu, socket.io, requests: without them, events come later
            log.info("no live events: %s", error)
        time.sleep(RECONNECT)
