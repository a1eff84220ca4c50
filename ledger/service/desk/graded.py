"""How much is known of a model, asked as if it were used now: its grade, and what would lift it.

The grade is that of a verdict (docs/rights/grades.md): under one policy, for one delivery. A dataset has the
lowest grade that any model gives it that was trained on it; one that nothing was trained on has none.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from ledger.core.predicates.answer import Grade, Reason
from ledger.core.predicates.reasons import Code, Severity, Verdict
from ledger.core.rights.basis import Item, ItemKind, slot_of
from ledger.core.rights.clearance import Engine
from ledger.core.rights.facts import Facts
from ledger.core.rights.terms import registered_service
from ledger.service.clear.question import Question


class Group(NamedTuple):
    """Reasons of one code."""

    code: Code
    severity: Severity
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Graded:
    """``grade`` is the thing's own; ``whole`` that of the weakest link under it. Groups stand worst first.

    ``own`` are the reasons about the thing itself, ``beneath`` those about what it was made from.
    """

    grade: Grade | None
    whole: Grade
    verdict: Verdict
    own: tuple[Group, ...]
    beneath: tuple[Group, ...]


def grouped(reasons: Iterable[Reason]) -> tuple[Group, ...]:
    """Return the reasons by their codes, in the order in which these come first."""
    found: dict[tuple[Code, Severity], list[Reason]] = {}
    for reason in reasons:
        found.setdefault((reason.code, reason.severity), []).append(reason)
    return tuple(Group(*key, tuple(held)) for key, held in found.items())


class Grader:
    """Judges things for one question."""

    def __init__(self, facts: Facts, question: Question) -> None:
        self._facts = facts
        self._slot = slot_of(question.at)
        self._engine = Engine(facts, question.profile, question.delivery, question.at)

    def model(self, sha256: str) -> Graded:
        """Return what is to be said of a registered model or service."""
        item = self._item(sha256)
        now = self._engine.clear({item}).now
        reasons = [reason for reason in now.reasons if reason.code is not Code.GRADE_BELOW_POLICY]
        return Graded(
            self._engine.grades({item}).get(sha256),
            now.grade,
            now.verdict,
            grouped(reason for reason in reasons if reason.sha256 == sha256),
            grouped(reason for reason in reasons if reason.sha256 != sha256),
        )

    def dataset(self, sha256: str) -> Grade | None:
        """Return the grade of a dataset."""
        # Models that were trained on it alike, and registered at one time, give it the same grade.
        alike: dict[object, str] = {}
        for each, known in self._facts.models.items():
            stages = frozenset(item.stage for item in known.predicate.training if item.sha256 == sha256)
            if stages:
                recorded: datetime | None = getattr(known.predicate, "recorded", None)
                runs = tuple(run.index for run in self._facts.runs(each))
                alike.setdefault((stages, runs, recorded and slot_of(recorded)), each)
        return self._engine.grades(set(map(self._item, alike.values()))).get(sha256)

    def _item(self, sha256: str) -> Item:
        known = self._facts.model(sha256)
        service = registered_service(self._facts, sha256)
        name = service.name if service else known.predicate.name if known else sha256
        terms = self._facts.service_terms(service.vendor, service.product) if service else ()
        tier = terms[-1].predicate.plan_tier if terms else ""
        return Item(ItemKind.SERVICE if service else ItemKind.MODEL, sha256, name, tier, self._slot)
