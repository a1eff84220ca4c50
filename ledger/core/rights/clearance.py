"""Clearance: whether a policy finds a grant for every recorded use, at the time of use and now, and why not.

* Pure: the same basis, facts, profile, delivery and moment give the same answer. ``VERSION`` changes when any
  answer could.
* The verdict is the worst of the reasons' severities; the grade is the lowest of the dependencies'.
* An item is judged once for each stretch of time in which nothing about it changes (``epochs``), and each set
  of judgements is put together once: a hundred thousand frames cost what their few distinct bases do.
* *Cleared* is no legal opinion. It says that this policy found a grant for every use that is on record.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from ledger.core.predicates.answer import Answer, Grade, Reason
from ledger.core.predicates.delivery import Delivery
from ledger.core.predicates.reasons import Severity
from ledger.core.rights.basis import TIMELESS, Item
from ledger.core.rights.epochs import Epochs
from ledger.core.rights.facts import Facts
from ledger.core.rights.profile import Profile
from ledger.core.rights.side import Side
from ledger.core.rights.tally import REGISTERED, Judged, Tally

VERSION = "1"
"""Of the engine: named in every verdict."""


@dataclass(frozen=True, slots=True)
class Clearance:
    """The answer, twice: at the time of use, and now."""

    then: Answer
    now: Answer

    @property
    def changed(self) -> tuple[Reason, ...]:
        """Return what speaks against it now and did not at the time of use."""
        before = {(reason.code, reason.sha256, reason.use) for reason in self.then.reasons if _counts(reason)}
        return tuple(
            reason
            for reason in self.now.reasons
            if _counts(reason) and (reason.code, reason.sha256, reason.use) not in before
        )


class Engine:
    """Clears bases for one delivery under one profile, as of ``at``, with what ``facts`` holds."""

    def __init__(self, facts: Facts, profile: Profile, delivery: Delivery, at: datetime) -> None:
        sides = (Side(facts, profile, delivery, at, then=then) for then in (True, False))
        self._then, self._now = map(Tally, sides)
        self._epochs = Epochs(facts, delivery, at)
        self._seen: dict[Item, int] = {}
        self._judged: dict[tuple[Item, int], int] = {}
        self._numbers: dict[tuple[Judged, Judged], int] = {}
        self._pairs: list[tuple[Judged, Judged]] = []
        self._answers: dict[frozenset[tuple[int, int]], Clearance] = {}

    def clear(self, basis: Collection[Item]) -> Clearance:
        """Return the answer for whatever rests on this basis."""
        first: dict[int, int] = {}
        for item in basis:
            number = self._judge(item)
            first[number] = min(item.slot, first.get(number, item.slot))
        key = frozenset(first.items())
        found = self._answers.get(key)
        if found is None:
            judged = [(slot, *self._pairs[number]) for number, slot in first.items()]
            then = self._then.answer((slot, then) for slot, then, _ in judged)
            now = self._now.answer((slot, now) for slot, _, now in judged)
            found = self._answers[key] = Clearance(then, now)
        return found

    def grades(self, basis: Collection[Item]) -> dict[str, Grade]:
        """Return the grade now of each thing under the basis, by its SHA-256."""
        return self._now.grades(self._pairs[number][1] for number in {self._judge(item) for item in basis})

    def lowest(self, basis: Collection[Item]) -> frozenset[str]:
        """Return the SHA-256 of the things that hold the grade of now down: those with the lowest one."""
        grades = self.grades(basis)
        lowest = min(grades.values(), default=None)
        return frozenset(sha256 for sha256, grade in grades.items() if grade is lowest)

    def _judge(self, item: Item) -> int:
        """Return the number of the pair of judgements: one for all uses that they are the same for."""
        number = self._seen.get(item)
        if number is None:
            shared = item.kind in REGISTERED
            key = (item._replace(slot=TIMELESS), self._epochs.of(item)) if shared else (item, TIMELESS)
            number = self._judged.get(key)
            if number is None:
                pair = self._then.judge(item), self._now.judge(item)
                number = self._judged[key] = self._numbers.setdefault(pair, len(self._pairs))
                if number == len(self._pairs):
                    self._pairs.append(pair)
            self._seen[item] = number
        return number


def _counts(reason: Reason) -> bool:
    return reason.severity is not Severity.NOTED
