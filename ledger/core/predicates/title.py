"""``title/v1``: what is delivered under one name. The subject is its identifier (``urn:rakkan:title:…``).

Grants name titles by ``title_id``, which never changes: a title that is renamed is stated again with the same
identifier and another name. ``credits`` are the identifiers of the grants whose attribution it shows.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from ledger.core.artifact import Artifact, named
from ledger.core.fields import Fields, format_time, in_order, present


@dataclass(frozen=True, slots=True)
class Title:
    """``productions`` are the productions, as steps name them, whose work is delivered under this title."""

    TYPE: ClassVar[str] = "https://rakkan.org/title/v1"

    title_id: str
    name: str
    productions: tuple[str, ...]
    recorded: datetime
    credits: tuple[str, ...] = ()

    @property
    def subject(self) -> Artifact:
        """Return what the statement is about."""
        return named("title", self.title_id)

    def to_json(self) -> dict[str, Any]:
        """Return the predicate object."""
        return present(
            titleId=self.title_id,
            name=self.name,
            productions=in_order(self.productions),
            recorded=format_time(self.recorded),
            credits=in_order(self.credits),
        )

    @classmethod
    def read(cls, fields: Fields) -> Title:
        """Take the predicate's fields."""
        return cls(
            fields.text("titleId"),
            fields.text("name"),
            fields.distinct("productions"),
            fields.time("recorded"),
            fields.distinct("credits"),
        )
