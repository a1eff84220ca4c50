"""The audit report as a workbook (XLSX): a cover, then one sheet for each table, named by the table's key.

* Row by row: the memory does not grow with the report. The same report gives the same bytes.
* Every text is written as a text: there is no formula and no link in it. A text that is longer than a cell
  holds is cut, and says so; a table that is longer than a sheet goes on in the next one.
* Moments are dates, in UTC. A verdict is a word, and its colour only repeats it.
"""

from __future__ import annotations

import re
import tempfile
import unicodedata
from collections.abc import Sequence
from datetime import datetime
from typing import Any, BinaryIO

from xlsxwriter import Workbook
from xlsxwriter.exceptions import FileCreateError
from xlsxwriter.worksheet import Worksheet

from ledger.core.audit import Column, Hidden, Kind, Report, Row, Table
from ledger.core.audit.cells import cell
from ledger.core.fields import parse_time

ROWS = 1_048_576
"""Rows of a sheet, its header among them."""
UNITS = 32_767
"""UTF-16 code units of a cell."""
COVER = "report"
CUT = " … (cut: the CSV file of this table has the whole)"
_EXACT = 10**15
"""Beyond 15 digits a spreadsheet rounds."""
_FIRST_YEAR = 1901
"""Spreadsheets do not agree on the days of 1900, and have none before."""
_MEASURED = 200
"""Rows that say how wide a column is."""
_NARROW, _WIDE = 9, 60
_TONED = (Kind.VERDICT, Kind.SEVERITY)
_TONES = {
    "cleared": ("#1B5E20", "#E3F2E4"),
    "needs_review": ("#7A4B00", "#FFF1D6"),
    "blocked": ("#8E1B1B", "#FBE3E3"),
    "undecided": ("#3F3F73", "#E9E9F5"),
}
_LOOKS_ESCAPED = re.compile(r"_(?=x[0-9a-fA-F]{4}_)")
_NO_XML = re.compile(r"[\x00-\x08\x0b-\x1f\ufffe\uffff]")


def write_workbook(report: Report, handle: BinaryIO) -> None:
    """Write the workbook. Raises ``OSError``."""
    with tempfile.TemporaryDirectory() as scratch:
        book = Workbook(handle, {"constant_memory": True, "tmpdir": scratch})
        book.use_zip64()
        created = parse_time(report.head.at).replace(tzinfo=None)
        about = {"title": report.head.identifier, "author": report.head.studio, "created": created}
        book.set_properties(
            {name: _text(said) if isinstance(said, str) else said for name, said in about.items()}
        )
        writer = _Book(book)
        writer.cover(report)
        for table in report.tables.values():
            writer.table(table)
        try:
            book.close()
        except FileCreateError as error:
            raise OSError(str(error)) from error


class _Sheet(Worksheet):
    """A sheet that reads back the same where two texts such as ``_x0041_`` share an underscore."""

    @staticmethod
    def _escape_control_characters(data: Any) -> Any:
        if not isinstance(data, str):
            return data
        data = _LOOKS_ESCAPED.sub("_x005F_", data)
        return _NO_XML.sub(lambda found: f"_x{ord(found[0]):04X}_", data)


class _Book:
    """The styles of one workbook, and what writes its sheets with them."""

    def __init__(self, book: Workbook) -> None:
        self._book = book
        self._title = book.add_format({"bold": True, "font_size": 16})
        self._head = book.add_format({"bold": True, "bottom": 1, "valign": "top", "text_wrap": True})
        self._hidden = book.add_format({"italic": True, "font_color": "#767676"})
        self._moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss", "align": "left"})
        self._tones = {
            name: book.add_format({"font_color": ink, "bg_color": ground, "bold": True})
            for name, (ink, ground) in _TONES.items()
        }

    def cover(self, report: Report) -> None:
        """Write what the report is of, its verdict, its figures, and what the other sheets are."""
        sheet = self._sheet(COVER)
        sheet.set_column(0, 0, 34)
        sheet.set_column(1, 1, 80)
        sheet.write_string(0, 0, _text(report.head.identifier), self._title)
        at = 1
        for heading, lines in _cover(report):
            sheet.write_string(at + 1, 0, heading, self._head)
            for n, (label, kind, value) in enumerate(lines, at + 2):
                sheet.write_string(n, 0, label)
                self._put(sheet, (n, 1), kind, value)
            at += 2 + len(lines)

    def table(self, table: Table) -> None:
        """Write a table, on as many sheets as it needs."""
        most = ROWS - 1
        for part, first in enumerate(range(0, max(1, len(table.rows)), most), 1):
            key = table.schema.key
            self._part(
                self._sheet(key if part == 1 else f"{key} {part}"), table, table.rows[first : first + most]
            )

    def _part(self, sheet: Worksheet, table: Table, rows: Sequence[Row | Hidden]) -> None:
        columns = table.schema.columns
        for n, width in enumerate(_widths(columns, rows[:_MEASURED])):
            sheet.set_column(n, n, width)
        sheet.freeze_panes(1, 1)
        sheet.autofilter(0, 0, max(1, len(rows)), len(columns) - 1)
        for n, column in enumerate(columns):
            sheet.write_string(0, n, _heading(column), self._head)
        kinds = [column.kind for column in columns]
        for at, row in enumerate(rows, 1):
            for n, (kind, value) in enumerate(
                zip(kinds, (row,) if isinstance(row, Hidden) else row, strict=False)
            ):
                self._put(sheet, (at, n), kind, value)

    def _put(self, sheet: Worksheet, place: tuple[int, int], kind: Kind, value: Any) -> None:
        """Write a cell by what it is. What a number or a date cannot hold is a text."""
        found = cell(kind, value)
        if isinstance(value, Hidden):
            sheet.write_string(*place, found, self._hidden)
        elif isinstance(found, bool):
            sheet.write_boolean(*place, found)
        elif isinstance(found, int) and abs(found) < _EXACT:
            sheet.write_number(*place, found)
        elif kind is Kind.MOMENT and (moment := _moment(found)) is not None:
            sheet.write_datetime(*place, moment, self._moment)
        elif kind in _TONED and found is not None:
            sheet.write_string(*place, _text(str(found).replace("_", " ")), self._tones.get(str(found)))
        elif found is not None:
            sheet.write_string(*place, _text(str(found)))

    def _sheet(self, name: str) -> Worksheet:
        return self._book.add_worksheet(name, _Sheet)


def _cover(report: Report) -> list[tuple[str, list[tuple[str, Kind, Any]]]]:
    """Return what the cover says, heading by heading: a label, and a value with its kind."""
    head, text, verdict = report.head, Kind.TEXT, Kind.VERDICT
    policy = f"{head.policy} {head.policy_version} (SHA-256 {head.policy_sha256})"
    about = [
        ("Studio", text, head.studio),
        ("Production", text, head.production),
        ("Title", text, head.title),
        ("Scope", text, head.scope),
        ("As it stood (UTC)", Kind.MOMENT, head.at),
        ("Policy", text, policy),
        ("Log", text, f"{head.origin}, {head.size:,} entries, root {head.root}"),
        ("View", text, report.view),
        ("Verdict now", verdict, report.verdict_now),
        ("Grade now", Kind.GRADE, report.grade_now),
        ("Verdict when made", verdict, report.verdict_then),
        ("Grade when made", Kind.GRADE, report.grade_then),
        ("Shots to look at first (No.)", Kind.TEXTS, report.worst),
        ("Report before this one", text, head.previous),
    ]
    figures = [(figure.title, Kind.COUNT, figure.value) for figure in report.figures]
    withheld = [
        (f"Hidden in this view: {sight}", Kind.COUNT, count) for sight, count in report.withheld.items()
    ]
    sheets = [
        (key, text, f"{table.schema.title}. {table.schema.about}") for key, table in report.tables.items()
    ]
    return [("Report", about), ("Figures", figures + withheld), ("Sheets", sheets)]


def _heading(column: Column) -> str:
    return f"{column.title} (UTC)" if column.kind is Kind.MOMENT else column.title


def _moment(text: object) -> datetime | None:
    """Return a moment as a sheet can hold it, or ``None``."""
    try:
        moment = parse_time(str(text)).replace(tzinfo=None)
    except ValueError:
        return None
    return moment if moment.year >= _FIRST_YEAR else None


def _text(text: str) -> str:
    """Return the text as a cell can hold it."""
    if len(text) <= UNITS // 2:
        return text
    units = text.encode("utf-16-le")
    if len(units) <= 2 * UNITS:
        return text
    return units[: 2 * (UNITS - len(CUT))].decode("utf-16-le", "ignore") + CUT


def _widths(columns: Sequence[Column], rows: Sequence[Row | Hidden]) -> list[int]:
    shown = [row for row in rows if not isinstance(row, Hidden)]
    return [
        min(
            _WIDE,
            max(
                [
                    _NARROW,
                    _wide(_heading(column)) + 3,
                    *(_wide(str(cell(column.kind, row[n]) or "")) + 1 for row in shown),
                ]
            ),
        )
        for n, column in enumerate(columns)
    ]


def _wide(text: str) -> int:
    """Return how many digits a text is wide: what is drawn in a square takes two."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text[:_WIDE])
