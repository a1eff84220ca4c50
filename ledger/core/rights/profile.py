"""A policy profile: the legal bases that count, how bad each reason is, the grades and approvals asked for.

* A profile is data. Every verdict names its digest: the SHA-256 of ``to_json``'s canonical bytes.
* A code that it says nothing about is as severe as ``EXPLAINED`` has it.
* Its document is read by ``core.rights.profile_document``; docs/spec/policy-profile.md has the format.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ledger.core import canonical
from ledger.core.digest import sha256_hex
from ledger.core.fields import in_order, present
from ledger.core.predicates.answer import Answer, Grade
from ledger.core.predicates.approval import ApprovalKind
from ledger.core.predicates.delivery import Deliverable
from ledger.core.predicates.grant import Use
from ledger.core.predicates.grant_v2 import LegalBasis
from ledger.core.predicates.reasons import EXPLAINED, Code, Severity
from ledger.core.predicates.scope import Media

OTHER = "other"
"""The key of ``accepted`` for every use that is no stage of training."""

STAGES = (Use.FOUNDATION_TRAINING, Use.ADDITIONAL_TRAINING, Use.FOCUSED_TRAINING)


class Trigger(StrEnum):
    """What under a file makes a policy ask for an approval."""

    ALWAYS = "always"
    ANY_MODEL = "any-model"
    """A model or a service."""
    OPAQUE_MODEL = "opaque-model"
    """A model, or a service, that nobody outside its maker can look into."""
    SERVICE = "service"
    LIKENESS = "likeness"
    """A person's face or voice."""
    REFERENCE = "reference"
    """A picture from outside."""


@dataclass(frozen=True, slots=True)
class ApprovalRule:
    """``when`` something is under a deliverable of these classes, an approval of this kind must be on record.

    ``by`` is the party identifier of the only approver who will do; ``None``: any.
    """

    kind: ApprovalKind
    when: Trigger
    deliverables: frozenset[Deliverable]
    by: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the object."""
        return present(
            kind=self.kind.value,
            when=self.when.value,
            deliverables=in_order(self.deliverables),
            by=self.by,
        )


@dataclass(frozen=True, slots=True)
class Principle:
    """A promise that a reader asks about. It holds while no reason with one of the ``codes`` needs review."""

    id: str
    text: str
    codes: frozenset[Code]

    def to_json(self) -> dict[str, Any]:
        """Return the object."""
        return {"id": self.id, "text": self.text, "codes": in_order(self.codes)}


@dataclass(frozen=True, slots=True)
class OverrideRule:
    """How many people it takes to accept a finding, and the codes that nobody may accept."""

    approvers: int
    never: frozenset[Code] = frozenset()

    def to_json(self) -> dict[str, Any]:
        """Return the object."""
        return present(approvers=self.approvers, never=in_order(self.never))


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """The rules that one clearance applies.

    ``accepted`` has a set for each stage of training and for ``OTHER``; an empty one accepts nothing.
    ``statutes`` are the provisions that count where a statutory exception is accepted; empty: every one.
    A class of deliverable that is not in ``grades`` needs no grade. ``media`` and ``territories`` are what a
    delivery is for when nobody says otherwise: sorted, neither empty. With ``licensees`` (party identifiers,
    sorted) a grant to somebody else counts only if it may be sublicensed.
    """

    name: str
    summary: str
    version: str
    accepted: Mapping[str, frozenset[LegalBasis]]
    severities: Mapping[Code, Severity]
    grades: Mapping[Deliverable, Grade]
    approvals: tuple[ApprovalRule, ...]
    principles: tuple[Principle, ...]
    overrides: OverrideRule
    media: tuple[Media, ...]
    territories: tuple[str, ...]
    licensees: tuple[str, ...] = ()
    statutes: frozenset[str] = frozenset()

    def severity(self, code: Code) -> Severity:
        """Return how bad a reason is under this profile."""
        return self.severities.get(code, EXPLAINED[code].severity)

    def accepts(self, use: Use, basis: LegalBasis, statute: str | None = None) -> bool:
        """Whether this legal basis counts for this use; ``statute`` is the provision of an exception."""
        if basis is LegalBasis.STATUTORY_EXCEPTION and self.statutes and statute not in self.statutes:
            return False
        return basis in self.accepted[use.value if use in STAGES else OTHER]


def answers(profile: Profile, answer: Answer) -> tuple[tuple[Principle, bool], ...]:
    """Return each principle, and whether it holds: none of its codes needs review or worse.

    A finding that was overridden is *noted*, so it breaks no principle.
    """
    found = {reason.code for reason in answer.reasons if reason.severity >= Severity.NEEDS_REVIEW}
    return tuple((principle, not principle.codes & found) for principle in profile.principles)


def to_json(profile: Profile) -> dict[str, Any]:
    """Return the profile's document (docs/spec/policy-profile.md). Sets are sorted."""
    return present(
        name=profile.name,
        summary=profile.summary,
        version=profile.version,
        licensees=in_order(profile.licensees),
        statutes=in_order(profile.statutes),
        delivery={"media": in_order(profile.media), "territories": in_order(profile.territories)},
        accepted={use: in_order(held) for use, held in profile.accepted.items()},
        grades={item.value: grade.name for item, grade in profile.grades.items()},
        severities={code.value: severity.name.lower() for code, severity in profile.severities.items()},
        approvals=[rule.to_json() for rule in profile.approvals],
        principles=[principle.to_json() for principle in profile.principles],
        overrides=profile.overrides.to_json(),
    )


def digest(profile: Profile) -> str:
    """Return the SHA-256 that verdicts name the profile by."""
    return sha256_hex(canonical.encode(to_json(profile)))
