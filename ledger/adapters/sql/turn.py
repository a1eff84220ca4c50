"""Whose turn it is to write to a SQLite log: a lock on ``<database>.writer`` that says who holds it.

* The kernel gives the lock up when its holder dies, however it dies.
* The file holds one line about the holder, for the others' error message. It is emptied before the lock is
  given up, so that a line never names somebody who has left. It is advice: nothing depends on it.
* The lock comes before ``BEGIN IMMEDIATE``, which would stop two writers as well, but not say which.
* Who is next holds a second lock, ``<database>.next``, until its turn comes. So a writer that has just ended
  cannot be the next one again while another waits: of two busy processes neither starves.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import re
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from ledger.errors import RefusedError

_PAUSE = 0.002
_NEXT_PAUSE = 0.0005
"""Seconds between two looks: of everybody who waits, and of the one who is next."""
_LINE = 1024
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_COMMAND = re.compile(r"[a-z][a-z-]{0,30}")


@contextmanager
def writer_turn(database: Path, busy_seconds: float) -> Iterator[None]:
    """Hold the lock for as long as the block runs.

    Raises ``RefusedError("log.busy")`` when somebody else holds it for longer than ``busy_seconds``, with
    what is known of them; ``log.disk-full`` or ``log.storage`` when there can be no lock file.
    """
    path = database.with_name(f"{database.name}.writer")
    end = time.monotonic() + busy_seconds
    with _open(path) as lock:
        with _open(database.with_name(f"{database.name}.next")) as following:
            _wait(following, end, _PAUSE, lock)
            _wait(lock, end, _NEXT_PAUSE, lock)
        # A full disk takes the lock, but not the line.
        with suppress(OSError):
            os.ftruncate(lock, 0)  # the line of a holder that died
            os.pwrite(lock, _me(), 0)
        try:
            yield
        finally:
            with suppress(OSError):
                os.ftruncate(lock, 0)


@contextmanager
def _open(path: Path) -> Iterator[int]:
    """Open a file to lock; closing it gives the lock up."""
    try:
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        code = "log.disk-full" if error.errno in _FULL else "log.storage"
        raise RefusedError(code, f"The writer's lock cannot be made: {error.strerror}.", path=path) from error
    try:
        yield lock
    finally:
        os.close(lock)


def program() -> str:
    """Return the name of this program and, of ours, its command; never another argument: it may be secret."""
    path = Path(sys.argv[0] or sys.executable)
    if path.name != "rakkan" and path.parts[-2:] != ("ledger", "__main__.py"):
        return path.name
    command = sys.argv[1] if len(sys.argv) > 1 and _COMMAND.fullmatch(sys.argv[1]) else ""
    return f"rakkan {command}".rstrip()


def _wait(lock: int, end: float, pause: float, writer: int) -> None:
    """Take the lock, looking again after each pause. ``writer`` is the lock that names its holder."""
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= end:
                raise _busy(os.pread(writer, _LINE, 0)) from None
            time.sleep(pause)
        else:
            return


def _me() -> bytes:
    me = {**_process(os.getpid()), "since": datetime.now(UTC).strftime("%H:%M:%SZ")}
    return json.dumps(me).encode() + b"\n"


@lru_cache(maxsize=1)
def _process(number: int) -> dict[str, Any]:
    return {"pid": number, "host": socket.gethostname(), "program": program()}


def _busy(line: bytes) -> RefusedError:
    try:
        held = json.loads(line)
        who = {name: str(held[name]) for name in ("program", "pid", "host", "since")}
    except (ValueError, KeyError, TypeError):
        return RefusedError("log.busy", "Another process is writing to this log.")
    words = "{program}, process {pid} on host {host}, since {since}".format(**who)
    return RefusedError("log.busy", f"The log is being written to by {words}.", **who)
