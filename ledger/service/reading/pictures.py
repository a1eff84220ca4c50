"""Pictures of recorded files, in small, for who may see the work.

* The log says which files there are, by which names, and who may know of them: nobody's request names a path.
* A file is taken from the folders only if its bytes have the recorded digest, or that of the same file before
  or after its seal. The bytes that were hashed are the bytes that are decoded.
* Decoding happens apart: a recorded file may have come from anywhere. What comes back is a stranger's word.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from ledger.core.encoding import decode_base64
from ledger.errors import UndecidedError
from ledger.service.archive import Archive
from ledger.service.reading.files import find
from ledger.service.reading.pages import size_of
from ledger.service.reading.sight import Sight
from ledger.service.studio import Studio
from ledger.service.verifying import Runner

WIDTHS = (320, 960)
"""Pixels. No picture is wider, or higher."""
_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,8}")
_JPEG = b"\xff\xd8\xff"
_LARGEST = 1 << 20
_FAILED = 10_000
"""Files that nothing here decodes, that are remembered."""


class Folders(Protocol):
    """Where recorded files lie."""

    def copy(self, names: Collection[str], digests: Collection[str], target: Path) -> bool:
        """Copy a file with one of these names and digests; return whether there is one."""


class Kept(Protocol):
    """Pictures that were made before."""

    def get(self, sha256: str, width: int) -> bytes | None:
        """Return a picture that is kept."""

    def put(self, sha256: str, width: int, data: bytes) -> None:
        """Keep a picture."""


class Room(Protocol):
    """Where a file lies while it is decoded."""

    def folder(self) -> Path:
        """Return a new folder."""

    def discard(self, folder: Path) -> None:
        """Remove it with all that it holds."""


class Pictures:
    """Makes them, and remembers what cannot be made. Safe to share between threads."""

    def __init__(self, folders: Folders, kept: Kept, room: Room, runner: Runner) -> None:
        self._folders = folders
        self._kept = kept
        self._room = room
        self._runner = runner
        self._failed: set[str] = set()

    def known(self, studio: Studio, digest: str, width: int, sight: Sight) -> tuple[str, bytes | None]:
        """Return the SHA-256 of the file that a digest names, and its picture if that was made before.

        Raises as ``files.find``.
        """
        sha256, _ = find(studio, digest, size_of(studio), sight)
        return sha256, self._kept.get(sha256, width)

    def made(self, studio: Studio, sha256: str, width: int) -> bytes | None:
        """Return the picture of a file on record, as JPEG; ``None`` where it lies nowhere or does not decode.

        Raises ``RefusedError("request.no-space")``.
        """
        if sha256 in self._failed:
            return None
        archive = Archive(studio)
        names = {row.name.replace("\\", "/").rpartition("/")[2] for row in archive.rows(sha256)}
        same = (sha256, archive.sealed_as(sha256), archive.sealed_from(sha256))
        folder = self._room.folder()
        try:
            # Some formats are known by their names alone.
            suffixes = sorted(suffix for name in names if _SUFFIX.fullmatch(suffix := Path(name).suffix))
            file = folder / f"file{suffixes[0] if suffixes else ''}"
            if not self._folders.copy(names, {digest for digest in same if digest}, file):
                return None
            data = self._small(file, width)
        finally:
            self._room.discard(folder)
        if data is None:
            if len(self._failed) >= _FAILED:
                self._failed.clear()
            self._failed.add(sha256)
        else:
            self._kept.put(sha256, width, data)
        return data

    def _small(self, file: Path, width: int) -> bytes | None:
        job = {"small": file.name, "width": width}
        with suppress(UndecidedError):
            said = self._runner.run(job, file.parent, lambda _: {}).get("picture")
            data = decode_base64(said) if isinstance(said, str) else None
            if data and data.startswith(_JPEG) and len(data) <= _LARGEST:
                return data
        return None
