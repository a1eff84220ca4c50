"""A zip file in one byte form: nothing compressed, nothing between the files, nothing that is not checked.

* Files are stored as they are, one behind the other from the first byte on; then the directory, then the end.
* Names are plain words of letters, digits, ``.``, ``_`` and ``-``, joined by ``/``; none begins with a dot,
  none is there twice. There are no links, folders or comments, one time, one mode, and no extra field but
  zip64's.
* Sizes and places beyond 4 GiB, and more than 65,534 files, are written as zip64 says (APPNOTE 4.3.14-16).
* A file is below 4 GiB: its header is known before its bytes.
* What does not format back to the same bytes is refused: so no byte of a zip is without meaning.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from ledger.errors import MalformedError

CODE = "bundle.malformed"
MAX_SIZE = 0xFFFFFFFE
"""Bytes of one file."""
MAX_FILES = 2_000_000
END_SIZE = 22
"""Bytes of the end record, which every zip ends with."""
END64_SIZE = 56 + 20
"""Bytes of zip64's two records before it."""

_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(?:/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")
_VERSION, _VERSION64, _UNIX = 20, 45, 3 << 8
_DATE = (1980 - 1980) << 9 | 1 << 5 | 1
_MODE = 0o100644 << 16
_LOCAL = struct.Struct("<4s5H3I2H")
_ENTRY = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_END64 = struct.Struct("<4sQ2H2I4Q")
_LOCATOR = struct.Struct("<4sIQI")
_FAR = struct.Struct("<2HQ")


@dataclass(frozen=True, slots=True)
class Member:
    """One file: its name, its size in bytes, the CRC-32 of them, and where its header begins."""

    name: str
    size: int
    crc: int
    offset: int

    @property
    def start(self) -> int:
        """Where its first byte lies."""
        return self.offset + _LOCAL.size + len(self.name)

    @property
    def stop(self) -> int:
        """Where its last byte was."""
        return self.start + self.size


@dataclass(frozen=True, slots=True)
class End:
    """Where the directory lies and how many files it lists."""

    count: int
    size: int
    offset: int


def check_name(name: str) -> None:
    """Return if a file in a zip may have this name. Raises ``MalformedError("bundle.malformed")``."""
    if not _NAME.fullmatch(name) or len(name) > 255:
        raise _malformed("a file in it has a name that none may have", name=name[:80])


def header(member: Member) -> bytes:
    """Return what stands before the file's bytes. Raises ``MalformedError`` for a file that is too large."""
    check_name(member.name)
    if member.size > MAX_SIZE:
        raise _malformed("a file in it is too large", name=member.name, size=member.size)
    sizes = (member.crc, member.size, member.size)
    return (
        _LOCAL.pack(b"PK\3\4", _VERSION, 0, 0, 0, _DATE, *sizes, len(member.name), 0) + member.name.encode()
    )


def directory(members: Sequence[Member], start: int) -> bytes:
    """Return the directory and the end, as they stand behind the last file; ``start`` is where that is."""
    listed = b"".join(map(_entry, members))
    end = End(len(members), len(listed), start)
    return listed + _end(end)


def read_end(tail: bytes, size: int) -> End:
    """Return what the end of a zip of ``size`` bytes says: ``tail`` are its last 98 bytes or all of it.

    Raises ``MalformedError("bundle.malformed")``.
    """
    if len(tail) < END_SIZE or not tail[-END_SIZE:].startswith(b"PK\5\6"):
        raise _malformed("it does not end as a zip does: it was cut short, or something stands behind it")
    *_, count, listed, offset, _ = _END.unpack(tail[-END_SIZE:])
    behind = tail[:-END_SIZE]
    if behind[-20:-16] == b"PK\6\7" and len(behind) >= END64_SIZE:
        *_, count, listed, offset = _END64.unpack(behind[-END64_SIZE:-20])
    end = End(count, listed, offset)
    if not tail.endswith(_end(end)) or end.offset + end.size + len(_end(end)) != size:
        raise _malformed("its end is not in the form of a bundle")
    if count > MAX_FILES:
        raise _malformed("it lists too many files", count=count)
    return end


def read_directory(data: bytes, end: End) -> tuple[Member, ...]:
    """Return the files that a directory lists, in order, one behind the other from the first byte on.

    Raises ``MalformedError("bundle.malformed")``.
    """
    members: list[Member] = []
    at = expected = 0
    for _ in range(end.count):
        member, at = _read_entry(data, at)
        if member.offset != expected:
            raise _malformed("something lies between its files", name=member.name)
        members.append(member)
        expected = member.stop
    names = {member.name for member in members}
    if len(names) != len(members) or expected != end.offset:
        raise _malformed("a name is there twice, or something lies behind its last file")
    if b"".join(map(_entry, members)) != data:
        raise _malformed("its directory is not in the form of a bundle")
    return tuple(members)


def _entry(member: Member) -> bytes:
    far = member.offset > MAX_SIZE
    extra = _FAR.pack(1, 8, member.offset) if far else b""
    version = _VERSION64 if far else _VERSION
    return (
        _ENTRY.pack(
            b"PK\1\2",
            _UNIX | version,
            version,
            0,
            0,
            0,
            _DATE,
            member.crc,
            member.size,
            member.size,
            len(member.name),
            len(extra),
            0,
            0,
            0,
            _MODE,
            0xFFFFFFFF if far else member.offset,
        )
        + member.name.encode()
        + extra
    )


def _read_entry(data: bytes, at: int) -> tuple[Member, int]:
    if len(data) < at + _ENTRY.size:
        raise _malformed("its directory is cut short")
    found = _ENTRY.unpack_from(data, at)
    crc, size, name_size, extra_size, offset = found[7], found[9], found[10], found[11], found[16]
    at += _ENTRY.size
    name = data[at : at + name_size].decode("ascii", errors="replace")
    check_name(name)
    extra = data[at + name_size : at + name_size + extra_size]
    if len(extra) == _FAR.size:
        *_, offset = _FAR.unpack(extra)
    return Member(name, size, crc, offset), at + name_size + extra_size


def _end(end: End) -> bytes:
    far = end.count > 0xFFFE or end.size > MAX_SIZE or end.offset > MAX_SIZE
    if not far:
        return _END.pack(b"PK\5\6", 0, 0, end.count, end.count, end.size, end.offset, 0)
    count, size, offset = min(end.count, 0xFFFF), min(end.size, 0xFFFFFFFF), min(end.offset, 0xFFFFFFFF)
    wide = (end.count, end.count, end.size, end.offset)
    return (
        _END64.pack(b"PK\6\6", _END64.size - 12, _UNIX | _VERSION64, _VERSION64, 0, 0, *wide)
        + _LOCATOR.pack(b"PK\6\7", 0, end.offset + end.size, 1)
        + _END.pack(b"PK\5\6", 0, 0, count, count, size, offset, 0)
    )


def _malformed(why: str, **evidence: object) -> MalformedError:
    return MalformedError(CODE, f"This is not an evidence bundle: {why}.", **evidence)
