"""A private place for strangers' files: each in a folder of its own, and nothing stays.

* Each process has its own place, which it holds by a lock: a place without one belongs to a process that was
  killed, and is emptied by whoever starts next;
* a file is hashed while it is written, and never grows beyond its limit.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Self

from ledger.errors import MalformedError, RefusedError

_LOCK = "held"


class Scratch:
    """A place below ``root``, from the first use of the ``with`` block to its end."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def __enter__(self) -> Self:
        """Empty what others left, and make a place of one's own. Raises ``OSError``."""
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        # One at a time: a place is there a moment before its lock, and another process would empty it.
        door = os.open(self._root, os.O_RDONLY)
        try:
            fcntl.flock(door, fcntl.LOCK_EX)
            for left in self._root.iterdir():
                _remove_unheld(left)
            self._place = Path(tempfile.mkdtemp(prefix="server-", dir=self._root))
            self._lock = (self._place / _LOCK).open("wb")
            fcntl.flock(self._lock, fcntl.LOCK_EX)
        finally:
            os.close(door)
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self._place, ignore_errors=True)
        self._lock.close()

    def folder(self) -> Path:
        """Return a new folder; ``discard`` it. Raises ``RefusedError("request.no-space")``."""
        with no_space():
            return Path(tempfile.mkdtemp(prefix="job-", dir=self._place))

    def discard(self, folder: Path) -> None:
        """Remove a folder with all that it holds."""
        shutil.rmtree(folder, ignore_errors=True)


class Sink:
    """A new file that takes bytes up to ``limit``. Close it before it is read."""

    def __init__(self, path: Path, limit: int) -> None:
        with no_space():
            self._file = path.open("xb")
        self._digest = sha256()
        self._limit = limit
        self.path = path
        self.size = 0

    def write(self, data: bytes) -> None:
        """Add bytes. Raises ``MalformedError("request.too-large")``, ``RefusedError("request.no-space")``."""
        self.size += len(data)
        if self.size > self._limit:
            raise MalformedError("request.too-large", "The file is too large.", limit=self._limit)
        self._digest.update(data)
        with no_space():
            self._file.write(data)

    def close(self) -> None:
        """Make the bytes readable for others."""
        with no_space():
            self._file.close()

    @property
    def sha256(self) -> str:
        """Return the digest (hex) of what was written."""
        return self._digest.hexdigest()


@contextmanager
def no_space() -> Iterator[None]:
    """Say that a disk is full as what it is: nobody's fault, and it passes."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        raise RefusedError("request.no-space", "There is no room for the file here at the moment.") from error


def _remove_unheld(place: Path) -> None:
    with suppress(OSError):
        handle = os.open(place / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(place, ignore_errors=True)
        finally:
            os.close(handle)
