"""The cut of the demo as an editor would hand it over: an OpenTimelineIO timeline that names its frames."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ledger.demo import cast

RATE = 24
LAST_SHOT = "2"
"""The number of the shot that nobody may deliver."""
_HOUR = 3600 * RATE
"""A cut begins at one hour."""


def write(target: Path, refused: str) -> None:
    """Write the timeline: the shot, and after it the picture ``refused`` (a path beside the timeline)."""
    shot = {
        "OTIO_SCHEMA": "ImageSequenceReference.1",
        "target_url_base": "files/",
        "name_prefix": f"{cast.SHOT}.final.",
        "name_suffix": ".png",
        "start_frame": cast.FIRST,
        "frame_step": 1,
        "rate": RATE,
        "frame_zero_padding": 4,
        "available_range": _span(cast.FIRST, cast.LAST - cast.FIRST + 1),
    }
    still = {
        "OTIO_SCHEMA": "ExternalReference.1",
        "target_url": refused,
        "available_range": _span(0, 1),
    }
    clips = [_clip(f"{cast.SEQUENCE}/{cast.SHOT}", shot), _clip(f"{cast.SEQUENCE}/sh030", still)]
    track = {"OTIO_SCHEMA": "Track.1", "name": "V1", "kind": "Video", "children": clips}
    timeline = {
        "OTIO_SCHEMA": "Timeline.1",
        "name": cast.PRODUCTION,
        "global_start_time": _time(_HOUR),
        "tracks": {"OTIO_SCHEMA": "Stack.1", "name": "tracks", "children": [track]},
    }
    target.write_text(json.dumps(timeline, indent=2) + "\n", encoding="utf-8")


def _clip(name: str, media: dict[str, Any]) -> dict[str, Any]:
    return {
        "OTIO_SCHEMA": "Clip.2",
        "name": name,
        "media_references": {"DEFAULT_MEDIA": media},
        "active_media_reference_key": "DEFAULT_MEDIA",
    }


def _time(frames: int) -> dict[str, Any]:
    return {"OTIO_SCHEMA": "RationalTime.1", "rate": RATE, "value": frames}


def _span(start: int, frames: int) -> dict[str, Any]:
    return {"OTIO_SCHEMA": "TimeRange.1", "start_time": _time(start), "duration": _time(frames)}
