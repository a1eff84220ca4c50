"""The manifest in a JPEG: JUMBF in APP11 segments (ISO 19566-5 Annex D; C2PA 2.4, "Embedding in JPEG").

* A store longer than one segment continues in the next ones: same box instance number, packet sequence
  numbers counted from 1, the box's length and type repeated at the head of each;
* the segments go in behind the leading JFIF and Exif segments: both formats ask to stand first;
* the box instance number is one that no other JUMBF box of the file uses;
* only segments before the first scan are looked at. No writer puts a store behind it; a file that has one
  there would be sealed with two, which every reader refuses.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import takewhile
from typing import NamedTuple

from ledger.core.containers.layout import Layout
from ledger.errors import MalformedError

APP0, APP1, APP11, SOS = 0xE0, 0xE1, 0xEB, 0xDA
INSTANCE = 0x0211
"""The box instance number that C2PA writers use by habit."""
SEGMENT_DATA = 64_000
"""Store bytes per segment: below the 65,535 that the length field allows, as other C2PA writers do."""


class _Segment(NamedTuple):
    """One marker segment: marker, where it starts (its 0xFF) and stops, where its content starts."""

    marker: int
    start: int
    stop: int
    content: int


def layout(data: bytes) -> Layout:
    """Say where the manifest is and goes. Raises ``MalformedError`` (``file.malformed``, ``manifest.``…)."""
    segments = list(_segments(data))
    boxes = [segment for segment in segments if _is_jumbf(data, segment)]
    mine = _store_segments(data, boxes)
    taken = {_instance(data, box) for box in boxes if box not in mine}
    leading = list(takewhile(lambda segment: _stands_first(data, segment), segments))
    return Layout(
        insert_at=leading[-1].stop if leading else 2,
        removed=tuple((segment.start, segment.stop) for segment in mine),
        store=_joined(data, mine) if mine else None,
        frame=partial(frame, instance=next(n for n in range(INSTANCE, INSTANCE + 0xFFFF) if n not in taken)),
    )


def frame(store: bytes, instance: int = INSTANCE) -> bytes:
    """Return the APP11 segments that hold this store."""
    parts: list[bytes] = []
    for sequence, offset in enumerate(range(0, len(store), SEGMENT_DATA), start=1):
        content = store[offset : offset + SEGMENT_DATA]
        if sequence > 1:
            content = store[:8] + content
        head = b"JP" + instance.to_bytes(2, "big") + sequence.to_bytes(4, "big")
        length = 2 + len(head) + len(content)
        parts += (b"\xff\xeb", length.to_bytes(2, "big"), head, content)
    return b"".join(parts)


def _segments(data: bytes) -> Iterator[_Segment]:
    """Yield the marker segments before the first scan, having checked that the scan and its end are there."""
    if data[:2] != b"\xff\xd8":
        raise MalformedError("file.malformed", "The JPEG does not begin with SOI.")
    start = 2
    while True:
        at = start
        while data[at : at + 2] == b"\xff\xff":  # fill bytes (ITU-T T.81 §B.1.1.2)
            at += 1
        stop = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if data[at : at + 1] != b"\xff" or stop > len(data) or stop < at + 4:
            raise MalformedError(
                "file.malformed", "The JPEG ends or breaks in the middle of its header.", offset=at
            )
        marker = data[at + 1]
        if marker == SOS:
            if data.rfind(b"\xff\xd9", at) < 0:
                raise MalformedError("file.malformed", "The JPEG ends before its last scan does.")
            return
        yield _Segment(marker, start, stop, at + 4)
        start = stop


def _stands_first(data: bytes, segment: _Segment) -> bool:
    exif = data[segment.content : segment.content + 5] == b"Exif\x00"
    return segment.marker == APP0 or (segment.marker == APP1 and exif)


def _is_jumbf(data: bytes, segment: _Segment) -> bool:
    """Whether the segment is a JPEG-XT box segment with room for the box header that each one repeats."""
    content = segment.content
    return segment.marker == APP11 and data[content : content + 2] == b"JP" and segment.stop - content > 16


def _instance(data: bytes, segment: _Segment) -> int:
    return int.from_bytes(data[segment.content + 2 : segment.content + 4], "big")


def _store_segments(data: bytes, boxes: list[_Segment]) -> list[_Segment]:
    """Return the segments of the C2PA box, in order."""
    first = [
        box
        for box in boxes
        if data[box.content + 24 : box.content + 28] == b"c2pa" and _sequence(data, box) == 1
    ]
    if not first:
        return []
    if len(first) > 1:
        raise MalformedError("manifest.malformed", "The JPEG holds more than one manifest store.")
    mine = [box for box in boxes if _instance(data, box) == _instance(data, first[0])]
    if [_sequence(data, box) for box in mine] != list(range(1, len(mine) + 1)):
        raise MalformedError("manifest.malformed", "The segments of the manifest store are out of order.")
    return mine


def _sequence(data: bytes, segment: _Segment) -> int:
    return int.from_bytes(data[segment.content + 4 : segment.content + 8], "big")


def _joined(data: bytes, segments: list[_Segment]) -> bytes:
    parts = [data[segments[0].content + 8 : segments[0].stop]]
    parts += [data[segment.content + 16 : segment.stop] for segment in segments[1:]]
    store = b"".join(parts)
    if int.from_bytes(store[:4], "big") != len(store):
        raise MalformedError("manifest.malformed", "The manifest store's length and its segments disagree.")
    return store
