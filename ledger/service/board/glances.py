"""What a board shows beside the answer: what is new, what was delivered, how the log stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import lru_cache

from ledger.core.audit.views import Reader, View
from ledger.core.checkpoint import parse_checkpoint
from ledger.core.note import parse_note
from ledger.core.predicates import AuditReport
from ledger.errors import RakkanError
from ledger.service.clear.places import WHOLE
from ledger.service.log.public import PublicLog
from ledger.service.places import Place
from ledger.service.report.last import issued, series_of
from ledger.service.report.population import scope_of
from ledger.service.studio import Studio

FRIDAY, EVENING = 4, time(18)
"""The end of a working week: the weekday, and the time, in UTC."""
MOST = 10
"""Delivered reports that are listed."""


@dataclass(frozen=True, slots=True)
class Since:
    """Entries that the log took in since a moment."""

    moment: datetime
    entries: int


@dataclass(frozen=True, slots=True)
class Delivered:
    """A report that was issued, with its entry. What it said is of its own scope and moment.

    ``of`` is the scope: the texts of the targets, empty where it is none that this production knows. The log
    has only a digest of it, so that whoever reads the log learns no names.
    """

    index: int
    report: AuditReport
    of: str = ""


@dataclass(frozen=True, slots=True)
class LogState:
    """How large the log is, the size of the checkpoint to go by, and how many witnesses signed that.

    ``published`` is ``None`` where it cannot be had at the moment.
    """

    origin: str
    size: int
    published: int | None
    witnesses: int


def last_friday(now: datetime) -> datetime:
    """Return the last Friday evening, 18:00 UTC, before this moment."""
    day = now - timedelta(days=(now.weekday() - FRIDAY) % 7)
    found = datetime.combine(day.date(), EVENING, now.tzinfo)
    return found if found <= now else found - timedelta(days=7)


def moments(studio: Studio) -> dict[str, datetime]:
    """Return the moments that people ask about: ``yesterday``, ``friday``, ``report``: the last."""
    now = studio.clock.now()
    found = {"yesterday": now.replace(microsecond=0) - timedelta(days=1), "friday": last_friday(now)}
    last = delivered(studio)
    return {**found, "report": last[0].report.at} if last else found


def since_friday(studio: Studio) -> Since:
    """Return how much the log took in since last Friday evening."""
    moment = last_friday(studio.clock.now())
    return Since(moment, studio.entries.head().size - studio.rows.first_since(moment))


def delivered(studio: Studio, places: Iterable[Place] = ()) -> tuple[Delivered, ...]:
    """Return the reports that were issued, the newest first; those of these places with what they are of."""
    found = issued(studio)[:MOST]
    texts = _texts(places) if found else frozenset[str]()
    about = studio.log.origin, studio.production, texts
    return tuple(
        Delivered(index, report, _series(*about, report.view).get(report.series, ""))
        for index, report in found
    )


@lru_cache(maxsize=8)
def _series(origin: str, production: str, texts: frozenset[str], view: str) -> Mapping[str, str]:
    """Return the text of the targets by the digest that a report of them has in the log."""
    reader = Reader(View(view))
    return {series_of(origin, scope_of(production, [text]), reader): text for text in texts}


def _texts(places: Iterable[Place]) -> frozenset[str]:
    """Return what somebody may have asked a report of: places, their episodes and sequences, all of it."""
    found = {WHOLE}
    for place in places:
        inside = (place.episode,) if place.episode else ()
        found |= {place.words, "/".join(filter(None, (*inside, place.sequence)))}
        found |= (
            {f"{place.episode}/{WHOLE}", f"{place.episode}/{place.sequence}/{WHOLE}"} if inside else set()
        )
    return frozenset(found - {""})


def log_state(studio: Studio, public: PublicLog) -> LogState:
    """Return how the log stands."""
    size = studio.entries.head().size
    try:
        note = public.checkpoint()
    except RakkanError:
        return LogState(studio.log.origin, size, None, 0)
    names = {signature.name for signature in parse_note(note).signatures} - {studio.log.origin}
    return LogState(studio.log.origin, size, parse_checkpoint(note).size, len(names))
