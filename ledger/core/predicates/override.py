"""``override/v1``: a reason of a clearance is accepted, by people under pseudonyms, until a moment.

The reason stays in every verdict, with the override beside it; when the override ends, it counts again. The
subjects are the things that the reason is about.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from ledger.core.fields import Fields, format_time, in_order, present
from ledger.core.predicates.reasons import Code


@dataclass(frozen=True, slots=True)
class Override:
    """``approvers`` are pseudonyms; no ``titles``: for every title. Why is a commitment."""

    TYPE: ClassVar[str] = "https://rakkan.org/override/v1"

    code: Code
    approvers: tuple[str, ...]
    recorded: datetime
    expires: datetime
    titles: tuple[str, ...] = ()
    commitments: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the predicate object."""
        return present(
            code=self.code.value,
            approvers=in_order(self.approvers),
            recorded=format_time(self.recorded),
            expires=format_time(self.expires),
            titles=in_order(self.titles),
            _sd=list(self.commitments),
        )

    @classmethod
    def read(cls, fields: Fields) -> Override:
        """Take the predicate's fields."""
        found = cls(
            fields.choice("code", Code),
            fields.distinct("approvers"),
            fields.time("recorded"),
            fields.time("expires"),
            fields.distinct("titles"),
            fields.commitments("_sd"),
        )
        if not found.approvers:
            raise fields.error("approvers", "must name at least one person")
        if not found.commitments:
            raise fields.error("_sd", "must hold the reason")
        if found.expires <= found.recorded:
            raise fields.error("expires", "is not later than recorded")
        return found
