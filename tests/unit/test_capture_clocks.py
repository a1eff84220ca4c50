"""A device's wrong clock, corrected by the seconds since it was started."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ledger.core.spooled import Spooled, read_spooled
from ledger.service.capture.clocks import Now, corrected, correction

WALL = datetime(2026, 11, 22, 12, tzinfo=UTC)
NOW = Now(WALL, 5000.0, "this start")
HOUR = timedelta(hours=1)


def record(captured: datetime, monotonic: float | None, boot: str | None = "this start") -> Spooled:
    import json

    return read_spooled(
        json.dumps(
            {
                "rakkan": 1,
                "id": "x",
                "captured": captured.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "monotonic": monotonic,
                "boot": boot,
                "hook": {"name": "h", "version": "1"},
                "layer": "app",
                "action": "draw",
                "tool": {"name": "t", "version": "1"},
            }
        ).encode()
    )


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (record(WALL - HOUR, 1400.0), timedelta(0)),  # right
        (record(WALL - HOUR - timedelta(seconds=30), 1400.0), timedelta(0)),  # as clocks drift
        (record(WALL + 100 * HOUR, 1400.0), -101 * HOUR),  # ahead, and set back since
        (record(WALL - 50 * HOUR, 1400.0), 49 * HOUR),  # behind
        (record(WALL - 50 * HOUR, 1400.0, "an older start"), timedelta(0)),  # nobody can tell
        (record(WALL - 50 * HOUR, None), timedelta(0)),
        (record(WALL + 2 * HOUR, None, None), -2 * HOUR),  # still to come
    ],
)
def test_what_has_to_be_added(made: Spooled, expected: timedelta) -> None:
    assert correction(made, NOW) == expected


def test_a_time_from_before_the_jump_was_right() -> None:
    captured, off = WALL + 100 * HOUR, -101 * HOUR
    assert corrected(captured - timedelta(minutes=1), captured, off) == captured + off - timedelta(minutes=1)
    began = WALL - HOUR - timedelta(minutes=5)
    assert corrected(began, captured, off) == began
