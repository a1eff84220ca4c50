"""The audit report: what a studio hands over, as one plain value. Every format is drawn from it.

* A report is a head, figures, chapters and tables. A table is typed columns and rows; a number that somebody
  reads is either a cell or a ``Figure``, and a figure *is* a count over a table: nothing can disagree.
* Every row says from which entries of the log it comes, in its column ``entries``, where it has one.
* The same log, population, policy and moment give the same report, to the byte.
* A view (``views``) replaces what its reader may not see by commitments; nothing vanishes without a trace.
* Only positives are claimed: nothing here says that AI was not used.

The document, member by member: docs/spec/audit-report.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

SPEC = "https://rakkan.org/audit-report/v1"

Scalar = str | int | bool | None


class Kind(StrEnum):
    """What the cells of a column are; ``None`` is empty in every column."""

    TEXT = "text"
    TEXTS = "texts"
    """A tuple of texts."""
    COUNT = "count"
    FLAG = "flag"
    MOMENT = "moment"
    """UTC, as in every other document of ours (``core.fields.format_time``)."""
    DIGEST = "digest"
    """SHA-256, hex."""
    VERDICT = "verdict"
    """``cleared``, ``needs_review``, ``blocked``, or ``undecided``: no record explains it."""
    GRADE = "grade"
    """``L0`` to ``L4``."""
    SEVERITY = "severity"
    """``noted``, ``needs_review``, ``blocked``."""
    PER_MILLE = "per-mille"
    TIMECODE = "timecode"
    ENTRIES = "entries"
    """A tuple of indices in the log, ascending."""
    STRIP = "strip"
    """A tuple: the frames in order, run-length coded: letter, count, letter, count (``STRIP_LETTERS``)."""


STRIP_LETTERS = {"c": "cleared", "r": "needs_review", "b": "blocked", "u": "undecided"}
"""One frame of a strip: its verdict now."""


class Sight(StrEnum):
    """Whose eyes a column, a table or a picture is for: what a view is allowed to show."""

    OPEN = "open"
    """Counts, digests, verdicts, dates of the report: for everybody."""
    WORK = "work"
    """Names of shots and files, timecodes, thumbnails, lineage: what nobody sees before the release."""
    RIGHTS = "rights"
    """Names of models, datasets, services, grants and rights holders."""
    TERMS = "terms"
    """Dates and conditions of contracts and services: what was agreed."""
    CREW = "crew"
    """Actors, devices and tools, each by its identifier; persons who consented."""


@dataclass(frozen=True, slots=True)
class Hidden:
    """What stands in place of a hidden cell, row, or text: the digest of its disclosure (RFC 9901 §4.2.4)."""

    digest: str


@dataclass(frozen=True, slots=True)
class Column:
    """``key`` names it in JSON and CSV, ``title`` is what a person reads."""

    key: str
    title: str
    kind: Kind = Kind.TEXT
    sight: Sight = Sight.OPEN


@dataclass(frozen=True, slots=True)
class Schema:
    """What a table is, whatever is in it. ``about`` says in one sentence what a row is.

    The first column identifies a row within its table, and is never hidden. ``owner`` names the column with
    the identifiers of the parties whom a row concerns: what a rights holder may see. ``long``: there may be a
    row for each frame; such a table is a file to work with, and no page.
    """

    key: str
    title: str
    about: str
    columns: tuple[Column, ...]
    sight: Sight = Sight.OPEN
    owner: str | None = None
    long: bool = False

    def place(self, key: str) -> int:
        """Return where the column of this key stands. Raises ``KeyError``."""
        return {column.key: n for n, column in enumerate(self.columns)}[key]


Row = tuple[Any, ...]
"""The cells of a row, in the order of the columns."""


@dataclass(frozen=True, slots=True)
class Table:
    """``rows`` in the order in which they are to be read. A row that a view hides is a ``Hidden``."""

    schema: Schema
    rows: tuple[Row | Hidden, ...]

    @property
    def shown(self) -> tuple[Row, ...]:
        """Return the rows that are not hidden."""
        return tuple(row for row in self.rows if not isinstance(row, Hidden))

    def column(self, key: str) -> list[Any]:
        """Return one column of the rows that are shown."""
        place = self.schema.place(key)
        return [row[place] for row in self.shown]


@dataclass(frozen=True, slots=True)
class Count:
    """How a figure is counted: the rows of ``table`` in which each column of ``where`` has its value.

    With ``of`` the sum of that column, else the rows themselves.
    """

    table: str
    where: tuple[tuple[str, Scalar], ...] = ()
    of: str | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """A number with its name, and how it was counted."""

    key: str
    title: str
    value: int
    count: Count


@dataclass(frozen=True, slots=True)
class Answer:
    """A question that a reader asks, and what the records say: yes, no, or nobody can tell (``None``)."""

    question: str
    holds: bool | None
    words: str


@dataclass(frozen=True, slots=True)
class Stop:
    """One card of a lineage. ``kind``: ``file``, ``model``, ``service``, ``dataset`` or ``unknown``."""

    sha256: str
    kind: str
    title: str
    lines: tuple[str, ...]
    mark: str
    good: bool | None
    entry: int | None


@dataclass(frozen=True, slots=True)
class Lineage:
    """The way of one file, from its raw materials. ``links``: what it was made from, what was made, the role.

    ``why`` says why this file was chosen to be shown.
    """

    key: str
    name: str
    sha256: str
    why: str
    stops: tuple[Stop, ...]
    links: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Chapter:
    """One chapter: sentences, then its figures, tables and drawings by their keys.

    ``empty`` says why there is nothing to show, where that is so. ``answers`` stand after the sentences.
    """

    key: str
    title: str
    words: tuple[str, ...] = ()
    figures: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    lineages: tuple[str, ...] = ()
    answers: tuple[Answer, ...] = ()
    empty: str | None = None


@dataclass(frozen=True, slots=True)
class Head:
    """What the report is of, by what it judged, and who speaks.

    ``identifier`` is made from what the report is of: the same report has the same one. ``population`` is the
    digest of the list of what was asked for. ``at`` is the moment that *now* means; ``size`` and ``root``
    (hex) the tree. ``scope`` is the population in words; ``cut`` the name of the timeline. ``rate`` is frames
    in a second, as a fraction. ``verify`` is the address of the page where somebody can look it up.
    """

    identifier: str
    studio: str
    production: str
    title: str | None
    scope: str
    population: str
    at: str
    known: str | None
    policy: str
    policy_version: str
    policy_sha256: str
    delivery: Mapping[str, Any]
    origin: str
    size: int
    root: str
    engine: str
    cut: str | None = None
    rate: str | None = None
    previous: str | None = None
    verify: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """The whole report, in one view. ``withheld`` counts by sight what this view hides.

    ``verdict`` is that on the whole: ``undecided`` where all that is known is cleared and not all is known.
    ``worst`` are the keys of the shots to look at first. ``pictures`` maps a SHA-256 to a thumbnail's file
    name beside the report.
    """

    head: Head
    view: str
    verdict_then: str
    verdict_now: str
    grade_then: str | None
    grade_now: str | None
    figures: tuple[Figure, ...]
    chapters: tuple[Chapter, ...]
    tables: Mapping[str, Table]
    lineages: Mapping[str, Lineage] = field(default_factory=dict)
    pictures: Mapping[str, str] = field(default_factory=dict)
    withheld: Mapping[str, int] = field(default_factory=dict)
    worst: tuple[str, ...] = ()

    def figure(self, key: str) -> Figure:
        """Return the figure of this key. Raises ``KeyError``."""
        return {figure.key: figure for figure in self.figures}[key]


def counted(tables: Mapping[str, Table], count: Count) -> int:
    """Return what a count comes to. Raises ``KeyError`` for a table or column that is not there."""
    table = tables[count.table]
    rows = table.shown
    for key, value in count.where:
        place = table.schema.place(key)
        rows = tuple(row for row in rows if row[place] == value)
    if count.of is None:
        return len(rows)
    place = table.schema.place(count.of)
    return sum(row[place] or 0 for row in rows)


def figures(tables: Mapping[str, Table], asked: Sequence[tuple[str, str, Count]]) -> tuple[Figure, ...]:
    """Return the figures that these counts come to: key, title, count."""
    return tuple(Figure(key, title, counted(tables, count), count) for key, title, count in asked)
