"""What the answers to readers look like, for OpenAPI. They are made elsewhere, and tests hold them to it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class Shape(BaseModel):
    """An object with these members and no others."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel)


class Problem(BaseModel):
    """An error as problem details (RFC 9457). ``code`` is stable; ``evidence`` depends on it."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    hint: str | None = None
    evidence: dict[str, Any] = Field(default_factory=dict)


class Log(Shape):
    """The tree that an answer was computed at: everything in it is in the answer."""

    origin: str
    size: int


class Answered(Shape):
    """Any answer."""

    log: Log


class Paged(Answered):
    """Any page. ``next`` goes into ``after``; a page may be short, even empty, and still have one."""

    next: str | None


class Span(Shape):
    """The first and the last frame."""

    first: int
    last: int


class Where(Shape):
    """Where in the production a step was made."""

    production: str
    sequence: str | None = None
    shot: str | None = None
    task: str | None = None
    version: str | None = None
    frames: Span | None = None


class Tool(Shape):
    """The program that ran."""

    name: str
    version: str


class Entry(Shape):
    """An entry in a line. Of an entry that is no step, only the first three members are there."""

    entry: int
    kind: str
    signed_by: str
    action: str | None = None
    evidence: str | None = None
    tool: Tool | None = None
    actor: str | None = None
    place: Where | None = None
    started: str | None = None
    finished: str | None = None


class File(Shape):
    """A file by its bytes, and by its picture where that is known."""

    name: str
    sha256: str
    pixels: str | None = None


class Line(Entry):
    """A file, and the entry that states it."""

    name: str
    sha256: str
    pixels: str | None = None


class AssetPage(Paged):
    """Files in the order of the log, once for each entry that states them."""

    assets: list[Line]


class Made(Entry):
    """An entry that made a file; ``registered`` is what a registration says, for who sees the registry."""

    name: str
    registered: dict[str, Any] | None = None


class Used(Entry):
    """An entry that used a file, and as what."""

    name: str
    role: str


class SealedAs(Shape):
    """The file that was sealed from this one."""

    sha256: str
    name: str
    entry: int


class SealedFrom(Shape):
    """The file before it was sealed."""

    sha256: str
    entry: int
    form: str


class SealState(Shape):
    """As what a file was sealed, and from what."""

    from_: SealedFrom | None = Field(None, alias="from")
    as_: SealedAs | None = Field(None, alias="as")


class ManifestAt(Shape):
    """The manifest store that is kept: the file that it belongs to, its own digest and size."""

    asset: str
    sha256: str
    bytes: int


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


class Asset(Answered):
    """What the log knows of one file."""

    sha256: str
    pixels: str | None = None
    found_by: Literal["bytes", "pixels"]
    names: list[str]
    made: list[Made]
    made_more: bool
    used: list[Used]
    used_more: bool
    seal: SealState
    manifest: ManifestAt | None
    verdicts: list[VerdictLine]


class Node(Shape):
    """A file of a lineage. ``open``: it was met and is not followed; ask for it by itself."""

    sha256: str
    name: str
    depth: int
    open: bool = False
    attributed: bool
    made: Entry | None = None


class Edge(Shape):
    """``child`` was made from ``parent``, as an entry states."""

    child: str
    parent: str
    role: str
    entry: int


class Lineage(Paged):
    """A page of a lineage, nearest files first."""

    direction: Literal["up", "down"]
    nodes: list[Node]
    edges: list[Edge]


class StepLine(Entry):
    """A step in a line, with what it wrote."""

    wrote: list[File]


class StepPage(Paged):
    """Steps in the order of the log."""

    steps: list[StepLine]


class WholeEntry(Answered):
    """An entry as it was signed; ``erased`` says which of its commitments nobody can open any more."""

    index: int
    signed_by: list[str]
    statement: dict[str, Any]
    erased: dict[str, Any] | None = None


class Shot(Shape):
    """A shot: how many steps it has, how many final files, and the newest of the steps' entries."""

    sequence: str | None
    shot: str
    steps: int
    finals: int
    newest_entry: int


class ShotPage(Paged):
    """Shots in the order of their names."""

    shots: list[Shot]


class Final(Shape):
    """A final file of a shot, with the newest verdict of each question."""

    sha256: str
    name: str
    entry: int
    task: str | None = None
    version: str | None = None
    frames: Span | None = None
    verdicts: list[VerdictLine]


class ShotFinals(Paged):
    """A shot, and a page of its final files."""

    sequence: str | None = None
    shot: str
    steps: int
    final_files: int
    frames: Span | None = None
    finals: list[Final]


class Title(Shape):
    """The title that a production is delivered under."""

    id: str
    name: str


class ProductionGlance(Answered):
    """A production; ``may`` are the actions of docs/reference/access.md that the caller may do there."""

    production: str
    root: str | None = None
    title: Title | None = None
    may: list[str]


class Productions(Shape):
    """The productions that the caller may see something of."""

    productions: list[ProductionGlance]
