"""EXIF and TIFF: one directory of tags and the one that it points to for EXIF's own.

* ``UserComment`` names its character code in its first eight bytes. ``UNICODE`` is UTF-16 in either order:
  the standard leaves it to the file's, many writers take the other one; the zero bytes tell.
* XMP, IPTC and Photoshop's resources in tags are handed on to their readers.
* The directories of thumbnails and of the maker are not followed. BigTIFF is not read.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO

from ledger.adapters.said import iptc
from ledger.adapters.said.carried import Carried, at, decoded

MAX_TAGS = 1000
_SIZES = {1: 1, 2: 1, 7: 1, 3: 2, 4: 4}
_EXIF, _XMP, _IPTC, _PHOTOSHOP = 0x8769, 0x02BC, 0x83BB, 0x8649
_USER_COMMENT = 0x9286
_NAMES = {
    0x010E: "ImageDescription",
    0x010F: "Make",
    0x0110: "Model",
    0x0131: "Software",
    0x013B: "Artist",
    0x8298: "Copyright",
    0x927C: "MakerNote",
    _USER_COMMENT: "UserComment",
}
_XP = {0x9C9B: "Title", 0x9C9C: "Comment", 0x9C9D: "Artist", 0x9C9E: "Keywords", 0x9C9F: "Subject"}


def take(file: BinaryIO, carried: Carried, where: str) -> None:
    """Take the texts of a TIFF structure that begins where the file does. Raises ``OSError``."""
    order = {b"II*\x00": "<", b"MM\x00*": ">"}.get(at(file, 0, 4))
    if order is None:
        carried.notes.add(f"{where} does not begin like TIFF, or is BigTIFF, and was not read")
        return
    (first,) = struct.unpack(f"{order}I", at(file, 4, 4).ljust(4, b"\0"))
    for tag, data in _tags(file, order, first, carried, where):
        if tag == _EXIF and len(data) == 4:
            (inner,) = struct.unpack(f"{order}I", data)
            for own, value in _tags(file, order, inner, carried, where):
                _take_tag(carried, where, own, value)
        else:
            _take_tag(carried, where, tag, data)


def _tags(
    file: BinaryIO, order: str, offset: int, carried: Carried, where: str
) -> Iterator[tuple[int, bytes]]:
    """Yield the tags of a directory that hold bytes or texts, and the pointers."""
    (count,) = struct.unpack(f"{order}H", at(file, offset, 2).ljust(2, b"\0"))
    table = at(file, offset + 2, 12 * min(count, MAX_TAGS))
    for start in range(0, len(table) - 11, 12):
        tag, kind, number, value = struct.unpack(f"{order}HHI4s", table[start : start + 12])
        size = _SIZES.get(kind, 0) * number
        if tag not in _NAMES and tag not in _XP and tag not in (_EXIF, _XMP, _IPTC, _PHOTOSHOP):
            continue
        if 0 < size <= 4:
            yield tag, value[:size]
        elif size and carried.fits(f"{where} tag {tag:#06x}", size):
            yield tag, at(file, struct.unpack(f"{order}I", value)[0], size)


def _take_tag(carried: Carried, where: str, tag: int, data: bytes) -> None:
    if tag == _USER_COMMENT:
        carried.add(where, "UserComment", _user_comment(data))
    elif tag in _XP:
        carried.add(where, _XP[tag], data.decode("utf-16-le", errors="replace").rstrip("\x00"))
    elif tag == _XMP:
        carried.add(where, "XMP", decoded(data))
    elif tag == _IPTC:
        iptc.take(data, carried, where)
    elif tag == _PHOTOSHOP:
        iptc.take_resources(data, carried, where)
    elif tag in _NAMES:
        carried.add(where, _NAMES[tag], decoded(data))


def _user_comment(data: bytes) -> str:
    code, text = data[:8], data[8:]
    if code == b"UNICODE\x00":
        first, second = text[0:2000:2].count(0), text[1:2000:2].count(0)
        return text.decode("utf-16-be" if first >= second else "utf-16-le", errors="replace").rstrip("\x00")
    if code in (b"ASCII\x00\x00\x00", bytes(8)):
        return decoded(text)
    if code == b"JIS\x00\x00\x00\x00\x00":
        return text.decode("iso2022_jp", errors="replace")
    return decoded(data)
