"""Telling a damaged file from one that nothing here decodes (docs/spec/pixels.md §6).

* A decoder's complaint counts as damage only where its words can mean nothing else: a variant that it does
  not know must never be called damaged;
* where a decoder says no more than "no", the container's own lengths are asked: one that reaches beyond the
  end of the file was cut off.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Literal

from PIL import UnidentifiedImageError


class DamagedError(Exception):
    """The decoder knows the format, and the data is cut off or corrupt."""


_PILLOW = re.compile(
    "truncated|broken data stream|unrecognized data stream|broken PNG|failed to read next frame"
    "|could not create decoder object|buffer overrun",
    re.IGNORECASE,
)
_FFMPEG = re.compile(
    "moov atom not found|error reading header|partial file|prematurely|corrupt (input packet|decoded frame)"
    "|Invalid data found|error while decoding|Invalid NAL unit size|Invalid strip size|IFD offset is greater"
    "|chunk too big|inflate returned error|Overread buffer|Packet too small|damaged at|Truncat",
    re.IGNORECASE,
)
_UNSUPPORTED = re.compile("not implemented|not supported|unsupported|decoder .*not found", re.IGNORECASE)
_EXR = re.compile("Unable to (query|run decoder|decode|read)")
_LIBTIFF_SURE = frozenset({"tiff_lzw", "tiff_adobe_deflate", "tiff_deflate", "packbits"})
"""Compressions that every libtiff has: with one of these, its bare "decoder error" means the data."""
_BOXES = frozenset({b"moov", b"mdat", b"ftyp", b"free", b"skip", b"wide", b"meta", b"moof", b"uuid"})
_BMFF = frozenset({"image/avif", "video/mp4", "video/quicktime"})


def pillow_says(error: Exception, compression: object = None) -> bool:
    """Whether Pillow's error is about the data. ``compression`` is Pillow's name of a TIFF's."""
    if isinstance(error, UnidentifiedImageError) or not isinstance(error, OSError | SyntaxError):
        return False
    if isinstance(error, OSError) and error.errno is not None:
        return False  # the system's, not the decoder's
    if "decoder error" in str(error):
        return compression in _LIBTIFF_SURE
    return _PILLOW.search(str(error)) is not None


def ffmpeg_says(complaints: str) -> bool:
    """Whether ffmpeg's complaints are about the data."""
    return _FFMPEG.search(complaints) is not None and _UNSUPPORTED.search(complaints) is None


def openexr_says(complaints: str) -> bool:
    """Whether what OpenEXR printed is about the data."""
    return _EXR.search(complaints) is not None and _UNSUPPORTED.search(complaints) is None


def cut_off(path: Path, head: bytes, media_type: str) -> bool:
    """Whether the container promises bytes behind the end of the file."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if media_type in _BMFF:
            return _boxes_cut_off(file.fileno(), size)
        if media_type == "image/tiff":
            return _directory_cut_off(file.fileno(), head, size)
    return False


def _boxes_cut_off(file: int, size: int) -> bool:
    """Walk the outer boxes (ISO/IEC 14496-12 §4.2); a length of 0 reaches to the end of the file."""
    start = 0
    while len(head := os.pread(file, 16, start)) >= 8:
        length = int.from_bytes(head[:4], "big")
        if length == 1:
            length = int.from_bytes(head[8:16], "big")
        if head[4:8] not in _BOXES or length < 8:
            return False
        start += length
    return start > size


def _directory_cut_off(file: int, head: bytes, size: int) -> bool:
    """Look for the first directory (TIFF 6.0 §2; BigTIFF has wider fields)."""
    order: Literal["little", "big"] = "little" if head[:2] == b"II" else "big"
    big = head[2:4] in {b"+\x00", b"\x00+"}
    offset = int.from_bytes(head[8:16] if big else head[4:8], order)
    counted, entry = (8, 20) if big else (2, 12)
    count = int.from_bytes(os.pread(file, counted, offset), order)
    return offset + counted + count * entry > size
