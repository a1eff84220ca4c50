"""Finding a manifest store without the C2PA library, so that limits hold before the library parses anything.

* PNG and JPEG are walked exactly, which also tells a truncated file; ISO BMFF is walked by its outer boxes; a
  GIF's store lies in sub-blocks, an SVG's is base64; the others (TIFF, RIFF, MP3, FLAC, PDF) hold it in one
  piece, found by the store's first bytes;
* a store that is larger or fuller than any real one is ``manifest.too-large``;
* not finding a store here means nothing: the library decides whether there is one. A hostile file may hide
  its store from this search; whoever verifies strangers' files sets limits of time and memory for that.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import IO

from ledger.core.containers import formats, jpeg, jumbf, png
from ledger.errors import MalformedError

WALKS = {formats.PNG: png.layout, formats.JPEG: jpeg.layout}
"""Formats whose manifest is found, taken out and put in by our own walk."""

_BMFF = frozenset(
    {"image/avif", "image/heic", "image/heif", "image/jxl", "video/mp4", "video/quicktime", "audio/mp4"}
)
_STORE_HEAD = b"jumdc2pa\x00\x11\x00\x10\x80\x00\x00\xaa\x00\x38\x9b\x71"
_BEFORE_HEAD = 12
"""The store's own length and type, and the length of its description box, stand before ``jumd``."""
_UUID = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
_GIF_BLOCK = b"\x21\xff\x0bC2PA_GIF\x01\x00\x00"
_SVG_ELEMENT = re.compile(rb"<c2pa:manifest[^>]*>([^<]*)<")
_CHUNK = 1024 * 1024


def check_limits(media_type: str, asset: IO[bytes]) -> bool:
    """Return whether a store was found, with the asset rewound, or raise ``MalformedError``.

    ``manifest.too-large`` and ``manifest.malformed`` for a store that no reader should open, and
    ``file.malformed`` for a PNG or JPEG that is no such file.
    """
    found = False
    for store in candidates(media_type, asset):
        jumbf.manifests(store)
        found = True
    asset.seek(0)
    return found


def candidates(media_type: str, asset: IO[bytes]) -> Iterator[bytes]:
    """Yield every piece of the asset that looks like a manifest store."""
    if media_type in WALKS:
        store = WALKS[media_type](asset.read()).store
        if store is not None:
            yield store
    elif media_type in _BMFF:
        yield from _in_boxes(asset)
    elif media_type == "image/gif":
        yield from _in_gif(asset.read())
    elif media_type == "image/svg+xml":
        yield from _in_svg(asset.read())
    else:
        yield from _in_one_piece(asset)


def _in_one_piece(asset: IO[bytes]) -> Iterator[bytes]:
    """Yield what stands behind each store head, as long as its own length field says and the file has."""
    overlap = len(_STORE_HEAD) + _BEFORE_HEAD
    start, window = 0, b""
    while chunk := asset.read(_CHUNK):
        window += chunk
        at = window.find(_STORE_HEAD, _BEFORE_HEAD)
        if at >= 0:
            yield _store_at(asset, start + at - _BEFORE_HEAD)
            start, window = start + at + 1, b""
            asset.seek(start)
            continue
        start += max(0, len(window) - overlap)
        window = window[-overlap:]


def _store_at(asset: IO[bytes], offset: int) -> bytes:
    asset.seek(offset)
    length = int.from_bytes(asset.read(4), "big")
    if length > jumbf.MAX_STORE:
        raise MalformedError("manifest.too-large", "The manifest store is too large.", size=length)
    asset.seek(offset)
    return asset.read(length)


def _in_boxes(asset: IO[bytes]) -> Iterator[bytes]:
    """Walk the outer boxes (ISO/IEC 14496-12 §4.2) and look into those with the C2PA identifier."""
    start = 0
    while True:
        asset.seek(start)
        head = asset.read(32)
        length = int.from_bytes(head[:4], "big")
        if length == 1:
            length = int.from_bytes(head[8:16], "big")
        if len(head) < 32 or length < 8:  # the last box may say 0: up to the end of the file
            return
        if head[4:8] == b"uuid" and _UUID in (head[8:24], head[16:32]):
            # Behind the identifier: version, purpose, offset of the Merkle box (C2PA 2.4, "uuid" box).
            asset.seek(start)
            box = asset.read(min(length, jumbf.MAX_STORE + _CHUNK))
            at = box.find(_STORE_HEAD)
            if at >= _BEFORE_HEAD:
                yield _store_at(asset, start + at - _BEFORE_HEAD)
        start += length


def _in_gif(data: bytes) -> Iterator[bytes]:
    """Join the sub-blocks (GIF89a §15) of each C2PA application extension."""
    at = data.find(_GIF_BLOCK)
    while at >= 0:
        at += len(_GIF_BLOCK)
        parts: list[bytes] = []
        while at < len(data) and data[at]:
            parts.append(data[at + 1 : at + 1 + data[at]])
            at += 1 + data[at]
        yield b"".join(parts)
        at = data.find(_GIF_BLOCK, at)


def _in_svg(data: bytes) -> Iterator[bytes]:
    for text in _SVG_ELEMENT.findall(data):
        try:
            yield base64.b64decode(text, validate=False)
        except binascii.Error as error:
            raise MalformedError("manifest.malformed", "The SVG's manifest is not base64.") from error
