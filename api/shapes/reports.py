"""Questions and reports, as they are answered."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from api.shapes.base import Paged, Shape, Span
from api.shapes.verdicts import Impact


class Tree(Shape):
    """The size of the tree that an answer was computed at."""

    size: int


class Group(Shape):
    """A shot, a device or a vendor, and how many files it has."""

    name: str
    files: int


class Others(Shape):
    """What is not named: so many groups, and their files."""

    groups: int
    files: int


class Groups(Shape):
    """The largest groups, and what the others come to."""

    groups: list[Group]
    others: Others


class FinalFile(Shape):
    """A final file: where it was made, and in which entry."""

    sha256: str
    name: str
    entry: int | None = None
    shot: str | None = None
    task: str | None = None
    frames: Span | None = None


class UnexplainedFile(FinalFile):
    """A file without an origin that was seen or read, and who recorded its making."""

    origin: str
    device: str
    vendor: str


class Origins(Shape):
    """How many files have each."""

    unknown: int
    imported: int
    declared: int


class UnknownOrigin(Paged):
    """The files whose origin is unknown or only declared; the counts are of all pages."""

    tree: Tree
    asked: int
    found: int
    origins: Origins
    shots: Groups
    devices: Groups
    vendors: Groups
    says: str
    files: list[UnexplainedFile]


class UsedThing(Shape):
    """The thing that was asked about."""

    kind: str
    name: str
    sha256: list[str]


class UseOf(Shape):
    """What a file used, at the earliest and at the latest: quarters of an hour, by their beginnings."""

    kind: str
    name: str
    first: str
    last: str


class UsingFile(FinalFile):
    """A file that used the thing."""

    uses: list[UseOf]


class UsingSteps(Shape):
    """The steps that read the thing themselves: how many, the first ones, and how many others."""

    count: int
    entries: list[int]
    others: int


class Used(Paged):
    """The files that used a thing; the counts are of all pages."""

    tree: Tree
    thing: UsedThing
    since: str | None
    until: str | None
    delivered: bool
    found: int
    shots: Groups
    steps: UsingSteps
    files: list[UsingFile]


class MovedFile(FinalFile):
    """A file that would have another verdict."""

    from_: str = Field(alias="from")
    to: str


class IfEnded(Paged, Impact):
    """What `rakkan impact` says of the grant, and the files that would have another verdict."""

    if_ended: dict[str, Any]
    found: int
    files: list[MovedFile]


class FilesCovered(Shape):
    """How many files, and how far their making is on record."""

    files: int
    observed: int
    inferred: int
    declared: int
    imported: int
    unknown: int


class CoverageGroup(FilesCovered):
    """The same of one vendor, device, task, episode or shot."""

    name: str


class CoverageBy(Paged, FilesCovered):
    """The groups in the order of their names. ``of`` is how many there are; the counts are of all of them."""

    tree: Tree
    by: str
    of: int
    derived: str | None = None
    groups: list[CoverageGroup]


class ReportFile(Shape):
    """A file of a report."""

    name: str
    size: int
    sha256: str


class ReportError(Shape):
    """Why a report failed."""

    code: str
    message: str


class ReportAsked(Shape):
    """What was asked for; ``at`` is the moment that *now* means."""

    targets: list[str]
    policy: str
    view: str
    party: str | None
    deliverable: str
    title: str | None
    media: list[str]
    territories: list[str]
    at: str | None
    known: str | None


class ReportJob(Shape):
    """A report that is made, or was. ``phase`` says what is being done, ``done`` of ``total`` how far."""

    id: str
    state: str = Field(description="queued, running, done or failed.")
    wanted: ReportAsked
    asker: str
    made: str
    phase: str
    done: int
    total: int
    ended: str | None
    expires: str | None
    error: ReportError | None
    report: str | None
    verdict: str | None
    files: list[ReportFile]


class ReportJobs(Shape):
    """The reports that the caller may see, the newest first, without their files."""

    reports: list[ReportJob]
