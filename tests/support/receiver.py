"""A receiver of webhooks that behaves as badly as it is told to, on the loopback, with or without TLS."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Receiver:
    """What arrived, and how it answers: a status, or `slow`, `drip`, `huge`, `early`, `liar`, `redirect`."""

    port: int = 0
    mood: str = "204"
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    redirected: int = 0
    ended: threading.Event = field(default_factory=threading.Event)

    def events(self) -> list[dict[str, Any]]:
        """Return the events, each delivery once."""
        bodies = {headers["webhook-id"]: body for headers, body in self.got}
        return [event for body in bodies.values() for event in json.loads(body)["data"]["events"]]

    def until(self, count: int, seconds: float = 30) -> list[dict[str, Any]]:
        """Return the events as soon as there are so many."""
        end = time.monotonic() + seconds
        while len(found := self.events()) < count:
            assert time.monotonic() < end, (len(found), count)
            time.sleep(0.02)
        return found


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        receiver = self.server.receiver
        if receiver.mood == "early":
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        body = self.rfile.read(int(self.headers["Content-Length"]))
        receiver.redirected += self.path == "/elsewhere"
        receiver.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
        with contextlib.suppress(OSError):
            self._answer(receiver)

    def _answer(self, receiver: Receiver) -> None:
        match receiver.mood:
            case "slow":
                receiver.ended.wait(30)
            case "drip":
                self.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
                while not receiver.ended.wait(0.2):
                    self.wfile.write(b"x")
            case "huge":
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n")
                while not receiver.ended.is_set():
                    self.wfile.write(b"x" * 65536)
            case "liar":
                self.wfile.write(b"HTTP/1.1 2000 FINE\r\n\r\n")
            case "redirect":
                self.send_response(307)
                self.send_header("Location", f"http://127.0.0.1:{receiver.port}/elsewhere")
                self.end_headers()
            case status:
                self.send_response(int(status))
                self.send_header("Content-Length", "0")
                self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port: int, receiver: Receiver) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.receiver = receiver

    def handle_error(self, *_: object) -> None:
        pass


@contextmanager
def receiving(tls: ssl.SSLContext | None = None, port: int = 0) -> Iterator[Receiver]:
    """Listen until the block ends."""
    receiver = Receiver()
    with _Server(port, receiver) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        receiver.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield receiver
        finally:
            receiver.ended.set()
            server.shutdown()
            thread.join()
