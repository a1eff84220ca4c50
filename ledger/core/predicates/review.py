"""``review/v1``: the studio looked at the subjects (models, datasets, files) and says where they stand.

A declared fact counts for more than a claim only after an *accepted* review. Of the reviews whose
``since`` has come, the newest entry counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from ledger.core.fields import Fields, format_time, present
from ledger.core.predicates.scope import check_quarter


class Standing(StrEnum):
    """Where a thing stands."""

    ACCEPTED = "accepted"
    CONTESTED = "contested"
    """Somebody claims that it was trained on what it may not have been."""
    WITHDRAWN = "withdrawn"
    """Its maker took it back, or the studio did."""


@dataclass(frozen=True, slots=True)
class Review:
    """``since`` is when the standing began, ``recorded`` when the studio came to know it.

    ``reviewer`` is a pseudonym; ``source`` says where a claim can be read.
    """

    TYPE: ClassVar[str] = "https://rakkan.org/review/v1"

    standing: Standing
    reviewer: str
    since: datetime
    recorded: datetime
    source: str | None = None
    commitments: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the predicate object."""
        return present(
            standing=self.standing.value,
            reviewer=self.reviewer,
            since=format_time(self.since),
            recorded=format_time(self.recorded),
            source=self.source,
            _sd=list(self.commitments),
        )

    @classmethod
    def read(cls, fields: Fields) -> Review:
        """Take the predicate's fields."""
        found = cls(
            fields.choice("standing", Standing),
            fields.text("reviewer"),
            fields.time("since"),
            fields.time("recorded"),
            fields.optional_text("source"),
            fields.commitments("_sd"),
        )
        check_quarter(fields, "since", found.since)
        return found
