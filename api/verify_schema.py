"""What the verification routes answer, for their description (docs/spec/http-verify.md)."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from api.shapes.base import Shape

Index = Field(ge=0)


class Check(Shape):
    """One question and its answer."""

    check: str
    title: str
    status: Literal["passed", "failed", "undecided"]
    words: str
    codes: list[str]


class Grant(Shape):
    """A grant on record; without its name for who may not read the registry."""

    grant_id: str
    uses: list[str]
    index: int
    in_term: bool


class Named(Shape):
    """A model or dataset; without name and digest where only the ledger knows of it."""

    kind: str
    name: str | None
    sha256: str | None
    index: int | None
    stages: list[str]
    grants: list[Grant]
    licensed: bool


class Step(Shape):
    """A recorded step."""

    index: int
    action: str
    tool: str
    device: str
    finished: str
    evidence: str


class Proof(Shape):
    """An entry that knows the file, and its receipt (``.tlog-proof``) in base64."""

    index: int
    receipt: str


class Ledger(Shape):
    """The log that knows the file, and how it knows it."""

    origin: str
    by: Literal["bytes", "pixels", "manifest"]
    entries: list[Proof]


class VerdictOnRecord(Shape):
    """The newest verdict on record. Grade and reasons are for who may read verdicts."""

    entry: int
    policy: str
    policy_sha256: str = Field(alias="policySha256")
    deliverable: str
    then: Literal["cleared", "needs_review", "blocked"]
    now: Literal["cleared", "needs_review", "blocked"]
    grade: str | None = None
    reasons_then: list[dict[str, Any]] | None = None
    reasons_now: list[dict[str, Any]] | None = None


class Verification(Shape):
    """The verification report, what the ledger adds, and where the page is."""

    spec: str
    file: str
    sha256: str
    outcome: Literal["proven", "signed", "recorded", "altered", "undecided"]
    verdict: str
    signer: str | None
    log: str | None
    checks: list[Check]
    named: list[Named]
    steps: list[Step]
    facts: dict[str, str]
    ledger: Ledger | None
    clearance: VerdictOnRecord | None
    page: str


class Isolation(Shape):
    """How strangers' files are examined here."""

    started: bool
    refused: list[str]
