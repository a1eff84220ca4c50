"""A folder that appears whole or not at all: it is filled beside its place, and then renamed.

* It is filled in a hidden folder beside its place, which its writer holds by a lock. One without a lock was
  left by a writer that was killed, and is emptied by the next one: whoever was interrupted tries again.
* What lies in the place already stays as it is, unless it is an empty folder.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ledger.errors import RefusedError, UsageError
from ledger.service.files import sync_folder, writing_errors


@contextmanager
def new_folder(place: Path) -> Iterator[Path]:
    """Yield an empty folder; when the block ends well it is at ``place``, durable, with all that it holds.

    Raises ``UsageError("target.exists")``, ``RefusedError("report.busy")`` while somebody else fills it, and
    ``RefusedError("target.not-writable")``.
    """
    check_place(place)
    place = Path(os.path.abspath(place))  # noqa: PTH100 - a place that is a link stays one: `..` alone goes
    part = place.with_name(f".{place.name}.part")
    with writing_errors(place):
        part.mkdir(parents=True, exist_ok=True)
        lock = os.open(part, os.O_RDONLY | os.O_DIRECTORY)
    try:
        _hold(lock, part, place)
        try:
            yield part
            with writing_errors(place):
                _settle(part)
                part.rename(place)
                sync_folder(place.parent)
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise
    finally:
        os.close(lock)


def check_place(place: Path) -> None:
    """Return if a new folder may appear here. Raises ``UsageError("target.exists")``."""
    if place.is_symlink() or (place.exists() and not _is_empty_folder(place)):
        raise UsageError("target.exists", f"{place} is already there.", path=place)


def _hold(lock: int, part: Path, place: Path) -> None:
    """Take the part for oneself, and empty it."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise RefusedError("report.busy", f"{place} is being written by somebody else.", path=place) from None
    for left in part.iterdir():
        shutil.rmtree(left) if left.is_dir() and not left.is_symlink() else left.unlink()


def _is_empty_folder(place: Path) -> bool:
    return place.is_dir() and not any(place.iterdir())


def _settle(part: Path) -> None:
    """Return when all that the part holds is durable."""
    for folder, _, names in os.walk(part):
        for name in names:
            file = os.open(Path(folder) / name, os.O_RDONLY)
            try:
                os.fsync(file)
            finally:
                os.close(file)
        sync_folder(Path(folder))
