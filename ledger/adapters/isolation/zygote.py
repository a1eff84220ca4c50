"""The process that has loaded everything that a job needs, and forks one child for each.

* It is started with ``python -I``, moves into namespaces of its own, and only then loads libraries: whoever
  has threads cannot move. Nothing that does not survive a fork is made before it;
* a job comes as two file descriptors: the channel to the child, and a pipe that is told how the child ended;
* a child and all that it started are one process group. When the child ends, or its time is over, the group
  is killed, before the child's number can belong to anybody else;
* when the server goes away, so does everything here.
"""

from __future__ import annotations

import gc
import os
import selectors
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from ledger.adapters.isolation import child, frames, kernel
from ledger.adapters.isolation.child import Work
from ledger.adapters.isolation.frames import FrameError, Json
from ledger.adapters.isolation.limits import Limits, limit_processes

ENDED, TIMEOUT = "ended", "timeout"


@dataclass(slots=True)
class _Job:
    """A child: its number, the pipe that dies with it, where its end is told, and until when it may live."""

    pid: int
    life: int
    told: int
    deadline: float
    late: bool = False


def main(prepare: Callable[[Json], Work]) -> NoReturn:
    """Serve the control socket whose number is the last argument. ``prepare`` gets the configuration."""
    control = socket.socket(fileno=int(sys.argv[-1]))
    separated = kernel.separate()
    if separated:
        first = os.fork()
        if first:
            control.close()
            os.waitpid(first, 0)
            os._exit(0)
        kernel.die_with_parent(signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of the terminal: the server says when to end
    with suppress(FrameError, OSError):  # a server that ends while this one begins is no fault
        _begin(control, prepare, separated=separated)
    os._exit(0)


def _begin(control: socket.socket, prepare: Callable[[Json], Work], *, separated: bool) -> None:
    said = frames.receive(control)
    limits = Limits(**said["limits"])
    if separated:
        limit_processes(limits)
    work = prepare(said["config"])
    kernel.programs()
    hardening = _granted()
    refused = [] if separated else [kernel.NAMESPACES]
    refused += [name for name in (kernel.LANDLOCK, kernel.SECCOMP) if name not in hardening]
    gc.collect()
    gc.freeze()  # a collection in a child would copy every page that it touches
    frames.send(control, {"refused": refused})
    _Zygote(control, limits, hardening, work).serve()


def _granted() -> list[str]:
    """Return what the kernel grants to a child, by asking it in one that does nothing else."""
    reader, writer = os.pipe()
    with tempfile.TemporaryDirectory() as folder:
        pid = os.fork()
        if not pid:
            refused = kernel.confine(Path(folder))
            os.write(writer, " ".join({kernel.LANDLOCK, kernel.SECCOMP} - set(refused)).encode())
            os._exit(0)
        os.close(writer)
        with os.fdopen(reader, "rb") as pipe:
            granted = pipe.read().decode().split()
        os.waitpid(pid, 0)
    return granted


class _Zygote:
    def __init__(
        self, control: socket.socket, limits: Limits, hardening: Collection[str], work: Work
    ) -> None:
        self._control = control
        self._limits = limits
        self._hardening = hardening
        self._work = work
        self._jobs: dict[int, _Job] = {}
        self._poll = selectors.DefaultSelector()
        self._poll.register(control, selectors.EVENT_READ)

    def serve(self) -> None:
        """Fork for every job until the server is gone; then kill what is left."""
        while True:
            for key, _ in self._poll.select(self._patience()):
                if key.fileobj is not self._control:
                    self._finish(self._jobs[key.fd])
                elif not self._start():
                    for job in list(self._jobs.values()):
                        self._finish(job)
                    return
            now = time.monotonic()
            for job in self._jobs.values():
                if job.deadline <= now and not job.late:
                    job.late = True
                    os.killpg(job.pid, signal.SIGKILL)  # its life ends, and `_finish` follows

    def _patience(self) -> float | None:
        deadlines = [job.deadline for job in self._jobs.values() if not job.late]
        return max(0.0, min(deadlines) - time.monotonic()) if deadlines else None

    def _start(self) -> bool:
        found: list[int] = []
        with suppress(ConnectionResetError):  # the server was killed: as if it had ended
            _, found, _, _ = socket.recv_fds(self._control, 1, 2)
        if len(found) != 2:
            return False
        channel, told = found
        reader, writer = os.pipe()
        pid = os.fork()
        if not pid:
            self._become_child(channel, writer)
        with suppress(OSError):  # the child did it first
            os.setpgid(pid, pid)
        os.close(channel)
        os.close(writer)
        self._jobs[reader] = _Job(pid, reader, told, time.monotonic() + self._limits.seconds)
        self._poll.register(reader, selectors.EVENT_READ)
        return True

    def _become_child(self, channel: int, life: int) -> NoReturn:
        code = 1
        try:
            os.setpgid(0, 0)
            nothing = os.open(os.devnull, os.O_RDWR)
            for standard in range(3):
                os.dup2(nothing, standard)
            _close_all_but(0, 1, 2, channel, life)
            child.run(channel, self._limits, self._hardening, self._work)
            code = 0
        finally:
            os._exit(code)

    def _finish(self, job: _Job) -> None:
        """Kill the group, take the child's end, and tell it."""
        with suppress(ProcessLookupError):
            os.killpg(job.pid, signal.SIGKILL)
        _, status = os.waitpid(job.pid, 0)
        code = os.waitstatus_to_exitcode(status)
        with suppress(OSError):
            os.write(job.told, (TIMEOUT if job.late else f"{ENDED} {code}").encode())
        self._poll.unregister(job.life)
        os.close(job.life)
        os.close(job.told)
        del self._jobs[job.life]


def _close_all_but(*kept: int) -> None:
    start = 0
    for number in (*sorted(kept), os.sysconf("SC_OPEN_MAX")):
        if start < number:  # of an empty range Python makes one without an end
            os.closerange(start, number)
        start = number + 1
