"""The workbook of a report as LibreOffice opens it: the same cells as the tables, dates, and no formula."""

from __future__ import annotations

import csv
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ledger.adapters.workbook import write_workbook
from ledger.core.audit import Kind
from ledger.core.audit.cells import cell
from ledger.render.report.csv_table import to_csv
from tests.support.hostile_reports import report

pytestmark = [
    pytest.mark.tools,
    pytest.mark.skipif(shutil.which("soffice") is None, reason="libreoffice-calc is not installed"),
]
SHEETS = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,-1"
"""Comma, double quotes, UTF-8, cells as they are shown, a file for each sheet."""
FLAG = re.compile(r'"of:=(TRUE|FALSE)\(\)"')
"""How this program writes a boolean: a workbook has those as values."""
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\ufffe\uffff]")
CELL = re.compile(r"<table:table-cell [^>]*>")


def converted(form: str, folder: Path, *files: Path) -> None:
    """Have LibreOffice open files, and write each in another form beside it."""
    profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
    command = ["soffice", profile, "--headless", "--convert-to", form, "--outdir", str(folder)]
    done = subprocess.run(
        [*command, *map(str, files)], capture_output=True, text=True, check=False, timeout=240
    )
    assert done.returncode == 0, done.stderr


def as_shown(kind: Kind, value: Any) -> str:
    """Return a cell as a spreadsheet shows it."""
    found = cell(kind, value)
    if kind is Kind.MOMENT and value:
        return str(found).replace("T", " ").removesuffix("Z")
    if kind in (Kind.VERDICT, Kind.SEVERITY):
        return str(found).replace("_", " ")
    if kind is Kind.FLAG:
        return str(found).upper()
    return "" if found is None else str(found)


def legible(row: list[str]) -> list[str]:
    """Return the cells without what has no shape: each program has its own idea of those."""
    return [CONTROL.sub("", each) for each in row]


def test_every_cell_is_what_the_tables_say(tmp_path: Path) -> None:
    whole = report()
    book = tmp_path / "report.xlsx"
    with book.open("wb") as handle:
        write_workbook(whole, handle)
    converted(SHEETS, tmp_path, book)
    for key, table in whole.tables.items():
        kinds = [column.kind for column in table.schema.columns]
        with (tmp_path / f"report-{key}.csv").open(encoding="utf-8", newline="") as file:
            header, *rows = csv.reader(file)
        assert len(header) == len(kinds)
        wanted = [legible(list(map(as_shown, kinds, row))) for row in table.shown]
        assert list(map(legible, rows)) == wanted, key


def test_nothing_is_a_formula_and_moments_are_dates(tmp_path: Path) -> None:
    whole = report()
    book, table = tmp_path / "report.xlsx", tmp_path / "findings.csv"
    with book.open("wb") as handle:
        write_workbook(whole, handle)
    table.write_text("".join(to_csv(whole.tables["findings"])), encoding="utf-8")
    converted("fods", tmp_path, book, table)
    for path in (book, table):
        cells = CELL.findall(path.with_suffix(".fods").read_text(encoding="utf-8"))
        assert len(cells) > 100
        assert [each for each in cells if "formula" in each and not FLAG.search(each)] == [], path.name
    opened = book.with_suffix(".fods").read_text(encoding="utf-8")
    assert opened.count('office:date-value="2026-11-22T18:00:00"') > 100
    assert "2026-11-22T18:00:00Z" not in opened
