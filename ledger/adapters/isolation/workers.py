"""The server's side: jobs go to children of one zygote, answers come back as JSON, whatever happens there.

* The zygote is started beforehand, and again when it has died; a job that died with it is an answer too;
* what a child says is bounded in size and in number, and nothing of it is believed here but that it is JSON;
* what ended a job has a stable code: ``verify.crashed``, ``verify.too-costly``, ``verify.timeout``.
"""

from __future__ import annotations

import logging
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Self

import ledger
from ledger.adapters.isolation import child, frames, zygote
from ledger.adapters.isolation.frames import FrameError, Json
from ledger.adapters.isolation.limits import Limits
from ledger.core.text import escaped
from ledger.errors import UndecidedError

_LOG = logging.getLogger("rakkan.isolation")

_START_SECONDS = 60.0
_GRACE = 5.0
"""Seconds that a child may be late by the clock here, before the zygote itself is given up."""
_QUESTIONS = 2
"""How often a child may ask something."""
_BOOT = "import sys; sys.path.insert(0, sys.argv[1]); from {} import main; main()"


@dataclass(frozen=True, slots=True)
class _Zygote:
    process: subprocess.Popen[bytes]
    control: socket.socket

    def stop(self) -> None:
        """End it, and with it every child."""
        self.control.close()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(_GRACE)
        self.process.kill()
        self.process.wait()


class Workers:
    """Runs jobs. ``module`` has a ``main`` that calls ``zygote.main``; ``config`` is what that prepares from.

    Safe to share between threads. Leave the ``with`` block to end the zygote and every job. The zygote starts
    with the first job, or when it is told that one is coming.
    """

    def __init__(self, module: str, config: Json, limits: Limits) -> None:
        self._module = module
        self._config = config
        self._limits = limits
        self._lock = Lock()
        self._zygote: _Zygote | None = None
        self._ready: _Zygote | None = None
        self.refused: tuple[str, ...] | None = None
        """The hardening that the kernel refused; ``None`` before the first job."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            if self._zygote is not None:
                self._zygote.stop()
            self._zygote = self._ready = None

    def start(self) -> None:
        """Start the zygote where none runs, and do not wait for it: what it loads takes half a second."""
        if self._zygote is None and self._lock.acquire(blocking=False):  # who holds it starts one
            try:
                with suppress(OSError):  # the job is told, when it comes
                    self._started()
            finally:
                self._lock.release()

    @property
    def pid(self) -> int | None:
        """The number of the process that all children come from."""
        return self._zygote.process.pid if self._zygote is not None else None

    def run(self, job: Json, folder: Path, answer: Callable[[Json], Json]) -> Json:
        """Return what a child makes of the job, in this folder; ``answer`` is asked what it asks.

        Raises ``UndecidedError`` (``verify.crashed``, ``verify.too-costly``, ``verify.timeout``).
        """
        ours, theirs = socket.socketpair()
        reader, writer = os.pipe()
        with ours, os.fdopen(reader, "rb") as end:
            try:
                used = self._hand_over(theirs.fileno(), writer)
            finally:
                theirs.close()
                os.close(writer)
            deadline = time.monotonic() + self._limits.seconds + _GRACE
            said = _talk(ours, {**job, "folder": str(folder)}, answer, deadline)
            ours.close()
            ended = end.read().decode() if self._ends(used, end.fileno(), deadline) else ""
        if said == child.TOO_COSTLY:
            raise _too_costly()
        if said is None or not isinstance(said.get("answer"), dict):
            fault = escaped(str((said or {}).get("fault", "")))
            _LOG.warning("A job ended without an answer (%s). %s", ended or "no end told", fault)
            raise _failure(ended)
        found: Json = said["answer"]
        return found

    def _hand_over(self, channel: int, told: int) -> _Zygote:
        with self._lock:
            for _ in range(2):  # a zygote that has died since the last job is started again
                with suppress(OSError, FrameError):
                    found = self._settled()
                    socket.send_fds(found.control, [b"j"], [channel, told])
                    return found
                self._give_up()
        raise _failure("")

    def _settled(self) -> _Zygote:
        """Return the zygote when it is ready for jobs."""
        found = self._started()
        if found is not self._ready:
            said = frames.receive(found.control, time.monotonic() + _START_SECONDS)
            found.control.settimeout(None)
            self.refused = tuple(map(str, said["refused"]))
            if self.refused:
                _LOG.warning("Here the kernel refuses, for strangers' files: %s.", ", ".join(self.refused))
            self._ready = found
        return found

    def _started(self) -> _Zygote:
        if self._zygote is None:
            with ExitStack() as undone:
                ours, theirs = socket.socketpair()
                undone.enter_context(ours)
                with theirs:
                    root = str(Path(ledger.__file__).parents[1])
                    boot = _BOOT.format(self._module)
                    # An environment of its own; and no threads, which would not survive a fork.
                    process = subprocess.Popen(
                        [sys.executable, "-I", "-c", boot, root, str(theirs.fileno())],
                        pass_fds=[theirs.fileno()],
                        stdin=subprocess.DEVNULL,
                        stdout=subprocess.DEVNULL,
                        env={"PATH": os.environ.get("PATH", os.defpath), "OPENBLAS_NUM_THREADS": "1"},
                        cwd="/",
                    )
                undone.pop_all()
            self._zygote = _Zygote(process, ours)
            with suppress(OSError):  # one that is dead already is found out by its silence
                frames.send(ours, {"limits": self._limits.to_json(), "config": self._config})
        return self._zygote

    def _give_up(self) -> None:
        if self._zygote is not None:
            self._zygote.process.kill()
            self._zygote.stop()
        self._zygote = self._ready = None

    def _ends(self, used: _Zygote, end: int, deadline: float) -> bool:
        """Whether the child's end was told in time; a zygote that tells nothing is ended itself."""
        poll = select.poll()
        poll.register(end, select.POLLIN)
        if poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
            return True
        with self._lock:
            if used is self._zygote:
                self._give_up()
        return False


def _talk(channel: socket.socket, job: Json, answer: Callable[[Json], Json], deadline: float) -> Json | None:
    """Return the child's last words, ``None`` when there are none that can be used."""
    try:
        frames.send(channel, job)
        for _ in range(_QUESTIONS + 1):
            said = frames.receive(channel, deadline)
            if "ask" not in said:
                return said
            frames.send(channel, answer(said["ask"]))
    except (FrameError, OSError):
        pass
    return None


def _failure(ended: str) -> UndecidedError:
    if ended == zygote.TIMEOUT:
        return UndecidedError("verify.timeout", "To examine the file took longer than is allowed here.")
    if ended == f"{zygote.ENDED} {-signal.SIGXCPU}":
        return _too_costly()
    return UndecidedError("verify.crashed", "The process that examined the file broke down.")


def _too_costly() -> UndecidedError:
    return UndecidedError("verify.too-costly", "To examine the file takes more than is allowed here.")
