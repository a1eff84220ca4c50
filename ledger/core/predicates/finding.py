"""``finding/v1``: something about a file that a person has to look at, or has looked at.

The subjects are the files. An evaluator (a prompt linter, a similarity search) opens a finding; a person
closes it with a statement of the same ``findingId``. None decides by itself: similarity goes to a human.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from ledger.core.fields import Fields, format_time, present
from ledger.core.predicates.capture import Capture, read_capture
from ledger.core.predicates.step import Evidence


class FindingKind(StrEnum):
    """What was found."""

    STYLE_REFERENCE = "style-reference"
    """The prompt asks for the manner of a named artist, studio or work."""
    PERFORMER_NAME = "performer-name"
    """The prompt names a performer."""
    SIMILARITY_HIT = "similarity-hit"
    """A search found a work that it resembles."""


class FindingState(StrEnum):
    """Where it stands."""

    OPEN = "open"
    DISMISSED = "dismissed"
    UPHELD = "upheld"


@dataclass(frozen=True, slots=True)
class Finding:
    """``evaluator`` names the program and version, or the pseudonym of the person who closed it.

    ``person`` is the performer's pseudonym, where that is known. What was named is a commitment.
    ``capture`` is there when a device asked by itself.
    """

    TYPE: ClassVar[str] = "https://rakkan.org/finding/v1"

    finding_id: str
    kind: FindingKind
    state: FindingState
    evaluator: str
    evidence: Evidence
    recorded: datetime
    person: str | None = None
    commitments: tuple[str, ...] = ()
    capture: Capture | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the predicate object."""
        return present(
            findingId=self.finding_id,
            kind=self.kind.value,
            state=self.state.value,
            evaluator=self.evaluator,
            evidence=self.evidence.value,
            recorded=format_time(self.recorded),
            person=self.person,
            capture=self.capture and self.capture.to_json(),
            _sd=list(self.commitments),
        )

    @classmethod
    def read(cls, fields: Fields) -> Finding:
        """Take the predicate's fields."""
        return cls(
            fields.text("findingId"),
            fields.choice("kind", FindingKind),
            fields.choice("state", FindingState),
            fields.text("evaluator"),
            fields.choice("evidence", Evidence),
            fields.time("recorded"),
            fields.optional_text("person"),
            fields.commitments("_sd"),
            read_capture(fields.sub("capture")) if fields.has("capture") else None,
        )
