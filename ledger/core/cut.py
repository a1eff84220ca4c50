"""A cut: which pictures are in a film, and where. What a timeline comes to, whoever wrote it.

* A shot is one stretch of one clip's media that can be seen. Shots stand in the order of the record: by their
  first frame in the film, then from the lowest track up.
* What a transition shows beyond a clip's ends is part of its shot.
* The frames of a shot are one unbroken range: a clip played at double speed shows, or blends, all of them.
* Times are exact fractions of a second. docs/spec/cuts.md has the rules.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, floor
from typing import NamedTuple

MAX_FRAMES = 10_000_000
"""Frames that a cut may show: a hundred hours. More is a mistake, or an attack on whoever counts them."""
_NEAR = Fraction(1, 1000)
"""What a time that was stored as a decimal may be off the frame that it means, in frames."""


@dataclass(frozen=True, slots=True)
class Images:
    """An image sequence. ``first`` is the number of its first file, ``step`` the distance of the numbers."""

    folder: str
    prefix: str
    suffix: str
    first: int
    step: int = 1
    padding: int = 0

    @property
    def label(self) -> str:
        """Return the sequence as people write it, such as ``plates/sh010.####.exr``."""
        return f"{self._base}{'#' * max(self.padding, 1)}{self.suffix}"

    def path(self, number: int) -> str:
        """Return the path of the file with this number."""
        sign = "-" if number < 0 else ""
        return f"{self._base}{sign}{abs(number):0{self.padding}}{self.suffix}"

    @property
    def _base(self) -> str:
        slash = "/" if self.folder and not self.folder.endswith("/") else ""
        return f"{self.folder}{slash}{self.prefix}"


@dataclass(frozen=True, slots=True)
class Film:
    """One file: a movie, or a picture that is held."""

    path: str

    @property
    def label(self) -> str:
        """Return the path."""
        return self.path


@dataclass(frozen=True, slots=True)
class Nothing:
    """A clip without a file: its media is missing, or the editing program generates it."""

    label: str = "missing media"


Media = Images | Film | Nothing


class Record(NamedTuple):
    """Where a shot is in the film, in frames of the cut's rate: the first one, and the one after the last."""

    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Shot:
    """One stretch of a clip that can be seen.

    ``frames`` are the first and the last one: of a sequence the numbers of its files, of a film counted from
    0, of missing media as the clip itself counts. ``None``: the timeline does not say which, so all of them
    may be seen. ``where`` is the clip's place in its file: ``timeline.tracks.children[0].children[2]``.
    """

    clip: str
    track: str
    media: Media
    frames: tuple[int, int] | None
    record: Record
    rate: Fraction
    where: str = field(default="", compare=False)

    @property
    def numbers(self) -> range:
        """Return the numbers of ``frames``, in order: of a sequence those that have a file."""
        if self.frames is None:
            return range(0)
        step = self.media.step if isinstance(self.media, Images) else 1
        return range(self.frames[0], self.frames[1] + 1, step)

    @property
    def is_sequence(self) -> bool:
        """Whether each frame is a file of its own."""
        return isinstance(self.media, Images)

    @property
    def label(self) -> str:
        """Return the clip, its media and its frames in one line."""
        frames = "" if self.frames is None else f" {self.frames[0]}-{self.frames[1]}"
        return f"{self.clip}: {self.media.label}{frames}"

    def paths(self) -> Iterator[str]:
        """Yield the path of each file that the shot shows."""
        if isinstance(self.media, Images):
            yield from map(self.media.path, self.numbers)
        elif isinstance(self.media, Film):
            yield self.media.path


class Aside(NamedTuple):
    """A clip that shows no picture in the film, and why: ``disabled``, or the kind of its track."""

    clip: str
    why: str
    media: str


@dataclass(frozen=True, slots=True)
class Cut:
    """A film: its shots in the order of the record, and what is in the timeline but not in the picture.

    ``start`` is the record's first frame, and ``rate`` counts frames in a second.
    """

    name: str
    rate: Fraction
    start: int
    shots: tuple[Shot, ...]
    asides: tuple[Aside, ...] = ()

    @property
    def frames(self) -> int:
        """Return how many frames of media the shots show, each shot counted for itself."""
        return sum(len(shot.numbers) for shot in self.shots)

    @property
    def length(self) -> int:
        """Return how many frames the film has, as far as pictures go."""
        return max((shot.record.stop for shot in self.shots), default=self.start) - self.start


def timecode(frame: int, rate: Fraction) -> str:
    """Return ``01:00:00:00`` for a frame of the record, without dropping any number."""
    base = max(1, ceil(rate - _NEAR))
    seconds, rest = divmod(abs(frame), base)
    sign = "-" if frame < 0 else ""
    return f"{sign}{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}:{rest:02}"


def first_frame(seconds: Fraction, rate: Fraction) -> int:
    """Return the number of the frame that is seen at this moment."""
    return floor(seconds * rate + _NEAR)


def end_frame(seconds: Fraction, rate: Fraction) -> int:
    """Return the number of the first frame that is not seen any more when a stretch ends at this moment."""
    return ceil(seconds * rate - _NEAR)
