"""A provider of pictures on this machine: throttles, refuses, drops connections, is late, works in jobs.

What it does is scripted: each request that asks for something takes the next word of `script`, the last one
for ever. It remembers what it was sent.
"""

from __future__ import annotations

import base64
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.support.media import noise
from tests.support.sealing import plan, workshop

MESSAGE = "Your request was rejected by our safety system. Prompt: {prompt} Key: {key}"


@cache
def sealed_png() -> bytes:
    """Return a picture with a C2PA manifest, signed by a studio that stands for the provider."""
    studio = workshop()
    with TemporaryDirectory() as folder:
        plain, sealed = Path(folder, "plain.png"), Path(folder, "sealed.png")
        noise().save(plain)
        studio.codec.seal_file(plan(), plain, sealed, studio.credential)
        return sealed.read_bytes()


@dataclass
class Provider:
    """`taken` counts what each idempotency key made; `seen` is (method, path, headers) of each request."""

    script: list[str] = field(default_factory=lambda: ["accept"])
    picture: bytes = b""
    late: float = 0.6
    jobs: list[str] = field(default_factory=lambda: ["completed"])
    seen: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    taken: Counter[str] = field(default_factory=Counter)
    lock: Any = field(default_factory=threading.Lock)
    url: str = ""

    def next(self, words: list[str]) -> str:
        with self.lock:
            return words.pop(0) if len(words) > 1 else words[0]

    def sent_keys(self) -> set[str]:
        """Return the idempotency keys of the requests that asked for something."""
        return {headers["idempotency-key"] for method, _, headers in self.seen if method == "POST"}


class Handler(BaseHTTPRequestHandler):
    server: Any
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""

    @property
    def provider(self) -> Provider:
        found: Provider = self.server.provider
        return found

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.note()
        word = self.provider.next(self.provider.script)
        getattr(self, "say_" + word.split(":")[0])(body, word.partition(":")[2])

    def do_GET(self) -> None:
        self.note()
        if self.path.endswith("/cut.mp4"):
            return self.cut(self.provider.next(self.provider.script))
        if self.path.endswith((".png", "/content")):
            return self.answer(200, self.provider.picture, "image/png")
        word, _, code = self.provider.next(self.provider.jobs).partition(":")
        if word.isdigit():
            return self.answer(int(word), {"error": {"code": "rate_limit_exceeded"}}, after="0")
        error = {"error": {"code": code, "message": "no"}} if code else {}
        return self.answer(200, {"id": "job_7", "status": word, "model": "film-2-2026-01", **error})

    def note(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        with self.provider.lock:
            self.provider.seen.append((self.command, self.path, headers))

    def say_accept(self, body: bytes, _: str) -> None:
        with self.provider.lock:
            self.provider.taken[self.headers.get("Idempotency-Key", "")] += 1
        picture = base64.b64encode(self.provider.picture).decode()
        self.answer(200, {"created": 1, "model": "painter-2-2026-01-15", "data": [{"b64_json": picture}]})

    def say_url(self, body: bytes, _: str) -> None:
        self.answer(200, {"created": 1, "data": [{"url": self.provider.url + "/made/1.png"}]})

    def say_job(self, body: bytes, _: str) -> None:
        self.answer(200, {"id": "job_7", "status": "queued", "model": "film-2"})

    def say_throttle(self, body: bytes, after: str) -> None:
        error = {"error": {"code": "rate_limit_exceeded", "type": "requests", "message": "slow down"}}
        self.answer(429, error, after=after or None)

    def say_busy(self, body: bytes, after: str) -> None:
        self.answer(503, {"error": {"message": "overloaded"}}, after=after or None)

    def say_spent(self, body: bytes, _: str) -> None:
        self.answer(429, {"error": {"code": "credit_balance_exhausted", "type": "insufficient_quota"}})

    def say_refuse(self, body: bytes, _: str) -> None:
        words = MESSAGE.format(
            prompt=body[:400].decode("utf-8", "replace"), key=self.headers["Authorization"]
        )
        self.answer(400, {"error": {"code": "moderation_blocked", "message": words}})

    def say_reject(self, body: bytes, _: str) -> None:
        error = {"code": "unknown_parameter", "message": "Unknown parameter: 'safety_tolerance'."}
        self.answer(400, {"error": error})

    def say_break(self, body: bytes, _: str) -> None:
        self.answer(500, {"error": {"message": "oops"}})

    def say_drop(self, body: bytes, _: str) -> None:
        self.close_connection = True

    def say_half(self, body: bytes, _: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b'{"created": 1')
        self.close_connection = True

    def say_late(self, body: bytes, _: str) -> None:
        time.sleep(self.provider.late)
        self.say_accept(body, _)

    def say_nonsense(self, body: bytes, _: str) -> None:
        self.answer(200, b'{"model": [[[', "application/json")

    def cut(self, word: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "video/mp4")
        self.send_header("Content-Length", str(len(self.provider.picture)))
        self.end_headers()
        self.wfile.write(self.provider.picture[: 40 if word == "half" else None])
        self.close_connection = True

    def answer(
        self, status: int, said: Any, kind: str = "application/json", *, after: str | None = None
    ) -> None:
        data = said if isinstance(said, bytes) else json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("x-request-id", f"req_{len(self.provider.seen)}")
        if after is not None:
            self.send_header("Retry-After", after)
        self.end_headers()
        self.wfile.write(data)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""


@contextmanager
def serving(provider: Provider) -> Iterator[Provider]:
    """Run the provider until the block ends."""
    server = Server(("127.0.0.1", 0), Handler)
    server.provider = provider  # type: ignore[attr-defined] # how a handler finds its provider
    provider.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
