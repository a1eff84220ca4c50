"""Calls that have not ended, in the spool: what a killed process leaves there is spooled by the next one.

* A process keeps its calls in ``calls/PROCESS/`` and holds a lock on ``calls/PROCESS.lock`` for as long as it
  lives. The folder appears after the lock is held, so a folder whose lock is free belongs to a dead process.
* A call's file is replaced in one step, and goes once its record is in the spool. It is not forced to the
  disk: that costs milliseconds for every attempt, and a killed process takes nothing back that it wrote.

Standard library only; ``rakkan_capture`` lies beside it.
"""

from __future__ import annotations

import contextlib
import json
import os
import uuid
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ledger.hooks import rakkan_capture
else:
    import rakkan_capture

_own: dict[str, tuple[int, str, int]] = {}
"""By spool: the process that has it, its folder, and the handle whose lock says that it lives."""


class Kept:
    """A call that goes on. What cannot be written is counted in ``rakkan_capture.faults``."""

    def __init__(self, name: str) -> None:
        self._path: str | None = None
        if rakkan_capture.enabled():
            with _counted():
                self._path = os.path.join(_folder(), name + ".json")

    def write(self, record: Mapping[str, Any]) -> None:
        """Write the call as far as it has come, in one step."""
        if self._path is not None:
            with _counted():
                with open(self._path + ".tmp", "w", encoding="ascii") as file:
                    json.dump(record, file)
                os.replace(self._path + ".tmp", self._path)

    def drop(self) -> None:
        """Forget the call: its record is in the spool, or nothing was sent."""
        if self._path is not None:
            with contextlib.suppress(OSError):
                os.unlink(self._path)


def recover() -> list[dict[str, Any]]:
    """Spool the calls of processes that are dead, and return their records.

    One that was waiting for an answer is ``failed``; one that had its answer stands as that left it.
    """
    place, found = os.path.join(rakkan_capture.folder(), "calls"), []
    with contextlib.suppress(OSError):
        for name in sorted(os.listdir(place)):
            with contextlib.suppress(OSError, ValueError):
                if not name.endswith(".lock"):
                    found += _of_the_dead(os.path.join(place, name))
    return found


def _of_the_dead(folder: str) -> list[dict[str, Any]]:
    """Spool what is in the folder. Raises ``OSError`` when its process lives."""
    found = []
    handle = os.open(folder + ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        rakkan_capture._lock(handle)  # noqa: SLF001 - our own file
        for name in sorted(os.listdir(folder)):
            path = os.path.join(folder, name)
            if name.endswith(".tmp"):  # was being written; what it was to replace is there
                os.unlink(path)
                continue
            with open(path, encoding="ascii") as file:
                record = {**json.load(file), "failed": "killed"}
            if rakkan_capture.spool(record) is not None:
                os.unlink(path)
                found.append(record)
    finally:
        os.close(handle)
    with contextlib.suppress(OSError):  # what could not be spooled (a full disk) stays for another time
        os.rmdir(folder)
        os.unlink(folder + ".lock")
    return found


def _folder() -> str:
    """Return the folder of this process, which is alive as long as the lock is held."""
    place = os.path.join(rakkan_capture.folder(), "calls")
    pid, folder, _ = _own.get(place, (0, "", 0))
    if pid != os.getpid():  # a fork has calls of its own
        folder = os.path.join(place, "%d-%s" % (os.getpid(), uuid.uuid4().hex[:12]))
        os.makedirs(place, mode=0o700, exist_ok=True)
        handle = os.open(folder + ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        rakkan_capture._lock(handle)  # noqa: SLF001 - our own file
        os.mkdir(folder, 0o700)
        _own[place] = os.getpid(), folder, handle
    return folder


@contextlib.contextmanager
def _counted() -> Iterator[None]:
    try:
        yield
    except (OSError, TypeError, ValueError) as error:
        rakkan_capture.faults.append("%s: %s" % (type(error).__name__, error))
