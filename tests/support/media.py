"""Small real files of every format, and hand-made ones where no encoder is at hand.

``make(format, path)`` writes one; ``FORMATS`` says which formats embed a manifest and which take a sidecar.
The picture is the same deterministic noise everywhere, so lossless formats can be compared.
"""

import io
import json
import random
import struct
import subprocess
import zlib
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from shutil import which
from typing import Any

import numpy as np
import OpenEXR
import pytest
from PIL import Image

SIZE = (48, 32)
FFMPEG = which("ffmpeg")


@cache
def noise(mode: str = "RGB", size: tuple[int, int] = SIZE, seed: int = 1) -> Image.Image:
    """A picture that no codec finds easy."""
    count = size[0] * size[1] * len(Image.new(mode, (1, 1)).getbands())
    return Image.frombytes(mode, size, random.Random(seed).randbytes(count))


def picture_bytes(kind: str, image: Image.Image | None = None, **options: Any) -> bytes:
    """One encoded picture."""
    buffer = io.BytesIO()
    (image or noise()).save(buffer, kind, **options)
    return buffer.getvalue()


def _pillow(kind: str, path: Path, **options: Any) -> None:
    path.write_bytes(picture_bytes(kind, **options))


def png16(path: Path, size: tuple[int, int] = SIZE, *, alpha: bool = False) -> None:
    """A 16-bit RGB(A) PNG, written by hand: Pillow cannot."""
    width, height = size
    row = width * (8 if alpha else 6)
    raw = b"".join(b"\x00" + random.Random(y).randbytes(row) for y in range(height))
    head = struct.pack(">IIBBBBB", width, height, 16, 6 if alpha else 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(raw)), (b"IEND", b""))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunk(kind, data) for kind, data in chunks))


def chunk(kind: bytes, data: bytes) -> bytes:
    """One PNG chunk."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def ffmpeg(
    path: Path, *options: str, source: tuple[str, ...] = ("-f", "lavfi", "-i", "testsrc2=s=64x48:r=5:d=1")
) -> None:
    """One file by ffmpeg; skips the test where there is none."""
    if FFMPEG is None:
        pytest.skip("ffmpeg is not installed")
    command = [FFMPEG, "-nostdin", "-v", "error", "-y", *source, *options, str(path)]
    subprocess.run(command, check=True)


def _sound(path: Path, *options: str) -> None:
    ffmpeg(path, *options, source=("-f", "lavfi", "-i", "sine=duration=0.3"))


def _svg(path: Path) -> None:
    path.write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><rect width="8" height="8"/></svg>\n'
    )


def _pdf(path: Path) -> None:
    """The smallest PDF with one empty page and a right cross-reference table."""
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 72 72] >>",
    )
    data, offsets = b"%PDF-1.7\n", []
    for number, body in enumerate(objects, 1):
        offsets.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    trailer = (
        b"xref\n0 4\n0000000000 65535 f \n%strailer\n<< /Size 4 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
    )
    path.write_bytes(data + trailer % (table, len(data)))


def exr(path: Path, seed: int = 1, size: tuple[int, int] = SIZE, **header: object) -> None:
    """A half-float RGB EXR."""
    generator = np.random.default_rng(seed)
    channels = {name: generator.random(size[::-1]).astype("float16") for name in "RGB"}
    head = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage, **header}
    with OpenEXR.File(head, channels) as file:
        file.write(str(path))


def psd(path: Path) -> None:
    """An 8-bit RGB PSD with its merged picture only, by hand: Pillow reads but does not write them."""
    width, height = SIZE
    head = b"8BPS" + struct.pack(">H6xHIIHH", 1, 3, height, width, 8, 3)
    planes = b"".join(band.tobytes() for band in noise().split())
    path.write_bytes(head + bytes(12) + b"\x00\x00" + planes)


def _safetensors(path: Path) -> None:
    head = json.dumps({"w": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}}).encode()
    path.write_bytes(struct.pack("<Q", len(head)) + head + bytes(range(16)))


def _text(path: Path) -> None:
    path.write_text("a robot paints a lantern\n")


def _animated(kind: str, path: Path) -> None:
    frames = [noise(seed=seed) for seed in (1, 2, 3)]
    frames[0].save(path, kind, save_all=True, append_images=frames[1:], duration=40, lossless=True)


def _jpeg_exif_icc(path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "Rakkan"
    _pillow("JPEG", path, exif=exif, icc_profile=bytes(3000))


EMBED: dict[str, tuple[str, Callable[[Path], None]]] = {
    "png": ("image/png", partial(_pillow, "PNG")),
    "png-16bit": ("image/png", png16),
    "png-palette": ("image/png", partial(_pillow, "PNG", image=noise().quantize(16))),
    "apng": ("image/png", partial(_animated, "PNG")),
    "jpg": ("image/jpeg", partial(_pillow, "JPEG", quality=95)),
    "jpg-progressive": ("image/jpeg", partial(_pillow, "JPEG", progressive=True)),
    "jpg-cmyk": ("image/jpeg", partial(_pillow, "JPEG", image=noise("CMYK"))),
    "jpg-grey": ("image/jpeg", partial(_pillow, "JPEG", image=noise("L"))),
    "jpg-exif-icc": ("image/jpeg", _jpeg_exif_icc),
    "webp": ("image/webp", partial(_pillow, "WEBP", lossless=True)),
    "webp-animated": ("image/webp", partial(_animated, "WEBP")),
    "gif": ("image/gif", partial(_pillow, "GIF", image=noise().quantize(64))),
    "svg": ("image/svg+xml", _svg),
    "tif": ("image/tiff", partial(_pillow, "TIFF")),
    "tif-lzw": ("image/tiff", partial(_pillow, "TIFF", compression="tiff_lzw")),
    "dng": ("image/x-adobe-dng", partial(_pillow, "TIFF", tiffinfo={50706: b"\x01\x04\x00\x00"})),
    "avif": ("image/avif", partial(_pillow, "AVIF", quality=90)),
    "mp4": ("video/mp4", lambda path: ffmpeg(path, "-c:v", "libx264", "-f", "mp4")),
    "mp4-faststart": (
        "video/mp4",
        lambda path: ffmpeg(path, "-c:v", "libx264", "-movflags", "+faststart", "-f", "mp4"),
    ),
    "mov": ("video/quicktime", lambda path: ffmpeg(path, "-c:v", "prores_ks", "-f", "mov")),
    "m4a": ("audio/mp4", lambda path: _sound(path, "-c:a", "aac", "-f", "ipod")),
    "wav": ("audio/wav", lambda path: _sound(path, "-f", "wav")),
    "avi": ("video/x-msvideo", lambda path: ffmpeg(path, "-c:v", "ffv1", "-f", "avi")),
    "mp3": ("audio/mpeg", lambda path: _sound(path, "-c:a", "libmp3lame", "-f", "mp3")),
    "flac": ("audio/flac", lambda path: _sound(path, "-f", "flac")),
    "pdf": ("application/pdf", _pdf),
}
"""Formats that carry their manifest: name to media type and maker. The part before ``-`` is the extension."""

SIDECAR: dict[str, tuple[str, Callable[[Path], None]]] = {
    "exr": ("image/x-exr", exr),
    "dpx": (
        "image/x-dpx",
        lambda path: ffmpeg(path, "-frames:v", "1", "-pix_fmt", "rgb24", "-f", "image2pipe", "-c:v", "dpx"),
    ),
    "psd": ("image/vnd.adobe.photoshop", psd),
    "bmp": ("image/bmp", partial(_pillow, "BMP")),
    "tga": ("image/x-tga", partial(_pillow, "TGA")),
    "mkv": ("video/x-matroska", lambda path: ffmpeg(path, "-c:v", "ffv1", "-f", "matroska")),
    "mxf": ("application/mxf", lambda path: ffmpeg(path, "-c:v", "mpeg2video", "-r", "25", "-f", "mxf")),
    "ogg": ("audio/ogg", lambda path: _sound(path, "-c:a", "flac", "-f", "ogg")),
    "txt": ("text/plain", _text),
    "safetensors": ("application/octet-stream", _safetensors),
}
"""Formats that take a sidecar."""

FORMATS = EMBED | SIDECAR
NEEDS_FFMPEG = frozenset(
    {"mp4", "mp4-faststart", "mov", "m4a", "wav", "avi", "mp3", "flac", "dpx", "mkv", "mxf", "ogg"}
)
"""What only ffmpeg writes. Everything else is made everywhere, and its tests never skip."""


def makeable() -> list[str]:
    """Return the formats that this machine can make."""
    return [name for name in FORMATS if FFMPEG is not None or name not in NEEDS_FFMPEG]


def require(name: str) -> None:
    """Skip the test, with the reason, where the format cannot be made."""
    if name not in makeable():
        pytest.skip(f"ffmpeg is not installed: no {name}")


def make(name: str, folder: Path, stem: str = "picture") -> Path:
    """Write one file of this format, under a name that says so, and return its path."""
    path = folder / f"{stem}.{name.split('-', 1)[0].replace('apng', 'png')}"
    FORMATS[name][1](path)
    return path
