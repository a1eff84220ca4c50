"""A record's times, when the device's clock was wrong.

The seconds since the machine started run on whatever the clock of the day does. Where the agent runs in the
same start as the hook did, they tell when the record was made by the agent's clock; where not, the record's
own time is kept, unless it is still to come.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from ledger.core.spooled import Spooled

TOLERANCE = timedelta(seconds=90)
"""A difference that is no jump: clocks are set forth and back by seconds all the time."""


@dataclass(frozen=True, slots=True)
class Now:
    """This moment, by the device's two clocks; ``boot`` names the start that ``monotonic`` counts from."""

    wall: datetime
    monotonic: float
    boot: str | None


def correction(record: Spooled, now: Now) -> timedelta:
    """Return what has to be added to the record's times; zero for a clock that was right."""
    made = record.captured
    if record.monotonic is not None and record.boot is not None and record.boot == now.boot:
        made = now.wall - timedelta(seconds=now.monotonic - record.monotonic)
    elif record.captured > now.wall + TOLERANCE:
        made = now.wall
    off = made - record.captured
    return off if abs(off) > TOLERANCE else timedelta(0)


def corrected(moment: datetime, captured: datetime, off: timedelta) -> datetime:
    """Return a time of the record as it really was.

    The clock may have jumped within the step: a time that is nearer to the true time of capture than to the
    written one was right already.
    """
    return moment + off if abs(moment - captured) <= abs(moment - captured - off) else moment
