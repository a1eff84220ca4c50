"""The tables of a report as CSV and as a workbook: the same cells again, and nothing that is a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from zipfile import ZipFile

import pytest
from openpyxl import load_workbook
from openpyxl.utils.escape import unescape

from ledger.adapters import workbook
from ledger.adapters.workbook import UNITS, write_workbook
from ledger.core.audit import Column, Hidden, Kind, Report, Schema, Table
from ledger.core.audit.cells import cell
from ledger.core.fields import format_time
from ledger.render.report.csv_table import to_csv
from tests.support.hostile_reports import HOSTILE, report, split, unguarded, with_table, with_text

FORMULAS = tuple("=+-@\t\r＝＋－＠")


def read_csv(table: Table) -> tuple[list[str], list[list[str]]]:
    """Return the header and the rows, as Python's own reader finds them."""
    text = "".join(to_csv(table)).encode().decode("utf-8-sig")
    header, *rows = csv.reader(io.StringIO(text, newline=""))
    return header, rows


def runs(field: str) -> tuple[str | int, ...]:
    """Return a strip."""
    return tuple(part for run in split(field) for part in (run[0], int(run[1:])))


READ: dict[Kind, Callable[[str], Any]] = {
    Kind.COUNT: int,
    Kind.PER_MILLE: int,
    Kind.FLAG: {"true": True, "false": False}.__getitem__,
    Kind.TEXTS: lambda field: split(unguarded(field)),
    Kind.ENTRIES: lambda field: tuple(map(int, split(field))),
    Kind.STRIP: runs,
}


def from_csv(kind: Kind, field: str) -> Any:
    """Return what stood in the cell."""
    if not field:
        return () if kind in (Kind.TEXTS, Kind.ENTRIES, Kind.STRIP) else None
    if field.startswith("hidden:"):
        return Hidden(field.removeprefix("hidden:"))
    return READ.get(kind, unguarded)(field)


def made(book: Report) -> bytes:
    handle = io.BytesIO()
    write_workbook(book, handle)
    return handle.getvalue()


def sheets(book: Report) -> dict[str, list[tuple[Any, ...]]]:
    """Return the rows of every sheet, as openpyxl finds them."""
    loaded = load_workbook(io.BytesIO(made(book)))
    return {sheet.title: list(sheet.iter_rows(values_only=True)) for sheet in loaded.worksheets}


def from_sheet(kind: Kind, found: Any) -> Any:
    """Return a value as the cell's text or scalar."""
    if isinstance(found, datetime):
        return format_time(found.replace(tzinfo=UTC))
    if isinstance(found, str):
        found = unescape(found)
    return found.replace(" ", "_") if kind in (Kind.VERDICT, Kind.SEVERITY) and found else found


@pytest.mark.parametrize("key", report(1).tables)
def test_every_cell_of_a_table_comes_back_from_csv(key: str) -> None:
    table = report().tables[key]
    header, rows = read_csv(table)
    assert header == [column.key for column in table.schema.columns]
    kinds = [column.kind for column in table.schema.columns]
    assert [tuple(map(from_csv, kinds, row)) for row in rows] == list(table.rows)


@pytest.mark.parametrize("key", report(1).tables)
def test_no_field_begins_as_a_formula_does(key: str) -> None:
    table = report().tables[key]
    numbers = {n for n, column in enumerate(table.schema.columns) if column.kind is Kind.COUNT}
    fields = [field for row in read_csv(table)[1] for n, field in enumerate(row) if n not in numbers]
    assert not [field for field in fields if field.strip().startswith(FORMULAS)]


def test_a_spreadsheet_that_splits_at_semicolons_and_lines_finds_no_formula_either() -> None:
    """It takes a quote that does not begin a field as a letter: so do we."""
    for text in HOSTILE:
        for row in read_csv(with_text(text))[1]:
            parts = row[1].replace("\r", ";").replace("\n", ";").replace("\t", ";").split(";")
            assert not [part for part in parts if part.strip().startswith(FORMULAS)], text


def test_the_file_is_rfc_4180_in_utf_8_with_a_mark() -> None:
    data = "".join(to_csv(with_text('a "b", c'))).encode()
    assert data.startswith(b'\xef\xbb\xbfno,text,texts\r\n1,"a ""b"", c",')
    assert data.endswith(b"\r\n2,hidden:abc,\r\nhidden:def,,\r\n")


def test_numbers_stay_numbers_and_half_a_surrogate_is_written_as_its_escape() -> None:
    columns = (Column("n", "N", Kind.COUNT), Column("name", "Name"))
    table = Table(Schema("t", "T", "A row.", columns), ((-5, "take\udcff.png"),))
    assert read_csv(table)[1] == [["-5", "take\\udcff.png"]]
    assert sheets(with_table(report(1), table))["t"][1] == (-5, "take\\udcff.png")


def test_every_cell_of_every_table_comes_back_from_the_workbook() -> None:
    whole = report()
    found = sheets(whole)
    assert list(found) == ["report", *whole.tables]
    for key, table in whole.tables.items():
        kinds = [column.kind for column in table.schema.columns]
        expected = [
            tuple(cell(*pair) or None for pair in zip(kinds, row, strict=True)) for row in table.shown
        ]
        shown = [
            tuple(from_sheet(*pair) or None for pair in zip(kinds, row, strict=True))
            for row in found[key][1:]
        ]
        assert shown == expected


def test_the_cover_has_every_figure_and_the_verdict_in_words() -> None:
    whole = report()
    cover = dict(row[:2] for row in sheets(whole)["report"])
    assert {figure.title: cover[figure.title] for figure in whole.figures} == {
        figure.title: figure.value for figure in whole.figures
    }
    assert (cover["Verdict now"], cover["Verdict when made"]) == ("needs review", "blocked")
    assert cover["Shots to look at first (No.)"] == "1"


def test_there_is_no_formula_and_no_link_in_the_workbook() -> None:
    with ZipFile(io.BytesIO(made(report()))) as package:
        parts = {name: package.read(name) for name in package.namelist()}
    assert not [name for name, data in parts.items() if b"<f>" in data or b"<hyperlink" in data]
    assert not [name for name in parts if "vba" in name or "external" in name.lower()]


def test_a_sheet_can_be_filtered_and_its_first_row_and_column_stay() -> None:
    loaded = load_workbook(io.BytesIO(made(report(3))))
    sheet = loaded["shots"]
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("B2", "A1:Y4")
    tones = {row[11].value: row[11].fill.fgColor.rgb for row in sheet.iter_rows(min_row=2)}
    assert len(set(tones.values())) == 3


def test_what_no_cell_holds_is_cut_and_says_so() -> None:
    found = sheets(with_table(report(1), with_text("夜🌊" * UNITS)))["t"][1][1]
    assert len(found.encode("utf-16-le")) // 2 <= UNITS
    assert found.endswith(workbook.CUT)
    assert found.startswith("夜🌊夜🌊")


def test_a_table_that_is_longer_than_a_sheet_goes_on_in_the_next_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "ROWS", 11)
    whole = report(25)
    found = sheets(with_table(whole, whole.tables["gaps"]))
    assert [len(found[name]) for name in ("gaps", "gaps 2", "gaps 3")] == [11, 11, 6]
    assert [row[0] for name in ("gaps", "gaps 2", "gaps 3") for row in found[name][1:]] == list(range(1, 26))


def test_a_hidden_row_and_a_hidden_cell_show_their_commitments() -> None:
    rows = sheets(with_table(report(1), with_text("x")))["t"]
    assert rows[2:] == [(2, "hidden:abc", None), ("hidden:def", None, None)]


def test_moments_that_no_sheet_knows_and_numbers_that_it_would_round_are_texts() -> None:
    columns = (Column("n", "N", Kind.COUNT), Column("at", "At", Kind.MOMENT))
    table = Table(
        Schema("t", "T", "A row.", columns),
        ((10**18 + 1, "0999-01-01T00:00:00Z"), (1, "2026-01-02T03:04:05Z")),
    )
    rows = sheets(with_table(report(1), table))["t"]
    assert rows == [
        ("N", "At (UTC)"),
        ("1000000000000000001", "0999-01-01T00:00:00Z"),
        (1, datetime(2026, 1, 2, 3, 4, 5)),  # noqa: DTZ001 - a sheet knows no zones
    ]


def test_the_same_report_gives_the_same_bytes() -> None:
    assert made(report()) == made(report())
    table = report().tables["findings"]
    assert list(to_csv(table)) == list(to_csv(table))
