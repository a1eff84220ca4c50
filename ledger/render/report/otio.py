"""The timeline of a cut with one marker on every shot: an editor sees the verdicts where the shots are.

* The document is the one that was asked about, with these markers added, and else as it was: what this reader
  does not know stays in it, too.
* A marker is as long as its clip, in the clip's own time, and named by the verdict now and the grade. Its
  colour only repeats the verdict. What is countable of the shot is in its metadata, under ``rakkan``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ledger.core.audit import Report
from ledger.core.cut import Cut

Json = dict[str, Any]

COLOURS = {"cleared": "GREEN", "needs_review": "YELLOW", "blocked": "RED", "undecided": "PURPLE"}
_COUNTS = ("frames", "found", "unknown", "absent", "versions", "ai", "cleared", "needs_review", "blocked")


def to_otio(report: Report, cut: Cut, timeline: bytes) -> bytes:
    """Return the marked timeline. ``timeline`` is the file that ``cut`` was read from.

    The report must be of this cut, and of a view that sees shots.
    """
    table = report.tables["shots"]
    keys = [column.key for column in table.schema.columns]
    rows = (dict(zip(keys, row, strict=True)) for row in table.shown)
    said = {shot.where: (report.head.identifier, row) for shot, row in zip(cut.shots, rows, strict=True)}
    document = json.loads(timeline.decode("utf-8-sig"))
    _mark(document["tracks"], "timeline.tracks", said)
    return json.dumps(document, separators=(",", ":")).encode()


def _mark(node: Json, where: str, said: Mapping[str, tuple[str, Json]]) -> None:
    """Add its marker to every clip below a node, whose place in the file is ``where``."""
    for n, child in enumerate(node.get("children") or []):
        place = f"{where}.children[{n}]"
        if place in said:
            held = child.get("markers")
            child["markers"] = [*(held if isinstance(held, list) else ()), _marker(child, *said[place])]
        _mark(child, place, said)


def _marker(clip: Json, identifier: str, shot: Json) -> Json:
    word = shot["now"].replace("_", " ")
    counts = {key: shot[key] for key in _COUNTS}
    told = ", ".join(f"{key.replace('_', ' ')} {count}" for key, count in counts.items() if count)
    findings = ", ".join(shot["findings"])
    return {
        "OTIO_SCHEMA": "Marker.2",
        "metadata": {
            "rakkan": {
                "report": identifier,
                "shot": shot["shot"],
                "then": shot["then"],
                "now": shot["now"],
                "grade": shot["grade"],
                **counts,
                "findings": list(shot["findings"]),
            }
        },
        "name": f"{word}, {shot['grade']}",
        "color": COLOURS[shot["now"]],
        "marked_range": _range(clip),
        "comment": f"{identifier}, shot {shot['shot']}: {told}" + (f"; {findings}" if findings else ""),
    }


def _range(clip: Json) -> Json:
    """Return the part of its media that the clip takes; where it says none, the first moment."""
    if clip["OTIO_SCHEMA"] == "Clip.1":
        media = clip.get("media_reference")
    else:
        key = clip.get("active_media_reference_key") or "DEFAULT_MEDIA"
        media = (clip.get("media_references") or {}).get(key)
    found: Json | None = clip.get("source_range") or (media or {}).get("available_range")
    moment = {"OTIO_SCHEMA": "RationalTime.1", "rate": 24.0, "value": 0.0}
    return found or {"OTIO_SCHEMA": "TimeRange.1", "start_time": moment, "duration": moment}
