"""What happens in a production: its newest entries, each in a line, as this viewer may be told of them.

* A page is worked out from a bounded number of entries: it may hold less than was asked for, even nothing,
  and still have a next one.
* Who does not read the work is not told which device signed, nor where.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from ledger.core.access import Action, Viewer
from ledger.core.artifact import Artifact
from ledger.core.predicates import AuditReport, ServiceCall, Step, VerdictResult
from ledger.core.predicates.step import Place
from ledger.service.events.kinds import event_type, predicates_for
from ledger.service.events.source import Source
from ledger.service.events.store import EventRow
from ledger.service.log.keys import history
from ledger.service.reading.pages import Page
from ledger.service.studio import Studio

PIECE, PIECES = 200, 25
"""Entries that are looked at together, and how often at most."""
SUBJECTS = 3
"""Files of an entry that are named."""


@dataclass(frozen=True, slots=True)
class Happening:
    """One entry. ``kind`` is that of its event (``events.kinds``), ``what`` more of it: an action, a state.

    ``received`` is when the log took it in, UTC. ``name`` is what a fact is about, where it has one.
    ``signer`` is the device that signed it. What the viewer may not know is ``None``.
    """

    index: int
    kind: str
    received: datetime
    subjects: tuple[Artifact, ...]
    more: bool
    what: str | None = None
    name: str | None = None
    place: Place | None = None
    signer: str | None = None


@dataclass(frozen=True, slots=True)
class Happenings:
    """The newest first. ``next`` is the cursor of what came before these; ``newest`` the log's last index."""

    items: tuple[Happening, ...]
    newest: int
    next: str | None


def happenings(studio: Studio, source: Source, viewer: Viewer, page: Page) -> Happenings:
    """Return a page of what happened, the newest first. Raises ``MalformedError("page.cursor")``."""
    size = source.size()
    (before,) = page.place(int) or (size,)
    types = predicates_for((), viewer, studio.production)
    rows, stop = _rows(source, types, min(before, size), page.limit)
    signers = _signers(studio) if viewer.may(Action.READ_WORK, studio.production) else None
    items = tuple(_happening(studio, row, signers) for row in rows)
    return Happenings(items, size - 1, page.cursor(stop) if stop else None)


def told(studio: Studio, source: Source, viewer: Viewer, indices: Iterable[int]) -> list[Happening]:
    """Return these entries, in their order; what the viewer may not be told of is left out."""
    types = predicates_for((), viewer, studio.production)
    signers = _signers(studio) if viewer.may(Action.READ_WORK, studio.production) else None
    rows = (row for index in indices for row in source.store.rows(types, index, index + 1, 1, SUBJECTS))
    return [_happening(studio, row, signers) for row in rows]


def _rows(source: Source, types: Sequence[str], stop: int, limit: int) -> tuple[list[EventRow], int]:
    """Return the newest entries of these types before ``stop``, and where to go on; 0 at the beginning."""
    found: list[EventRow] = []
    for _ in range(PIECES):
        if not stop or len(found) >= limit:
            break
        start = max(0, stop - PIECE)
        found += reversed(source.store.rows(types, start, stop, PIECE, SUBJECTS))
        stop = start
    if len(found) > limit:
        return found[:limit], found[limit - 1].index
    return found, stop


def _signers(studio: Studio) -> dict[str, str]:
    return {key.keyid: key.device for key in history(studio)}


def _happening(studio: Studio, row: EventRow, signers: dict[str, str] | None) -> Happening:
    predicate = studio.statement(row.index).predicate
    said = row.index, event_type(row.predicate_type), _moment(row), row.subjects, row.more
    what = name = None
    match predicate:
        case Step():
            what = predicate.action.value
        case VerdictResult():
            what, name = predicate.now.verdict.value, predicate.policy
        case AuditReport():
            what, name = predicate.verdict_now, predicate.identifier
    if signers is None:
        return Happening(*said, what, name)
    place = predicate.place if isinstance(predicate, Step | ServiceCall) else None
    keyid = studio.envelope(row.index).signatures[0].keyid
    return Happening(*said, what, name or _name(predicate), place, signers.get(keyid))


def _moment(row: EventRow) -> datetime:
    return datetime.fromisoformat(row.received)


def _name(predicate: object) -> str | None:
    """Return what a fact names itself by."""
    keys = ("grant_id", "consent_id", "name", "device", "product", "code", "standing", "finding_id")
    found = next((value for key in keys if (value := getattr(predicate, key, None))), None)
    return str(found) if found is not None else None
