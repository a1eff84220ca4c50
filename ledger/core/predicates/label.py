"""``label/v1``: what a studio says in public of a delivered title or file, or that it says so no longer.

* A label may only be given to what is cleared now: a seal on a page is read as a yes, whatever stands on it.
* What it says is taken from an issued report, or from a verdict on record; its entry is named.
* The newest entry of an identifier counts. One with ``withdrawn`` ends the label, and says why.
* The subject is ``report.json`` of that report, or the file; its name is the label's identifier, because the
  names of files are not for everybody.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from ledger.core.artifact import Artifact
from ledger.core.fields import Fields, format_time, present
from ledger.core.predicates.answer import Grade
from ledger.core.predicates.delivery import Delivery, read_delivery

MAX_IDENTIFIER, MAX_TITLE = 64, 200
_IDENTIFIER = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_VERDICTS = frozenset({"cleared", "needs_review", "blocked", "undecided"})
# Beside what no text may hold: characters that nobody sees, by which one title could pass for another.
_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff\U000e0000-\U000e0fff]"
)


class About(StrEnum):
    """What a label is about."""

    TITLE = "title"
    """All that an issued report is of."""
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Counts:
    """How many files, in how many shots; for how many a model is on record.

    ``observed``, ``inferred`` and ``declared`` count the files by their weakest record.
    """

    files: int
    shots: int
    models: int
    observed: int
    inferred: int
    declared: int


@dataclass(frozen=True, slots=True)
class Claims:
    """What a label says. ``entry`` is that of the report or the verdict, ``at`` the moment of its *now*.

    The verdict now is *cleared*; ``verdict_then`` is that at the time of use.
    """

    about: About
    title: str
    entry: int
    at: datetime
    policy: str
    policy_sha256: str
    delivery: Delivery
    verdict_then: str
    grade_then: Grade
    grade_now: Grade
    counts: Counts

    def to_json(self) -> dict[str, Any]:
        """Return the object."""
        return {
            "about": self.about.value,
            "title": self.title,
            "entry": self.entry,
            "at": format_time(self.at),
            "policy": {"name": self.policy, "digest": {"sha256": self.policy_sha256}},
            "delivery": self.delivery.to_json(),
            "verdict": {"then": self.verdict_then, "now": "cleared"},
            "grade": {"then": self.grade_then.name, "now": self.grade_now.name},
            "counts": {name: getattr(self.counts, name) for name in Counts.__slots__},
        }


@dataclass(frozen=True, slots=True)
class Label:
    """Either ``claims``, or the reason for which it was ``withdrawn``: public, and no place for names.

    ``previous`` is the entry before this one about the same label: what is said again is another entry.
    """

    TYPE: ClassVar[str] = "https://rakkan.org/label/v1"

    identifier: str
    recorded: datetime
    claims: Claims | None = None
    withdrawn: str | None = None
    previous: int | None = None

    def subject(self, sha256: str) -> Artifact:
        """Return what the statement is about: these bytes, under the label's name."""
        return Artifact(self.identifier, sha256)

    def to_json(self) -> dict[str, Any]:
        """Return the predicate object."""
        return present(
            labelId=self.identifier,
            recorded=format_time(self.recorded),
            claims=self.claims and self.claims.to_json(),
            withdrawn=self.withdrawn,
            previous=self.previous,
        )

    @classmethod
    def read(cls, fields: Fields) -> Label:
        """Take the predicate's fields."""
        identifier = fields.text("labelId")
        if not is_identifier(identifier):
            raise fields.error("labelId", "must be a-z, 0-9 and single hyphens between them, at most 64")
        recorded = fields.time("recorded")
        previous = fields.take("previous", int) if fields.has("previous") else None
        if previous is not None and previous < 0:
            raise fields.error("previous", "must be an entry")
        if fields.has("claims") == fields.has("withdrawn"):
            raise fields.error("claims", "or withdrawn must be there, and not both")
        if fields.has("withdrawn"):
            return cls(identifier, recorded, None, fields.text("withdrawn"), previous)
        return cls(identifier, recorded, _read_claims(fields.sub("claims")), None, previous)


def is_identifier(text: str) -> bool:
    """Whether a text may be a label's identifier: part of an address, no letter of which is ambiguous."""
    return len(text) <= MAX_IDENTIFIER and _IDENTIFIER.fullmatch(text) is not None


def is_title(text: str) -> bool:
    """Whether a text may be a label's title: seen as a whole, and by itself."""
    return len(text) <= MAX_TITLE and text == text.strip() and not _UNSEEN.search(text)


def _read_claims(fields: Fields) -> Claims:
    policy, verdict, grade = fields.sub("policy"), fields.sub("verdict"), fields.sub("grade")
    digest = policy.sub("digest")
    found = Claims(
        about=fields.choice("about", About),
        title=fields.text("title"),
        entry=fields.take("entry", int),
        at=fields.time("at"),
        policy=policy.text("name"),
        policy_sha256=digest.sha256("sha256"),
        delivery=read_delivery(fields.sub("delivery")),
        verdict_then=verdict.text("then"),
        grade_then=_grade(grade, "then"),
        grade_now=_grade(grade, "now"),
        counts=_read_counts(fields.sub("counts")),
    )
    if not is_title(found.title):
        raise fields.error("title", f"must be at most {MAX_TITLE} characters that are seen")
    if found.entry < 0:
        raise fields.error("entry", "must be an entry")
    if verdict.text("now") != "cleared":
        raise verdict.error("now", "must be cleared: nothing else is given a label")
    if found.verdict_then not in _VERDICTS:
        raise verdict.error("then", f"must be one of {', '.join(sorted(_VERDICTS))}")
    for part in (digest, policy, verdict, grade, fields):
        part.end()
    return found


def _grade(fields: Fields, name: str) -> Grade:
    text = fields.text(name)
    if text not in Grade.__members__:
        raise fields.error(name, "must be L0 to L4")
    return Grade[text]


def _read_counts(fields: Fields) -> Counts:
    found = Counts(**{name: fields.take(name, int) for name in Counts.__slots__})
    fields.end()
    seen = found.observed + found.inferred + found.declared
    if min(found.shots, found.models, found.observed, found.inferred, found.declared) < 0 or found.files < 1:
        raise fields.error("files", "and the other counts must be counts")
    if seen != found.files or found.models > found.files:
        raise fields.error("files", "must be all that are counted by their records")
    return found
