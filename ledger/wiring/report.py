"""Write a report: every format of it into one folder, each drawn from the same value."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ledger.core.audit.document import to_json
from ledger.core.audit.views import Reader, seen_by
from ledger.service.files import make_folder, write_new, writing_errors

if TYPE_CHECKING:
    from ledger.adapters.home import Home
    from ledger.core.audit import Report
    from ledger.service.report.report import Made

DOCUMENT = "report.json"
PDF = "report.pdf"
TABLES = "tables"
WORKBOOK = "report.xlsx"
PAGE = "report.html"


@dataclass(frozen=True, slots=True)
class Written:
    """A report that was written, in one view, and the names of its files beside each other."""

    report: Report
    folder: Path
    files: tuple[str, ...]
    notes: tuple[str, ...] = ()
    """What somebody has to be told about them."""


def write(home: Home, made: Made, reader: Reader, place: Path, *, stamped: bool = False) -> Written:
    """Write the report as this reader may see it into a new folder, which appears whole or not at all.

    ``stamped``: the studio's time stamp authority stamps the signature of the PDF.

    Raises ``UsageError`` with ``target.exists`` or ``file.…``, ``RefusedError`` with ``report.busy``,
    ``target.not-writable`` or ``target.no-space``.
    """
    from ledger.adapters.new_folder import new_folder
    from ledger.adapters.report_secret import report_secret

    report = seen_by(made.report, reader, report_secret(home.folder))
    with new_folder(place) as folder:
        files = [_document(report, folder)]
        files += _tables(report, folder)
        files.append(_workbook(report, folder))
        files += [_page(report, folder)]
        notes = _pdf(home, report, folder, stamped=stamped)
        files.append(PDF)
    return Written(report, place, tuple(files), notes)


def _document(report: Report, folder: Path) -> str:
    text = json.dumps(to_json(report), ensure_ascii=False, separators=(",", ":"))
    write_new(folder / DOCUMENT, f"{text}\n".encode())
    return DOCUMENT


def _tables(report: Report, folder: Path) -> list[str]:
    from ledger.render.report.csv_table import to_csv

    make_folder(folder / TABLES)
    names = [f"{TABLES}/{key}.csv" for key in report.tables]
    for name, table in zip(names, report.tables.values(), strict=True):
        target = folder / name
        with writing_errors(target), target.open("w", encoding="utf-8", newline="") as handle:
            handle.writelines(to_csv(table))
    return names


def _workbook(report: Report, folder: Path) -> str:
    from ledger.adapters.workbook import write_workbook

    target = folder / WORKBOOK
    with writing_errors(target), target.open("wb") as handle:
        write_workbook(report, handle)
    return WORKBOOK


def _page(report: Report, folder: Path) -> str:
    from ledger.render.report.html import page

    pictures = {key: (folder / name).read_bytes() for key, name in report.pictures.items()}
    write_new(folder / PAGE, page(report, pictures).encode())
    return PAGE


def _pdf(home: Home, report: Report, folder: Path, *, stamped: bool) -> tuple[str, ...]:
    """Write the PDF, with the document attached; return what is to be said about it."""
    from ledger.render.report.pdf import Attached
    from ledger.wiring.report_pdf import Evidence, signed_pdf

    document = Attached(DOCUMENT, "all of this report, as a program reads it", "application/json")
    pictures = {sha256: (folder / name).read_bytes() for sha256, name in report.pictures.items()}
    evidence = Evidence(pictures, {document: (folder / DOCUMENT).read_bytes()})
    found = signed_pdf(home, report, evidence, stamped=stamped)
    write_new(folder / PDF, found.data)
    return found.notes
