"""``incident/v1``: a log lost entries that it had acknowledged, or showed two histories; this one follows it.

Signed by a registrar in the successor. The subject is the lost checkpoint, by the SHA-256 of its signed note,
under the name of the log that was given up. Everything that the older log still proves stays proven by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from ledger.core.fields import Fields


@dataclass(frozen=True, slots=True)
class Incident:
    """``held_*`` is the last state that could be brought back, ``signed_*`` the last one the key signed.

    Sizes count entries; roots are SHA-256 in hex.
    """

    TYPE: ClassVar[str] = "https://rakkan.org/incident/v1"

    log: str
    reason: str
    held_size: int
    held_root: str
    signed_size: int
    signed_root: str

    def to_json(self) -> dict[str, Any]:
        """Return the predicate object."""
        return {
            "log": self.log,
            "reason": self.reason,
            "heldSize": self.held_size,
            "heldRoot": self.held_root,
            "signedSize": self.signed_size,
            "signedRoot": self.signed_root,
        }

    @classmethod
    def read(cls, fields: Fields) -> Incident:
        """Take the predicate's fields."""
        found = cls(
            fields.text("log"),
            fields.text("reason"),
            fields.take("heldSize", int),
            fields.sha256("heldRoot"),
            fields.take("signedSize", int),
            fields.sha256("signedRoot"),
        )
        if found.held_size < 0 or found.signed_size < 1:
            raise fields.error("signedSize", "and heldSize must be sizes of a log, the signed one not empty")
        return found
