"""The drawings of a report: how the worst picture came to be, and one of those on the most common basis.

* What was found about a file, a model or a dataset stands on its card: a reader sees where it went wrong.
* A file before and after it was sealed is one card, as on the page of the demo.
* At most ``MOST_STOPS`` cards are drawn, the nearest ones; ``why`` says it where there is more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ledger.core.artifact import Role
from ledger.core.audit import Lineage, Stop, Table
from ledger.core.fields import format_time
from ledger.core.lineage import Lineage as Traced
from ledger.core.lineage import trace
from ledger.core.predicates import Dataset, Model, ModelV2, Predicate, Step
from ledger.core.predicates.reasons import Severity
from ledger.core.predicates.step import Evidence
from ledger.errors import MalformedError, UsageError
from ledger.service.archive import Archive
from ledger.service.clear.recorded import File
from ledger.service.report.frames import worst_shots
from ledger.service.report.ground import Ground

MOST_STOPS = 60
_SEALED = "sealed-from"


def lineages(ground: Ground, shots: Table) -> dict[str, Lineage]:
    """Return the lineages: ``worst`` where a shot is not cleared, ``common`` where its basis is another."""
    groups, pen = ground.cleared.groups, _Pen(ground, Archive(ground.studio))
    picture, number = shots.schema.place("picture"), shots.schema.place("shot")
    worst = next(iter(worst_shots(shots, 1)), None)
    shown = next((row[picture] for row in shots.shown if str(row[number]) == worst), None)
    found: dict[str, Lineage] = {}
    bad = next((file for group in groups for file in group.files if file.sha256 == shown), None)
    if bad is not None:
        found |= _drawn(pen, "worst", bad, f"It stands for shot {worst}, the one to look at first.")
    common = max(groups, key=lambda group: len(group.files), default=None)
    if common is not None and (bad is None or bad.basis != common.basis):
        words = f"It rests on what most files rest on: {len(common.files):,} of them."
        found |= _drawn(pen, "common", common.files[len(common.files) // 2], words)
    return found


def _drawn(pen: _Pen, key: str, file: File, why: str) -> dict[str, Lineage]:
    """Return the drawing by its key; none of a file under which an entry cannot be read any more."""
    try:
        return {key: pen.draw(key, file, why)}
    except (MalformedError, UsageError):
        return {}  # the checks of the report name the entry


@dataclass(frozen=True, slots=True)
class _Pen:
    """Draws files."""

    ground: Ground
    archive: Archive

    def draw(self, key: str, file: File, why: str) -> Lineage:
        """Return the drawing. ``why`` gets a sentence more where not all is drawn."""
        traced = trace(self._recorded(file), file.name, self.archive.made, most=MOST_STOPS)
        sealed = {link.child: link.parent for link in traced.links if link.role == _SEALED}
        met = [sha256 for sha256 in traced.names if sha256 not in sealed]
        kept = met[:MOST_STOPS]
        roles = {link.parent: link.role for link in traced.links}
        marks = self._marks(file)
        stops = tuple(
            self._stop(sha256, traced.names[sha256], roles.get(sha256, ""), marks) for sha256 in kept
        )
        if traced.unvisited or met[MOST_STOPS:]:
            why = f"{why} Only the {len(kept)} nearest cards are drawn: there is more under it."
        links = tuple(dict.fromkeys(_links(traced, sealed, frozenset(kept))))
        return Lineage(key, file.name, file.sha256, why, stops, links)

    def _recorded(self, file: File) -> str:
        """Return the digest under which the log knows the file: that of another one with its picture."""
        if file.pixels is None:
            return file.sha256
        rows = self.ground.studio.entries.artifacts(pixels=file.pixels)
        return next((row.sha256 for row in reversed(rows) if row.role == "subject"), file.sha256)

    def _marks(self, file: File) -> dict[str, str]:
        """Return what speaks most against each thing under the file, now."""
        found: dict[str, str] = {}
        for reason in self.ground.cleared.by_file[file.sha256].now.reasons:
            if reason.severity is not Severity.NOTED:
                found.setdefault(reason.sha256, reason.code.value)
        return found

    def _stop(self, sha256: str, name: str, role: str, marks: Mapping[str, str]) -> Stop:
        record = self.archive.made(sha256)
        said = record.statement.predicate if record else None
        kind, lines = _told(said) if said else (_unrecorded(role), ())
        mark, good = self._mark(said, sha256)
        if sha256 in marks:
            mark, good = marks[sha256], False
        return Stop(sha256, kind, name, lines, mark, good, record.index if record else None)

    def _mark(self, said: Predicate | None, sha256: str) -> tuple[str, bool | None]:
        """Return the mark of what nothing speaks against, and whether it is a good one."""
        if said is None:
            return "no record explains it", None
        if isinstance(said, Step):
            return said.evidence.value, said.evidence is Evidence.OBSERVED or None
        grade = self.ground.grade(sha256)
        return (grade, True) if grade else ("not graded", None)


def _unrecorded(role: str) -> str:
    """Return what a thing is that no record explains, by what it was to what was made from it."""
    if role == Role.MODEL.value or role.endswith(" parent"):
        return "model"
    return "dataset" if role == Role.DATASET.value or role.endswith(" training") else "unknown"


def _told(said: Predicate) -> tuple[str, tuple[str, ...]]:
    """Return the kind of a card, and its lines."""
    match said:
        case Step():
            words = (f"{said.action.value} · {said.tool.name} {said.tool.version}", said.place.task)
            return "file", (*filter(None, words), format_time(said.finished))
        case ModelV2():
            licence = said.licence.expression if said.licence else None
            kind = "service" if said.service else "model"
            return kind, tuple(filter(None, (f"{said.kind.value} {said.version}", licence)))
        case Model():
            return "model", (said.version,)
        case Dataset():
            return "dataset", (f"{said.works:,} works", f"{said.rights_holders:,} rights holders")
        case _:
            return "file", ()


def _links(traced: Traced, sealed: Mapping[str, str], kept: frozenset[str]) -> Iterator[tuple[str, str, str]]:
    """Yield what is drawn between the cards: what it was made from, what was made, the role."""
    for link in traced.links:
        ends = sealed.get(link.parent, link.parent), sealed.get(link.child, link.child)
        if link.role != _SEALED and kept.issuperset(ends):
            yield (*ends, link.role)
