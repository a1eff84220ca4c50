"""The page's small pictures, as data URIs."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import OpenEXR
from PIL import Image, ImageDraw

from ledger.demo.painter.brush import Brush

SMALL = (320, 180)
LARGE = (1280, 720)
_PAPER = (226, 223, 233)
_RED = (216, 62, 44)


def small(path: Path, ring: tuple[int, int] | None = None) -> str:
    """Return a picture file in small; ``ring`` marks one of its pixels."""
    image = _opened(path)
    if ring:
        draw = ImageDraw.Draw(image)
        for radius in (34, 35, 36, 37, 38):
            draw.ellipse(
                (ring[0] - radius, ring[1] - radius, ring[0] + radius, ring[1] + radius), outline=_RED
            )
    return _uri(image.resize(SMALL, Image.Resampling.LANCZOS), 74)


def large(path: Path) -> str:
    """Return a picture file for the head of the page."""
    return _uri(_opened(path).resize(LARGE, Image.Resampling.LANCZOS), 80)


def sheet(works: Sequence[Path]) -> str:
    """Return up to six works on one sheet, three in a row."""
    page = Image.new("RGB", SMALL, _PAPER)
    width, height = (SMALL[0] - 16) // 3, (SMALL[1] - 12) // 2
    for number, path in enumerate(works[:6]):
        work = _opened(path).resize((width, height), Image.Resampling.LANCZOS)
        page.paste(work, (4 + number % 3 * (width + 4), 4 + number // 3 * (height + 4)))
    return _uri(page, 78)


def learnt(brush: Brush) -> str:
    """Return what a model learnt, made visible: its colours by height, and its palette below."""
    width, height = SMALL
    bands = Image.fromarray((np.clip(brush.bands, 0, 1) * 255).astype(np.uint8)[:, None])
    page = bands.resize(SMALL, Image.Resampling.NEAREST)
    draw = ImageDraw.Draw(page)
    step = width / len(brush.accents)
    for number, colour in enumerate(brush.accents):
        fill = tuple(int(value * 255) for value in np.clip(colour, 0, 1))
        box = (number * step + 3, height - 42, (number + 1) * step - 3, height - 8)
        draw.rounded_rectangle(box, radius=5, fill=fill, outline=(255, 255, 255))
    return _uri(page, 84)


def _opened(path: Path) -> Image.Image:
    """Return the picture as RGB: light is shown as a screen would, a cel lies on paper."""
    if path.suffix == ".exr":
        with OpenEXR.File(str(path)) as file:
            light = np.clip(np.asarray(file.channels()["RGB"].pixels, np.float32), 0, None)
        return Image.fromarray(((light / (1 + light)) ** (1 / 2.2) * 255).astype(np.uint8))
    with Image.open(path) as image:
        if image.mode != "RGBA":
            return image.convert("RGB")
        paper = Image.new("RGB", image.size, _PAPER)
        paper.paste(image, mask=image.getchannel("A"))
        return paper


def _uri(image: Image.Image, quality: int) -> str:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality, optimize=True)
    return f"data:image/jpeg;base64,{base64.b64encode(out.getvalue()).decode()}"
