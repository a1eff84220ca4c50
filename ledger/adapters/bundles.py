"""Writing an evidence bundle: file by file onto the disk, never whole in memory. Form: ``core.zipped``."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from ledger.core.audit.bundle import File, Part
from ledger.core.zipped import Member, directory, header
from ledger.service.files import (
    discard,
    force_to_disk,
    reading_errors,
    replace,
    scratch_beside,
    writing_errors,
)

_PIECE = 1 << 20


def pieces(path: Path) -> Iterator[bytes]:
    """Yield a file's bytes. Raises ``UsageError`` with ``file.…``."""
    with reading_errors(path), path.open("rb") as file:
        while piece := file.read(_PIECE):
            yield piece


def write_bundle(target: Path, parts: Callable[[Sequence[File]], Iterable[Part]]) -> None:
    """Write the parts one behind the other; whole or not at all. ``parts`` may look at what was written.

    Raises ``RefusedError("target.…")``, and what the parts raise.
    """
    scratch = scratch_beside(target)
    try:
        with writing_errors(target), scratch.open("xb") as file:
            writer = _Writer(file)
            for path, data in parts(writer.files):
                writer.add(path, data)
            writer.end()
        force_to_disk(scratch)
        replace(scratch, target)
    except BaseException:
        discard(scratch)
        raise


def stored(parts: Iterable[tuple[str, bytes]]) -> bytes:
    """Return a zip of these files, in memory."""
    found, members, at = [], [], 0
    for name, data in parts:
        member = Member(name, len(data), zlib.crc32(data), at)
        found += [header(member), data]
        members.append(member)
        at = member.stop
    return b"".join((*found, directory(members, at)))


class _Writer:
    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._members: list[Member] = []
        self._at = 0
        self.files: list[File] = []

    def add(self, path: str, data: Iterable[bytes]) -> None:
        """Write a file: its header last, when its size and checksum are known."""
        empty = Member(path, 0, 0, self._at)
        self._file.write(header(empty))
        digest, crc, size = hashlib.sha256(), 0, 0
        for piece in data:
            digest.update(piece)
            crc = zlib.crc32(piece, crc)
            size += len(piece)
            self._file.write(piece)
        member = Member(path, size, crc, self._at)
        self._file.seek(self._at)
        self._file.write(header(member))
        self._at = member.stop
        self._file.seek(self._at)
        self._members.append(member)
        self.files.append(File(path, size, digest.hexdigest()))

    def end(self) -> None:
        """Write the directory."""
        self._file.write(directory(self._members, self._at))
