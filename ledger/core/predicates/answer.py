"""What a clearance answers, at one moment: a verdict, a grade, and each reason with its path and its mend."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any

from ledger.core.fields import Fields, format_time, present
from ledger.core.predicates.grant import Use
from ledger.core.predicates.reasons import EXPLAINED, Code, Severity, Verdict
from ledger.core.predicates.step import Evidence


class Grade(IntEnum):
    """How much is known, from nothing to everything. A chain has the grade of its weakest link."""

    L0 = 0
    """Unknown origin."""
    L1 = 1
    """Recorded: tool, model digest and actor are signed."""
    L2 = 2
    """Documented: the licence or the terms in force at the use are on record."""
    L3 = 3
    """Licensed: a grant covers stage, use, title, territory and term of every dataset under it."""
    L4 = 4
    """Authorised and inventoried: committed before the training, attested by the trainer."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason. ``path`` leads from the work to ``name``: names of things, outermost first.

    ``at`` is the moment that was judged, ``known_since`` when the studio came to know the fact that decides;
    ``grants`` are the grants that were considered, none of which was enough. ``override`` is the index of
    the entry that accepts it: then its ``severity`` is *noted*.
    """

    code: Code
    severity: Severity
    name: str
    sha256: str
    path: tuple[str, ...] = ()
    detail: str | None = None
    use: Use | None = None
    at: datetime | None = None
    known_since: datetime | None = None
    grants: tuple[str, ...] = ()
    evidence: Evidence | None = None
    override: int | None = None

    @property
    def meaning(self) -> str:
        """Return what the code means, in plain words."""
        return EXPLAINED[self.code].meaning

    @property
    def mend(self) -> str:
        """Return how to mend it, in plain words."""
        return EXPLAINED[self.code].mend

    def to_json(self) -> dict[str, Any]:
        """Return the object."""
        return present(
            code=self.code.value,
            severity=self.severity.name.lower(),
            subject={"name": self.name, "digest": {"sha256": self.sha256}},
            path=list(self.path),
            detail=self.detail,
            use=self.use and self.use.value,
            at=self.at and format_time(self.at),
            knownSince=self.known_since and format_time(self.known_since),
            grants=list(self.grants),
            evidence=self.evidence and self.evidence.value,
            override=self.override,
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """``levels`` counts the dependencies by grade, L0 to L4. ``omitted`` counts reasons left out of an entry.

    Reasons stand worst first.
    """

    verdict: Verdict
    grade: Grade
    reasons: tuple[Reason, ...]
    levels: tuple[int, int, int, int, int]
    omitted: int = 0

    @property
    def cleared(self) -> bool:
        """Whether the policy found a grant for every recorded use."""
        return self.verdict is Verdict.CLEARED

    def to_json(self) -> dict[str, Any]:
        """Return the object."""
        levels = {f"L{level}": count for level, count in enumerate(self.levels) if count}
        return present(
            verdict=self.verdict.value,
            grade=self.grade.name,
            reasons=[reason.to_json() for reason in self.reasons],
            dependencyLevels=levels,
            omitted=self.omitted or None,
        )


def read_answer(fields: Fields) -> Answer:
    """Take the fields of an answer."""
    levels = _read_levels(fields)
    reasons = enumerate(fields.items("reasons"))
    found = Answer(
        fields.choice("verdict", Verdict),
        fields.choice("grade", _grade),
        tuple(_read_reason(Fields(item, f"predicate.reasons[{n}]")) for n, item in reasons),
        levels,
        fields.take("omitted", int) if fields.has("omitted") else 0,
    )
    worst = max((reason.severity for reason in found.reasons), default=Severity.NOTED)
    if found.verdict is not Verdict.of(worst):
        raise fields.error("verdict", "is not the worst of its reasons")
    if list(found.reasons) != sorted(found.reasons, key=lambda reason: -reason.severity):
        raise fields.error("reasons", "must stand worst first")
    if found.omitted < 0:
        raise fields.error("omitted", "must count reasons")
    fields.end()
    return found


def _grade(text: str) -> Grade:
    try:
        return Grade[text]
    except KeyError as error:
        raise ValueError(text) from error


def _severity(text: str) -> Severity:
    try:
        return {item.name.lower(): item for item in Severity}[text]
    except KeyError as error:
        raise ValueError(text) from error


def _read_levels(fields: Fields) -> tuple[int, int, int, int, int]:
    if not fields.has("dependencyLevels"):
        return (0, 0, 0, 0, 0)
    inner = fields.sub("dependencyLevels")
    found = tuple(inner.take(f"L{level}", int) if inner.has(f"L{level}") else 0 for level in range(5))
    inner.end()
    if min(found) < 0:
        raise fields.error("dependencyLevels", "must hold counts")
    return found[0], found[1], found[2], found[3], found[4]


def _read_reason(fields: Fields) -> Reason:
    subject = fields.sub("subject")
    digest = subject.sub("digest")
    name, sha256 = subject.text("name"), digest.sha256("sha256")
    digest.end()
    subject.end()
    found = Reason(
        code=fields.choice("code", Code),
        severity=fields.choice("severity", _severity),
        name=name,
        sha256=sha256,
        path=fields.texts("path"),
        detail=fields.optional_text("detail"),
        use=fields.choice("use", Use) if fields.has("use") else None,
        at=fields.optional_time("at"),
        known_since=fields.optional_time("knownSince"),
        grants=fields.texts("grants"),
        evidence=fields.choice("evidence", Evidence) if fields.has("evidence") else None,
        override=fields.take("override", int) if fields.has("override") else None,
    )
    if found.override is not None and found.override < 0:
        raise fields.error("override", "must be the index of an entry")
    fields.end()
    return found
