"""``service-terms/v1``: the terms of a remote service, as they stood. The subject is the saved document.

The plan tier decides which terms apply: who owns the output, whether input trains the vendor's models, and
whether the vendor indemnifies. Terms change and services end; so a snapshot is taken at the time of use.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from ledger.core.fields import Fields, format_time, in_order, present
from ledger.core.predicates.model_v2 import read_product
from ledger.core.predicates.scope import check_validity


class Ownership(StrEnum):
    """Whose the output is, by the terms."""

    USER = "user"
    VENDOR = "vendor"
    SHARED = "shared"
    UNCLEAR = "unclear"


class InputTraining(StrEnum):
    """Whether what is sent in trains the vendor's models."""

    NEVER = "never"
    DISABLED = "disabled"
    """The terms allow it, and the account has it switched off."""
    ENABLED = "enabled"


@dataclass(frozen=True, slots=True)
class Indemnity:
    """What the vendor promises to stand for, on which conditions, and which of them the studio meets."""

    conditions: tuple[str, ...] = ()
    met: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ServiceTerms:
    """Effective for uses in ``effective_from <= t < effective_until``. No ``indemnity``: none is offered.

    ``output_as_training``: whether the terms permit training on the output. ``retention`` is in the terms'
    own words.
    """

    TYPE: ClassVar[str] = "https://rakkan.org/service-terms/v1"

    vendor: str
    product: str
    plan_tier: str
    effective_from: datetime
    fetched: datetime
    recorded: datetime
    ownership: Ownership
    input_training: InputTraining
    output_as_training: bool
    effective_until: datetime | None = None
    indemnity: Indemnity | None = None
    retention: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the predicate object."""
        indemnity = self.indemnity
        return present(
            vendor=self.vendor,
            product=self.product,
            planTier=self.plan_tier,
            validFrom=format_time(self.effective_from),
            validUntil=self.effective_until and format_time(self.effective_until),
            fetched=format_time(self.fetched),
            recorded=format_time(self.recorded),
            ownership=self.ownership.value,
            inputTraining=self.input_training.value,
            outputAsTraining=self.output_as_training,
            indemnified=indemnity is not None,
            indemnityConditions=in_order(indemnity.conditions) if indemnity else (),
            indemnityConditionsMet=in_order(indemnity.met) if indemnity else (),
            retention=self.retention,
        )

    @classmethod
    def read(cls, fields: Fields) -> ServiceTerms:
        """Take the predicate's fields."""
        vendor, product = read_product(fields)
        found = cls(
            vendor=vendor,
            product=product,
            plan_tier=fields.text("planTier"),
            effective_from=fields.time("validFrom"),
            fetched=fields.time("fetched"),
            recorded=fields.time("recorded"),
            ownership=fields.choice("ownership", Ownership),
            input_training=fields.choice("inputTraining", InputTraining),
            output_as_training=fields.take("outputAsTraining", bool),
            effective_until=fields.optional_time("validUntil"),
            indemnity=_read_indemnity(fields),
            retention=fields.optional_text("retention"),
        )
        check_validity(fields, found.effective_from, found.effective_until)
        if found.recorded < found.fetched:
            raise fields.error("recorded", "is earlier than fetched")
        return found


def _read_indemnity(fields: Fields) -> Indemnity | None:
    offered = fields.take("indemnified", bool)
    found = Indemnity(fields.distinct("indemnityConditions"), fields.distinct("indemnityConditionsMet"))
    if not set(found.met) <= set(found.conditions):
        raise fields.error("indemnityConditionsMet", "must be among the conditions")
    if found.conditions and not offered:
        raise fields.error("indemnityConditions", "go with an indemnity")
    return found if offered else None
