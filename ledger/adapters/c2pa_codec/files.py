"""Files as the codec opens them, and what goes wrong with them, by name.

* A source is a regular, non-empty file, opened once; whether it changed meanwhile is asked at the end;
* a target is made new, and removed again if anything fails before it is complete;
* nothing is flushed to the disk here.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

from ledger.errors import RefusedError, UsageError
from ledger.service.files import reading_errors

Part = bytes | memoryview


@dataclass(frozen=True, slots=True)
class Source:
    """A file open for reading, unbuffered, and what it was like when it was opened."""

    path: Path
    file: FileIO
    opened: os.stat_result

    def check_unchanged(self) -> None:
        """Return if nobody wrote to the file since. Raises ``RefusedError("file.changed")``."""
        now = os.fstat(self.file.fileno())
        if (now.st_size, now.st_mtime_ns) != (self.opened.st_size, self.opened.st_mtime_ns):
            raise RefusedError(
                "file.changed", f"{self.path} changed while it was being read.", path=self.path
            )


@contextmanager
def source(path: Path) -> Iterator[Source]:
    """Open a file. Raises ``UsageError`` (``file.missing``, ``.unreadable``, ``.not-a-file``, ``.empty``)."""
    with reading_errors(path), FileIO(path, opener=_open_at_once) as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise UsageError("file.not-a-file", f"{path} is not a regular file.", path=path)
        if status.st_size == 0:
            raise UsageError("file.empty", f"{path} has no bytes.", path=path)
        yield Source(path, file, status)


def _open_at_once(path: str, flags: int) -> int:
    # Opening a named pipe would otherwise wait for a writer for ever.
    return os.open(path, flags | os.O_NONBLOCK)


@contextmanager
def target(path: Path) -> Iterator[FileIO]:
    """Make a new file, open for writing and reading; leaving the block with an error removes it.

    Raises ``RefusedError`` (``target.exists``, ``target.no-space``, ``target.not-writable``).
    """
    try:
        file = FileIO(path, "x+")
    except FileExistsError as error:
        raise RefusedError("target.exists", f"{path} is already there.", path=path) from error
    except OSError as error:
        raise _target_error(path, error) from error
    try:
        with file:
            yield file
    except BaseException as error:
        path.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise _target_error(path, error) from error
        raise


def _target_error(path: Path, error: OSError) -> RefusedError:
    full = error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
    code = "target.no-space" if full else "target.not-writable"
    return RefusedError(code, f"{path} cannot be written.", path=path, reason=error)


def write(file: FileIO, parts: Sequence[Part]) -> None:
    """Write the parts one after the other. Raises ``OSError``, which ``target`` names."""
    for part in parts:
        rest = memoryview(part)
        while rest:  # one call writes at most 2 GiB
            rest = rest[os.write(file.fileno(), rest) :]
