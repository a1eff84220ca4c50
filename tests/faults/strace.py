"""Running the work of `tests.support.faults` under strace: recorded, or with a fault in one system call.

- strace is attached to a process that waits, so that counting starts with the work.
- A call at which the process is killed is not carried out. The moment after it is the one before the next.
"""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.faults import Told

ROOT = Path(__file__).resolve().parents[2]


class Worker:
    """The process whose children do the work."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control

    def run(self, folder: Path, options: list[str], broken: str = "", seed: int = 1) -> Told:
        """Do the work in this folder under strace with these options; return what was told until the end.

        ``broken`` names something that the work then does not do; ``seed`` is where its file names come from.
        """
        ours, theirs = socket.socketpair()
        with ours, theirs:
            request = json.dumps({"folder": str(folder), "broken": broken, "seed": seed}).encode()
            socket.send_fds(self._control, [request], [theirs.fileno()])
            theirs.close()
            with ours.makefile("rb") as lines:
                pid = json.loads(lines.readline())["pid"]
                with _attached(pid, options):
                    ours.send(b"!")
                    return Told([json.loads(line) for line in lines if line.endswith(b"\n")])

    def calls(self, folder: Path, names: list[str]) -> list[tuple[str, int]]:
        """Return each of these system calls that the work makes: its name, and its number among its like."""
        trace = folder.with_name(folder.name + ".trace")
        told = self.run(folder, ["-e", f"trace={','.join(names)}", "-o", str(trace)])
        assert told.done, told.messages
        found = re.findall(r"^\d+ +(\w+)\(", trace.read_text(errors="replace"), re.MULTILINE)
        counted: Counter[str] = Counter()
        calls = []
        for name in found:
            counted[name] += 1
            calls.append((name, counted[name]))
        return calls


@contextmanager
def _attached(pid: int, options: list[str]) -> Iterator[None]:
    command = ["strace", "-f", "-p", str(pid), *options]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "attached" in line:
                break
            if "not permitted" in line:
                pytest.skip("strace may not attach to a process here")
        try:
            yield
        finally:
            process.stderr.read()


@contextmanager
def started() -> Iterator[Worker]:
    """Run the worker for as long as the block runs; skip where there is no strace."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    ours, theirs = socket.socketpair()
    command = [sys.executable, "-m", "tests.faults.worker"]
    with ours, theirs, subprocess.Popen(command, cwd=ROOT, stdin=theirs.fileno()) as process:
        theirs.close()
        try:
            yield Worker(ours)
        finally:
            ours.close()
            process.wait(timeout=60)
