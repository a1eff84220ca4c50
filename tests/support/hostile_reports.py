"""Audit reports made by hand: every table has rows, and their texts are what an attacker would send."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ledger.core.audit import Column, Head, Hidden, Kind, Report, Row, Schema, Table, figures
from ledger.core.audit.chapters import FIGURES, chapters
from ledger.core.audit.tables import TABLES
from tests.support.builders import digest

HOSTILE = (
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "＝1",
    "＋1",
    "－1",
    "＠1",
    " =1",
    "\u00a0=1",
    "\u200b=1",
    "\ufeff=1",
    "a;=1",
    "a; =1",
    "a\n=1",
    "'=1",
    "''=1",
    "'",
    "",
    "hidden:abc",
    "'hidden:abc",
    '=HYPERLINK("http://x","y")',
    "=cmd|'/c calc'!A1",
    '"a","b"\r\nc',
    "_x0041_x0042_",
    "_x005F_x0041_",
    "a\\;b; c\\",
    "\x00\x01\x1f\x7f\x85\u2028\ufffe\uffff",
    " 前後 ",
    "夜の海 Đêm بحر 🌊",
    "<b>&amp;</b>]]>",
    "http://example.org",
    "0010",
    "1E5",
)
"""What a cell may hold and a spreadsheet may take for something else."""


VALUES: dict[Kind, Callable[[int], Any]] = {
    Kind.TEXT: lambda n: HOSTILE[n % len(HOSTILE)],
    Kind.TEXTS: lambda n: tuple(HOSTILE[(n + more) % len(HOSTILE)] for more in range(n % 4)),
    Kind.COUNT: lambda n: n - 1,
    Kind.PER_MILLE: lambda n: n - 1,
    Kind.FLAG: lambda n: bool(n % 2),
    Kind.MOMENT: lambda n: "2026-11-22T18:00:00Z" if n % 5 else None,
    Kind.DIGEST: lambda n: digest(str(n)),
    Kind.VERDICT: lambda n: ("cleared", "needs_review", "blocked", "undecided")[n % 4],
    Kind.GRADE: lambda n: f"L{n % 5}",
    Kind.SEVERITY: lambda n: ("noted", "needs_review", "blocked")[n % 3],
    Kind.TIMECODE: lambda n: f"01:00:00:{n % 24:02}",
    Kind.ENTRIES: lambda n: tuple(range(n % 4)),
    Kind.STRIP: lambda n: ("c", n + 1, "b", 1),
}


def rows(schema: Schema, count: int) -> tuple[Row, ...]:
    """Return rows; the first cell of each is another one."""
    first, *rest = schema.columns
    name = VALUES[first.kind] if first.kind in (Kind.COUNT, Kind.DIGEST) else "{}".format
    return tuple(
        (name(n + 2), *(VALUES[column.kind](n + at) for at, column in enumerate(rest))) for n in range(count)
    )


def report(count: int = len(HOSTILE)) -> Report:
    """Return a whole report with so many rows in every table."""
    tables = {key: Table(schema, rows(schema, count)) for key, schema in TABLES.items()}
    head = Head(
        identifier="R-20261122-0f23bbde",
        studio="=Studio 雲",
        production="nightfall",
        title="Nightfall",
        scope="the cut +final",
        population=digest("population"),
        at="2026-11-22T18:00:00Z",
        known=None,
        policy="broadcast-jp",
        policy_version="1",
        policy_sha256=digest("policy"),
        delivery={"title": "T-1", "deliverable": "final", "media": ["broadcast"], "territories": ["JP"]},
        origin="ledger.example/nightfall",
        size=60,
        root=digest("root"),
        engine="1",
        cut="final",
        rate="24",
    )
    counted = figures(tables, FIGURES)
    return Report(
        head,
        "studio",
        "blocked",
        "needs_review",
        "L1",
        "L2",
        counted,
        chapters(head, tables, counted, "needs_review", ()),
        tables,
        worst=("1",),
    )


def with_text(text: str) -> Table:
    """Return a small table with this text as a cell, as a list, and beside what is hidden."""
    columns = (Column("no", "No.", Kind.COUNT), Column("text", "Text"), Column("texts", "Texts", Kind.TEXTS))
    shown: Row = (1, text, (text, text))
    return Table(Schema("t", "T", "A row.", columns), (shown, (2, Hidden("abc"), ()), Hidden("def")))


def with_table(made: Report, table: Table) -> Report:
    """Return the report with this table alone."""
    return replace(made, tables={table.schema.key: table})


def unguarded(field: str) -> str:
    """Return the text of a field of a CSV file, as docs/spec/report-files.md says that it is read."""
    blank = (
        r"[\x00-\x08\x0b\x0c\x0e-\x20\x7f-\xa0\xad\u1680\u2000-\u200f\u2028-\u202f\u205f-\u2064\u3000\ufeff]*"
    )
    formula = rf"{blank}[=+\-@＝＋－＠]"
    guard = rf"\A'(?='*(?:\Z|[\t\r\n]|hidden:|{formula}))|(?<=[;\t\r\n])'(?='*{formula})"
    return re.sub(guard, "", field)


def split(text: str) -> tuple[str, ...]:
    """Return the items of a list that was written as one text."""
    items, letters = [""], iter(text)
    for letter in letters:
        if letter == ";":
            assert next(letters) == " "
            items.append("")
        else:
            items[-1] += next(letters) if letter == "\\" else letter
    return tuple(items)
