"""Statements that wait for their place in the device's chain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256

from ledger.core.artifact import Artifact
from ledger.core.predicates import Captured, LostRecord
from ledger.core.predicates.capture import Capture, Event, Layer
from ledger.core.predicates.lost_record import LossReason

AGENT = "agent 1"


@dataclass(frozen=True, slots=True)
class Draft:
    """A statement without its place in the chain; ``openings`` are those of its commitments by digest.

    ``seal`` holds the paths that are to be sealed when the log has the statement, ``brought`` the paths and
    SHA-256 (hex) of the files that went in: one may carry a manifest that is to be kept.
    """

    subjects: tuple[Artifact, ...]
    predicate: Captured
    capture: Capture
    openings: Mapping[str, str] = field(default_factory=dict)
    seal: tuple[str, ...] = ()
    brought: tuple[tuple[str, str], ...] = ()

    def numbered(self, sequence: int, previous: str | None) -> Captured:
        """Return the predicate with its place in the chain."""
        return replace(self.predicate, capture=replace(self.capture, sequence=sequence, previous=previous))


def gap(reason: LossReason, first: int, last: int, now: datetime) -> Draft:
    """Return the draft that says that the records of these numbers are lost, both ends included."""
    numbers = f"{first}" if first == last else f"{first} to {last}"
    subject = Artifact(f"record {numbers}", sha256(f"urn:rakkan:spool:{first}-{last}".encode()).hexdigest())
    capture = Capture(
        sequence=0,
        previous=None,
        layer=Layer.APP,
        hook=AGENT,
        event=Event.SAVE,
        captured=now.replace(microsecond=0),
    )
    return lost(subject, reason, capture)


def lost(subject: Artifact, reason: LossReason, capture: Capture) -> Draft:
    """Return the draft that says that this record is lost."""
    predicate = LostRecord(
        reason=reason, finished=capture.captured, capture=capture, files=capture.superseded
    )
    return Draft((subject,), predicate, capture)
