"""What a forger does to the bytes of a sealed PNG. Used by the demo's attacks, and by nothing else.

A forger keeps every other byte as it was, and repairs lengths and checksums: a clumsy forgery proves nothing.
"""

from __future__ import annotations

import io
from collections.abc import Iterator

from PIL import Image

from ledger.core.containers import png
from ledger.core.manifest import LEDGER_ENTRY

_ASSERTIONS = "c2pa.assertions"


def flip_pixel(data: bytes, at: tuple[int, int]) -> bytes:
    """Return the PNG with one bit of one sample flipped, and the manifest it had."""
    with Image.open(io.BytesIO(data)) as opened:
        image = opened.convert(opened.mode)
    samples = image.getpixel(at)
    if isinstance(samples, tuple):
        image.putpixel(at, (samples[0] ^ 1, *samples[1:]))
    return put_manifest(_saved(image), manifest(data))


def strip(data: bytes) -> bytes:
    """Return the picture saved again without any metadata, as most web sites do."""
    with Image.open(io.BytesIO(data)) as opened:
        # Packed harder than the studio does: the same picture in other bytes.
        return _saved(opened.convert(opened.mode), packing=9)


def manifest(data: bytes) -> bytes:
    """Return the manifest store of a sealed PNG."""
    return png.layout(data).store or b""


def put_manifest(data: bytes, store: bytes) -> bytes:
    """Return the PNG with this manifest store instead of its own."""
    layout = png.layout(data)
    head, tail = layout.split(data)
    return b"".join((*head, layout.frame(store), *tail))


def swap_receipt(store: bytes, other: bytes) -> bytes:
    """Return the store with the ledger-entry assertion of another file's store in its active manifest."""
    path = (_last_label(store), _ASSERTIONS, LEDGER_ENTRY)
    donor = _find(other, (_last_label(other), _ASSERTIONS, LEDGER_ENTRY))
    return _replace(store, path, donor)


def _saved(image: Image.Image, packing: int = 6) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=packing)
    return out.getvalue()


def _children(box: bytes) -> Iterator[bytes]:
    """Yield the boxes inside a superbox (ISO 19566-5): 4 bytes of length, 4 of type, then the content."""
    at = 8
    while at < len(box):
        length = int.from_bytes(box[at : at + 4], "big")
        yield box[at : at + length]
        at += length


def _label(box: bytes) -> str:
    """Return a superbox's label: it follows header (8), type (16) and toggles (1), up to a zero."""
    description = next(_children(box), b"") if box[4:8] == b"jumb" else b""
    return description[25:].split(b"\x00", 1)[0].decode("utf-8", "replace")


def _last_label(store: bytes) -> str:
    return _label(list(_children(store))[-1])


def _find(box: bytes, path: tuple[str, ...]) -> bytes:
    for label in path:
        box = next(child for child in _children(box) if _label(child) == label)
    return box


def _replace(box: bytes, path: tuple[str, ...], new: bytes) -> bytes:
    if not path:
        return new
    children = [
        _replace(child, path[1:], new) if _label(child) == path[0] else child for child in _children(box)
    ]
    content = b"".join(children)
    return (8 + len(content)).to_bytes(4, "big") + box[4:8] + content
