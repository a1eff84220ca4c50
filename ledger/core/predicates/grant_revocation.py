"""``grant-revocation/v1``: a grant ends before its term does. The subjects are the grant's own.

``effective`` may lie before ``recorded``: what was done in between was permitted as far as anybody knew then,
and was not as far as is known now. Both are kept, and a verdict says both.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from ledger.core.fields import Fields, format_time, present
from ledger.core.predicates.scope import check_quarter


@dataclass(frozen=True, slots=True)
class GrantRevocation:
    """The grant holds for moments before ``effective``. What follows is the grant's own ``onRevocation``."""

    TYPE: ClassVar[str] = "https://rakkan.org/grant-revocation/v1"

    grant_id: str
    effective: datetime
    recorded: datetime
    commitments: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the predicate object."""
        return present(
            grantId=self.grant_id,
            effective=format_time(self.effective),
            recorded=format_time(self.recorded),
            _sd=list(self.commitments),
        )

    @classmethod
    def read(cls, fields: Fields) -> GrantRevocation:
        """Take the predicate's fields."""
        found = cls(
            fields.text("grantId"),
            fields.time("effective"),
            fields.time("recorded"),
            fields.commitments("_sd"),
        )
        check_quarter(fields, "effective", found.effective)
        return found
