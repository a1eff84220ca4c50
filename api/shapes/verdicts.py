"""Verdicts on record, clearances and impacts."""

from __future__ import annotations

from typing import Any

from api.shapes.base import Answered, Paged, Shape


class DigestOnly(Shape):
    """A digest."""

    sha256: str


class Policy(Shape):
    """A policy profile by its name and digest."""

    name: str
    digest: DigestOnly


class Brief(Shape):
    """A verdict's answer at one moment, with the codes of its reasons."""

    verdict: str
    grade: str
    reasons: list[str]


class VerdictHead(Shape):
    """A verdict on record about a file: what it answers, and where it stands."""

    sha256: str
    name: str
    entry: int
    engine: str
    policy: Policy
    delivery: dict[str, Any]
    recorded: str
    valid_at: str
    previous: int | None = None


class VerdictLine(VerdictHead):
    """A verdict in a line."""

    then: Brief
    now: Brief


class VerdictPage(Paged):
    """The newest verdict of each file and question."""

    verdicts: list[VerdictLine]


class WholeVerdict(VerdictHead):
    """A verdict with all its reasons. ``current``: no newer one answers the same question."""

    cause: int | None = None
    tree: dict[str, Any]
    basis: str
    then: dict[str, Any]
    now: dict[str, Any]
    current: bool


class VerdictHistory(Paged):
    """The verdicts about one file, newest first."""

    sha256: str
    verdicts: list[WholeVerdict]


class ThenNow(Shape):
    """The same at the time of use, and now."""

    then: Any
    now: Any


class Clearance(Answered):
    """What `rakkan clear --json` prints. Without the registry, reasons name no facts of it."""

    engine: str
    policy: dict[str, Any]
    delivery: dict[str, Any]
    at: str
    known: str | None = None
    tree: dict[str, Any]
    verdict: ThenNow
    grade: ThenNow
    dependency_levels: ThenNow | None = None
    targets: list[dict[str, Any]]
    unknown: list[dict[str, Any]]
    bases: int
    reasons: list[dict[str, Any]]
    changed: list[dict[str, Any]]
    learned: list[dict[str, Any]]
    coverage: dict[str, int]
    principles: list[dict[str, Any]]
    lowest: list[str] | None = None
    says: str


class Impact(Answered):
    """What `rakkan impact --json` prints."""

    thing: dict[str, Any]
    tree: dict[str, Any]
    through: list[dict[str, Any]]
    bases: int
    entries: int
    finals: int
    shots: dict[str, int]
    if_revoked: dict[str, Any] | None = None
