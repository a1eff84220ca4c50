"""Report PDFs as the tests make them, and what is in a PDF: its text, page by page."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from ledger.core.audit import Report
from ledger.core.audit.document import to_json
from ledger.render.report import pdf
from ledger.wiring.reports.pdf import Evidence, unsigned_pdf

ATTACHED = pdf.Attached("report.json", "all of this report, as a program reads it", "application/json")


def document(report: Report) -> bytes:
    """Return the document that goes with a report."""
    return json.dumps(to_json(report), ensure_ascii=False).encode()


def typeset(report: Report, pictures: Mapping[str, bytes] | None = None) -> bytes:
    """Return the PDF of a report, without a signature."""
    return unsigned_pdf(report, Evidence(pictures or {}, {ATTACHED: document(report)}))[0]


def said(program: str, *arguments: object) -> str:
    """Return what a program of poppler or qpdf says; the test is skipped where it is not installed."""
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed (Debian: poppler-utils, qpdf)")
    command = [program, *map(str, arguments)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    return result.stdout + result.stderr


def words(data: bytes, folder: Path, *pages: int) -> str:
    """Return the text of a PDF, or of its pages from one to another, with white space as one space each."""
    path = folder / "words.pdf"
    path.write_bytes(data)
    chosen = ["-f", pages[0], "-l", pages[-1]] if pages else []
    return " ".join(said("pdftotext", *chosen, "-raw", path, "-").replace("\u200b", "").split())
