"""Ways to damage a log on disk, and what fsck says of it then."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from ledger.core.report import Status
from ledger.service.log.fsck import FsckReport, fsck
from tests.support.log import publication, sqlite_log
from tests.support.records import records_of

SIZE = 700


PUBLISHED = 600


FULL = 66_000
"""Entries of a log whose level 1 has a full tile."""


def run(folder: Path, *statements: str) -> None:
    connection = sqlite3.connect(folder / "ledger.db")
    connection.create_function("flip", 2, flip)
    with connection:
        for statement in statements:
            assert connection.execute(statement).rowcount > 0, statement
    connection.close()


def flip(value: bytes, at: int) -> bytes:
    """The bytes with the lowest bit of one of them flipped."""
    return bytes([*value[:at], value[at] ^ 1, *value[at + 1 :]])


def check(folder: Path) -> FsckReport:
    with sqlite_log(folder) as log:
        return fsck(records_of(log), publication(folder))


def failing(report: FsckReport) -> dict[str, tuple[str, ...]]:
    return {
        finding.check.name: finding.check.codes
        for finding in report.findings
        if finding.check.status is Status.FAILED
    }
