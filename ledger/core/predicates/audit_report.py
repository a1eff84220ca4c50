"""``audit-report/v1``: an audit report was issued. The subjects are its files, ``report.json`` first.

* It says what a receiver holds, by digest, and what it came to: answer, policy, tree, figures.
* ``series`` tells which reports follow one another: those of one scope for one reader. It is a digest, so
  that a log that anybody may read names neither.
* ``whole`` is the digest of the report before anything was hidden: what a view hides was in there.
* There is no moment of signing in it: the same report has the same statement.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from ledger.core.fields import Fields, format_time, present

_VERDICTS = frozenset({"cleared", "needs_review", "blocked", "undecided"})
_GRADE = re.compile(r"L[0-4]")


@dataclass(frozen=True, slots=True)
class AuditReport:
    """``at`` is the moment that *now* means; ``size`` and ``root`` (hex) the tree that the report stands on.

    ``previous`` is the entry of the report before this one in its series. A grade is ``None`` where not all
    that was asked for is on record.
    """

    TYPE: ClassVar[str] = "https://rakkan.org/audit-report/v1"

    identifier: str
    series: str
    view: str
    at: datetime
    population: str
    policy: str
    policy_version: str
    policy_sha256: str
    size: int
    root: str
    verdict_then: str
    verdict_now: str
    grade_then: str | None
    grade_now: str | None
    figures: Mapping[str, int]
    whole: str
    previous: int | None = None
    title: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the predicate object."""
        return present(
            identifier=self.identifier,
            title=self.title,
            series=self.series,
            previous=self.previous,
            view=self.view,
            at=format_time(self.at),
            population={"sha256": self.population},
            policy={
                "name": self.policy,
                "version": self.policy_version,
                "digest": {"sha256": self.policy_sha256},
            },
            tree={"size": self.size, "root": self.root},
            verdict={"then": self.verdict_then, "now": self.verdict_now},
            grade=present(then=self.grade_then, now=self.grade_now),
            figures=dict(self.figures),
            whole={"sha256": self.whole},
        )

    @classmethod
    def read(cls, fields: Fields) -> AuditReport:
        """Take the predicate's fields."""
        policy, tree, verdict = fields.sub("policy"), fields.sub("tree"), fields.sub("verdict")
        grade = fields.sub("grade") if fields.has("grade") else Fields({}, "predicate.grade")
        found = cls(
            identifier=fields.text("identifier"),
            title=fields.optional_text("title"),
            series=fields.sha256("series"),
            previous=fields.take("previous", int) if fields.has("previous") else None,
            view=fields.text("view"),
            at=fields.time("at"),
            population=_digest(fields, "population"),
            policy=policy.text("name"),
            policy_version=policy.text("version"),
            policy_sha256=_digest(policy, "digest"),
            size=tree.take("size", int),
            root=tree.sha256("root"),
            verdict_then=verdict.text("then"),
            verdict_now=verdict.text("now"),
            grade_then=grade.optional_text("then"),
            grade_now=grade.optional_text("now"),
            figures=fields.take("figures", dict),
            whole=_digest(fields, "whole"),
        )
        for part in (policy, tree, verdict, grade):
            part.end()
        _check(fields, found)
        return found


def _digest(fields: Fields, name: str) -> str:
    inner = fields.sub(name)
    found = inner.sha256("sha256")
    inner.end()
    return found


def _check(fields: Fields, found: AuditReport) -> None:
    if not {found.verdict_then, found.verdict_now} <= _VERDICTS:
        raise fields.error("verdict", f"must be two of {', '.join(sorted(_VERDICTS))}")
    for grade in (found.grade_then, found.grade_now):
        if grade is not None and not _GRADE.fullmatch(grade):
            raise fields.error("grade", "must be L0 to L4")
    if found.size < 1:
        raise fields.error("tree.size", "must be at least 1")
    if found.previous is not None and found.previous < 0:
        raise fields.error("previous", "must be an entry")
    counts = found.figures.values()
    if not counts or any(type(value) is not int or value < 0 for value in counts):
        raise fields.error("figures", "must be counts")
