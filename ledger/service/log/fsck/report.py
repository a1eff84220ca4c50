"""What fsck answers: independent checks, each with how to mend what it found, and one condition over them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ledger.core.report import Check, Status

SPEC = "https://rakkan.org/fsck-report/v1"


class Condition(StrEnum):
    """What all checks together come to."""

    SOUND = "sound"
    DAMAGED = "damaged"
    UNDECIDED = "undecided"


EXIT_CODES = {Condition.SOUND: 0, Condition.DAMAGED: 1, Condition.UNDECIDED: 3}


class Mend(StrEnum):
    """What to do about a finding."""

    NOTHING = ""
    REINDEX = "Copy the database away, then let the database mend it: sqlite3 ledger.sqlite REINDEX."
    REBUILD = "Copy the database away, then run rakkan rebuild."
    RECOVER = "Run rakkan recover: the published log has the missing entries."
    RESTORE = (
        "Copy the database away, restore the newest backup that fsck finds sound, then run rakkan recover: "
        "the published log has the entries since."
    )
    REPUBLISH = "Move this file and the publication's checkpoint away, then run rakkan publish."
    PUBLISH = "Run rakkan publish."
    APPEND = "Nothing: the next entry writes the record again."
    INVESTIGATE = "Keep both checkpoints and write nothing: docs/howto/recover.md, “A fork”."
    LATER = "Run rakkan fsck again when it can be reached."
    FIRST = "Mend what the other checks name first, then run rakkan fsck again."


@dataclass(frozen=True, slots=True)
class Finding:
    """One check, and what to do about it."""

    check: Check
    mend: Mend

    def to_json(self) -> dict[str, Any]:
        """Return the finding as JSON."""
        return {**self.check.to_json(), "mend": self.mend.value}


@dataclass(frozen=True, slots=True)
class FsckReport:
    """Everything that fsck found out about one log. ``entries`` is how many were read."""

    origin: str
    size: int
    entries: int
    findings: tuple[Finding, ...]

    @property
    def condition(self) -> Condition:
        """The verdict over all checks."""
        found = {finding.check.status for finding in self.findings}
        if Status.FAILED in found:
            return Condition.DAMAGED
        return Condition.UNDECIDED if Status.UNDECIDED in found else Condition.SOUND

    @property
    def exit_code(self) -> int:
        """The process exit code that says the same."""
        return EXIT_CODES[self.condition]

    def finding(self, name: str) -> Finding:
        """Return the finding of this check. Raises ``KeyError``."""
        return {finding.check.name: finding for finding in self.findings}[name]

    def to_json(self) -> dict[str, Any]:
        """Return the report as ``rakkan fsck --json`` prints it."""
        return {
            "spec": SPEC,
            "condition": self.condition.value,
            "origin": self.origin,
            "size": self.size,
            "entries": self.entries,
            "checks": [finding.to_json() for finding in self.findings],
        }


TITLES = {
    "database": "The database finds nothing wrong with itself",
    "head": "The head is what the log signed",
    "last-signed": "The database holds what the key signed last",
    "entries": "Every entry is there, and leads to the signed root",
    "tiles": "The tiles are those of the entries",
    "statements": "The statement table is what the entries say",
    "artifacts": "The artifact table is what the entries say",
    "published-checkpoint": "The database holds what is published",
    "published-files": "The published files are those of the log",
}


def passed(name: str, words: str) -> Finding:
    """Return a check that found nothing wrong."""
    return Finding(Check(name, TITLES[name], Status.PASSED, words), Mend.NOTHING)


def failed(name: str, words: str, mend: Mend, *codes: str) -> Finding:
    """Return a check that found two records which must agree and do not."""
    return Finding(Check(name, TITLES[name], Status.FAILED, words, codes), mend)


def undecided(name: str, words: str, mend: Mend, *codes: str) -> Finding:
    """Return a check that could not be made."""
    return Finding(Check(name, TITLES[name], Status.UNDECIDED, words, codes), mend)
