"""The texts in PNG, JPEG, WebP, TIFF and PSD. Pixels are stepped over and never decoded.

* A length that the file states is believed only to find the next part: nothing of that size is allocated.
* What is compressed is unpacked up to the limit of a text, and no further.
* A file that is cut off gives what stood before the cut, and a note.
"""

from __future__ import annotations

import io
from contextlib import suppress
from typing import BinaryIO

from ledger.adapters.said import exif, iptc
from ledger.adapters.said.carried import Carried, at, decoded, inflated

MAX_PARTS = 200_000
"""Chunks or segments of one file. A film of PNGs has tens of thousands."""
_TEXT_CHUNKS = frozenset((b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"comf"))
"""The standard ones, and ComfyUI's own, in which its animated PNGs have what the others have in ``tEXt``."""
_EXIF = b"Exif\x00\x00"
_XMP = b"http://ns.adobe.com/xap/1.0/\x00"
_LONG_XMP = b"http://ns.adobe.com/xmp/extension/\x00"
_PHOTOSHOP = b"Photoshop 3.0\x00"
_ALONE = frozenset((0x01, *range(0xD0, 0xD8)))


def take_png(file: BinaryIO, carried: Carried) -> None:
    """Take every text chunk and EXIF. Raises ``OSError``."""
    start = 8
    for _ in range(MAX_PARTS):
        head = at(file, start, 8)
        if len(head) < 8:
            carried.notes.add("the PNG ends without its last chunk")
            return
        size, kind = int.from_bytes(head[:4], "big"), head[4:]
        if kind == b"IEND":
            return
        if kind in _TEXT_CHUNKS:
            where = f"PNG {kind.decode()}"
            if carried.fits(where, size):
                _take_chunk(carried, where, kind, at(file, start + 8, size))
        start += 12 + size
    carried.notes.add("the PNG has more chunks than are read")


def _take_chunk(carried: Carried, where: str, kind: bytes, data: bytes) -> None:
    if kind == b"eXIf":
        exif.take(io.BytesIO(data), carried, where)
        return
    name, _, rest = data.partition(b"\x00")
    key, text = decoded(name), rest
    if kind == b"zTXt":
        packed = rest[1:]
    elif kind == b"iTXt":
        packed = rest[2:].split(b"\x00", 2)[-1]  # behind the language and the key in it
        text = packed
    if kind == b"zTXt" or (kind == b"iTXt" and rest[:1] == b"\x01"):
        found = inflated(packed)
        if found is None:
            carried.notes.add(f"{where} {key[:80]} is damaged, or too large when unpacked, and was left out")
            return
        text = found
    if key.startswith("Raw profile type "):
        _take_raw_profile(carried, where, key, text)
    else:
        carried.add(where, key, decoded(text))


def _take_raw_profile(carried: Carried, where: str, key: str, text: bytes) -> None:
    """Take what ImageMagick and exiftool write: lines with a name, a length, and the profile in hex."""
    parts = text.strip().split(b"\n", 2)
    data = b""
    with suppress(ValueError):
        data = bytes.fromhex(parts[2].decode("ascii", "replace")) if len(parts) == 3 else b""
    kind = key.rpartition(" ")[2].lower()
    if kind in ("exif", "app1"):
        _take_app1(carried, where, data)
    elif kind in ("iptc", "8bim"):
        if data.startswith(b"8BIM"):
            iptc.take_resources(data, carried, where)
        else:
            iptc.take(data, carried, where)
    elif kind == "xmp":
        carried.add(where, "XMP", decoded(data))


def _take_app1(carried: Carried, where: str, data: bytes) -> None:
    if data.startswith(_XMP):
        carried.add(where, "XMP", decoded(data[len(_XMP) :]))
    else:
        exif.take(io.BytesIO(data.removeprefix(_EXIF)), carried, f"{where} EXIF")


def take_jpeg(file: BinaryIO, carried: Carried) -> None:
    """Take EXIF, XMP, IPTC and comments of the segments before the picture. Raises ``OSError``."""
    start = 2
    for _ in range(MAX_PARTS):
        head = at(file, start, 4)
        if len(head) < 4 or head[0] != 0xFF:
            carried.notes.add("the JPEG ends before its picture")
            return
        marker = head[1]
        if marker == 0xFF or marker in _ALONE:
            start += 1 if marker == 0xFF else 2
            continue
        if marker in (0xDA, 0xD9):
            return
        size = int.from_bytes(head[2:], "big")
        if marker in (0xE1, 0xED, 0xFE):
            _take_segment(carried, marker, at(file, start + 4, size - 2))
        start += 2 + max(size, 2)


def _take_segment(carried: Carried, marker: int, data: bytes) -> None:
    if marker == 0xFE:
        carried.add("JPEG", "Comment", decoded(data))
    elif marker == 0xED and data.startswith(_PHOTOSHOP):
        iptc.take_resources(data[len(_PHOTOSHOP) :], carried, "JPEG")
    elif data.startswith((_EXIF, _XMP)):
        _take_app1(carried, "JPEG", data)
    elif data.startswith(_LONG_XMP):
        carried.notes.add("XMP that goes on in a second segment was left out")


def take_webp(file: BinaryIO, carried: Carried) -> None:
    """Take EXIF and XMP. Raises ``OSError``."""
    start = 12
    for _ in range(MAX_PARTS):
        head = at(file, start, 8)
        if len(head) < 8:
            return
        size = int.from_bytes(head[4:], "little")
        if head[:4] in (b"EXIF", b"XMP ") and carried.fits("WebP", size):
            data = at(file, start + 8, size)
            if head[:4] == b"EXIF":
                _take_app1(carried, "WebP", data)
            else:
                carried.add("WebP", "XMP", decoded(data))
        start += 8 + size + size % 2


def take_tiff(file: BinaryIO, carried: Carried) -> None:
    """Take the tags of the first picture. Raises ``OSError``."""
    exif.take(file, carried, "TIFF")


def take_psd(file: BinaryIO, carried: Carried) -> None:
    """Take the image resources, behind the header and the colour table. Raises ``OSError``."""
    colours = int.from_bytes(at(file, 26, 4), "big")
    size = int.from_bytes(at(file, 30 + colours, 4), "big")
    if carried.fits("PSD resources", size):
        iptc.take_resources(at(file, 34 + colours, size), carried, "PSD")
