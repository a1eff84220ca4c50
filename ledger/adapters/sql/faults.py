"""What the database says went wrong, as our errors.

* Nothing was acknowledged in any of these cases: the transaction is undone.
* A full disk and a failing disk are told apart from a damaged database: only the last is a reason to rebuild.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import IntegrityError as ConstraintError

from ledger.errors import IntegrityError, RakkanError, RefusedError, UsageError


@contextmanager
def translated() -> Iterator[None]:
    """Run the block; what the database raises in it leaves as a ``RakkanError`` with a ``log.`` code."""
    try:
        yield
    except ConstraintError as error:
        raise IntegrityError("log.corrupt", f"The database refused a row: {error.orig}.") from error
    except DBAPIError as error:
        raise _translate(error) from error


def _translate(error: DBAPIError) -> RakkanError:
    # The low byte is the primary result code (sqlite.org/rescode.html); the rest says where it happened.
    # What has no code comes from the driver: a value that it cannot read.
    primary = getattr(error.orig, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF
    if primary in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return RefusedError("log.busy", "Another process is writing to this log.")
    if primary == sqlite3.SQLITE_FULL:
        return RefusedError("log.disk-full", "The disk that holds the log is full.")
    if primary in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
        return IntegrityError("log.corrupt", f"The database file is damaged: {error.orig}.")
    if primary in {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_NOLFS}:
        return UsageError("home.missing", f"The database cannot be opened: {error.orig}.")
    return RefusedError("log.storage", f"The database could not be read or written: {error.orig}.")
