"""Events are made from entries, each time anew: the log is the only place where they are kept.

    {"type": "verdict.changed", "timestamp": "2026-11-22T15:04:05.123456Z",
     "data": {"production": "nightfall", "index": 41, "subjects": [{"name": …, "sha256": …}], …}}

* An event says what happened and to which files. What an entry states is asked for, by who may read it.
* The same entry is the same event, byte for byte, whoever asks and whenever.
* Reading goes in pages of bounded work, however far behind a reader is.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from ledger.core import canonical
from ledger.core import envelope as dsse
from ledger.core.artifact import Artifact
from ledger.core.fields import Fields, present
from ledger.core.predicates import AuditReport, VerdictResult
from ledger.core.predicates.answer import Answer
from ledger.errors import RakkanError
from ledger.ports import EntryStore
from ledger.service.events.kinds import CHANGED, VERDICT, event_type, wants
from ledger.service.events.store import EventRow, EventStore

PAGE_EVENTS = 100
PAGE_ENTRIES = 10_000
"""How many entries one page looks through for events that were asked for."""
SUBJECTS = 100
SUBJECT_BYTES = 16_000
"""How many files an event names, and how many bytes that may take."""


@dataclass(frozen=True, slots=True)
class Event:
    """What is told of one entry. ``body`` is one line of JSON, UTF-8; ``received`` is its timestamp."""

    index: int
    type: str
    received: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Page:
    """Some events in the order of the log, and the index from which to read on."""

    events: Sequence[Event]
    next: int


@dataclass(frozen=True, slots=True)
class Source:
    """One production's log, as what events are read from."""

    production: str
    entries: EntryStore
    store: EventStore

    def size(self) -> int:
        """Return how many entries there are."""
        return self.store.size()

    def page(
        self, predicate_types: Sequence[str], start: int, stop: int, wanted: Collection[str] = ()
    ) -> Page:
        """Return events of entries in ``start <= index < stop``; perhaps none, but ``next`` moves on."""
        stop = min(stop, start + PAGE_ENTRIES)
        rows = self.store.rows(predicate_types, start, stop, PAGE_EVENTS, SUBJECTS)
        events = [self._event(row) for row in rows]
        after = rows[-1].index + 1 if len(rows) == PAGE_EVENTS else stop
        return Page([event for event in events if wants(wanted, event.type)], after)

    def _event(self, row: EventRow) -> Event:
        kind, more = event_type(row.predicate_type), {}
        if kind == VERDICT:
            verdict = self._verdict(row.index)
            kind = CHANGED if verdict.change else VERDICT
            more = self._of_verdict(verdict)
        elif row.predicate_type == AuditReport.TYPE:
            more = self._of_report(row.index)
        subjects = _fitting(row.subjects)
        data = {
            "production": self.production,
            "index": row.index,
            "predicateType": row.predicate_type,
            "subjects": [{"name": subject.name, "sha256": subject.sha256} for subject in subjects],
            "moreSubjects": row.more or len(subjects) < len(row.subjects),
            **more,
        }
        document = {"type": kind, "timestamp": row.received, "data": data}
        text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
        return Event(row.index, kind, row.received, text.encode())

    def _of_verdict(self, verdict: VerdictResult) -> dict[str, Any]:
        change = verdict.change
        return present(
            policy={"name": verdict.policy, "sha256": verdict.policy_sha256},
            delivery=verdict.delivery.to_json(),
            **_answers(verdict),
            previous=change and {"index": change.previous, **self._before(change.previous)},
            cause=change and change.cause,
        )

    def _of_report(self, index: int) -> dict[str, Any]:
        report = AuditReport.read(self._predicate(index))
        return present(
            identifier=report.identifier,
            series=report.series,
            view=report.view,
            verdict={"then": report.verdict_then, "now": report.verdict_now},
            previous=report.previous,
        )

    def _before(self, index: int) -> dict[str, Any]:
        """Return what the earlier verdict said; nothing where a registrar named what is none."""
        with suppress(RakkanError):
            return _answers(self._verdict(index))
        return {}

    def _verdict(self, index: int) -> VerdictResult:
        """Return the verdict in an entry; the log admitted it, well-formed and from a registrar."""
        return VerdictResult.read(self._predicate(index))

    def _predicate(self, index: int) -> Fields:
        document = canonical.parse(dsse.decode(self.entries.envelope(index)).payload)
        return Fields(document["predicate"], "predicate")


def _answers(verdict: VerdictResult) -> dict[str, Any]:
    return {"then": _answer(verdict.then), "now": _answer(verdict.now)}


def _answer(answer: Answer) -> dict[str, Any]:
    """Return what an answer comes to; its reasons by their codes alone: names are for who may read them."""
    codes = dict.fromkeys(reason.code.value for reason in answer.reasons)
    return {"verdict": answer.verdict.value, "grade": answer.grade.name, "reasons": list(codes)}


def _fitting(subjects: Sequence[Artifact]) -> Sequence[Artifact]:
    room = SUBJECT_BYTES
    for count, subject in enumerate(subjects):
        room -= len(json.dumps(subject.name)) + 64
        if room < 0:
            return subjects[:count]
    return subjects
