"""``disclosure-access/v1``: somebody was shown what is behind an entry's commitments. The server's key signs.

The subject is the entry, as an erasure names it. ``reader`` is a pseudonym: the log is for ever, and who that
is stands where it can be erased. What they needed it for may name people, so it is a commitment itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from ledger.core.fields import Fields, format_time

SERVER = "server"
"""The device whose key may say so: no workstation can put it on record that somebody was shown something."""


@dataclass(frozen=True, slots=True)
class DisclosureAccess:
    """``digests`` are the subject's commitments that were opened; ``commitments`` the purpose's own."""

    TYPE: ClassVar[str] = "https://rakkan.org/disclosure-access/v1"

    accessed: datetime
    reader: str
    digests: tuple[str, ...]
    commitments: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the predicate object."""
        return {
            "accessed": format_time(self.accessed),
            "reader": self.reader,
            "digests": list(self.digests),
            "_sd": list(self.commitments),
        }

    @classmethod
    def read(cls, fields: Fields) -> DisclosureAccess:
        """Take the predicate's fields."""
        found = cls(
            fields.time("accessed"),
            fields.text("reader"),
            fields.commitments("digests"),
            fields.commitments("_sd"),
        )
        if not found.digests or list(found.digests) != sorted(found.digests):
            raise fields.error("digests", "must be there, and sorted")
        if not found.commitments:
            raise fields.error("_sd", "must commit to the purpose")
        return found
