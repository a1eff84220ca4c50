"""A proxy on the loopback that lies: it may change an answer, lose it, or kill the server under it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


@dataclass
class Said:
    """An answer on its way back."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


Lie = Callable[[str, str, Callable[[], Said]], Said | None]
"""Given method, path and what asks the server: the answer, or ``None`` to hang up."""


@contextmanager
def lying(url: str, lie: Lie) -> Iterator[str]:
    """Pass requests on to ``url`` for as long as the block runs; yields the proxy's own URL."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            """Print nothing."""

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))

            def forward() -> Said:
                server = HTTPConnection(urlsplit(url).netloc, timeout=30)
                server.request(self.command, self.path, body or None, dict(self.headers))
                with server.getresponse() as found:
                    kept = {name: found.headers[name] for name in ("Content-Type",) if name in found.headers}
                    said = Said(found.status, found.read(), kept)
                server.close()
                return said

            try:
                said = lie(self.command, urlsplit(self.path).path, forward)
            except OSError:
                said = None
            self.close_connection = said is None
            if said is not None:
                self.send_response(said.status)
                for name, value in {**said.headers, "Content-Length": str(len(said.body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(said.body)

        do_GET = do_PUT = do_POST = answer  # noqa: N815 - the names that http.server looks for

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
