"""What the verification routes answer, for their description (docs/spec/http-verify.md)."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

Index = Field(ge=0)


class Check(BaseModel):
    """One question and its answer."""

    check: str
    title: str
    status: Literal["passed", "failed", "undecided"]
    words: str
    codes: list[str]


class Grant(BaseModel):
    """A grant on record; without its name for who may not read the registry."""

    grantId: str  # noqa: N815 - as it is written in JSON
    uses: list[str]
    index: int
    inTerm: bool  # noqa: N815 - the same


class Named(BaseModel):
    """A model or dataset; without name and digest where only the ledger knows of it."""

    kind: str
    name: str | None
    sha256: str | None
    index: int | None
    stages: list[str]
    grants: list[Grant]
    licensed: bool


class Step(BaseModel):
    """A recorded step."""

    index: int
    action: str
    tool: str
    device: str
    finished: str
    evidence: str


class Proof(BaseModel):
    """An entry that knows the file, and its receipt (``.tlog-proof``) in base64."""

    index: int
    receipt: str


class Ledger(BaseModel):
    """The log that knows the file, and how it knows it."""

    origin: str
    by: Literal["bytes", "pixels", "manifest"]
    entries: list[Proof]


class VerdictOnRecord(BaseModel):
    """The newest verdict on record. Grade and reasons are for who may read verdicts."""

    entry: int
    policy: str
    policySha256: str  # noqa: N815 - the same
    deliverable: str
    then: Literal["cleared", "needs_review", "blocked"]
    now: Literal["cleared", "needs_review", "blocked"]
    grade: str | None = None
    reasonsThen: list[dict[str, Any]] | None = None  # noqa: N815 - the same
    reasonsNow: list[dict[str, Any]] | None = None  # noqa: N815 - the same


class Verification(BaseModel):
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


class Isolation(BaseModel):
    """How strangers' files are examined here."""

    started: bool
    refused: list[str]
