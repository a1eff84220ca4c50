"""The manifest in a PNG: one ``caBX`` chunk (C2PA 2.4, "Embedding manifests into PNG").

* The chunk goes in right after IHDR (offset 33), where readers look first and no other chunk minds;
* the first chunk must be IHDR and the last one IEND; bytes after IEND are kept, they are part of the file;
* two ``caBX`` chunks are refused: readers disagree on which one counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from zlib import crc32

from ledger.core.containers.layout import Layout
from ledger.errors import MalformedError

SIGNATURE = b"\x89PNG\r\n\x1a\n"
CHUNK = b"caBX"
AFTER_IHDR = len(SIGNATURE) + 12 + 13


def layout(data: bytes) -> Layout:
    """Say where the manifest is and goes. Raises ``MalformedError`` (``file.malformed``, ``manifest.``…)."""
    found = [(start, stop) for kind, start, stop in _chunks(data) if kind == CHUNK]
    if len(found) > 1:
        raise MalformedError("manifest.malformed", "The PNG holds more than one manifest store.")
    store = data[found[0][0] + 8 : found[0][1] - 4] if found else None
    return Layout(AFTER_IHDR, tuple(found), store, frame)


def frame(store: bytes) -> bytes:
    """Return the chunk that holds this store: length, type, store, CRC-32 of type and store."""
    checksum = crc32(store, crc32(CHUNK))
    return b"".join((len(store).to_bytes(4, "big"), CHUNK, store, checksum.to_bytes(4, "big")))


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield ``(type, start, stop)`` of every chunk up to and with IEND."""
    if data[:8] != SIGNATURE or data[8:16] != b"\x00\x00\x00\x0dIHDR":
        raise MalformedError("file.malformed", "The PNG does not begin with its signature and IHDR.")
    start = len(SIGNATURE)
    while True:
        stop = start + 12 + int.from_bytes(data[start : start + 4], "big")
        kind = data[start + 4 : start + 8]
        if stop > len(data) or len(kind) < 4:
            raise MalformedError("file.malformed", "The PNG ends in the middle of a chunk.", offset=start)
        yield kind, start, stop
        if kind == b"IEND":
            return
        start = stop
