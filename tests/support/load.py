"""A load of HTTP requests over many connections, from a process of its own.

``python -m tests.support.load PORT CLIENTS SECONDS FILE`` posts the bodies of the file, one after the other
and each once, over so many connections that each wait for an answer before the next request. It writes one
JSON document: seconds, and what came back. Nothing is retried.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import struct
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import uvloop

_LENGTH = re.compile(rb"content-length: ([0-9]+)", re.IGNORECASE)
_SIZE = struct.Struct(">I")
ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Told:
    """What a load found. Times are in seconds; ``answers`` holds the bodies of 2xx, if they were kept."""

    seconds: float = 0.0
    cpu: float = 0.0
    statuses: dict[str, int] = field(default_factory=dict)
    accepted: list[float] = field(default_factory=list)
    without_retry_after: int = 0
    broken: int = 0
    answers: list[tuple[int, str]] = field(default_factory=list)

    def quantile(self, share: float) -> float:
        """Return the time within which this share of the accepted was answered."""
        return self.accepted[min(int(len(self.accepted) * share), len(self.accepted) - 1)]


def write_bodies(path: Path, bodies: Iterable[bytes]) -> int:
    """Write what is to be posted; return how many."""
    count = 0
    with path.open("wb") as file:
        for body in bodies:
            file.write(_SIZE.pack(len(body)) + body)
            count += 1
    return count


def read_bodies(path: Path) -> Iterator[bytes]:
    """Yield what ``write_bodies`` wrote."""
    data = path.read_bytes()
    at = 0
    while at < len(data):
        (size,) = _SIZE.unpack_from(data, at)
        yield data[at + 4 : at + 4 + size]
        at += 4 + size


class _Client(asyncio.Protocol):
    """One connection: a request, its answer, the next request."""

    def __init__(self, load: _Load) -> None:
        self._load = load
        self._buffer = b""
        self._number = -1
        self._transport: Any = None
        self._sent = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._next()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head = self._buffer.find(b"\r\n\r\n")
        if head < 0:
            return
        length = _LENGTH.search(self._buffer, 0, head)
        end = head + 4 + (int(length[1]) if length else 0)
        if len(self._buffer) >= end:
            self._load.answered(self._number, self._buffer[:head], self._buffer[head + 4 : end], self._sent)
            self._buffer = self._buffer[end:]
            self._number = -1
            self._next()

    def connection_lost(self, _: Exception | None) -> None:
        self._load.left(self, broken=self._number >= 0)

    def _next(self) -> None:
        found = self._load.next()
        if found is None:
            self._transport.close()
            return
        self._number, request = found
        self._sent = time.perf_counter()
        self._transport.write(request)


class _Load:
    def __init__(self, port: int, path: str, media: str, bodies: Iterator[bytes], *, keep: bool) -> None:
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {media}\r\nContent-Length: "
        self._head = head.encode()
        self._port, self._keep = port, keep
        self._bodies = enumerate(bodies)
        self._statuses: Counter[str] = Counter()
        self._until = float("inf")
        self._open = 0
        self._over = asyncio.Event()
        self.told = Told()

    async def run(self, clients: int, seconds: float) -> Told:
        loop = asyncio.get_running_loop()
        begun = time.perf_counter()
        self._until = begun + seconds
        for _ in range(clients):
            await self._connect()
        await self._over.wait()
        del loop
        self.told.seconds = time.perf_counter() - begun
        self.told.cpu = time.process_time()
        self.told.statuses = dict(self._statuses)
        self.told.accepted.sort()
        return self.told

    async def _connect(self) -> None:
        self._open += 1
        try:
            await asyncio.get_running_loop().create_connection(lambda: _Client(self), "127.0.0.1", self._port)
        except OSError:
            self.left(None, broken=True)

    def next(self) -> tuple[int, bytes] | None:
        if time.perf_counter() >= self._until:
            return None
        found = next(self._bodies, None)
        if found is None:
            return None
        number, body = found
        return number, self._head + b"%d\r\n\r\n" % len(body) + body

    def answered(self, number: int, head: bytes, body: bytes, sent: float) -> None:
        status = head[9:12].decode()
        self._statuses[status] += 1
        if status[0] == "2":
            self.told.accepted.append(time.perf_counter() - sent)
            if self._keep:
                self.told.answers.append((number, body.decode()))
        elif b"\nretry-after: " not in head.lower():
            self.told.without_retry_after += 1

    def left(self, _: object, *, broken: bool) -> None:
        self.told.broken += broken
        self._open -= 1
        if not self._open:
            self._over.set()


def load(port: int, path: str, bodies: Path, clients: int, seconds: float, **options: Any) -> Told:
    """Run a load in a process of its own and return what it found."""
    process = start(port, path, bodies, clients, seconds, **options)
    out, _ = process.communicate()
    assert process.returncode == 0
    return Told(**json.loads(out))


def start(
    port: int,
    path: str,
    bodies: Path,
    clients: int,
    seconds: float,
    *,
    media: str = "application/vnd.dsse.envelope.v1+json",
    keep: bool = False,
) -> subprocess.Popen[bytes]:
    """Start a load in a process of its own. Its output is a ``Told`` as JSON."""
    told = {"port": port, "path": path, "media": media, "bodies": str(bodies), "clients": clients}
    told |= {"seconds": seconds, "keep": keep}
    command = [sys.executable, "-m", "tests.support.load", json.dumps(told)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)


def main(given: dict[str, Any]) -> None:
    """Run the load that was described, and print what it found."""
    bodies = read_bodies(Path(given["bodies"]))

    async def run() -> Told:
        made = _Load(given["port"], given["path"], given["media"], bodies, keep=given["keep"])
        return await made.run(given["clients"], given["seconds"])

    told = asdict(uvloop.run(run()))
    os.set_blocking(1, True)
    json.dump(told, sys.stdout)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
