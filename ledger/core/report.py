"""The answer of a verification: independent checks, each with its own words, and one verdict over them.

Rules:

* a check is passed, failed or undecided; it says what was looked at, in words for a person who has never seen
  a manifest, and carries the codes and values for a person who has;
* *failed* means two things that must agree do not: evidence of alteration. A missing key, an unknown signer
  or an unreadable file is *undecided*, never failed;
* the verdict is ``altered`` if any check failed, ``proven`` if every one passed, else ``undecided``, with two
  exceptions that say more. ``signed``: the manifest's own checks passed, but only a list from outside knows
  the signer. ``recorded``: no manifest was at hand, but the ledger knows these bytes and proves their record;
* only positives are claimed: nothing here says that AI was not used.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Status(StrEnum):
    """What one check found."""

    PASSED = "passed"
    FAILED = "failed"
    UNDECIDED = "undecided"


class Outcome(StrEnum):
    """What all checks together come to."""

    PROVEN = "proven"
    SIGNED = "signed"
    RECORDED = "recorded"
    ALTERED = "altered"
    UNDECIDED = "undecided"


FOUND_BY_PIXELS = "ledger.pixels"
"""Code of the check that knows a file by its picture alone."""
SIGNER_LISTED = "signer.listed"
"""Code of the check on the signer when only a trust list from outside knows them."""
NO_MANIFEST = frozenset({"verify.no-manifest", "verify.digest-only"})
"""Codes of the check on the claim when there is none to look at."""
EXIT_CODES = {
    Outcome.PROVEN: 0,
    Outcome.ALTERED: 1,
    Outcome.SIGNED: 3,
    Outcome.RECORDED: 3,
    Outcome.UNDECIDED: 3,
}
_BY_THE_MANIFEST = ("bytes", "claim", "time", "ancestry")
_BY_THE_LEDGER = ("log", "statement", "subject", "ledger")


@dataclass(frozen=True, slots=True)
class Check:
    """One question, its answer in words, and the codes behind it (C2PA's own where it has one).

    ``plain`` is the same answer without what only the ledger knows, where ``words`` name any of that.
    """

    name: str
    title: str
    status: Status
    words: str
    codes: tuple[str, ...] = ()
    plain: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the check as JSON."""
        return {
            "check": self.name,
            "title": self.title,
            "status": self.status.value,
            "words": self.words,
            "codes": list(self.codes),
        }


@dataclass(frozen=True, slots=True)
class NamedGrant:
    """A grant on record: its identifier, its uses, its entry, and whether it held at a time of use."""

    grant_id: str
    uses: tuple[str, ...]
    index: int
    in_term: bool


@dataclass(frozen=True, slots=True)
class NamedThing:
    """A model or dataset that the file names, or, without name and digest, one that only the ledger does.

    ``index`` is its registration's entry, ``None`` without one. ``covered`` says whether each of its uses
    fell into the term of some grant.
    """

    kind: str
    name: str
    sha256: str
    index: int | None
    grants: tuple[NamedGrant, ...] = ()
    stages: tuple[str, ...] = ()
    covered: bool = True

    @property
    def licensed(self) -> bool:
        """Whether a grant on record held at each time of use."""
        return self.covered and any(grant.in_term for grant in self.grants)

    def to_json(self) -> dict[str, Any]:
        """Return the thing as JSON."""
        grants = [
            {
                "grantId": grant.grant_id,
                "uses": list(grant.uses),
                "index": grant.index,
                "inTerm": grant.in_term,
            }
            for grant in self.grants
        ]
        return {
            "kind": self.kind,
            "name": self.name or None,
            "sha256": self.sha256 or None,
            "index": self.index,
            "stages": list(self.stages),
            "grants": grants,
            "licensed": self.licensed,
        }


@dataclass(frozen=True, slots=True)
class NamedStep:
    """A recorded step that the file's evidence holds. ``evidence`` says how its record came to be."""

    index: int
    action: str
    tool: str
    device: str
    finished: str
    evidence: str

    def to_json(self) -> dict[str, Any]:
        """Return the step as JSON."""
        return {
            "index": self.index,
            "action": self.action,
            "tool": self.tool,
            "device": self.device,
            "finished": self.finished,
            "evidence": self.evidence,
        }


@dataclass(frozen=True, slots=True)
class VerificationReport:
    """Everything a verification found out about one file."""

    file: str
    sha256: str
    checks: tuple[Check, ...]
    things: tuple[NamedThing, ...] = ()
    steps: tuple[NamedStep, ...] = ()
    signer: str | None = None
    log: str | None = None
    facts: dict[str, str] = field(default_factory=dict)

    @property
    def outcome(self) -> Outcome:
        """The verdict over all checks."""
        found = {check.status for check in self.checks}
        if Status.FAILED in found:
            return Outcome.ALTERED
        if found == {Status.PASSED}:
            return Outcome.PROVEN
        passed = {check.name for check in self.checks if check.status is Status.PASSED}
        codes = {code for check in self.checks if check.name in ("signer", "claim") for code in check.codes}
        if SIGNER_LISTED in codes and passed.issuperset(_BY_THE_MANIFEST):
            return Outcome.SIGNED
        if codes & NO_MANIFEST and passed.issuperset(_BY_THE_LEDGER):
            return Outcome.RECORDED
        return Outcome.UNDECIDED

    @property
    def exit_code(self) -> int:
        """The process exit code that says the same."""
        return EXIT_CODES[self.outcome]

    @property
    def verdict(self) -> str:
        """One line for anyone."""
        if self.outcome is Outcome.ALTERED:
            return f"Altered: {self._first(Status.FAILED)}"
        if self.outcome is Outcome.SIGNED:
            where = f"recorded in {self.log}" if self.log else "not in this studio's ledger"
            return f"Signed by {self.signer}, known to {self.facts.get('trustList')}; {where}."
        if self.outcome is Outcome.RECORDED:
            return f"Recorded in {self.log}: {self.check('ledger').words} {self.check('claim').words}"
        if self.outcome is Outcome.UNDECIDED:
            return f"Cannot decide: {self._found_elsewhere() or self._first(Status.UNDECIDED)}"
        if not self.things:
            return f"Proven: sealed by {self.signer}, recorded in {self.log}; it names no model or dataset."
        licensed = sum(thing.licensed for thing in self.things)
        basis = f"{licensed} of {len(self.things)} named models and datasets have a grant on record"
        return f"Proven: sealed by {self.signer}, recorded in {self.log}; {basis}."

    def check(self, name: str) -> Check:
        """Return the check of this name. Raises ``KeyError``."""
        return {check.name: check for check in self.checks}[name]

    def to_json(self) -> dict[str, Any]:
        """Return the report as the command and the endpoint print it (docs/spec/report.md)."""
        return {
            "spec": "https://rakkan.org/verification-report/v1",
            "file": self.file,
            "sha256": self.sha256,
            "outcome": self.outcome.value,
            "verdict": self.verdict,
            "signer": self.signer,
            "log": self.log,
            "checks": [check.to_json() for check in self.checks],
            "named": [thing.to_json() for thing in self.things],
            "steps": [step.to_json() for step in self.steps],
            "facts": self.facts,
        }

    def _found_elsewhere(self) -> str | None:
        """Return what the ledger said of a picture that lost its manifest: more than that it lost it."""
        return next((check.words for check in self.checks if FOUND_BY_PIXELS in check.codes), None)

    def _first(self, status: Status) -> str:
        return next(check.words for check in self.checks if check.status is status)
