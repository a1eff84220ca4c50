"""Entries with their receipts, as a manifest carries them: the ``org.rakkan.ledger-entry`` assertion.

``entries[0]`` is the record of the asset itself (a step, a dataset, a model); the others are what a stranger
needs to judge it: enrolments, unsealed ancestors, grants. Form: docs/spec/ledger-entry.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ledger.core.fields import Fields
from ledger.errors import MalformedError

SPEC = "https://rakkan.org/ledger-entry/v1"


@dataclass(frozen=True, slots=True)
class LoggedEnvelope:
    """One entry's exact bytes, and its receipt as ``.tlog-proof`` text."""

    envelope: bytes
    receipt: bytes


@dataclass(frozen=True, slots=True)
class Evidence:
    """``subject`` is the SHA-256 (hex) of the asset as it was recorded, before it was sealed."""

    subject: str
    entries: tuple[LoggedEnvelope, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the assertion's value."""
        entries = [
            {"envelope": item.envelope.decode(), "receipt": item.receipt.decode()} for item in self.entries
        ]
        return {"spec": SPEC, "subject": self.subject, "entries": entries}


def read_evidence(value: Any) -> Evidence:
    """Return the assertion's content. Raises ``MalformedError("manifest.malformed")``."""
    fields = Fields(value, "org.rakkan.ledger-entry", "manifest.malformed")
    if fields.text("spec") != SPEC:
        raise fields.error("spec", f"must be {SPEC}")
    entries = tuple(_read_entry(item, n) for n, item in enumerate(fields.items("entries")))
    evidence = Evidence(fields.sha256("subject"), entries)
    fields.end()
    if not entries:
        raise MalformedError("manifest.malformed", "The ledger-entry assertion holds no entry.")
    return evidence


def _read_entry(value: Any, number: int) -> LoggedEnvelope:
    fields = Fields(value, f"entries[{number}]", "manifest.malformed")
    envelope, receipt = fields.take("envelope", str), fields.take("receipt", str)
    fields.end()
    try:
        return LoggedEnvelope(envelope.encode(), receipt.encode())
    except UnicodeEncodeError as error:
        raise fields.error("envelope", "or its receipt holds half of a surrogate pair") from error
