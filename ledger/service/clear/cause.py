"""Which entry made the difference between a verdict and the next one.

* A record came that changed what the file rests on: the first new entry under it.
* Or a fact came: found by judging again as of ever smaller trees, until one entry makes the difference.
* Or a day passed: the term of a grant, a consent, an approval or an override began or ended. Then the cause
  is the entry that said so.
* Where nothing of that is found (the engine's rules have changed), no cause is named.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque

from ledger.core.artifact import Artifact
from ledger.core.predicates import Finding, Revocation, Step, VerdictResult, types_of
from ledger.core.predicates.answer import Answer
from ledger.core.rights.basis import Item, is_lineage
from ledger.core.rights.clearance import Clearance, Engine
from ledger.core.rights.facts import FactRecord, Facts
from ledger.service.archive import Archive
from ledger.service.clear.clear import timeless
from ledger.service.clear.makers import makers
from ledger.service.clear.question import Clearer
from ledger.service.clear.recorded import File
from ledger.service.clear.touched import IRRELEVANT, passed, touched_by
from ledger.service.rights.reading import records_of
from ledger.service.studio import Studio

MAX_FILES = 10_000
"""How many files under one are looked at for a new record."""


class Causes:
    """Finds causes for one question; remembers the engines of the smaller trees."""

    def __init__(self, studio: Studio, clearer: Clearer) -> None:
        self._studio = studio
        self._clearer = clearer
        self._records = tuple(item for item in records_of(studio) if item.index < clearer.size)
        self._relevant = [
            item for item in self._records if not isinstance(item.statement.predicate, IRRELEVANT)
        ]
        self._engines: dict[int, Engine] = {}

    def find(self, previous: VerdictResult, digest: str, basis: frozenset[Item], file: File) -> int | None:
        """Return the entry that made the difference between ``previous`` and the answer for this basis."""
        if previous.basis != digest:
            found = self._new_record(file, previous.size)
            if found is not None:
                return found
        found = self._new_fact(previous.size, basis)
        return self._day(previous, basis) if found is None else found

    def _new_fact(self, size: int, basis: frozenset[Item]) -> int | None:
        """Return the first fact of a newer tree with which the answer is another one."""
        known = bisect_left([item.index for item in self._relevant], size)
        before = _essence(self._answer(known, basis))
        low, high = known, len(self._relevant)
        if _essence(self._answer(high, basis)) == before:
            return None
        while high - low > 1:
            middle = (low + high) // 2
            if _essence(self._answer(middle, basis)) == before:
                low = middle
            else:
                high = middle
        return self._relevant[high - 1].index

    def _answer(self, count: int, basis: frozenset[Item]) -> Clearance:
        """Return the answer by the first ``count`` facts."""
        question = self._clearer.question
        if count not in self._engines:
            facts = self._facts(self._relevant[:count])
            self._engines[count] = Engine(facts, question.profile, question.delivery, question.at)
        return self._engines[count].clear(basis)

    def _facts(self, records: list[FactRecord]) -> Facts:
        return Facts(records, self._clearer.size, self._clearer.question.known)

    def _day(self, previous: VerdictResult, basis: frozenset[Item]) -> int | None:
        """Return the entry whose term began or ended since, of what this basis rests on; the first such."""
        facts, question = self._clearer.facts, self._clearer.question
        for boundary in passed(self._relevant, previous.valid_at, question.at):
            about = touched_by(self._relevant, frozenset((boundary.index,)), facts, question.delivery.title)
            if any(about.holds(item, facts) for item in basis):
                return boundary.index
        return None

    def _new_record(self, file: File, size: int) -> int | None:
        """Return the first entry since then that made, or said something of, a file under this one."""
        archive, found, seen = Archive(self._studio), set[int](), {file.sha256}
        queue = deque([Artifact(file.name, file.sha256)])
        while queue and len(seen) <= MAX_FILES:
            artifact = queue.popleft()
            found |= {
                row.index
                for row in archive.rows(artifact.sha256)
                if row.index >= size and row.role == "subject" and self._counts(row.index)
            }
            for index, statement, _ in makers(archive, artifact):
                step = statement.predicate
                found |= {index} if index >= size else set()
                for material in step.materials if isinstance(step, Step) else ():
                    if is_lineage(material) and material.sha256 not in seen:
                        seen.add(material.sha256)
                        queue.append(material)
        return min(found, default=self._lost_key(size))

    def _counts(self, index: int) -> bool:
        return isinstance(self._studio.statement(index).predicate, Finding | Step)

    def _lost_key(self, size: int) -> int | None:
        """Return the first revocation since then that reaches back: entries of its key count no more."""
        rows = [row.index for kind in types_of(Revocation) for row in self._studio.entries.statements(kind)]
        new = [index for index in sorted(rows) if size <= index < self._clearer.size]
        return new[0] if new else None


def _essence(clearance: Clearance) -> tuple[object, ...]:
    return tuple(map(_said, (clearance.then, clearance.now)))


def _said(answer: Answer) -> tuple[object, ...]:
    return answer.verdict, answer.grade, answer.levels, tuple(map(timeless, answer.reasons))
