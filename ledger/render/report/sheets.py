"""The tables of a report as a page shows them: what is empty is left out, what is long is folded.

* A column without any cell is left out, and so is one that the view hides as a whole: it is named instead.
* A table of many columns and few rows is a list of records; other tables scroll on a small screen.
* Whatever comes in is text (``text.markup``). End tags that HTML can do without are left out: a feature has
  thousands of rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NewType

from ledger.core.audit import Column, Hidden, Kind, Row, Table
from ledger.render.report.cells import words
from ledger.render.report.ink import VERDICTS
from ledger.render.text import markup

Html = NewType("Html", str)
"""Markup: every text in it is escaped."""

MOST = 200
"""As many rows of a table stand on a page; all of them are in the table's file."""
_FOLDED = 12
_WIDE = 7
_LISTED = ("episodes",)
"""Wide tables of numbers: they are compared row by row."""
_RECORDS = 40
_ATTENTION = 60
"""Of more shots than this, the cleared ones stand apart, folded."""
SHOT_COLUMNS = ("name", "now", "then", "grade", "in", "out", "frames", "ai", "models", "findings", "approved")
_NUMBERS = (Kind.COUNT, Kind.PER_MILLE)
_PLAIN = {"shot", "row", "gap", "entry", "size", "service", "basis"}
"""Columns that number things: their cells are names, and have no commas."""


@dataclass(frozen=True, slots=True)
class Record:
    """One row as a list of facts: names of columns, and cells."""

    title: Html
    facts: tuple[tuple[str, Html], ...]


@dataclass(frozen=True, slots=True)
class Part:
    """Rows that stand together. ``heads``: title and class of each column; ``folded``: opened on demand."""

    title: str
    heads: tuple[tuple[str, str], ...]
    rows: Html
    folded: bool


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table on a page. ``records`` in place of ``parts`` where it is wide; ``unseen`` names hidden columns.

    ``withheld`` counts hidden rows, ``more`` those that only the file has.
    """

    key: str
    title: str
    about: str
    count: int
    parts: tuple[Part, ...]
    records: tuple[Record, ...]
    unseen: tuple[str, ...]
    withheld: int
    more: int


def sheet(table: Table) -> Sheet:
    """Return any table."""
    shown = table.shown
    columns, unseen = _columns(table, [column.key for column in table.schema.columns])
    wide = len(columns) > _WIDE and len(shown) <= _RECORDS and table.schema.key not in _LISTED
    kept = shown[:MOST]
    parts = []
    if kept and not wide:
        lines = Html("".join(_row(table, columns, row) for row in kept))
        parts.append(Part("", _heads(columns), lines, folded=len(shown) > _FOLDED))
    return Sheet(
        table.schema.key,
        table.schema.title,
        table.schema.about,
        len(table.rows),
        tuple(parts),
        tuple(_record(table, columns, row) for row in kept) if wide else (),
        unseen,
        len(table.rows) - len(shown),
        len(shown) - len(kept),
    )


def shots(table: Table, pictures: Mapping[str, str]) -> Sheet:
    """Return the shots, each with its anchor ``shot-<number>``. ``pictures`` are data URIs by SHA-256."""
    now = table.schema.place("now")
    columns, unseen = _columns(table, ["shot", *SHOT_COLUMNS])
    apart = len(table.rows) > _ATTENTION
    loud = [row for row in table.shown if not apart or row[now] != "cleared"]
    quiet = [row for row in table.shown if apart and row[now] == "cleared"]
    parts = []
    for title, rows, folded in (
        ("Shots to look at" if quiet else "", loud, len(loud) > MOST),
        (f"{len(quiet):,} shots that are cleared", quiet, True),
    ):
        if rows:
            kept = tuple(column for column in columns if rows is loud or column.key != "now")
            lines = "".join(_shot(table, kept, row, pictures) for row in rows)
            parts.append(Part(title, _heads(kept), Html(lines), folded))
    about = table.schema.about
    return Sheet("shots", table.schema.title, about, len(table.rows), tuple(parts), (), unseen, 0, 0)


def cell(column: Column, value: Any) -> Html:
    """Return what stands in a cell."""
    shown = words(column.kind, value)
    if isinstance(value, Hidden):
        return Html(f"<i class=hid>{shown}</i>")
    if column.kind in (Kind.VERDICT, Kind.SEVERITY) and value in VERDICTS:
        return pill(value)
    if column.kind is Kind.DIGEST and value:
        return Html(f'<span class=code title="{markup(value)}">{markup(shown)}</span>')
    if column.kind is Kind.COUNT and column.key in _PLAIN and shown:
        return Html(str(value))
    if column.key == "findings":
        return Html(", ".join(map(_finding, value or ())))
    return code(f"`{shown}`" if column.key == "command" else shown)


def pill(state: str) -> Html:
    """Return a verdict as its mark and its word."""
    look = VERDICTS[state]
    mark = f"<span aria-hidden=true>{look.mark}</span>"
    return Html(f'<span class="pill {look.key}">{mark} {look.word}</span>')


def code(text: str) -> Html:
    """Return a text, what stands between backticks as code."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return Html(markup(text))
    told = (f"<code>{markup(part)}</code>" if n % 2 else markup(part) for n, part in enumerate(parts))
    return Html("".join(told))


def _finding(key: Any) -> Html:
    return Html(f'<a href="#{markup(str(key))}">{markup(str(key))}</a>')


def _columns(table: Table, keys: Iterable[str]) -> tuple[tuple[Column, ...], tuple[str, ...]]:
    """Return the columns with something to show, and the titles of those that are hidden as a whole."""
    columns, unseen = [], []
    for place in map(table.schema.place, keys):
        column = table.schema.columns[place]
        held = [row[place] for row in table.shown if row[place] not in (None, ())]
        if held and all(isinstance(value, Hidden) for value in held):
            unseen.append(column.title)
        elif held:
            columns.append(column)
    return tuple(columns), tuple(unseen)


def _heads(columns: Sequence[Column]) -> tuple[tuple[str, str], ...]:
    first, *rest = columns
    return ((first.title, ""), *((item.title, "n" if item.kind in _NUMBERS else "") for item in rest))


def _row(table: Table, columns: Sequence[Column], row: Row, about: str = "") -> Html:
    """Return one row of a table; its first cell is its head."""
    first, *rest = columns
    value = cell(first, row[table.schema.place(first.key)])
    cells = "".join(_td(column, row[table.schema.place(column.key)]) for column in rest)
    return Html(f"<tr{about}><th scope=row>{value}{cells}\n")


def _td(column: Column, value: Any) -> str:
    if column.kind is Kind.VERDICT and value in VERDICTS:
        look = VERDICTS[value]
        return f"<td class={look.key}>{look.mark} {look.word}"
    kind = " class=n" if column.kind in _NUMBERS else ""
    return f"<td{kind}>{cell(column, value)}"


def _shot(table: Table, columns: Sequence[Column], row: Row, pictures: Mapping[str, str]) -> Html:
    place = table.schema.place
    line = _row(table, columns, row, f' id="shot-{row[0]}"')
    picture = row[place("picture")]
    if isinstance(picture, str) and picture in pictures:
        image = f'<img src="{markup(pictures[picture])}" alt="" loading=lazy>'
        return Html(line.replace("<th scope=row>", f"<th scope=row>{image}", 1))
    return line


def _record(table: Table, columns: Sequence[Column], row: Row) -> Record:
    """Return a row as a record, named by what it is called, or else by what identifies it."""
    named = next(
        (column for column in columns[:3] if column.kind is Kind.TEXT and _is_shown(table, column, row)),
        columns[0],
    )
    facts = [
        (column.title, cell(column, row[table.schema.place(column.key)]))
        for column in columns
        if column is not named
    ]
    title = cell(named, row[table.schema.place(named.key)])
    return Record(title, tuple((name, value) for name, value in facts if value))


def _is_shown(table: Table, column: Column, row: Row) -> bool:
    value = row[table.schema.place(column.key)]
    return value is not None and not isinstance(value, Hidden)
