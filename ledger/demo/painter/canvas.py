"""What every painting is made of: seeded noise, colour ramps, and shapes with soft edges."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Plane = NDArray[np.float32]
"""One value per pixel, shape ``(height, width)``."""
Picture = NDArray[np.float32]
"""Three values per pixel, shape ``(height, width, 3)``."""
Colour = Sequence[float] | NDArray[np.float32]

_SUPERSAMPLE = 3


def noise(height: int, width: int, cell: float, seed: int, stretch: float = 1.0) -> Plane:
    """Return smooth noise, about -1 to 1, with features of ``cell`` pixels (times ``stretch`` across)."""
    rows = max(2, int(height / cell) + 3)
    columns = max(2, int(width / (cell * stretch)) + 3)
    grid = np.random.default_rng(seed).standard_normal((rows, columns), dtype=np.float32) * np.float32(0.5)
    image = Image.fromarray(grid).resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(image, dtype=np.float32)


def fractal(height: int, width: int, cell: float, seed: int, octaves: int = 5, stretch: float = 1.0) -> Plane:
    """Return fractal noise: each octave has half the size and half the strength of the one before."""
    total = np.zeros((height, width), np.float32)
    for octave in range(octaves):
        total += noise(height, width, cell / 2**octave, seed + octave, stretch) * np.float32(0.5**octave)
    return total


def ramp(colours: Picture | NDArray[np.float32], at: Plane) -> Picture:
    """Return the colour at each position of ``at`` (0 to 1) along ``colours``, shape ``(n, 3)``."""
    where = np.linspace(0, 1, len(colours))
    channels = [np.interp(at, where, colours[:, channel]) for channel in range(3)]
    return np.stack(channels, axis=-1).astype(np.float32)


def mix(below: Picture, above: Colour | Picture, amount: Plane | float) -> Picture:
    """Return ``above`` laid over ``below``; ``amount`` is 0 (nothing) to 1 (opaque)."""
    weight = np.asarray(amount, np.float32)
    if weight.ndim:
        weight = weight[..., None]
    mixed: Picture = below + (np.asarray(above, np.float32) - below) * weight
    return mixed


def glow(below: Picture, colour: Colour, amount: Plane) -> Picture:
    """Return ``below`` with light added, as a screen does: it never passes 1."""
    light = np.asarray(colour, np.float32) * amount[..., None]
    lit: Picture = 1 - (1 - np.clip(below, 0, 1)) * (1 - np.clip(light, 0, 1))
    return lit


def smoothstep(low: float, high: float, value: Plane) -> Plane:
    """Return 0 below ``low``, 1 above ``high``, and a smooth rise between."""
    t = np.clip((value - low) / (high - low), 0, 1)
    step: Plane = (t * t * (3 - 2 * t)).astype(np.float32)
    return step


def grid(height: int, width: int) -> tuple[Plane, Plane]:
    """Return each pixel's y and x."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    return y, x


def drawn(height: int, width: int, draw: Callable[[ImageDraw.ImageDraw, float], None]) -> Plane:
    """Return the coverage (0 to 1) of what ``draw`` draws in white, with smooth edges.

    ``draw`` gets the canvas and the factor that its coordinates are to be multiplied with.
    """
    image = Image.new("L", (width * _SUPERSAMPLE, height * _SUPERSAMPLE))
    draw(ImageDraw.Draw(image), float(_SUPERSAMPLE))
    small = image.resize((width, height), Image.Resampling.BOX)
    return np.asarray(small, dtype=np.float32) / np.float32(255)


def to_image(picture: Picture) -> Image.Image:
    """Return an 8-bit RGB image. A fixed dither keeps gradients from banding."""
    height, width, _ = picture.shape
    dither = np.random.default_rng(8).random((height, width, 1), dtype=np.float32) - np.float32(0.5)
    return Image.fromarray(np.clip(picture * 255 + dither + np.float32(0.5), 0, 255).astype(np.uint8))


def to_picture(image: Image.Image) -> Picture:
    """Return the picture in an image, without its alpha."""
    return np.asarray(image.convert("RGB"), dtype=np.float32) / np.float32(255)
