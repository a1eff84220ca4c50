"""Pictures in small, for reports and pages: of stills, of light (OpenEXR), of films their first frame.

* They are for looking at, nothing is measured on them: light is shown as a screen would, what is transparent
  lies on grey paper, and deep samples lose their depth.
* The same file, Pillow and ffmpeg give the same bytes.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import OpenEXR
from PIL import Image, UnidentifiedImageError

from ledger.adapters.images import exr, ffmpeg, stills
from ledger.core.containers import formats
from ledger.service.files import reading_errors

WIDTH, HEIGHT = 320, 240
"""Of a report: no thumbnail is wider or higher."""
_QUALITY = 78
_PAPER = (226, 223, 233)


def thumbnail(path: Path, size: tuple[int, int] = (WIDTH, HEIGHT)) -> bytes | None:
    """Return a picture in small, as JPEG of this size at most; ``None`` where nothing here decodes it."""
    try:
        with reading_errors(path), path.open("rb") as file:
            head = file.read(formats.HEAD)
        image = _opened(path, head, formats.sniff(head, path.name), size)
    except Exception:  # noqa: BLE001 - decoders on bytes that anybody may have made raise what they like
        return None
    image.thumbnail(size, Image.Resampling.LANCZOS)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=_QUALITY)
    return out.getvalue()


def _opened(path: Path, head: bytes, media_type: str, most: tuple[int, int]) -> Image.Image:
    """Return the picture as RGB. Raises what the decoders raise."""
    if media_type == "image/x-exr":
        return _light(path)
    try:
        return stills.shown(path, head, most, _PAPER)
    except (stills.DeepError, UnidentifiedImageError):
        size, raw = ffmpeg.first(path, media_type, most[0])
        return Image.frombytes("RGB", size, raw)


def _light(path: Path) -> Image.Image:
    """Return the first part as a screen would show it: its red, green and blue, or else its first channel."""
    with OpenEXR.File(str(path), header_only=True) as file:
        exr.check(file.parts[0].header)
    with exr.whole(path) as (file, _):
        channels = file.parts[0].channels
        names = ("R", "G", "B") if {"R", "G", "B"} <= set(channels) else (min(channels),) * 3
        light = np.stack([np.asarray(channels[name].pixels, np.float32) for name in names], axis=-1)
    light = np.clip(np.nan_to_num(light, posinf=1e6), 0, 1e6)
    return Image.fromarray(((light / (1 + light)) ** (1 / 2.2) * 255).astype(np.uint8))
