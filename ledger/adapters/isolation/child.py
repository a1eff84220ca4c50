"""One job in a process of its own: it gives up what it does not need, and only then looks at the file.

The zygote forks it. It never returns: it says its answer as JSON and ends.
"""

from __future__ import annotations

import os
import socket
import sys
import tempfile
import traceback
from collections.abc import Callable, Collection
from pathlib import Path

from ledger.adapters.isolation import frames, kernel, limits
from ledger.adapters.isolation.frames import Json
from ledger.adapters.isolation.limits import Limits

Ask = Callable[[Json], Json]
Work = Callable[[Json, Ask], Json]
"""Does a job in the current folder, with one who can be asked; returns the answer. May die of it."""

TOO_COSTLY: Json = {"failed": "too-costly"}
_FAULT = 4_000
"""Characters of a stack trace, its end."""


def run(channel: int, held: Limits, hardening: Collection[str], work: Work) -> None:
    """Do the one job that comes over the channel. A failure ends the process: the zygote says how."""
    with socket.socket(fileno=channel) as line:
        job = frames.receive(line)
        said: Json = {}
        try:
            confine(Path(job["folder"]), held, hardening)
            said = {"answer": work(job, lambda question: _ask(line, question))}
        except MemoryError:
            said = TOO_COSTLY
        finally:
            # For the operator's log: the child has no other way to say what broke it.
            if not said:
                said = {"fault": traceback.format_exc()[-_FAULT:]}
            frames.send(line, said)


def confine(folder: Path, held: Limits, hardening: Collection[str]) -> None:
    """Leave this process its folder and what it may cost. Ends it when the kernel breaks its word."""
    os.chdir(folder)
    tempfile.tempdir = str(folder)
    limits.apply(held)
    if kernel.confine(folder, hardening):
        sys.exit("The kernel refuses what it granted before.")


def _ask(line: socket.socket, question: Json) -> Json:
    frames.send(line, {"ask": question})
    return frames.receive(line)
