"""``creative-work/v1``: a work and who holds which share of its rights.

The subject's SHA-256 is of the work's bytes, the same that an inventory lists it under.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from ledger.core.fields import Fields, format_time, present


@dataclass(frozen=True, slots=True)
class Share:
    """``points`` of the sum of all points: an exact fraction, whatever the sum is. The order says nothing."""

    party: str
    points: int


@dataclass(frozen=True, slots=True)
class Work:
    """``identifiers`` are public: ISCC, EIDR, ISAN. ``parent`` is the work it was adapted from."""

    TYPE: ClassVar[str] = "https://rakkan.org/creative-work/v1"

    work_id: str
    shares: tuple[Share, ...]
    recorded: datetime
    parent: str | None = None
    identifiers: dict[str, str] = field(default_factory=dict)
    commitments: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the predicate object."""
        return present(
            workId=self.work_id,
            shares=[{"party": share.party, "points": share.points} for share in self.shares],
            recorded=format_time(self.recorded),
            parent=self.parent,
            identifiers=self.identifiers,
            _sd=list(self.commitments),
        )

    @classmethod
    def read(cls, fields: Fields) -> Work:
        """Take the predicate's fields."""
        items = enumerate(fields.items("shares"))
        found = cls(
            fields.text("workId"),
            tuple(_read_share(Fields(item, f"predicate.shares[{n}]")) for n, item in items),
            fields.time("recorded"),
            fields.optional_text("parent"),
            fields.map("identifiers"),
            fields.commitments("_sd"),
        )
        if not found.shares or len({share.party for share in found.shares}) != len(found.shares):
            raise fields.error("shares", "must name at least one party, and each once")
        return found


def _read_share(fields: Fields) -> Share:
    found = Share(fields.text("party"), fields.take("points", int))
    if found.points < 1:
        raise fields.error("points", "must be at least 1")
    fields.end()
    return found
