"""Write a report: every format of it into one folder, each drawn from the same value."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ledger.core.audit.document import to_json
from ledger.core.audit.views import Reader, seen_by
from ledger.service.files import make_folder, write_new, writing_errors
from ledger.service.report.issuing import DOCUMENT

if TYPE_CHECKING:
    from ledger.adapters.home import Home
    from ledger.core.audit import Report
    from ledger.service.report.report import Made
    from ledger.service.studio import Studio
    from ledger.wiring.standing import Standing

TABLES = "tables"
WORKBOOK = "report.xlsx"
PAGE = "report.html"


@dataclass(frozen=True, slots=True)
class Written:
    """A report that was written, in one view, and the names of its files beside each other."""

    report: Report
    folder: Path
    files: tuple[str, ...]


def write(
    home: Home,
    studio: Studio,
    made: Made,
    reader: Reader,
    place: Path,
    standing: Standing | None = None,
    disclose: Sequence[str] = (),
) -> Written:
    """Write the report as this reader may see it into a new folder, which appears whole or not at all.

    ``standing`` adds what shows where it stands, and signs it where it is to be issued. ``disclose`` names
    what the evidence bundle opens (``service.report.bundle``).

    Raises ``UsageError`` with ``target.exists`` or ``file.…``, ``RefusedError`` with ``report.busy``,
    ``target.not-writable`` or ``target.no-space``.
    """
    from ledger.adapters.new_folder import new_folder
    from ledger.adapters.report_secret import report_secret
    from ledger.service.report.bundle import Contents
    from ledger.wiring.report_bundle import write_evidence

    secret = report_secret(home.folder)
    report = seen_by(made.report, reader, secret)
    with new_folder(place) as folder:
        files = [_document(report, folder)]
        files += _tables(report, folder)
        files.append(_workbook(report, folder))
        files += [_page(report, folder)]
        if standing is not None:
            files += standing.prove(made.cleared.clearer, folder)
        files += write_evidence(home, Contents(studio, made, reader, secret, names=disclose), folder, files)
        if standing is not None:
            files += standing.sign(report, _bytes(made.report), folder)
    return Written(report, place, tuple(files))


def _document(report: Report, folder: Path) -> str:
    write_new(folder / DOCUMENT, _bytes(report))
    return DOCUMENT


def _bytes(report: Report) -> bytes:
    text = json.dumps(to_json(report), ensure_ascii=False, separators=(",", ":"))
    return f"{text}\n".encode()


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
