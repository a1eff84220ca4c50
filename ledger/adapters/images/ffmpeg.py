"""Video frames, and still pictures deeper than 8 bits, through the ffmpeg program.

* The demuxer is forced from the file's first bytes and only local files may be opened: a playlist under a
  film's name cannot make ffmpeg read something else;
* RGB of 8 and 16 bits becomes what the same still picture gives; every other pixel format keeps its own
  samples and its own name, so no colour conversion can change a bit;
* frames are taken as they are stored: none doubled, none dropped, none rotated;
* any complaint of ffmpeg's is the end: half a film has no digest. What it says tells whether the file is
  damaged or only unknown (``damage``).
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from shutil import which
from typing import IO, Any, NoReturn

from PIL import Image

from ledger.adapters.images import damage, samples, stills
from ledger.adapters.images.stills import UnsupportedError

DEMUXERS = {
    "image/png": "png_pipe",
    "image/tiff": "tiff_pipe",
    "image/x-dpx": "dpx_pipe",
    "video/mp4": "mov",
    "video/quicktime": "mov",
    "video/x-matroska": "matroska",
    "video/x-msvideo": "avi",
    "application/mxf": "mxf",
}
# By ffmpeg's name of a pixel format, without its byte order: the packed form with the same samples that is
# asked for instead, its mode, its bytes for one pixel.
_EIGHT_BIT = {
    **dict.fromkeys(("rgb24", "bgr24", "gbrp", "rgb0", "bgr0", "0rgb", "0bgr"), ("rgb24", "RGB", 3)),
    **dict.fromkeys(("rgba", "bgra", "argb", "abgr", "gbrap", "pal8"), ("rgba", "RGBA", 4)),
    "gray": ("gray", "L", 1),
    "ya8": ("ya8", "LA", 2),
}
_SIXTEEN_BIT = {
    **dict.fromkeys(("rgb48", "bgr48", "gbrp16"), ("rgb48le", "RGB;16", 6)),
    **dict.fromkeys(("rgba64", "bgra64", "gbrap16"), ("rgba64le", "RGBA;16", 8)),
    "gray16": ("gray16le", "L;16", 2),
}
_LOSSLESS = frozenset(
    ("ffv1", "ffvhuff", "huffyuv", "magicyuv", "utvideo", "png", "rawvideo", "qtrle", "tiff", "bmp", "targa")
)
_PLANAR = re.compile(r"(?:yuv(a?)j?(420|422|444|440|411|410)p|gbr(a?)p|gray)(9|10|12|14|16)?(?:le)?")
_WORDS = 64 * 1024
"""As much of what ffmpeg says is read."""
_SHIFTS = {"420": (1, 1), "422": (1, 0), "444": (0, 0), "440": (0, 1), "411": (2, 0), "410": (2, 2)}


@dataclass(frozen=True, slots=True)
class _Form:
    """How a frame is asked for: ffmpeg's name, its size in bytes, and how its digest is taken."""

    pix_fmt: str
    size_bytes: int
    digest: Callable[[bytes], str]


def frames(path: Path, media_type: str) -> Iterator[str]:
    """Yield the digest of each frame of the first video stream.

    Raises ``UnsupportedError`` and ``DamagedError``.
    """
    prober, source = _source(path, media_type)
    stream = _probe([prober, "-v", "error", *source], path)
    form = _form(stream["pix_fmt"], stream["width"], stream["height"])
    yield from map(form.digest, _decoded(path, source, ["-pix_fmt", form.pix_fmt], form.size_bytes))


def exact(path: Path, media_type: str) -> bool:
    """Whether a film keeps RGB pictures as they are. Raises as ``frames`` does."""
    prober, source = _source(path, media_type)
    stream = _probe([prober, "-v", "error", *source], path)
    rgb = (*_EIGHT_BIT, *_SIXTEEN_BIT)
    name = stream["pix_fmt"].removesuffix("le").removesuffix("be")
    return stream["codec_name"] in _LOSSLESS and (name in rgb or name.startswith("gbr"))


def likenesses(path: Path, media_type: str) -> Iterator[int]:
    """Yield the likeness of each frame. Raises as ``frames`` does."""
    _, source = _source(path, media_type)
    small = ["-vf", "scale=9:8:flags=area", "-pix_fmt", "gray"]
    yield from map(samples.likeness, _decoded(path, source, small, 72))


def first(path: Path, media_type: str, width: int) -> tuple[tuple[int, int], bytes]:
    """Return the first frame in RGB, this wide at most: its size and its samples. Raises as ``frames``."""
    prober, source = _source(path, media_type)
    stream = _probe([prober, "-v", "error", *source], path)
    wide = min(width, stream["width"])
    size = wide, max(1, round(stream["height"] * wide / stream["width"]))
    scaled = ["-vf", f"scale={size[0]}:{size[1]}:flags=area", "-pix_fmt", "rgb24", "-frames:v", "1"]
    return size, next(_decoded(path, source, scaled, 3 * size[0] * size[1]))


def _source(path: Path, media_type: str) -> tuple[str, list[str]]:
    """Return ffprobe, and how it and ffmpeg are told of the file. Raises ``UnsupportedError``."""
    prober = which("ffprobe")
    if prober is None or media_type not in DEMUXERS:
        raise UnsupportedError
    return prober, ["-protocol_whitelist", "file", "-f", DEMUXERS[media_type], "-i", f"file:{path}"]


def _decoded(path: Path, source: list[str], form: list[str], size_bytes: int) -> Iterator[bytes]:
    """Yield the raw frames of this form and size. Raises ``UnsupportedError`` and ``DamagedError``."""
    program = which("ffmpeg")
    if program is None:
        raise UnsupportedError
    command = [program, "-nostdin", "-v", "error", "-xerror", "-noautorotate", *source]
    command += ["-map", "0:v:0", "-fps_mode", "passthrough", "-f", "rawvideo", *form, "pipe:1"]
    with (
        tempfile.TemporaryFile() as complaints,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=complaints, stdin=subprocess.DEVNULL
        ) as process,
    ):
        try:
            yield from _read(process.stdout, size_bytes)
        except BaseException:
            process.kill()  # the reader has stopped: nothing more is wanted
            raise
        if process.wait() != 0 or complaints.tell():
            complaints.seek(0)
            _complain(complaints.read(_WORDS), path)


def _complain(said: bytes, path: Path) -> NoReturn:
    words = said.replace(os.fsencode(path), b"").decode("utf-8", "replace")
    raise damage.DamagedError if damage.ffmpeg_says(words) else UnsupportedError


def _read(stream: IO[bytes] | None, size_bytes: int) -> Iterator[bytes]:
    while stream is not None and (raw := stream.read(size_bytes)):
        if len(raw) != size_bytes:
            raise UnsupportedError
        yield raw


def _probe(command: list[str], path: Path) -> dict[str, Any]:
    """Return what ffprobe says of the first video stream."""
    shown = "stream=codec_name,pix_fmt,width,height"
    command += ["-select_streams", "v:0", "-show_entries", shown, "-of", "json"]
    found = subprocess.run(command, capture_output=True, check=False, stdin=subprocess.DEVNULL)
    streams = json.loads(found.stdout or b"{}").get("streams") or []
    if found.returncode != 0 or len(streams) != 1 or "pix_fmt" not in streams[0]:
        _complain(found.stderr[:_WORDS], path)
    stream: dict[str, Any] = streams[0]
    samples.check_size(stream["width"], stream["height"])
    return stream


def _form(name: str, width: int, height: int) -> _Form:
    """Return how frames of this pixel format are taken. Raises ``UnsupportedError`` for an unknown one."""
    base, size = name.removesuffix("le").removesuffix("be"), (width, height)
    if base in _EIGHT_BIT:
        pix_fmt, mode, pixel = _EIGHT_BIT[base]
        return _Form(pix_fmt, pixel * width * height, partial(_eight_bit, mode, size))
    if base in _SIXTEEN_BIT:
        pix_fmt, mode, pixel = _SIXTEEN_BIT[base]
        return _Form(pix_fmt, pixel * width * height, partial(_sixteen_bit, mode, size))
    native = base if base == name else f"{base}le"
    return _Form(native, _planar_size(native, width, height), partial(_native, native, size))


def _eight_bit(mode: str, size: tuple[int, int], raw: bytes) -> str:
    return stills.digest(Image.frombytes(mode, size, raw))


def _sixteen_bit(mode: str, size: tuple[int, int], raw: bytes) -> str:
    if mode != "RGBA;16" or raw[6::8].count(0xFF) + raw[7::8].count(0xFF) < len(raw) // 4:
        return _native(mode, size, raw)
    opaque = bytearray(len(raw) // 8 * 6)
    for position in range(6):
        opaque[position::6] = raw[position::8]
    return _native("RGB;16", size, opaque)


def _native(mode: str, size: tuple[int, int], raw: bytes | bytearray) -> str:
    return samples.picture(mode, *size, [memoryview(raw)])


def _planar_size(name: str, width: int, height: int) -> int:
    """Return the bytes of one frame of a planar format, its planes one after the other."""
    found = _PLANAR.fullmatch(name)
    if found is None:
        raise UnsupportedError
    yuv_alpha, chroma, rgb_alpha, depth = found.groups()
    planes = width * height * (1 if name.startswith("gray") else 3)
    if chroma is not None:
        across, down = _SHIFTS[chroma]
        planes = width * height + 2 * (-(-width >> across)) * (-(-height >> down))
    if yuv_alpha or rgb_alpha:
        planes += width * height
    return planes * (1 if depth is None else 2)
