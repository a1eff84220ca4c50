"""Read the facts of the registry from the log.

* Every entry is read once in a process, and kept with the studio: entries never change, so only what came
  after the last look is read. One thread at a time does so; what it returns never changes.
* Whether a registrar signed an entry is what ``Archive`` says: a stolen device can add entries, and no fact.
"""

from __future__ import annotations

from datetime import datetime
from typing import get_args

from ledger.core.artifact import Artifact
from ledger.core.predicates import (
    Dataset,
    Fact,
    Grant,
    Model,
    PolicyProfile,
    Revocation,
    TrainingRun,
    VerdictResult,
    types_of,
)
from ledger.core.rights.facts import FactRecord, Facts
from ledger.errors import UsageError
from ledger.service.archive import Archive
from ledger.service.studio import KeptFacts, Studio

KEPT_VIEWS = 8
"""How many moments of knowledge are kept built: whoever asks chooses them."""
_ANSWERS = (PolicyProfile, VerdictResult)
FACT_TYPES = types_of(
    Dataset, Model, Grant, TrainingRun, Revocation, *(kind for kind in get_args(Fact) if kind not in _ANSWERS)
)
"""The predicate types that a verdict rests on, in all their versions; not those that say what came of it.

The revocations are of keys: what a stolen one attested does not count.
"""


def records_of(studio: Studio) -> tuple[FactRecord, ...]:
    """Return every fact that the log holds, in the order of the log, with who may have signed it."""
    with studio.facts.turn:
        return _caught_up(studio).records


def facts_of(studio: Studio, known: datetime | None = None) -> Facts:
    """Return the registry as the log has it now, or as the studio knew it at the moment ``known``."""
    with studio.facts.turn:
        kept = _caught_up(studio)
        found = kept.views.get(known)
        if found is None:
            if len(kept.views) >= KEPT_VIEWS:
                kept.views.clear()
            found = kept.views[known] = Facts(kept.records, kept.size, known)
        return found


def _caught_up(studio: Studio) -> KeptFacts:
    kept, size = studio.facts, studio.entries.head().size
    if kept.size != size:
        # A database that was put back has fewer entries than were read: then all of it is read again.
        fresh = kept.records if kept.size < size else ()
        start = kept.size if kept.size < size else 0
        kept.records = (*fresh, *_read(studio, start, size))
        kept.size, kept.views = size, {}
    return kept


def find(studio: Studio, kind: type[Dataset | Model], name: str) -> Artifact:
    """Return the newest dataset or model of this name or SHA-256. Reads no more entries than it must.

    Raises ``UsageError`` with ``record.unknown-dataset`` or ``record.unknown-model``.
    """
    rows = sorted((row.index for of in types_of(kind) for row in studio.entries.statements(of)), reverse=True)
    for index in rows:
        statement = studio.statement(index)
        subject, predicate = statement.subjects[0], statement.predicate
        if isinstance(predicate, kind) and name in (predicate.name, subject.name, subject.sha256):
            return subject
    code = "record.unknown-dataset" if kind is Dataset else "record.unknown-model"
    raise UsageError(code, f"No {kind.__name__.lower()} named {name!r} is registered.", name=name)


def _read(studio: Studio, start: int, stop: int) -> list[FactRecord]:
    archive = Archive(studio)
    rows = (row for kind in FACT_TYPES for row in studio.entries.statements(kind))
    indices = sorted(row.index for row in rows if start <= row.index < stop)
    return [_record(studio, archive, index) for index in indices]


def _record(studio: Studio, archive: Archive, index: int) -> FactRecord:
    if archive.by_registrar(index):
        return FactRecord(index, studio.statement(index))
    keyid = studio.envelope(index).signatures[0].keyid
    return FactRecord(index, studio.statement(index), by_registrar=False, keyid=keyid)
