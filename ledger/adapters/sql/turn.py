"""Whose turn it is to write to a SQLite log: a lock on ``<database>.writer`` that says who holds it.

* The kernel gives the lock up when its holder dies, however it dies.
* The file holds one line about the holder, for the others' error message. It is emptied before the lock is
  given up, so that a line never names somebody who has left. It is advice: nothing depends on it.
* The lock comes before ``BEGIN IMMEDIATE``, which would stop two writers as well, but not say which.
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
from pathlib import Path

from ledger.errors import RefusedError

_PAUSE = 0.002
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
    try:
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        code = "log.disk-full" if error.errno in _FULL else "log.storage"
        raise RefusedError(code, f"The writer's lock cannot be made: {error.strerror}.", path=path) from error
    try:
        _wait(lock, busy_seconds)
        # A full disk takes the lock, but not the line.
        with suppress(OSError):
            os.ftruncate(lock, 0)  # the line of a holder that died
            os.pwrite(lock, _me(), 0)
        try:
            yield
        finally:
            with suppress(OSError):
                os.ftruncate(lock, 0)
    finally:
        os.close(lock)


def program() -> str:
    """Return the name of this program and, of ours, its command; never another argument: it may be secret."""
    path = Path(sys.argv[0] or sys.executable)
    if path.name != "rakkan" and path.parts[-2:] != ("ledger", "__main__.py"):
        return path.name
    command = sys.argv[1] if len(sys.argv) > 1 and _COMMAND.fullmatch(sys.argv[1]) else ""
    return f"rakkan {command}".rstrip()


def _wait(lock: int, busy_seconds: float) -> None:
    end = time.monotonic() + busy_seconds
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= end:
                raise _busy(os.pread(lock, _LINE, 0)) from None
            time.sleep(_PAUSE)
        else:
            return


def _me() -> bytes:
    me = {
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "program": program(),
        "since": datetime.now(UTC).strftime("%H:%M:%SZ"),
    }
    return json.dumps(me).encode() + b"\n"


def _busy(line: bytes) -> RefusedError:
    try:
        held = json.loads(line)
        who = {name: str(held[name]) for name in ("program", "pid", "host", "since")}
    except (ValueError, KeyError, TypeError):
        return RefusedError("log.busy", "Another process is writing to this log.")
    words = "{program}, process {pid} on host {host}, since {since}".format(**who)
    return RefusedError("log.busy", f"The log is being written to by {words}.", **who)
