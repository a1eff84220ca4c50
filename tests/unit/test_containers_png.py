import struct

import pytest

from ledger.core.containers import png
from ledger.errors import MalformedError
from tests.support.media import chunk

IHDR = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
IDAT = chunk(b"IDAT", b"pixels")
IEND = chunk(b"IEND", b"")
PLAIN = png.SIGNATURE + IHDR + IDAT + IEND


def test_a_file_without_a_manifest() -> None:
    layout = png.layout(PLAIN)
    assert (layout.insert_at, layout.removed, layout.store) == (33, (), None)
    head, tail = layout.split(PLAIN)
    assert (b"".join(head), b"".join(tail)) == (PLAIN[:33], PLAIN[33:])


@pytest.mark.parametrize(
    ("before", "after"),
    [(IHDR, IDAT + IEND), (IHDR + IDAT, IEND), (IHDR, IDAT + IEND + b"bytes after the end")],
    ids=["behind IHDR", "behind IDAT", "with bytes after the end"],
)
def test_the_store_that_is_there_is_found_and_left_out(before: bytes, after: bytes) -> None:
    data = png.SIGNATURE + before + png.frame(b"the store") + after
    layout = png.layout(data)
    assert layout.store == b"the store"
    head, tail = layout.split(data)
    assert b"".join(head + tail) == png.SIGNATURE + before + after
    assert b"".join(head) == data[:33]


def test_the_frame_is_a_chunk() -> None:
    assert png.frame(b"the store") == chunk(b"caBX", b"the store")


def test_two_stores_are_refused() -> None:
    twice = PLAIN[:33] + png.frame(b"one") + png.frame(b"two") + PLAIN[33:]
    with pytest.raises(MalformedError) as caught:
        png.layout(twice)
    assert caught.value.code == "manifest.malformed"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GIF89a",
        png.SIGNATURE,
        png.SIGNATURE + IDAT + IEND,
        png.SIGNATURE + IHDR + IDAT,
        PLAIN[:-1],
        png.SIGNATURE + IHDR + struct.pack(">I", 2**31) + b"IDAT",
        *(PLAIN[:end] for end in range(8, len(PLAIN), 7)),
    ],
)
def test_no_png(data: bytes) -> None:
    with pytest.raises(MalformedError) as caught:
        png.layout(data)
    assert caught.value.code == "file.malformed"
