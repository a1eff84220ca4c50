"""The bundle as a file: opened strictly, read piece by piece. Form: ``core.zipped``."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from ledger.core.zipped import END64_SIZE, END_SIZE, Member, header, read_directory, read_end
from ledger.errors import IntegrityError, MalformedError

_PIECE = 1 << 20
MAX_READ = 1 << 31
"""Bytes of a file that is read whole."""
MAX_LINE = 1 << 17
"""Bytes of a line: an entry has at most 65,535."""


class Archive:
    """A bundle that is open for reading.

    Raises ``MalformedError("bundle.malformed")`` for what is no bundle.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        size = file.seek(0, 2)
        tail = self._at(max(0, size - END_SIZE - END64_SIZE), min(size, END_SIZE + END64_SIZE))
        end = read_end(tail, size)
        self.members = {item.name: item for item in read_directory(self._at(end.offset, end.size), end)}

    def __contains__(self, name: str) -> bool:
        return name in self.members

    def digest(self, name: str) -> str:
        """Return the SHA-256 (hex) of a file, whose header and checksum hold.

        Raises ``IntegrityError("bundle.altered")``.
        """
        member = self._member(name)
        expected = header(member)
        if (found := self._at(member.offset, len(expected))) != expected:
            stands = found[-len(name) :].decode("ascii", "replace")
            raise altered(name, f"what stands before it ({stands}) is not what the directory says")
        digest, crc = hashlib.sha256(), 0
        for piece in self.pieces(name):
            digest.update(piece)
            crc = zlib.crc32(piece, crc)
        if crc != member.crc:
            raise altered(name, "its bytes do not have the checksum that they had")
        return digest.hexdigest()

    def whole_digest(self) -> str:
        """Return the SHA-256 (hex) of the bundle itself."""
        found = hashlib.sha256()
        self._file.seek(0)
        while piece := self._file.read(_PIECE):
            found.update(piece)
        return found.hexdigest()

    def pieces(self, name: str) -> Iterator[bytes]:
        """Yield a file's bytes."""
        member = self._member(name)
        for at in range(member.start, member.stop, _PIECE):
            yield self._at(at, min(_PIECE, member.stop - at))

    def read(self, name: str) -> bytes:
        """Return a file whole. Raises ``MalformedError("bundle.malformed")`` for a missing or a huge one."""
        member = self._member(name)
        if member.size > MAX_READ:
            raise MalformedError("bundle.malformed", f"{name} is too large to be read.", size=member.size)
        return b"".join(self.pieces(name))

    def lines(self, name: str) -> Iterator[bytes]:
        """Yield a file's lines, each with its line break; the last one may lack it."""
        rest = b""
        for piece in self.pieces(name):
            *whole, rest = (rest + piece).split(b"\n")
            yield from (line + b"\n" for line in whole)
            if len(rest) > MAX_LINE:
                raise MalformedError("bundle.malformed", f"{name} has a line that is too long.")
        if rest:
            yield rest

    def _member(self, name: str) -> Member:
        found = self.members.get(name)
        if found is None:
            raise MalformedError("bundle.malformed", f"{name} is missing.", name=name)
        return found

    def _at(self, offset: int, size: int) -> bytes:
        self._file.seek(offset)
        return self._file.read(size)


def altered(name: str, why: str, **evidence: object) -> IntegrityError:
    """Return the error for a file that is not as it was."""
    return IntegrityError("bundle.altered", f"{name} was altered: {why}.", file=name, **evidence)
