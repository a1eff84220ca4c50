"""Files that were made to hurt whoever reads them. None is larger than a few megabytes."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import Any

from tests.support.media import chunk, noise, picture_bytes
from tests.support.sealing import credential, plan, stranger

PNG = b"\x89PNG\r\n\x1a\n"
MANY = 10_000
HTML = "<script>alert(1)</script>"
BIDI = "\u202egnp.exe\u2066"
FORMULA = "=cmd|'/c calc'!A1"


def _png(*chunks: tuple[bytes, bytes]) -> bytes:
    return PNG + b"".join(chunk(kind, data) for kind, data in chunks)


def _header(width: int, height: int, depth: int = 8) -> tuple[bytes, bytes]:
    return b"IHDR", struct.pack(">IIBBBBB", width, height, depth, 2, 0, 0, 0)


def huge_png() -> bytes:
    """100,000 by 100,000 in a few bytes."""
    return _png(_header(100_000, 100_000), (b"IDAT", zlib.compress(bytes(100_000))), (b"IEND", b""))


def deflate_bomb() -> bytes:
    """A picture of the largest size that is decoded, all of one colour: 400 MB in 400 KB."""
    packer, row = zlib.compressobj(9), bytes(1 + 3 * 16_384)
    packed = b"".join(packer.compress(row * 64) for _ in range(128)) + packer.flush()
    return _png(_header(16_384, 8_192), (b"IDAT", packed), (b"IEND", b""))


def text_bomb() -> bytes:
    """Compressed text of a gigabyte beside a small picture."""
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(bytes(1 << 24)) for _ in range(64)) + packer.flush()
    small = zlib.compress(bytes(4 * 13))
    return _png(_header(4, 4), (b"zTXt", b"Comment\0\0" + packed), (b"IDAT", small), (b"IEND", b""))


def deep_png() -> bytes:
    """Sixteen bits a sample, large: goes to ffmpeg."""
    packer, row = zlib.compressobj(9), bytes(1 + 6 * 16_384)
    packed = b"".join(packer.compress(row) for _ in range(8_192)) + packer.flush()
    return _png(_header(16_384, 8_192, 16), (b"IDAT", packed), (b"IEND", b""))


def zip_bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("[Content_Types].xml", bytes(200 << 20))
    return out.getvalue()


def laughing_svg() -> bytes:
    """Ten entities, each ten of the one before."""
    lines = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    return (
        f'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY l0 "lol">{lines}]>'
        '<svg xmlns="http://www.w3.org/2000/svg"><text>&l9;</text></svg>'
    ).encode()


def outside_svg() -> bytes:
    """Asks for a file of the machine."""
    return (
        b'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
        b'<svg xmlns="http://www.w3.org/2000/svg"><text>&x;</text></svg>'
    )


def endless_gif() -> bytes:
    """A hundred thousand frames."""
    from PIL import Image

    one = io.BytesIO()
    Image.new("P", (2000, 2000)).save(one, "GIF")
    data = one.getvalue()
    head, frame = data[: 13 + 3 * 256], data[13 + 3 * 256 : -1]
    return head + frame * (4_000_000 // len(frame)) + b";"


def playlist() -> bytes:
    """Text that names other addresses, under the name of a film."""
    return b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"


def polyglot() -> bytes:
    """A picture and an archive at once."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("run.sh", "echo hello")
    return picture_bytes("PNG", noise(seed=994)) + out.getvalue()


def deep_boxes() -> bytes:
    """A film of boxes within boxes."""
    data = b"".join(struct.pack(">I", 8 * n) + b"moov" for n in range(100_000, 0, -1))
    return struct.pack(">I", 20) + b"ftypmp42\0\0\0\0mp42" + data


def endless_boxes() -> bytes:
    """A film whose boxes have no length, or more than there is."""
    return struct.pack(">I", 20) + b"ftypmp42\0\0\0\0mp42" + struct.pack(">IQ", 1, 1 << 62) + b"mdat" * 100


def many_assertions() -> bytes:
    """A sidecar with ten thousand assertions of one label: the library's time grows with their square."""
    return _repeated(_store({"org.rakkan.n": {"n": 1}}), b"org.rakkan.n", MANY)


def hostile_words() -> bytes:
    """A picture that a stranger sealed, with words in every place that takes any."""
    from dataclasses import replace

    words = HTML + BIDI + FORMULA + "\x00\x1b[2J" + "x" * 50_000
    said = {f"org.example.{n}": {"title": words, words[:40]: [words]} for n in range(3)}
    made = replace(plan(assertions=said), title=words)
    return _sealed(made)


def deep_assertion() -> bytes:
    """An assertion of values within values."""
    value: Any = "deep"
    for _ in range(100):
        value = {"v": value}
    return _sealed(plan(assertions={"org.example.deep": value}))


def deep_cbor() -> bytes:
    """A sidecar in which one assertion is a hundred thousand lists, each within the one before."""
    text = "y" * 100_000
    return _store({"org.example.deep": text}).replace(text.encode(), b"\x81" * len(text))


def _store(assertions: dict[str, Any]) -> bytes:
    return stranger().codec.seal_digest(
        plan(assertions=assertions), "ab" * 32, credential(stranger().issuing)
    )


def _sealed(made: Any) -> bytes:
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "a.png", Path(folder) / "b.png"
        source.write_bytes(picture_bytes("PNG", noise(seed=995)))
        stranger().codec.seal_file(made, source, target, credential(stranger().issuing))
        return target.read_bytes()


def _repeated(store: bytes, label: bytes, count: int) -> bytes:
    """Return the store with one assertion ``count`` times; the boxes around it grow."""
    at = store.index(label + b"\0")
    boxes = [(start, stop) for start, stop in _superboxes(store) if start <= at < stop]
    start, stop = boxes[-1]
    copies = store[start:stop] * (count - 1)
    grown = bytearray(store[:stop] + copies + store[stop:])
    for around, end in boxes[:-1]:
        grown[around : around + 4] = (end - around + len(copies)).to_bytes(4, "big")
    return bytes(grown)


def _superboxes(data: bytes, start: int = 0, stop: int | None = None) -> Iterator[tuple[int, int]]:
    """Yield where each superbox starts and stops, outer ones first."""
    stop = len(data) if stop is None else stop
    while start < stop:
        length = int.from_bytes(data[start : start + 4], "big")
        if data[start + 4 : start + 8] == b"jumb":
            yield start, start + length
            yield from _superboxes(data, start + 8, start + length)
        start += length


FILES: dict[str, Callable[[], bytes]] = {
    "huge.png": huge_png,
    "deflate.png": deflate_bomb,
    "text.png": text_bomb,
    "deep.png": deep_png,
    "bomb.zip": zip_bomb,
    "bomb.docx": zip_bomb,
    "laughing.svg": laughing_svg,
    "outside.svg": outside_svg,
    "endless.gif": endless_gif,
    "playlist.mp4": playlist,
    "playlist.m3u8": playlist,
    "polyglot.png": polyglot,
    "polyglot.zip": polyglot,
    "boxes.mp4": deep_boxes,
    "endless.mp4": endless_boxes,
    "words.png": hostile_words,
    "deep-assertion.png": deep_assertion,
    "zeros.exr": lambda: b"\x76\x2f\x31\x01" + bytes(5_000),
    "lies.exr": lambda: picture_bytes("PNG", noise(seed=991)),
    "lies.mp4": lambda: picture_bytes("JPEG", noise(seed=992)),
    "lies.pdf": lambda: picture_bytes("GIF", noise(seed=993)),
    "fake.pdf": lambda: b"%PDF-1.7\n" + b"1 0 obj<</Length 99999999>>stream\n" * 1000,
    "riff.webp": lambda: b"RIFF\xff\xff\xff\xffWEBPVP8 \xff\xff\xff\xff" + bytes(100),
    "riff.wav": lambda: b"RIFF\xff\xff\xff\xffWAVEfmt \xff\xff\xff\xff" + bytes(100),
    "bits.tif": lambda: b"II*\0\x08\0\0\0" + b"\xff\xff" + bytes(range(256)) * 40,
    "circle.tif": lambda: b"II*\0\x08\0\0\0\0\0\x08\0\0\0",
    "one.byte": lambda: b"\0",
    "script.html": lambda: HTML.encode() * 1000,
}
