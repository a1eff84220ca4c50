"""``revocation/v1``: a key ends, for good. The subject's SHA-256 is the key's ``keyid``; a registrar signs.

Entries before the revocation keep their worth: a statement is judged by the key's state at its own index.
Where the studio knows from which entry on somebody else may have held the key, it says so (``suspectFrom``):
those entries can no longer be decided. A revoked key is never enrolled again; the device gets a new one.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar

from ledger.core.fields import Fields, present


class Reason(StrEnum):
    """Why a key ends."""

    LOST = "lost"
    STOLEN = "stolen"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class Revocation:
    """``suspect_from`` is the index of the first entry that somebody else may have signed."""

    TYPE: ClassVar[str] = "https://rakkan.org/revocation/v1"

    device: str
    reason: Reason
    suspect_from: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the predicate object."""
        return present(device=self.device, reason=self.reason.value, suspectFrom=self.suspect_from)

    @classmethod
    def read(cls, fields: Fields) -> Revocation:
        """Take the predicate's fields."""
        suspect_from = fields.take("suspectFrom", int) if fields.has("suspectFrom") else None
        if suspect_from is not None and suspect_from < 0:
            raise fields.error("suspectFrom", "must be the index of an entry")
        return cls(fields.text("device"), fields.choice("reason", Reason), suspect_from)
