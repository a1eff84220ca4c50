"""Containers with anything in them: a manifest that goes in comes out, and nothing else moves."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.core.containers import cose, formats, jpeg, jumbf, png
from ledger.core.containers.layout import Layout
from ledger.core.manifest import Reading
from ledger.errors import MalformedError, RakkanError
from tests.support import media
from tests.support.sealing import plan, workshop

STORES = st.binary(min_size=1, max_size=300)
KINDS = st.sampled_from([b"IDAT", b"tEXt", b"iCCP", b"zzZz"])
PNG_CHUNKS = st.lists(st.tuples(KINDS, st.binary(max_size=50)), max_size=6)
IHDR = media.chunk(b"IHDR", bytes(13))
MARKERS = st.sampled_from([0xE0, 0xE1, 0xE2, 0xEB, 0xDB, 0xC0, 0xC4, 0xFE])
JPEG_SEGMENTS = st.lists(st.tuples(MARKERS, st.binary(max_size=60)), max_size=6)


@given(PNG_CHUNKS, st.binary(max_size=20), STORES, STORES)
def test_png_round_trip(chunks: list[tuple[bytes, bytes]], end: bytes, first: bytes, second: bytes) -> None:
    body = b"".join(media.chunk(kind, data) for kind, data in chunks)
    data = png.SIGNATURE + IHDR + body + media.chunk(b"IEND", b"") + end
    assert _replaced(png.layout, data, first, second) == data


@given(JPEG_SEGMENTS, st.binary(max_size=50), STORES, st.integers(0, 150_000))
def test_jpeg_round_trip(segments: list[tuple[int, bytes]], scan: bytes, first: bytes, size: int) -> None:
    body = b"".join(
        b"\xff" + bytes([marker]) + (len(content) + 2).to_bytes(2, "big") + content
        for marker, content in segments
    )
    data = b"\xff\xd8" + body + b"\xff\xda\x00\x02" + scan + b"\xff\xd9"
    assert _replaced(jpeg.layout, data, _jumbf(first), _jumbf(bytes(size))) == data


def _jumbf(content: bytes) -> bytes:
    return (20 + len(content)).to_bytes(4, "big") + b"jumb\x00\x00\x00\x1ejumdc2pa" + content


def _replaced(layout: Callable[[bytes], Layout], data: bytes, first: bytes, second: bytes) -> bytes:
    """Put one store in, then another in its place; return what is left without them."""
    for store in (first, second):
        found = layout(data)
        head, tail = found.split(data)
        data = b"".join([*head, found.frame(store), *tail])
        assert layout(data).store == store
    return b"".join(b"".join(part) for part in layout(data).split(data))


@given(st.binary(max_size=400))
def test_walks_raise_only_what_they_say(data: bytes) -> None:
    for walk in (png.layout, jpeg.layout, jumbf.manifests):
        for prefix in (b"", png.SIGNATURE + IHDR, b"\xff\xd8"):
            try:
                walk(prefix + data)
            except MalformedError:
                continue
    leaf = cose.leaf_certificate(data)
    assert leaf is None or leaf in data
    assert "/" in formats.sniff(data, "name")


@pytest.mark.parametrize(
    "name", ["png", "jpg", "webp", "gif", "svg", "tif", "avif", "wav", "mp4", "pdf", "mp3"]
)
def test_hostile_bytes_never_break_the_codec(name: str, tmp_path: Path) -> None:
    """Any change to a sealed file gives a reading, nothing, or an error of ours."""
    shop = workshop()
    source = media.make(name, tmp_path)
    target = tmp_path / f"sealed{source.suffix}"
    store = shop.codec.seal_file(plan(media.FORMATS[name][0]), source, target, shop.credential).store
    sealed = target.read_bytes()
    hot = max(sealed.find(store[:40]), 0)

    @settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
    @given(
        st.lists(
            st.tuples(
                st.one_of(
                    st.integers(0, len(sealed) - 1), st.integers(hot, min(hot + len(store), len(sealed) - 1))
                ),
                st.binary(min_size=1, max_size=8),
            ),
            min_size=1,
            max_size=4,
        ),
        st.one_of(st.none(), st.integers(1, len(sealed))),
    )
    def mutate(edits: list[tuple[int, bytes]], cut: int | None) -> None:
        data = bytearray(sealed)
        for at, content in edits:
            data[at : at + len(content)] = content
        target.write_bytes(bytes(data[:cut]))
        try:
            reading = shop.codec.read(target, None, shop.anchors)
        except RakkanError:
            return
        assert reading is None or isinstance(reading, Reading)

    mutate()


@settings(max_examples=100)
@given(st.data())
def test_a_hostile_sidecar_never_breaks_the_codec(data: st.DataObject) -> None:
    shop = workshop()
    store = bytearray(_sidecar())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(store) - 1))
        content = data.draw(st.binary(min_size=1, max_size=8))
        store[at : at + len(content)] = content
    try:
        reading = shop.codec.read(Path(__file__), bytes(store), shop.anchors)
    except RakkanError:
        return
    assert isinstance(reading, Reading)


_SIDECARS: list[bytes] = []


def _sidecar() -> bytes:
    if not _SIDECARS:
        shop = workshop()
        _SIDECARS.append(shop.codec.seal_digest(plan("text/x-python"), "00" * 32, shop.credential))
    return _SIDECARS[0]
