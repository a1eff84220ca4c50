"""The layers that no model made: the figure drawn by hand, the rendered light, the grade, and the composite.

Each function reads and writes files, as the tools of a studio do: what one step wrote, the next one opens.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import OpenEXR
from PIL import Image, ImageDraw

from ledger.demo.painter.canvas import (
    Picture,
    Plane,
    drawn,
    fractal,
    glow,
    grid,
    mix,
    smoothstep,
    to_image,
    to_picture,
)
from ledger.demo.painter.scene import Moon

WIDTH, HEIGHT = 960, 540
POSES = 3
"""Drawings of the figure; each is held for some frames, as animators do."""

_INK = (0.035, 0.040, 0.098)
_COAT = (0.075, 0.078, 0.165)
_SCARF = (0.78, 0.17, 0.13)
_RIM = (0.98, 0.86, 0.72)
_MOONLIGHT = (1.0, 0.89, 0.66)


def draw_figure(pose: int, path: Path) -> None:
    """Draw the figure on its knoll, as ink and colour on a transparent cel."""
    phase = 2 * np.pi * pose / POSES
    knoll = drawn(HEIGHT, WIDTH, _knoll)
    body = drawn(HEIGHT, WIDTH, _body)
    scarf = drawn(HEIGHT, WIDTH, lambda canvas, k: _scarf(canvas, k, phase))
    picture = np.broadcast_to(np.asarray(_INK, np.float32), (HEIGHT, WIDTH, 3)).astype(np.float32)
    picture = mix(picture, _COAT, body)
    picture = mix(picture, _SCARF, scarf)
    cover = np.maximum.reduce([knoll, body, scarf])
    picture = glow(picture, _RIM, _rim(np.maximum(body, scarf), 1) * 0.55 + _rim(knoll, 1) * 0.16)
    alpha = Image.fromarray((cover * 255 + 0.5).astype(np.uint8))
    image = to_image(picture)
    image.putalpha(alpha)
    image.save(path)


def render_light(moon: Moon, path: Path) -> None:
    """Render the moon's light on the air as OpenEXR, half float, scene-linear: near the moon it exceeds 1."""
    y, x = grid(HEIGHT, WIDTH)
    distance = np.hypot(y - moon.y * HEIGHT, x - moon.x * WIDTH) / HEIGHT
    shafts = 0.75 + 0.25 * fractal(HEIGHT, WIDTH, 120, 900, 3, 2.5)
    strength = 2.4 * np.exp(-distance / 0.055) + 0.16 * np.exp(-distance / 0.40) * shafts
    light = (strength[..., None] * np.asarray(_MOONLIGHT, np.float32)).astype(np.float16)
    channels = {"RGB": OpenEXR.Channel(np.ascontiguousarray(light))}
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    with OpenEXR.File(header, channels) as file:
        file.write(str(path))


def grade(source: Path, tiff: Path, jpeg: Path) -> None:
    """Grade a background and lay lines over it; write the master as TIFF and the review copy as JPEG."""
    with Image.open(source) as image:
        picture = to_picture(image)
    lines = _line_work(picture) * np.float32(0.30)
    grey = picture.mean(axis=2, keepdims=True)
    vivid = grey + 1.16 * (picture - grey)
    curved = vivid + 0.22 * (smoothstep(0.0, 1.0, vivid) - vivid)
    warmer = curved * np.asarray((1.03, 1.0, 0.99), np.float32)
    y, x = grid(HEIGHT, WIDTH)
    corner = np.hypot((y / HEIGHT - 0.5) * 0.9, x / WIDTH - 0.5)
    graded = warmer * (1 - 0.34 * smoothstep(0.32, 0.80, corner))[..., None]
    graded = mix(graded.astype(np.float32), _INK, lines)
    result = to_image(graded)
    result.save(tiff, compression="tiff_adobe_deflate")
    result.save(jpeg, quality=92, subsampling=0)


def composite(background: Path, figure: Path, light: Path, target: Path) -> None:
    """Lay the light over the background and the figure over both."""
    with Image.open(background) as image:
        picture = to_picture(image)
    with OpenEXR.File(str(light)) as file:
        rendered = np.asarray(file.channels()["RGB"].pixels, np.float32)
    shown = np.clip(rendered, 0, None) / (1 + np.clip(rendered, 0, None))
    picture = (1 - (1 - picture) * (1 - shown ** (1 / 2.2) * 0.32)).astype(np.float32)
    with Image.open(figure) as cel:
        alpha = np.asarray(cel.getchannel("A"), np.float32) / np.float32(255)
        picture = mix(picture, to_picture(cel), alpha)
    to_image(picture).save(target, compress_level=3)


def _rim(cover: Plane, pixels: int) -> Plane:
    """Return the edge that faces the moon, which stands above on the right."""
    inside = np.roll(cover, (pixels, -pixels), axis=(0, 1))
    rim: Plane = np.clip(cover - inside, 0, 1)
    return rim


def _line_work(picture: Picture) -> Plane:
    """Return ink where the brightness breaks: along the crests of the hills."""
    grey = picture.mean(axis=2)
    step = np.abs(np.diff(grey, axis=0, prepend=grey[:1]))
    y, _ = grid(HEIGHT, WIDTH)
    ink: Plane = smoothstep(0.025, 0.09, step) * smoothstep(0.60, 0.66, y / np.float32(HEIGHT))
    return ink


def _knoll(canvas: ImageDraw.ImageDraw, k: float) -> None:
    crest = [(x, 462 + 0.00042 * (x - 235) ** 2 + 3 * np.sin(x / 41)) for x in range(-10, 980, 6)]
    outline = [(-10, 600), *crest, (980, 600)]
    canvas.polygon([(x * k, y * k) for x, y in outline], fill=255)
    random = np.random.default_rng(77)
    for x, y in crest:
        for _ in range(7):
            left, tall, lean = random.random(3)
            root = (x + 6 * left, y + 3)
            tip = (root[0] + 3 + 7 * lean, root[1] - 5 - 15 * tall**2)
            canvas.polygon(
                [(root[0] * k, root[1] * k), ((root[0] + 1.6) * k, root[1] * k), (tip[0] * k, tip[1] * k)],
                fill=255,
            )


def _body(canvas: ImageDraw.ImageDraw, k: float) -> None:
    def shape(*points: tuple[float, float]) -> None:
        canvas.polygon([((252 + x) * k, (466 + y) * k) for x, y in points], fill=255)

    def ellipse(x: float, y: float, across: float, down: float) -> None:
        box = ((252 + x - across) * k, (466 + y - down) * k, (252 + x + across) * k, (466 + y + down) * k)
        canvas.ellipse(box, fill=255)

    shape((-9, 4), (-8, -30), (-1, -30), (-2, 4))
    shape((3, 4), (2, -30), (9, -30), (9, 4))
    # The coat flares, and the wind takes its hem.
    shape((-9, -72), (9, -72), (13, -60), (19, -24), (25, -21), (14, -19), (-15, -20), (-13, -60))
    ellipse(0, -71, 10, 5)
    ellipse(0, -88, 10.5, 11.5)
    shape((-10, -90), (-11, -78), (-5, -74), (8, -75), (17, -80), (11, -90))


def _scarf(canvas: ImageDraw.ImageDraw, k: float, phase: float) -> None:
    def ribbon(length: float, start: tuple[float, float], width: float, shift: float) -> None:
        upper, lower = [], []
        for step in range(25):
            t = step / 24
            x = start[0] + length * t
            y = start[1] - 13 * t + (2 + 9 * t) * np.sin(phase + shift - 5.2 * t)
            half = width * (1 - 0.35 * t) / 2
            upper.append(((252 + x) * k, (466 + y - half) * k))
            lower.append(((252 + x) * k, (466 + y + half) * k))
        canvas.polygon([*upper, *reversed(lower)], fill=255)

    canvas.ellipse(((252 - 11) * k, (466 - 79) * k, (252 + 11) * k, (466 - 68) * k), fill=255)
    ribbon(62, (4, -74), 9, 0)
    ribbon(44, (3, -70), 7, 0.9)
