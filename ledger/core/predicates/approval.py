"""``approval/v1``: somebody with the say decided about the subjects: models, services, files or titles."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from ledger.core.fields import Fields, format_time, in_order, present
from ledger.core.predicates.scope import check_validity


class ApprovalKind(StrEnum):
    """What a policy may ask an approval for."""

    TOOL = "tool"
    """A model or service may be used at all."""
    FINAL_OUTPUT = "final-output"
    """Generated material may be in the final picture."""
    LIKENESS = "likeness"
    PERSONAL_DATA = "personal-data"
    THIRD_PARTY_IP = "third-party-ip"


class Decision(StrEnum):
    """What was decided."""

    APPROVED = "approved"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Approval:
    """``by`` is a party identifier; no ``titles``: for every title. ``reference`` is the approver's own."""

    TYPE: ClassVar[str] = "https://rakkan.org/approval/v1"

    kind: ApprovalKind
    decision: Decision
    by: str
    valid_from: datetime
    recorded: datetime
    valid_until: datetime | None = None
    titles: tuple[str, ...] = ()
    reference: str | None = None
    commitments: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the predicate object."""
        return present(
            kind=self.kind.value,
            decision=self.decision.value,
            by=self.by,
            validFrom=format_time(self.valid_from),
            validUntil=self.valid_until and format_time(self.valid_until),
            recorded=format_time(self.recorded),
            titles=in_order(self.titles),
            reference=self.reference,
            _sd=list(self.commitments),
        )

    @classmethod
    def read(cls, fields: Fields) -> Approval:
        """Take the predicate's fields."""
        found = cls(
            fields.choice("kind", ApprovalKind),
            fields.choice("decision", Decision),
            fields.text("by"),
            fields.time("validFrom"),
            fields.time("recorded"),
            fields.optional_time("validUntil"),
            fields.distinct("titles"),
            fields.optional_text("reference"),
            fields.commitments("_sd"),
        )
        check_validity(fields, found.valid_from, found.valid_until)
        return found
