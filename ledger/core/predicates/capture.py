"""What a step says of its capture: the device's own chain of records, and how this one came to be.

Each device numbers its records from 0 and names the one before, before any of them leaves the device: one
that is dropped, changed or put elsewhere later leaves a gap or a broken link that anybody can see.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from ledger.core.fields import Fields, format_time, in_order, present


class Layer(StrEnum):
    """How the record came to be, best first. It is no grade: those are of the rights."""

    APP = "app"
    RUN = "run"
    WATCH = "watch"
    SHARE = "share"
    DECLARE = "declare"


class Event(StrEnum):
    """What the work was done for: an artist's save, a version for others, the delivery."""

    SAVE = "save"
    PUBLISH = "publish"
    FINAL = "final"


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """``sequence`` counts the device's records from 0; ``previous`` is the SHA-256 (hex) of the one before.

    ``hook`` is a name and a version. ``captured`` is the device's clock when the hook wrote the record, and
    ``clock_off`` by how many seconds the agent corrected it. ``missed`` names what the step read and
    ``superseded`` what it wrote, where a file had changed before anybody could hash it.
    """

    sequence: int
    previous: str | None
    layer: Layer
    hook: str
    event: Event
    captured: datetime
    clock_off: int = 0
    missed: tuple[str, ...] = ()
    superseded: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the member of the predicate."""
        return present(
            sequence=self.sequence,
            previous=self.previous,
            layer=self.layer.value,
            hook=self.hook,
            event=self.event.value,
            captured=format_time(self.captured),
            clockOff=self.clock_off or None,
            missed=in_order(self.missed),
            superseded=in_order(self.superseded),
        )


def read_capture(fields: Fields) -> Capture:
    """Take the member's fields."""
    found = Capture(
        sequence=fields.take("sequence", int),
        previous=fields.sha256("previous") if fields.has("previous") else None,
        layer=fields.choice("layer", Layer),
        hook=fields.text("hook"),
        event=fields.choice("event", Event),
        captured=fields.time("captured"),
        clock_off=fields.take("clockOff", int) if fields.has("clockOff") else 0,
        missed=fields.distinct("missed"),
        superseded=fields.distinct("superseded"),
    )
    if found.sequence < 0 or (found.sequence == 0) != (found.previous is None):
        raise fields.error("previous", "goes with every record but the device's first, number 0")
    fields.end()
    return found
