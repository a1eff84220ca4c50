"""The demo's model: what a painter's hand looks like, as numbers learnt from paintings.

It is small, but it is a model: trained on the works of a dataset and saved as weights, which give every
colour and the stroke of what it paints. In full:

* ``bands`` (24, 3): the colour of the shaded half at each height of the pictures, top to bottom;
* ``accents`` (8, 3): the palette (median cut, then k-means) of all pictures together, dark to bright;
* ``light`` (3,): the colour of the brightest spots, which at night is the moon's;
* ``stroke`` (24,): how much longer than high the brush marks are at each height, from the gradients;
* ``grain`` (24,): how strong the finest detail is at each height.

The file is in the safetensors form: 8 bytes of header length, a JSON header, then little-endian float32.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from ledger.demo.painter.canvas import Picture, to_picture

BANDS = 24
ACCENTS = 8
_SHAPES = {"bands": (BANDS, 3), "accents": (ACCENTS, 3), "light": (3,), "stroke": (BANDS,), "grain": (BANDS,)}


@dataclass(frozen=True, slots=True)
class Brush:
    """The weights."""

    bands: NDArray[np.float32]
    accents: NDArray[np.float32]
    light: NDArray[np.float32]
    stroke: NDArray[np.float32]
    grain: NDArray[np.float32]


def train(works: Sequence[Path]) -> Brush:
    """Return what the paintings have in common."""
    images = []
    for path in works:
        with Image.open(path) as image:
            images.append(image.convert("RGB"))
    pictures = [to_picture(image) for image in images]
    return Brush(
        bands=_bands(pictures),
        accents=_accents(images),
        light=np.mean([_brightest(picture) for picture in pictures], axis=0, dtype=np.float32),
        stroke=np.mean([_stroke(picture) for picture in pictures], axis=0, dtype=np.float32),
        grain=np.mean([_detail(image) for image in images], axis=0, dtype=np.float32),
    )


def save(brush: Brush, path: Path) -> None:
    """Write the weights."""
    header: dict[str, object] = {}
    data = b""
    for name, shape in _SHAPES.items():
        tensor = np.ascontiguousarray(getattr(brush, name), dtype="<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + len(tensor)]}
        data += tensor
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)


def load(path: Path) -> Brush:
    """Return the weights from a file that ``save`` wrote."""
    raw = path.read_bytes()
    start = 8 + int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8:start])
    tensors = {}
    for name, shape in _SHAPES.items():
        first, last = header[name]["data_offsets"]
        tensors[name] = np.frombuffer(raw[start + first : start + last], dtype="<f4").reshape(shape)
    return Brush(**tensors)


def _bands(pictures: Sequence[Picture]) -> NDArray[np.float32]:
    """Return one colour for each height: the works' own, the more colourful ones counting for more."""
    shades = np.stack([_shade(picture) for picture in pictures])
    weight = np.ptp(shades, axis=2, keepdims=True) ** 2 + 1e-4
    bands: NDArray[np.float32] = ((shades * weight).sum(axis=0) / weight.sum(axis=0)).astype(np.float32)
    return bands


def _brightest(picture: Picture) -> NDArray[np.float32]:
    pixels = picture.reshape(-1, 3)
    luma = pixels.sum(axis=1)
    brightest: NDArray[np.float32] = pixels[luma >= np.quantile(luma, 0.997)].mean(axis=0)
    return brightest


def _shade(picture: Picture) -> NDArray[np.float32]:
    """Return the mean colour of the darker half of each band: the paint without mist and moonlight."""
    colours = []
    for part in np.array_split(picture, BANDS):
        pixels = part.reshape(-1, 3)
        luma = pixels.sum(axis=1)
        colours.append(pixels[luma <= np.median(luma)].mean(axis=0))
    return np.asarray(colours, np.float32)


def _accents(images: Sequence[Image.Image]) -> NDArray[np.float32]:
    width, height = images[0].size
    sheet = Image.new("RGB", (width, height * len(images)))
    for row, image in enumerate(images):
        sheet.paste(image, (0, row * height))
    reduced = sheet.quantize(ACCENTS, method=Image.Quantize.MEDIANCUT, kmeans=2)
    palette = np.asarray((reduced.getpalette() or [])[: ACCENTS * 3], np.float32)
    colours = palette.reshape(ACCENTS, 3) / np.float32(255)
    order = np.argsort(colours.sum(axis=1))
    return colours[order]


def _stroke(picture: Picture) -> NDArray[np.float32]:
    grey = picture.mean(axis=2)
    across = np.abs(np.diff(grey, axis=1))
    down = np.abs(np.diff(grey, axis=0))
    parts = zip(np.array_split(across, BANDS), np.array_split(down, BANDS), strict=True)
    return np.asarray([(below.mean() + 1e-4) / (beside.mean() + 1e-4) for beside, below in parts], np.float32)


def _detail(image: Image.Image) -> NDArray[np.float32]:
    fine = to_picture(image) - to_picture(image.filter(ImageFilter.GaussianBlur(2)))
    return np.asarray([part.std() for part in np.array_split(fine, BANDS)], np.float32)
