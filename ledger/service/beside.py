"""Two files side by side: what each is, as far as whoever asks may know it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ledger.core.access import Action, Viewer
from ledger.errors import UsageError
from ledger.service.ancestry import ancestry
from ledger.service.reading.files import asset
from ledger.service.reading.sight import sight_of
from ledger.service.reading.way import Stop
from ledger.service.verifying import Answer


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two: ``said`` is what everybody is told, as this viewer may see it.

    ``pixels`` is the digest of its picture, ``stop`` how it was made, ``under`` what it was made from: names
    by kind. Those, and ``production``, are for who reads the work, and for files that the log knows.
    """

    said: dict[str, Any]
    sha256: str
    pixels: str | None = None
    stop: Stop | None = None
    under: tuple[tuple[str, str], ...] = ()
    production: str | None = None

    @property
    def name(self) -> str:
        """Return its name; ``""`` where it is not told."""
        return self.stop.name if self.stop else str(self.said["file"])


def side(answer: Answer, viewer: Viewer) -> Side:
    """Return one file, by the answer about its digest."""
    said, studio = answer.to_json(viewer), answer.studio
    sha256 = answer.full.sha256 or answer.asked.subject or ""
    if studio is None or not viewer.may(Action.READ_WORK, studio.production):
        return Side(said, sha256)
    way = ancestry(answer, viewer)
    if way is None:
        return Side(said, sha256)
    try:
        pixels = asset(studio, sha256, sight_of(viewer, studio.production)).get("pixels")
    except UsageError:
        pixels = None
    under = tuple(
        (stop.kind, stop.name) for stop in way.stops if stop.kind in ("model", "service", "dataset")
    )
    return Side(said, sha256, pixels, way.stops[0], under, studio.production)
