"""Write a report: every format of it into one folder, each drawn from the same value."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ledger.core.audit.document import to_json
from ledger.core.audit.views import Reader, seen_by
from ledger.service.files import write_new

if TYPE_CHECKING:
    from ledger.adapters.home import Home
    from ledger.core.audit import Report
    from ledger.service.report.report import Made

DOCUMENT = "report.json"


@dataclass(frozen=True, slots=True)
class Written:
    """A report that was written, in one view, and the names of its files beside each other."""

    report: Report
    folder: Path
    files: tuple[str, ...]


def write(home: Home, made: Made, reader: Reader, place: Path) -> Written:
    """Write the report as this reader may see it into a new folder, which appears whole or not at all.

    Raises ``UsageError`` with ``target.exists`` or ``file.…``, ``RefusedError`` with ``report.busy``,
    ``target.not-writable`` or ``target.no-space``.
    """
    from ledger.adapters.new_folder import new_folder
    from ledger.adapters.report_secret import report_secret

    report = seen_by(made.report, reader, report_secret(home.folder))
    with new_folder(place) as folder:
        files = [_document(report, folder)]
    return Written(report, place, tuple(files))


def _document(report: Report, folder: Path) -> str:
    text = json.dumps(to_json(report), ensure_ascii=False, separators=(",", ":"))
    write_new(folder / DOCUMENT, f"{text}\n".encode())
    return DOCUMENT
