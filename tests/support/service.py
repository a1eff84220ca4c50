"""A real `rakkan serve` in processes of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.conftest import ROOT, Studio


@dataclass
class Running:
    """A server, where it listens, and what it wrote to standard error so far."""

    process: subprocess.Popen[str]
    url: str
    log: Path

    def workers(self) -> list[int]:
        """The process ids of the workers."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
                command = (folder / "cmdline").read_bytes()
            except OSError:
                continue
            if parent == self.process.pid and b"spawn_main" in command:
                found.append(int(folder.name))
        return sorted(found)

    def health(self) -> int:
        with urllib.request.urlopen(f"{self.url}/health", timeout=60) as answer:
            return int(answer.status)

    def signal(self, number: int) -> None:
        os.kill(self.process.pid, number)

    def ended(self, seconds: float = 90) -> int:
        return self.process.wait(seconds)


@contextmanager
def running(studio: Studio, *flags: object, **environment: str) -> Iterator[Running]:
    """Run the server until the block ends; it may have ended by itself by then."""
    log = studio.work.parent / "serve.err"
    with log.open("w") as written:
        process = subprocess.Popen(
            [sys.executable, "-m", "ledger", "serve", "--port", "0", *map(str, flags)],
            env={**studio.environment(), **environment},
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=written,
            text=True,
        )
    assert process.stdout is not None
    try:
        lines = [process.stdout.readline() for _ in range(2)]
        assert "listens on" in lines[1], (lines, log.read_text())
        yield Running(process, lines[1].split()[-1], log)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait(90)
        process.stdout.close()


def until(true: Callable[[], object], seconds: float = 90) -> None:
    """Wait until something holds."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it never came to hold"
        time.sleep(0.05)


def alive(pid: int) -> bool:
    """Whether a process is there, and no zombie."""
    try:
        return ") Z" not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])
