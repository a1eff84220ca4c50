"""What the service answers, as types: the members that OpenAPI names, and a test holds them to it.

JSON as it came: nothing here is checked when it is read. ``client`` checks what can be checked.
"""

from __future__ import annotations

from typing import Any, TypedDict

Json = dict[str, Any]


class Log(TypedDict):
    """The tree that an answer was computed at: everything in it is in the answer."""

    origin: str
    size: int


class Verification(TypedDict):
    """A verification report, and what the ledger adds (docs/spec/http-verify.md)."""

    spec: str
    file: str
    sha256: str
    outcome: str
    verdict: str
    signer: str | None
    log: str | None
    checks: list[Json]
    named: list[Json]
    steps: list[Json]
    facts: dict[str, str]
    ledger: Json | None
    clearance: Json | None
    page: str


class ProductionGlance(TypedDict):
    """A production; ``may`` are the actions that the caller may do there."""

    log: Log
    production: str
    root: str | None
    title: Json | None
    may: list[str]


class Asset(TypedDict):
    """What the log knows of one file."""

    log: Log
    sha256: str
    pixels: str | None
    foundBy: str
    names: list[str]
    made: list[Json]
    madeMore: bool
    used: list[Json]
    usedMore: bool
    seal: Json
    manifest: Json | None
    verdicts: list[Json]


class Lineage(TypedDict):
    """A page of a lineage, nearest files first. ``next`` goes into ``after``."""

    log: Log
    next: str | None
    direction: str
    nodes: list[Json]
    edges: list[Json]


class WholeEntry(TypedDict):
    """An entry as it was signed."""

    log: Log
    index: int
    signedBy: list[str]
    statement: Json
    erased: Json | None


class VerdictHistory(TypedDict):
    """The verdicts about one file, newest first."""

    log: Log
    next: str | None
    sha256: str
    verdicts: list[Json]
