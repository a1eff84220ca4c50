"""Timelines as OpenTimelineIO's own library writes them."""

from __future__ import annotations

from pathlib import Path

import opentimelineio as otio
from opentimelineio.opentime import RationalTime, TimeRange
from opentimelineio.schema import Clip, ExternalReference, ImageSequenceReference, Timeline, Track

RATE = 24.0


def span(start: float, frames: float, rate: float = RATE) -> TimeRange:
    """Return a time range by its first frame and its number of frames."""
    return TimeRange(RationalTime(start, rate), RationalTime(frames, rate))


def images(
    folder: str, prefix: str, numbers: range, *, media_start: float = 0, suffix: str = ".png"
) -> ImageSequenceReference:
    """Return a sequence of these files, the first of which is seen at ``media_start``."""
    return ImageSequenceReference(
        target_url_base=folder,
        name_prefix=prefix,
        name_suffix=suffix,
        start_frame=numbers.start,
        frame_step=numbers.step,
        rate=RATE,
        frame_zero_padding=4,
        available_range=span(media_start, numbers.stop - numbers.start),
    )


def film(url: str, frames: float, *, media_start: float = 0, rate: float = RATE) -> ExternalReference:
    """Return a movie of so many frames."""
    return ExternalReference(target_url=url, available_range=span(media_start, frames, rate))


def clip(
    name: str,
    media: otio.core.MediaReference | None = None,
    source: TimeRange | None = None,
    *effects: object,
) -> Clip:
    """Return a clip."""
    made = Clip(name=name, media_reference=media, source_range=source)
    made.effects.extend(effects)
    return made


def timeline(*tracks: list[otio.core.Composable], start: float = 86400, name: str = "final") -> Timeline:
    """Return a timeline of these video tracks, the lowest first."""
    made = Timeline(name, global_start_time=RationalTime(start, RATE))
    for number, children in enumerate(tracks, 1):
        made.tracks.append(Track(f"V{number}", children=children))
    return made


def written(made: Timeline, path: Path) -> Path:
    """Write a timeline, and return its path."""
    otio.adapters.write_to_file(made, str(path))
    return path


def data(made: otio.core.SerializableObject) -> bytes:
    """Return the bytes of a timeline's file."""
    text: str = made.to_json_string()
    return text.encode()
