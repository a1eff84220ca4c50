"""Pictures in small, kept in one folder so that none is made twice. The oldest make room.

It may lose anything, and may be removed at any time; a disk that is full or away keeps nothing.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

MOST_BYTES = 256 << 20
_SWEEP = 16 << 20
"""Bytes that are added before somebody looks how many there are."""


class KeptPictures:
    """The folder. Safe to share between threads and processes."""

    def __init__(self, folder: Path, most_bytes: int = MOST_BYTES) -> None:
        self._folder = folder
        self._most = most_bytes
        self._added = _SWEEP

    def get(self, sha256: str, width: int) -> bytes | None:
        """Return the picture of a file, at most this wide, if it is kept."""
        try:
            return self._path(sha256, width).read_bytes()
        except OSError:
            return None

    def put(self, sha256: str, width: int, data: bytes) -> None:
        """Keep a picture, whole or not at all."""
        path = self._path(sha256, width)
        scratch = path.with_suffix(f".{os.urandom(6).hex()}")
        with suppress(OSError):
            self._folder.mkdir(mode=0o700, exist_ok=True)
            try:
                scratch.write_bytes(data)
                scratch.replace(path)
            finally:
                scratch.unlink(missing_ok=True)
            self._added += len(data)
            if self._added >= min(_SWEEP, self._most):
                self._added = 0
                self._sweep()

    def _path(self, sha256: str, width: int) -> Path:
        return self._folder / f"{sha256}-{width}.jpg"

    def _sweep(self) -> None:
        """Remove the oldest until the others fit."""
        with os.scandir(self._folder) as found:
            files = sorted((entry.stat().st_mtime_ns, entry.stat().st_size, entry.path) for entry in found)
        left = sum(size for _, size, _ in files)
        for _, size, path in files:
            if left <= self._most:
                return
            Path(path).unlink(missing_ok=True)
            left -= size
