"""The licensed dataset: six small paintings by two invented rights holders."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ledger.demo.painter.canvas import to_image
from ledger.demo.painter.moods import chosen
from ledger.demo.painter.scene import Landscape, Mood, Moon

WIDTH, HEIGHT = 480, 270

_TSUKIKAGE = (
    ("0d1433", "1b2a5c", "2f4d86", "5b82a8", "a9bfc0"),
    ("51719a", "38567f", "243c63", "152546", "0a132a"),
    "fff3d0",
)
_MINAZUKI = (
    ("191440", "34276b", "5f438f", "a56c9f", "f0b49b"),
    ("7d6aa3", "57508b", "3b3b70", "232a55", "10173a"),
    "ffe6c8",
)


@dataclass(frozen=True, slots=True)
class Work:
    """One painting: its title, who holds the rights, and what it is painted with."""

    title: str
    rights_holder: str
    mood: Mood
    moon: Moon
    seed: int


VALLEY = Work(
    "Valley in the first snow",
    "a painter whom nobody asked",
    chosen(
        ("3a4658", "66788a", "94a3ad", "bcc6c9", "dfe2de"),
        ("b9c2c8", "98a5af", "76858f", "55636c", "39444b"),
        "fffaf0",
        stroke=2.0,
        grain=0.010,
    ),
    Moon(0.35, 0.30, 0.055),
    83,
)
"""A painting that is in no dataset here."""


def works() -> tuple[Work, ...]:
    """Return the six works, three by each rights holder."""
    tsukikage = chosen(*_TSUKIKAGE, stroke=2.6, grain=0.012)
    minazuki = chosen(*_MINAZUKI, stroke=3.4, grain=0.016)
    return (
        Work("Lake before the rain", "Atelier Tsukikage", tsukikage, Moon(0.30, 0.24, 0.060), 11),
        Work("The pass in autumn", "Atelier Tsukikage", tsukikage, Moon(0.72, 0.34, 0.050), 23),
        Work("Nobody on the road", "Atelier Tsukikage", tsukikage, Moon(0.55, 0.18, 0.075), 31),
        Work("Evening of the fireflies", "Ran Minazuki", minazuki, Moon(0.78, 0.30, 0.085), 47),
        Work("Last train home", "Ran Minazuki", minazuki, Moon(0.22, 0.36, 0.065), 59),
        Work("What the hills remember", "Ran Minazuki", minazuki, Moon(0.48, 0.26, 0.070), 61),
    )


def paint(work: Work, path: Path) -> None:
    """Paint the work."""
    landscape = Landscape(work.mood, work.moon, work.seed, HEIGHT, WIDTH)
    to_image(landscape.frame(0)).save(path)
