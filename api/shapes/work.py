"""Productions, files, steps, lineage and shots."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from api.shapes.base import Answered, Paged, Shape, Span
from api.shapes.verdicts import VerdictLine


class Where(Shape):
    """Where in the production a step was made."""

    production: str
    episode: str | None = None
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

    episode: str | None
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

    episode: str | None = None
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


class LogCoverage(Answered):
    """How final files on record are evidenced. ``complete``: every step under the file was observed.

    ``declared`` and ``inferred`` count steps, ``gaps`` files that were used and that no record explains.
    """

    files: int
    complete: int
    declared: int
    inferred: int
    gaps: int
    says: str
