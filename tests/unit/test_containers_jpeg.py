import struct

import pytest

from ledger.core.containers import jpeg
from ledger.errors import MalformedError


def segment(marker: int, content: bytes) -> bytes:
    return b"\xff" + bytes([marker]) + struct.pack(">H", len(content) + 2) + content


def store(size: int = 100) -> bytes:
    """Bytes that begin like a manifest store of this size."""
    return struct.pack(">I", size) + b"jumb\x00\x00\x00\x1ejumdc2pa" + bytes(size - 20)


SOI, SCAN, EOI = b"\xff\xd8", segment(0xDA, b"\x01") + b"entropy\xff\x00", b"\xff\xd9"
JFIF, EXIF, DQT = segment(0xE0, b"JFIF\x00"), segment(0xE1, b"Exif\x00\x00"), segment(0xDB, bytes(65))
XMP = segment(0xE1, b"http://ns.adobe.com/xap/1.0/\x00<x/>")
OTHER_BOX = segment(0xEB, b"JP\x02\x11\x00\x00\x00\x01" + struct.pack(">I", 40) + b"jumb" + bytes(32))


@pytest.mark.parametrize(
    ("header", "leading"),
    [(b"", b""), (JFIF, JFIF), (EXIF, EXIF), (JFIF + EXIF, JFIF + EXIF), (XMP, b""), (JFIF + XMP, JFIF)],
    ids=["nothing", "JFIF", "Exif", "both", "XMP only", "JFIF and XMP"],
)
def test_the_manifest_goes_behind_what_must_stand_first(header: bytes, leading: bytes) -> None:
    layout = jpeg.layout(SOI + header + DQT + SCAN + EOI)
    assert (layout.insert_at, layout.removed, layout.store) == (2 + len(leading), (), None)


@pytest.mark.parametrize("size", [100, 64_000, 64_001, 200_000])
def test_a_store_of_any_size_comes_back(size: int) -> None:
    framed = jpeg.frame(store(size))
    data = SOI + JFIF + framed + DQT + SCAN + EOI
    layout = jpeg.layout(data)
    assert layout.store == store(size)
    head, tail = layout.split(data)
    assert b"".join(head) == SOI + JFIF
    assert b"".join(tail) == DQT + SCAN + EOI
    assert layout.frame(store(size)) == framed


def test_every_segment_repeats_the_box_head_and_counts() -> None:
    framed = jpeg.frame(store(130_000))
    first, second, third = framed[:64_012], framed[64_012 : 2 * 64_012 + 8], framed[2 * 64_012 + 8 :]
    assert [part[:2] for part in (first, second, third)] == [b"\xff\xeb"] * 3
    assert [struct.unpack(">H", part[2:4])[0] for part in (first, second, third)] == [64_010, 64_018, 2_018]
    assert [part[4:12] for part in (first, second, third)] == [
        b"JP\x02\x11\x00\x00\x00" + n for n in (b"\x01", b"\x02", b"\x03")
    ]
    assert [part[12:20] for part in (first, second, third)] == [store(130_000)[:8]] * 3


def test_another_box_keeps_its_instance_number() -> None:
    layout = jpeg.layout(SOI + OTHER_BOX + SCAN + EOI)
    assert (layout.removed, layout.store) == ((), None)
    assert layout.frame(store())[6:8] == b"\x02\x12"


def test_segments_apart_are_all_taken_out() -> None:
    framed = jpeg.frame(store(70_000))
    first, second = framed[:64_012], framed[64_012:]
    data = SOI + first + DQT + second + SCAN + EOI
    layout = jpeg.layout(data)
    assert layout.store == store(70_000)
    assert b"".join(b"".join(part) for part in layout.split(data)) == SOI + DQT + SCAN + EOI


def test_fill_bytes_before_a_marker() -> None:
    data = SOI + JFIF + b"\xff\xff" + DQT + SCAN + EOI
    assert jpeg.layout(data).insert_at == 2 + len(JFIF)


FRAMED = jpeg.frame(store(70_000))
DAMAGED = {
    "two stores": jpeg.frame(store()) + jpeg.frame(store(), instance=9),
    "a segment is missing": FRAMED[:64_012],
    "segments in the wrong order": FRAMED[64_012:] + FRAMED[:64_012],
    "a segment twice": FRAMED + FRAMED[64_012:],
    "a store longer than it says": jpeg.frame(store() + b"more"),
}


@pytest.mark.parametrize("framing", DAMAGED.values(), ids=DAMAGED.keys())
def test_damaged_framing(framing: bytes) -> None:
    with pytest.raises(MalformedError) as caught:
        jpeg.layout(SOI + JFIF + framing + SCAN + EOI)
    assert caught.value.code == "manifest.malformed"


NO_JPEG = {
    "empty": b"",
    "another format": b"\x89PNG",
    "only the beginning": SOI,
    "no scan": SOI + JFIF,
    "no end": SOI + JFIF + SCAN,
    "a segment past the end": SOI + b"\xff\xe0\xff\xff",
    "a segment shorter than its length field": SOI + b"\xff\xe0\x00\x01" + SCAN + EOI,
    "no marker": SOI + JFIF + b"\x00\x00\x00\x00" + SCAN + EOI,
    "fill bytes to the end": SOI + b"\xff" * 9,
}


@pytest.mark.parametrize("data", NO_JPEG.values(), ids=NO_JPEG.keys())
def test_no_jpeg(data: bytes) -> None:
    with pytest.raises(MalformedError) as caught:
        jpeg.layout(data)
    assert caught.value.code == "file.malformed"
