"""A night landscape, painted with whatever colours and strokes it is given.

The rights holders' works and the generated frames are both painted here: the works with the colours that
their painters chose, the frames with the colours that the model learnt.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ledger.demo.painter.canvas import (
    Picture,
    Plane,
    fractal,
    glow,
    grid,
    mix,
    noise,
    ramp,
    smoothstep,
)

HORIZON = 0.66
"""Height of the horizon, as a part of the picture's height from the top."""


@dataclass(frozen=True, slots=True)
class Mood:
    """What a landscape is painted with.

    ``sky`` runs from the zenith to the horizon, ``ground`` from the farthest hills to the nearest, both shape
    ``(n, 3)``; ``light`` is the moon's colour; ``stroke`` how much longer than high the marks are; ``grain``
    how strong they are.
    """

    sky: NDArray[np.float32]
    ground: NDArray[np.float32]
    light: NDArray[np.float32]
    stroke: float
    grain: float


@dataclass(frozen=True, slots=True)
class Moon:
    """Where the moon stands and how large it is, as parts of the picture's width and height."""

    x: float
    y: float
    radius: float


class Landscape:
    """One place. ``frame`` paints it at a moment: clouds drift, the moon climbs, stars twinkle."""

    def __init__(self, mood: Mood, moon: Moon, seed: int, height: int, width: int) -> None:
        self._mood = mood
        self._moon = moon
        self._seed = seed
        self._height = height
        self._width = width
        self._scale = height / 540
        self._y, self._x = grid(height, width)
        # A sheet of sky wider than the picture: the clouds move because the picture moves over it.
        self._clouds = self._cloud_sheet(width + int(width * 0.25))
        self._ridges = [self._ridge(number) for number in range(5)]

    def frame(self, moment: float) -> Picture:
        """Return the picture at a moment, 0 to 1."""
        moon_y = self._moon.y - 0.02 * moment
        picture = self._sky(moon_y)
        picture = self._stars(picture, moment)
        picture = self._moonlight(picture, moon_y)
        picture = self._cloud_layer(picture, moment, moon_y)
        picture = self._hills(picture)
        return self._brushwork(picture)

    def _sky(self, moon_y: float) -> Picture:
        warp = fractal(self._height, self._width, 190 * self._scale, self._seed, 4, self._mood.stroke) * 0.035
        at = np.clip(self._y / (self._height * HORIZON) + warp, 0, 1)
        picture = ramp(self._mood.sky, at)
        halo = np.exp(-self._distance(moon_y) / 0.30).astype(np.float32) * np.float32(0.34)
        return glow(picture, self._mood.light, halo)

    def _distance(self, moon_y: float) -> Plane:
        """Return each pixel's distance from the moon, in picture heights."""
        down = self._y - moon_y * self._height
        across = self._x - self._moon.x * self._width
        distance: Plane = np.hypot(down, across) / self._height
        return distance

    def _stars(self, picture: Picture, moment: float) -> Picture:
        random = np.random.default_rng(self._seed + 50)
        sheet = np.zeros((self._height, self._width), np.float32)
        for _ in range(260):
            x, y, size, phase = random.random(4)
            y = y**1.5 * HORIZON * 0.92
            twinkle = 0.75 + 0.25 * np.sin(2 * np.pi * (phase + moment * 1.5))
            column, row = int(x * (self._width - 2)) + 1, int(y * (self._height - 2)) + 1
            strength = (0.16 + 0.84 * size**7) * twinkle * (1 - y / HORIZON) ** 0.6
            sheet[row, column] += strength
            if size > 0.93:
                sheet[row - 1 : row + 2, column] += strength * 0.35
                sheet[row, column - 1 : column + 2] += strength * 0.35
        return glow(picture, mix(self._mood.light[None, None], (1, 1, 1), 0.5)[0, 0], np.clip(sheet, 0, 1))

    def _moonlight(self, picture: Picture, moon_y: float) -> Picture:
        distance = self._distance(moon_y) / self._moon.radius
        picture = glow(picture, self._mood.light, np.exp(-np.maximum(distance - 1, 0) * 1.5) * 0.55)
        seas = fractal(self._height, self._width, 34 * self._scale, self._seed + 70, 3)
        face = self._mood.light * (1 - 0.10 * smoothstep(0.0, 0.9, seas)[..., None])
        edge = 1.2 / (self._moon.radius * self._height)
        return mix(picture, face.astype(np.float32), 1 - smoothstep(1 - edge, 1 + edge, distance))

    def _cloud_sheet(self, width: int) -> tuple[Plane, Plane]:
        """Return how thick the cloud is, and how much of the moon's light reaches it."""
        shift = int(14 * self._scale)
        height = self._height + shift
        billows = fractal(height, width + shift, 165 * self._scale, self._seed + 100, 3, 2.1)
        puffs = np.abs(fractal(height, width + shift, 58 * self._scale, self._seed + 120, 4, 1.25))
        density = (billows + 0.55 * puffs - 0.2).astype(np.float32)
        toward = shift if self._moon.x > 0.5 else 0
        nearer = density[:-shift, toward : toward + width]
        here = density[shift:, shift - toward : shift - toward + width]
        return here, smoothstep(-0.22, 0.42, here - nearer + 0.06)

    def _cloud_layer(self, picture: Picture, moment: float, moon_y: float) -> Picture:
        # They drift away from the left edge, never beyond the spare part of the sheet.
        start = int((1 - moment) * 60 * self._scale)
        density, lit = (sheet[:, start : start + self._width] for sheet in self._clouds)
        height = self._y / (self._height * HORIZON)
        bank = smoothstep(0.50, 0.98, height) * 1.05 - 0.62
        wisps = -0.52 - 0.9 * smoothstep(0.30, 0.0, height)
        cover = smoothstep(0.0, 0.24, density + np.maximum(bank, wisps))
        near = np.exp(-self._distance(moon_y) / 0.46).astype(np.float32)
        shadow = ramp(self._mood.sky, np.clip(height * 0.80, 0, 1)) * np.float32(0.92)
        bright = mix(
            ramp(self._mood.sky, np.clip(height * 0.4 + 0.6, 0, 1)), self._mood.light, 0.20 + 0.5 * near
        )
        body = mix(shadow, bright, np.clip(lit * (0.42 + 0.7 * near), 0, 1))
        return mix(picture, body, cover * (0.55 + 0.4 * smoothstep(0.2, 0.8, height)))

    def _ridge(self, number: int) -> Plane:
        """Return the height of a line of hills at each column, in pixels from the top."""
        cell = (260 - 38 * number) * self._scale * (1.8 if number == 4 else 1)
        line = fractal(3, self._width, cell, self._seed + 200 + 10 * number, 6)[1]
        base = HORIZON - 0.035 + 0.062 * number + 0.012 * number**2
        swell = (0.050, 0.060, 0.055, 0.045, 0.050)[number]
        ridge: Plane = (base - swell * line) * self._height
        return ridge

    def _hills(self, picture: Picture) -> Picture:
        haze = self._mood.sky[-1]
        for number, ridge in enumerate(self._ridges):
            depth = number / (len(self._ridges) - 1)
            colour = ramp(self._mood.ground, np.full((1, 1), depth, np.float32))[0, 0]
            below = self._y - ridge[None, :]
            cover = smoothstep(-0.8, 0.8, below)
            # Mist gathers at the foot of the far hills; the moon catches the near crests.
            mist = smoothstep(0, 95 * self._scale, below) * 0.55 * (1 - depth) ** 1.1
            body = mix(np.broadcast_to(colour, picture.shape).astype(np.float32), haze, mist)
            crest = np.exp(-np.maximum(below, 0) / ((5 + 22 * depth) * self._scale))
            near = np.exp(-np.abs(self._x / self._width - self._moon.x) / 0.30)
            body = glow(body, self._mood.light, crest * near * 0.20)
            woods = fractal(
                self._height, self._width, (9 + 22 * depth) * self._scale, self._seed + 300 + number, 3
            )
            body = body * (1 + 0.10 * woods[..., None] * (0.35 + depth)).astype(np.float32)
            picture = mix(picture, body, cover)
        return picture

    def _brushwork(self, picture: Picture) -> Picture:
        marks = noise(self._height, self._width, 3.2 * self._scale, self._seed + 400, self._mood.stroke * 2.4)
        marks = marks + noise(
            self._height, self._width, 9 * self._scale, self._seed + 401, self._mood.stroke * 2
        )
        painted: Picture = picture * (1 + self._mood.grain * marks[..., None])
        return np.clip(painted, 0, 1).astype(np.float32)
