"""The verdicts on record about the files of a report: the very envelopes that a registrar signed.

* All of them, by whatever policy and for whatever delivery, in the order of the log: a later one says which
  it follows. None is made here: files that no verdict on record is about are counted.
* An envelope cannot be shown in part. A reader who may not see all that one says gets its number alone.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from ledger.core.audit import Sight
from ledger.core.audit.bundle import shows
from ledger.core.predicates import VerdictResult
from ledger.service.archive import Archive
from ledger.service.clear.verdicts import read
from ledger.service.report.report import Made
from ledger.service.studio import Studio


@dataclass(frozen=True, slots=True)
class OnRecord:
    """``files`` are asked for, ``judged`` of them have a verdict. ``entries`` are the verdicts' indices.

    ``envelopes`` are those that the reader may have, in the same order, as they are in the log.
    """

    files: int
    judged: int
    entries: tuple[int, ...]
    envelopes: tuple[bytes, ...]


def on_record(studio: Studio, made: Made, sees: Collection[Sight]) -> OnRecord:
    """Return the verdicts of the tree that the report stands on, for a reader who sees this."""
    archive, size = Archive(studio), made.report.head.size
    asked = {item.sha256 for shot in made.population.shots for item in shot.frames}
    rows = studio.entries.statements(VerdictResult.TYPE)
    signed = (read(archive, row.index) for row in rows if row.index < size)
    held = [item for item in signed if item and any(subject.sha256 in asked for subject in item.subjects)]
    judged = {subject.sha256 for found in held for subject in found.subjects} & asked
    shown = [found.index for found in held if shows(found.verdict, sees)]
    return OnRecord(
        files=len(asked),
        judged=len(judged),
        entries=tuple(found.index for found in held),
        envelopes=tuple(studio.entries.envelope(index) for index in shown),
    )
