"""Reading a report that somebody was given: a ``report.json``, or a folder or a bundle that holds one."""

from __future__ import annotations

import zipfile
from pathlib import Path

from ledger.core import canonical
from ledger.core.audit import Report
from ledger.core.audit.document import read
from ledger.errors import MalformedError
from ledger.service.files import read_whole
from ledger.service.report.issuing import DOCUMENT

MAX_REPORT = 512 * 1024 * 1024
"""Bytes. A feature's report has a row for each of 130,000 frames, and a tenth of this."""


def read_report(path: Path) -> Report:
    """Return the report. Nothing of it is believed.

    Raises ``MalformedError("report.malformed")``, ``json.…``, ``file.…``.
    """
    data = document_of(path)
    return read(canonical.load(data))


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
    except (KeyError, zipfile.BadZipFile, NotImplementedError, OSError, EOFError, RuntimeError) as error:
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
