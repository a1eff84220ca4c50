"""Write a report: every format of it into one folder, each drawn from the same value."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ledger.core.audit import Sight
from ledger.core.audit.document import to_json
from ledger.core.audit.views import SEES, Reader, View, seen_by
from ledger.service.files import make_folder, write_new, writing_errors

if TYPE_CHECKING:
    from ledger.adapters.home import Home
    from ledger.core.audit import Report
    from ledger.service.report.population import Population
    from ledger.service.report.report import Made
    from ledger.service.studio import Studio

DOCUMENT = "report.json"
TABLES = "tables"
WORKBOOK = "report.xlsx"
TIMELINE = "report.otio"
SPDX = "report.spdx.json"
CYCLONEDX = "report.cdx.json"
VERDICTS = "verdicts.svr.json"
PAGE = "report.html"


@dataclass(frozen=True, slots=True)
class Written:
    """A report that was written, in one view, and the names of its files beside each other."""

    report: Report
    folder: Path
    files: tuple[str, ...]


def write(
    home: Home, studio: Studio, made: Made, reader: Reader, place: Path, disclose: Sequence[str] = ()
) -> Written:
    """Write the report as this reader may see it into a new folder, which appears whole or not at all.

    ``disclose`` names what the evidence bundle opens (``service.report.bundle``).

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
        files += _timeline(report, made.population, folder)
        files += _bills(studio, made, reader, secret, folder)
        files.append(_verdicts(studio, made, report, folder))
        files += [_page(report, folder)]
        files += write_evidence(home, Contents(studio, made, reader, secret, names=disclose), folder, files)
    return Written(report, place, tuple(files))


def _document(report: Report, folder: Path) -> str:
    _write_json(folder / DOCUMENT, to_json(report))
    return DOCUMENT


def _write_json(target: Path, document: Mapping[str, Any]) -> None:
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    write_new(target, f"{text}\n".encode())


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


def _timeline(report: Report, population: Population, folder: Path) -> list[str]:
    """Of a cut, for whoever may see its shots."""
    from ledger.render.report.otio import to_otio

    if population.cut is None or population.timeline is None or Sight.WORK not in SEES[View(report.view)]:
        return []
    write_new(folder / TIMELINE, to_otio(report, population.cut, population.timeline))
    return [TIMELINE]


def _page(report: Report, folder: Path) -> str:
    from ledger.render.report.html import page

    pictures = {key: (folder / name).read_bytes() for key, name in report.pictures.items()}
    write_new(folder / PAGE, page(report, pictures).encode())
    return PAGE


def _bills(studio: Studio, made: Made, reader: Reader, secret: bytes, folder: Path) -> list[str]:
    import ledger
    from ledger.core.audit.bills import bill_seen_by
    from ledger.render.cyclonedx import to_cyclonedx
    from ledger.render.spdx import to_spdx
    from ledger.service.report.bill import bill_of, judgement_of

    cleared = made.cleared
    whole = bill_of(
        studio, cleared.clearer, made.population.targets, cleared.question.at, judgement_of(cleared)
    )
    key = hmac.digest(secret, f"bill/{made.report.head.identifier}".encode(), "sha256")
    bill = bill_seen_by(whole, reader, key)
    for name, document in ((SPDX, to_spdx), (CYCLONEDX, to_cyclonedx)):
        _write_json(folder / name, document(bill, ledger.__version__))
    return [SPDX, CYCLONEDX]


def _verdicts(studio: Studio, made: Made, report: Report, folder: Path) -> str:
    from ledger.render.report.svr import to_svr
    from ledger.service.report.verdicts import on_record

    found = on_record(studio, made, SEES[View(report.view)])
    write_new(folder / VERDICTS, to_svr(report, found))
    return VERDICTS
