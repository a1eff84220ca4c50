"""``consent/v1``: a performer consents to a use of their likeness or voice.

The subject is the person's pseudonym (``urn:rakkan:person:…``); the name and the document are commitments. A
consent is changed, or withdrawn from a day on, by a statement with the same ``consentId`` and a higher
version.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from ledger.core.artifact import Artifact, named
from ledger.core.fields import Fields, format_time, present
from ledger.core.predicates.scope import EVERYWHERE, Scope, check_validity, read_scope


@dataclass(frozen=True, slots=True)
class Consent:
    """``covers`` describes the use reasonably specifically, such as ``face in crowd shots of episode 3``.

    It is for people to read: no verdict comes from it. No name may stand in it.
    """

    TYPE: ClassVar[str] = "https://rakkan.org/consent/v1"

    consent_id: str
    person: str
    covers: str
    valid_from: datetime
    recorded: datetime
    valid_until: datetime | None = None
    version: int = 1
    scope: Scope = EVERYWHERE
    commitments: tuple[str, ...] = ()

    @property
    def subject(self) -> Artifact:
        """Return what the statement is about: the person."""
        return named("person", self.person)

    def to_json(self) -> dict[str, Any]:
        """Return the predicate object."""
        return present(
            consentId=self.consent_id,
            person=self.person,
            covers=self.covers,
            validFrom=format_time(self.valid_from),
            validUntil=self.valid_until and format_time(self.valid_until),
            recorded=format_time(self.recorded),
            version=self.version,
            scope=self.scope.to_json(),
            _sd=list(self.commitments),
        )

    @classmethod
    def read(cls, fields: Fields) -> Consent:
        """Take the predicate's fields."""
        found = cls(
            fields.text("consentId"),
            fields.text("person"),
            fields.text("covers"),
            fields.time("validFrom"),
            fields.time("recorded"),
            fields.optional_time("validUntil"),
            fields.take("version", int),
            read_scope(fields),
            fields.commitments("_sd"),
        )
        check_validity(fields, found.valid_from, found.valid_until)
        if found.version < 1:
            raise fields.error("version", "counts from 1")
        return found
