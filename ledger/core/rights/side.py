"""One side of the answer: what is asked, of which facts, at which moment; and how a reason comes about.

*Then* judges each use at its own moment. *Now* judges what may be done with the output at one moment for all.
Both know everything that the facts hold.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from unicodedata import normalize

from ledger.core.artifact import named
from ledger.core.predicates.answer import Grade, Reason
from ledger.core.predicates.approval import Decision
from ledger.core.predicates.delivery import Delivery
from ledger.core.predicates.grant import Use
from ledger.core.predicates.reasons import Code, Severity
from ledger.core.predicates.scope import Scope
from ledger.core.predicates.step import Evidence
from ledger.core.rights.basis import TIMELESS, slot_of, slot_start
from ledger.core.rights.facts import Facts
from ledger.core.rights.grants import OUTPUTS, Coverage, Coverer
from ledger.core.rights.profile import ApprovalRule, Profile, Trigger
from ledger.core.rights.territories import asked, expand


@dataclass(frozen=True, slots=True)
class Thing:
    """What a reason is about. ``path`` leads to it; ``slot`` and ``evidence`` are of the step behind it."""

    name: str
    sha256: str
    path: tuple[str, ...]
    slot: int
    evidence: Evidence


def in_force(since: datetime, until: datetime | None, moment: datetime) -> bool:
    """Whether ``since <= moment < until``; no end: for ever."""
    return since <= moment and (until is None or moment < until)


@dataclass(slots=True)
class Found:
    """The reasons so far, and the grade of each thing that was met: the lowest one counts."""

    reasons: dict[Reason, None] = field(default_factory=dict)
    grades: dict[str, Grade] = field(default_factory=dict)

    def grade(self, sha256: str, grade: Grade) -> None:
        """Take note of a thing's grade."""
        self.grades[sha256] = min(grade, self.grades.get(sha256, Grade.L4))


class Side:
    """Makes reasons: gives them their severity by the profile, and the override that accepts them."""

    def __init__(
        self, facts: Facts, profile: Profile, delivery: Delivery, at: datetime, *, then: bool
    ) -> None:
        self.facts = facts
        self.profile = profile
        self.delivery = delivery
        self.then = then
        self._at = at
        self._slot = slot_of(at)
        self._names = facts.names_of(delivery.title) if delivery.title else frozenset[str]()
        self._territories = asked(delivery.territories)
        self._coverer = Coverer(facts, profile, delivery)

    def moment(self, slot: int) -> datetime:
        """Return the moment at which the standing of a thing that was used in this slot is asked.

        What is no use, such as the delivery as a whole, has one moment on both sides.
        """
        return slot_start(slot) if self.then and slot != TIMELESS else self._at

    def reaches(self, scope: Scope) -> bool:
        """Whether a scope holds the whole delivery: its title, its media, its territories."""
        return (
            (not scope.titles or not self._names.isdisjoint(scope.titles))
            and (not scope.media or set(self.delivery.media) <= set(scope.media))
            and self._territories <= expand(scope.territories, scope.except_territories)
        )

    def cover(self, sha256: str, use: Use, slot: int) -> Coverage:
        """Return who permits a use of a thing. The use of an output is judged now, if this is that side."""
        judged = self._slot if use in OUTPUTS and not self.then else slot
        return self._coverer.cover(sha256, use, judged, slot)

    def covered(self, found: Found, thing: Thing, use: Use, slot: int | None = None) -> Coverage:
        """Return the coverage, after adding a reason for each way in which it falls short."""
        at = thing.slot if slot is None else slot
        coverage = self.cover(thing.sha256, use, at)
        for shortfall in coverage.shortfalls:
            reason = replace(
                self._reason(thing, shortfall.code, shortfall.detail),
                use=use,
                at=self.moment(at) if use in OUTPUTS else slot_start(at),
                known_since=shortfall.known_since,
                grants=coverage.considered,
            )
            self._put(found, reason)
        return coverage

    def add(
        self,
        found: Found,
        thing: Thing,
        code: Code,
        detail: str | None = None,
        *,
        use: Use | None = None,
        at: datetime | None = None,
        known_since: datetime | None = None,
    ) -> None:
        """Add a reason that no grant is about, accepted where an override in force accepts it."""
        reason = self._reason(thing, code, detail)
        self._put(found, replace(reason, use=use, at=at, known_since=known_since))

    def needs_approval(self, found: Found, thing: Thing, triggers: Iterable[Trigger]) -> None:
        """Add a reason for each approval that the profile asks for and that is not on record."""
        asked = frozenset(triggers)
        for rule in self.profile.approvals:
            applies = rule.when in asked and self.delivery.deliverable in rule.deliverables
            if applies and not self._approved(rule, thing):
                by = f" by {rule.by}" if rule.by else ""
                self.add(found, thing, Code.APPROVAL_MISSING, f"{rule.kind.value}{by}")

    def _reason(self, thing: Thing, code: Code, detail: str | None) -> Reason:
        return Reason(
            code=code,
            severity=self.profile.severity(code),
            name=thing.name,
            sha256=thing.sha256,
            path=thing.path,
            detail=detail,
            evidence=thing.evidence,
        )

    def _put(self, found: Found, reason: Reason) -> None:
        """Put down a reason, accepted if an override in force says so, and what became of one that ended."""
        accepted, expired = self._override(reason.code, reason.sha256)
        if accepted is not None:
            reason = replace(reason, severity=Severity.NOTED, override=accepted)
        elif expired:
            ended = replace(
                reason,
                code=Code.OVERRIDE_EXPIRED,
                severity=self.profile.severity(Code.OVERRIDE_EXPIRED),
                detail=f"{reason.code.value} was accepted until {expired:%Y-%m-%d %H:%M} UTC",
            )
            found.reasons[ended] = None
        found.reasons[reason] = None

    def _approved(self, rule: ApprovalRule, thing: Thing) -> bool:
        """Whether the newest decision about the thing, or about the title as a whole, is to approve."""
        title = self.delivery.title
        moment = self.moment(thing.slot)
        about = [*self.facts.approvals(thing.sha256)]
        if title is not None:
            about += self.facts.approvals(named("title", title).sha256)
        fitting = [
            item
            for item in about
            if item.predicate.kind is rule.kind
            and rule.by in (None, item.predicate.by)
            and (not item.predicate.titles or title in item.predicate.titles)
            and in_force(item.predicate.valid_from, item.predicate.valid_until, moment)
        ]
        newest = max(fitting, key=lambda item: item.index, default=None)
        return newest is not None and newest.predicate.decision is Decision.APPROVED

    def _override(self, code: Code, sha256: str) -> tuple[int | None, datetime | None]:
        """Return the entry that accepts this finding, or else when the last acceptance of it ended."""
        rule = self.profile.overrides
        expired = None
        for item in self.facts.overrides(sha256) if code not in rule.never else ():
            override = item.predicate
            named_title = not override.titles or self.delivery.title in override.titles
            if override.code != code or not named_title or _people(override.approvers) < rule.approvers:
                continue
            if self._at < override.expires:
                return item.index, None
            expired = max(expired or override.expires, override.expires)
        return None, expired


def _people(pseudonyms: Iterable[str]) -> int:
    """Return how many people these can be: two spellings of one pseudonym are one."""
    return len({normalize("NFKC", item).casefold().strip() for item in pseudonyms})
