"""The days of a contract, and the moments that they begin at.

* A day belongs to a place: in Tokyo, the last day of 2026 ends at 15:00 UTC. A term is half-open: it holds
  from the first moment of its first day up to the first moment of its end day.
* A day begins when its date does: where the clocks skip midnight, with the first moment that there is; where
  they show it twice, with the first of the two.
* Which moment that is, the table of time zones says (IANA), here at the edge. The statement keeps both.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from difflib import get_close_matches
from zoneinfo import ZoneInfo, available_timezones

from ledger.core.fields import parse_time
from ledger.core.predicates.scope import Term
from ledger.errors import UsageError

Point = date | datetime
"""A day, or a moment: a ``datetime`` is always a moment."""

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_OF_THE_MACHINE = frozenset({"localtime", "Factory", "posixrules"})
"""Names that mean something else on every machine."""


@dataclass(frozen=True, slots=True)
class Period:
    """``valid_from <= t < valid_until``, UTC. ``term`` holds the contract's own days, where it names days."""

    valid_from: datetime
    valid_until: datetime | None = None
    term: Term | None = None


def read_point(text: str) -> Point:
    """Return a day (2026-11-22) or a moment (2026-11-22T03:00:00Z). Raises ``UsageError("registry.day")``."""
    try:
        if not _DAY.fullmatch(text):
            return parse_time(text)
        return date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(
            "registry.day",
            f"{text!r} is neither a day such as 2026-11-22 nor a moment such as 2026-11-22T03:00:00Z.",
        ) from error


def moment_of(point: Point, zone: str) -> datetime:
    """Return the moment, UTC: of a day its first one in the zone. A moment without a zone is in this one.

    Raises ``UsageError`` with ``registry.time-zone``, or ``registry.day`` for a day beyond the calendar.
    """
    place = _zone(zone)
    if not isinstance(point, datetime):
        point = datetime(point.year, point.month, point.day, tzinfo=place)
    try:
        return (point if point.tzinfo else point.replace(tzinfo=place)).astimezone(UTC)
    except OverflowError as error:
        raise UsageError("registry.day", f"No calendar has the day {point}.") from error


def period(first: Point, end: Point | None, zone: str, *, including: bool = False) -> Period:
    """Return the period from ``first`` up to ``end``, or with ``including`` to the end of that last day.

    It has a term where all that was given are days. Raises ``UsageError`` with ``registry.time-zone``,
    ``registry.day``, or ``registry.term`` for one that ends before, or as, it begins.
    """
    if including and end is not None:
        end = _day_after(end)
    valid_from = moment_of(first, zone)
    valid_until = None if end is None else moment_of(end, zone)
    if valid_until is not None and valid_until <= valid_from:
        raise UsageError("registry.term", f"It ends ({end}) before it begins ({first}).")
    if isinstance(first, datetime) or isinstance(end, datetime):
        return Period(valid_from, valid_until)
    return Period(valid_from, valid_until, Term(first, zone, end))


def _day_after(last: Point) -> date:
    if isinstance(last, datetime):
        raise UsageError("registry.day", f"A last day is a day, and {last} is a moment.")
    try:
        return last + timedelta(days=1)
    except OverflowError as error:
        raise UsageError("registry.day", f"No calendar has the day after {last}.") from error


def _zone(name: str) -> ZoneInfo:
    try:
        if name in _OF_THE_MACHINE:
            raise ValueError(name)
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        near = get_close_matches(name, available_timezones(), 3, 0.5)
        meant = f" Did you mean {', '.join(near)}?" if near else ""
        raise UsageError("registry.time-zone", f"{name!r} is not the name of a time zone.{meant}") from error
