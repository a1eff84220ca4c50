"""Where and for what something is permitted: titles, media, territories; and the contract's own days.

* What is left out is not limited. A list stands for a set: sorted, nothing twice.
* A territory has the shape of a code and is not looked up: the tables change over the years, entries do not.
* Moments at which a permission begins or ends lie on quarters of an hour, the grain at which uses are judged.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from ledger.core.fields import Fields, in_order, present
from ledger.core.predicates.grant import check_term

_TERRITORY = re.compile(r"[A-Z]{2}|[0-9]{3}")
_ZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*")
_QUARTER = timedelta(minutes=15)
_FARTHEST = timedelta(hours=14)
"""No time zone is farther from UTC."""


class Media(StrEnum):
    """How a title reaches its audience."""

    BROADCAST = "broadcast"
    STREAMING = "streaming"
    THEATRICAL = "theatrical"
    HOME_VIDEO = "home-video"
    GAMES = "games"
    MERCHANDISE = "merchandise"
    ADVERTISING = "advertising"
    SOCIAL = "social"
    PRINT = "print"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class Scope:
    """``titles`` are title identifiers; territories ISO 3166-1 alpha-2 or UN M49 codes (``001``: the world).

    ``except_territories`` are taken away from ``territories``. An empty tuple does not limit.
    """

    titles: tuple[str, ...] = ()
    media: tuple[Media, ...] = ()
    territories: tuple[str, ...] = ()
    except_territories: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the object, empty when nothing is limited."""
        return present(
            titles=in_order(self.titles),
            media=in_order(self.media),
            territories=in_order(self.territories),
            exceptTerritories=in_order(self.except_territories),
        )


EVERYWHERE = Scope()
"""No limit."""


@dataclass(frozen=True, slots=True)
class Term:
    """The contract's own days: from ``first``, up to and without ``end``, in the IANA time zone ``zone``."""

    first: date
    zone: str
    end: date | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the object."""
        return present(first=self.first.isoformat(), end=self.end and self.end.isoformat(), zone=self.zone)


def read_scope(fields: Fields, name: str = "scope") -> Scope:
    """Take the scope; an unlimited one where the member is absent."""
    if not fields.has(name):
        return EVERYWHERE
    inner = fields.sub(name)
    found = Scope(
        inner.distinct("titles"),
        inner.choices("media", Media),
        read_territories(inner, "territories"),
        read_territories(inner, "exceptTerritories"),
    )
    inner.end()
    if found == EVERYWHERE:
        raise fields.error(name, "must not be an empty object: leave it out")
    return found


def read_territories(fields: Fields, name: str) -> tuple[str, ...]:
    """Take an optional list of territories."""
    found = fields.distinct(name)
    for code in found:
        if not _TERRITORY.fullmatch(code):
            raise fields.error(name, f"cannot hold {code!r}")
    return found


def read_term(fields: Fields, valid_from: datetime, valid_until: datetime | None) -> Term | None:
    """Take the optional contract days. They must agree with the moments that they were resolved to.

    Which moment a day in a time zone begins at is for a table that changes over the years; so the statement
    holds both, and here only what no table can change is checked: 14 hours at most lie between them.
    """
    if not fields.has("term"):
        return None
    inner = fields.sub("term")
    found = Term(_day(inner, "first"), inner.text("zone"), _day(inner, "end") if inner.has("end") else None)
    if not _ZONE.fullmatch(found.zone):
        raise inner.error("zone", "must be the name of a time zone such as Asia/Tokyo")
    inner.end()
    for day, moment, name in ((found.first, valid_from, "first"), (found.end, valid_until, "end")):
        if (day is None) != (moment is None) or (day and moment and _apart(day, moment) > _FARTHEST):
            raise inner.error(name, "does not agree with validFrom and validUntil")
    if found.end is not None and found.end <= found.first:
        raise inner.error("end", "is not later than first")
    return found


def check_validity(fields: Fields, valid_from: datetime, valid_until: datetime | None) -> None:
    """Refuse a validity that ends before, or as, it begins, and one that is not on quarters of an hour."""
    check_term(fields, valid_from, valid_until)
    check_quarter(fields, "validFrom", valid_from)
    check_quarter(fields, "validUntil", valid_until)


def check_quarter(fields: Fields, name: str, moment: datetime | None) -> None:
    """Refuse a moment that is not on a quarter of an hour, the grain at which uses are judged.

    Midnight is on one in every time zone since 1972.
    """
    if moment is not None and (moment - datetime.min.replace(tzinfo=moment.tzinfo)) % _QUARTER:
        raise fields.error(name, "must be on a quarter of an hour")


def _day(fields: Fields, name: str) -> date:
    text = fields.text(name)
    try:
        found = date.fromisoformat(text)
    except ValueError as error:
        raise fields.error(name, "must be a day such as 2026-11-22") from error
    if found.isoformat() != text:
        raise fields.error(name, "must be a day such as 2026-11-22")
    return found


def _apart(day: date, moment: datetime) -> timedelta:
    return abs(datetime(day.year, day.month, day.day, tzinfo=moment.tzinfo) - moment)
