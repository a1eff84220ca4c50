"""Reading a report that somebody was given: a ``report.json``, or a folder or a bundle that holds one."""

from __future__ import annotations

import struct
import zipfile
import zlib
from pathlib import Path

from ledger.core import canonical
from ledger.core.audit import Report
from ledger.core.audit.document import read
from ledger.core.digest import parse_sha256
from ledger.errors import MalformedError
from ledger.service.files import read_whole
from ledger.service.report.issuing import DOCUMENT

# What reading a damaged archive raises, besides its own error.
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    KeyError,
    ValueError,
    RuntimeError,
)
_NEEDED = {
    "shots": ("shot", "name", "place"),
    "frames": ("shot", "name", "frame", "sha256", "now", "grade", "entry"),
    "findings": ("subject", "sha256", "code", "use", "path", "state", "now", "entries"),
}
"""The columns that somebody who compares reports, or watches one, goes by."""
MAX_REPORT = 512 * 1024 * 1024
"""Bytes. A feature's report has a row for each of 130,000 frames, and a tenth of this."""


def read_report(path: Path) -> Report:
    """Return the report. Nothing of it is believed.

    Raises what ``document_of`` and ``opened`` raise.
    """
    return opened(document_of(path))


def opened(data: bytes) -> Report:
    """Return the report of a document, of which at least the head and the tables of files can be relied on.

    Raises ``MalformedError("report.malformed")`` and ``json.…``.
    """
    report = read(canonical.load(data))
    try:
        _check(report)
    except (KeyError, TypeError, ValueError, MalformedError) as error:
        words = f"The report does not say what every report says: {error!r}."
        raise MalformedError("report.malformed", words) from error
    return report


def _check(report: Report) -> None:
    head = report.head
    parse_sha256(head.root)
    named = (head.origin, head.production, head.identifier, head.policy_sha256, report.verdict_now)
    if not all(isinstance(text, str) for text in named) or type(head.size) is not int or head.size < 1:
        raise TypeError(head)
    dict(head.delivery)
    for table, columns in _NEEDED.items():
        for column in columns:
            report.tables[table].schema.place(column)
    if not set(report.tables["frames"].column("shot")) <= set(report.tables["shots"].column("shot")):
        raise ValueError("a file of no shot")


def document_of(path: Path) -> bytes:
    """Return the bytes of the report's document; of a bundle's, the one nearest to its top.

    Raises ``MalformedError("report.malformed")``, ``file.…``.
    """
    if path.is_dir():
        path = path / DOCUMENT
    if not zipfile.is_zipfile(path):
        return _limited(read_whole(path, MAX_REPORT + 1), path)
    try:
        with zipfile.ZipFile(path) as bundle, bundle.open(_nearest(bundle)) as file:
            return _limited(file.read(MAX_REPORT + 1), path)
    except _BROKEN as error:
        raise MalformedError(
            "report.malformed", f"{path} holds no {DOCUMENT}: {error}.", path=path
        ) from error


def _limited(data: bytes, path: Path) -> bytes:
    if len(data) > MAX_REPORT:
        raise MalformedError("report.malformed", f"{path} is larger than any report.", limit=MAX_REPORT)
    return data


def _nearest(bundle: zipfile.ZipFile) -> str:
    names = [name for name in bundle.namelist() if name.rpartition("/")[2] == DOCUMENT]
    return min(names, key=lambda name: (name.count("/"), name), default=DOCUMENT)
