"""Records over HTTP on this machine, for tools that cannot write files: ``POST /v1/records``.

* Only this machine, and only who can read the agent's ``token``: neither a web page in the artist's browser
  can, nor another user. The token is compared in constant time.
* The body is a record (docs/spec/capture.md) without what every record has; the answer comes when the record
  is durable in the spool. Nothing else is done here.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from ledger.errors import MalformedError, RakkanError, UsageError

MAX_BODY = 4 << 20
SECONDS = 10


HandIn = Callable[[dict[str, Any]], str | None]
"""Spools a record and returns its path, or ``None`` when it could not; raises ``capture.malformed``."""


@contextmanager
def hook_server(listen: str, token: bytes, hand_in: HandIn) -> Iterator[str]:
    """Take records for as long as the block runs; yields the URL. Raises ``UsageError("agent.listen")``."""
    host, _, port = listen.rpartition(":")
    if host not in {"127.0.0.1", "localhost", "[::1]"} or not port.isdecimal():
        raise UsageError("agent.listen", f"{listen} is not this machine's own address.", listen=listen)
    try:
        server = _Server((host.strip("[]"), int(port)), _Handler)
    except (OSError, OverflowError) as error:
        raise UsageError("agent.listen", f"{listen}: {error}.", listen=listen) from error
    server.token, server.hand_in = token, hand_in
    thread = Thread(target=server.serve_forever, name="hooks", daemon=True)
    thread.start()
    try:
        yield f"http://{host}:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    token: bytes
    hand_in: HandIn


class _Handler(BaseHTTPRequestHandler):
    timeout = SECONDS
    server: _Server

    def do_POST(self) -> None:
        """Take one record."""
        try:
            status, answer = self._take()
        except RakkanError as error:
            status, answer = 400, {"error": error.to_json()}
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - http.server's name
        """Say nothing: what is in a request stays in it."""

    def _take(self) -> tuple[int, dict[str, Any]]:
        given = self.headers.get("Authorization", "").removeprefix("Bearer ").encode()
        if not hmac.compare_digest(given, self.server.token):
            return 401, {"error": {"code": "agent.token", "message": "Send the agent's token."}}
        length = self.headers.get("Content-Length", "")
        if self.path != "/v1/records" or not length.isdecimal() or int(length) > MAX_BODY:
            return 404, {"error": {"code": "agent.request", "message": "POST /v1/records, at most 4 MiB."}}
        try:
            record = json.loads(self.rfile.read(int(length)))
        except (ValueError, RecursionError) as error:
            raise MalformedError("capture.malformed", f"The record is not JSON: {error}.") from error
        if not isinstance(record, dict):
            raise MalformedError("capture.malformed", "A record is an object.")
        path = self.server.hand_in({"layer": "app", **record})
        if path is None:
            return 503, {"error": {"code": "agent.storage", "message": "The record could not be kept."}}
        return 201, {"record": Path(path).name}
