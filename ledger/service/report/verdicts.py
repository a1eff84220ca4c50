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
from ledger.errors import MalformedError
from ledger.service.archive import Archive
from ledger.service.clear.verdicts import Recorded, read
from ledger.service.report.report import Made
from ledger.service.studio import Studio


@dataclass(frozen=True, slots=True)
class OnRecord:
    """``files`` are asked for, ``judged`` of them have a verdict. ``entries`` are the verdicts' indices.

    ``envelopes`` are those that the reader may have, in the same order, as they are in the log. ``refused``
    are entries that say they are verdicts, whoever they are about, and that no registrar's signature holds.
    """

    files: int
    judged: int
    entries: tuple[int, ...]
    refused: tuple[int, ...]
    envelopes: tuple[bytes, ...]


def on_record(studio: Studio, made: Made, sees: Collection[Sight]) -> OnRecord:
    """Return the verdicts of the tree that the report stands on, for a reader who sees this."""
    archive, size = Archive(studio), made.report.head.size
    asked = {item.sha256 for shot in made.population.shots for item in shot.frames}
    rows = studio.entries.statements(VerdictResult.TYPE)
    found = {row.index: _read(archive, row.index) for row in rows if row.index < size}
    held = [item for item in found.values() if item and any(each.sha256 in asked for each in item.subjects)]
    judged = {each.sha256 for item in held for each in item.subjects} & asked
    shown = [item.index for item in held if shows(type(item.verdict), sees)]
    return OnRecord(
        files=len(asked),
        judged=len(judged),
        entries=tuple(item.index for item in held),
        refused=tuple(index for index, item in found.items() if item is None),
        envelopes=tuple(studio.entries.envelope(index) for index in shown),
    )


def _read(archive: Archive, index: int) -> Recorded | None:
    try:
        return read(archive, index)
    except MalformedError:
        return None  # the checks of the report name the entry
