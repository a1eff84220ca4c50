"""``party/v1``: a rights holder, a licensee, a trainer. The subject is its name (``urn:rakkan:party:…``).

``party_id`` is the studio's own identifier and stands in the clear wherever a grant names a party; so a
person's is a pseudonym. A person's name and public identifiers (an IPI leads to a name) are commitments: an
entry cannot be erased.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from ledger.core.artifact import Artifact, named
from ledger.core.fields import Fields, format_time, present


class PartyKind(StrEnum):
    """Who it is."""

    PERSON = "person"
    ORGANISATION = "organisation"
    COLLECTIVE = "collective"


@dataclass(frozen=True, slots=True)
class Party:
    """``identifiers`` are public ones, such as ISNI or LEI. It and ``name`` are left out for a person."""

    TYPE: ClassVar[str] = "https://rakkan.org/party/v1"

    party_id: str
    kind: PartyKind
    recorded: datetime
    name: str | None = None
    identifiers: dict[str, str] = field(default_factory=dict)
    commitments: tuple[str, ...] = ()

    @property
    def subject(self) -> Artifact:
        """Return what the statement is about."""
        return named("party", self.party_id)

    def to_json(self) -> dict[str, Any]:
        """Return the predicate object."""
        return present(
            partyId=self.party_id,
            kind=self.kind.value,
            recorded=format_time(self.recorded),
            name=self.name,
            identifiers=self.identifiers,
            _sd=list(self.commitments),
        )

    @classmethod
    def read(cls, fields: Fields) -> Party:
        """Take the predicate's fields."""
        found = cls(
            fields.text("partyId"),
            fields.choice("kind", PartyKind),
            fields.time("recorded"),
            fields.optional_text("name"),
            fields.map("identifiers"),
            fields.commitments("_sd"),
        )
        if found.kind is PartyKind.PERSON and found.name is not None:
            raise fields.error("name", "of a person must be a commitment in _sd")
        if found.kind is PartyKind.PERSON and found.identifiers:
            raise fields.error("identifiers", "of a person must be commitments in _sd")
        return found
