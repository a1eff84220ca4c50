"""SQLite: one file, one writer.

* It runs in WAL mode with ``synchronous=FULL``: a commit is on disk when it returns.
* Transactions are begun by us, never by the driver: a writer says ``BEGIN IMMEDIATE``, a reader ``BEGIN``,
  and sees one state throughout.
* Erasing overwrites what it deletes and writes the table anew: no bytes stay in the file or its journal.
"""

from __future__ import annotations

import errno
import functools
import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from itertools import chain
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, Table
from sqlalchemy.exc import DBAPIError

from ledger.adapters.sql.dialect import Rows
from ledger.adapters.sql.lease import FileLease
from ledger.adapters.sql.turn import writer_turn
from ledger.errors import IntegrityError, RakkanError, RefusedError, UsageError

# Well below the number of variables that one SQL statement may have.
_MANY = 500
_ROWS = 64
_BUSY = "rakkan_busy_seconds"
_CACHE_KIB = 65_536
_JOURNAL_PAGES = 16_000
"""Pages of 4 KiB: the journal grows to 64 MB before it is emptied."""
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class Sqlite:
    """See ``dialect.Dialect``."""

    def driver_url(self, url: URL) -> URL:
        """Return the URL as it is: the driver is in the standard library."""
        return url

    def options(self, busy_seconds: float) -> Mapping[str, Any]:
        """Return what ``create_engine`` is given."""
        return {"execution_options": {_BUSY: busy_seconds}}

    def create(self, url: URL) -> None:
        """Make the file where there is none, readable by its owner only."""
        path = _path(url)
        try:
            # The file will hold disclosures; SQLite gives its journal files the same permissions.
            os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
        except OSError as error:
            raise UsageError(
                "home.missing", f"The database cannot be created: {error.strerror}.", path=path
            ) from error

    def check_exists(self, url: URL) -> None:
        """Return if the file is there: opening would make an empty one."""
        try:
            there = _path(url).is_file()
        except OSError as error:
            words = f"The database cannot be looked at: {error.strerror}."
            raise RefusedError("log.storage", words, path=_path(url)) from error
        if not there:
            raise UsageError("home.missing", "There is no database here.", path=_path(url))
        _settle(_path(url))

    def set_up(self, connection: Any, busy_seconds: float) -> None:
        """Make a new connection durable and strict."""
        # The driver would begin on its own, but only before some statements, and never IMMEDIATE.
        connection.isolation_level = None
        for pragma in (
            f"busy_timeout = {round(busy_seconds * 1000)}",
            "journal_mode = WAL",
            "synchronous = FULL",
            # Digests land on pages all over their index. Kept in memory, and brought to the database file
            # rarely, each page is written once for many entries.
            f"cache_size = -{_CACHE_KIB}",
            f"wal_autocheckpoint = {_JOURNAL_PAGES}",
            "foreign_keys = ON",
        ):
            connection.execute(f"PRAGMA {pragma}").close()

    def begin(self, connection: Connection, *, write: bool) -> None:
        """Begin; a writer learns at once that another one is at work."""
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    def turn(self, engine: Engine) -> AbstractContextManager[None]:
        """Wait for the lock that says who writes."""
        return writer_turn(_path(engine.url), engine.get_execution_options()[_BUSY])

    def lease(self, engine: Engine, name: str) -> FileLease:
        """Return a lock on a file beside the database."""
        path = _path(engine.url)
        return FileLease(path.with_name(f"{path.name}.{name}"))

    def lock_schema(self, connection: Connection) -> None:
        """Nothing to do: the write transaction keeps everybody out."""

    def lock_log(self, connection: Connection, log_id: int) -> str | None:
        """Return why the log is frozen; the write transaction keeps everybody out."""
        sql = "SELECT frozen FROM log WHERE id = ?"
        frozen: str | None = connection.exec_driver_sql(sql, (log_id,)).scalar_one()
        return frozen

    def insert(self, connection: Connection, table: Table, rows: Rows, conflict: str = "") -> None:
        """Insert the rows, many in each statement: after each, the driver lets other threads run first."""
        at = 0
        while at < len(rows):
            # Powers of two, so that few statements are ever prepared.
            count = min(1 << (len(rows) - at).bit_length() - 1, _ROWS)
            values = tuple(chain.from_iterable(rows[at : at + count]))
            connection.exec_driver_sql(_insert_sql(table, count, conflict), values)
            at += count

    def select_among(
        self, connection: Connection, select: str, log_id: int, column: str, values: Sequence[object]
    ) -> Rows:
        """Return the rows, asked for in pieces."""
        found: list[tuple[object, ...]] = []
        for sql, some in _pieces(f"{select} WHERE log_id = ? AND {column} IN", values):
            # The driver's own rows: those that are put around them take longer than reading.
            found += connection.exec_driver_sql(sql, (log_id, *some)).cursor.fetchall()
        return found

    def single(self, engine: Engine) -> Engine:
        """Return the engine: a transaction costs no round trip here."""
        return engine

    def snapshot(self, engine: Engine) -> Engine:
        """Return the engine: every transaction sees one state."""
        return engine

    def damage(self, connection: Connection) -> str | None:
        """Return the first complaint of SQLite's own check: it compares each index with its table."""
        answer: str = connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar_one()
        return None if answer == "ok" else answer

    def erase(self, connection: Connection, table: Table, column: str, values: Sequence[object]) -> int:
        """Delete the rows and write the table anew, overwriting what was there.

        Overwriting alone is not enough: copies stay where pages were balanced before. To overwrite always
        would cost every append the pages of the tile that it replaces.
        """
        connection.exec_driver_sql("PRAGMA secure_delete = ON")
        try:
            erased = sum(
                connection.exec_driver_sql(sql, tuple(some)).rowcount
                for sql, some in _pieces(f"DELETE FROM {table.name} WHERE {column} IN", values)  # noqa: S608 - names of ours
            )
            for sql in _rewriting(table.name):
                connection.exec_driver_sql(sql)
        finally:
            connection.exec_driver_sql("PRAGMA secure_delete = OFF")
        return erased

    def scrub(self, engine: Engine, table: Table) -> None:
        """Move the journal into the file and empty it."""
        # Not Core's connection: it would begin a transaction, and this runs in none.
        connection = engine.raw_connection()
        try:
            cursor = connection.cursor()
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            ((busy, *_),) = cursor.fetchall()
        finally:
            connection.close()
        if busy:
            raise RefusedError(
                "log.busy", "The rows are deleted, but a reader keeps them in the journal for now."
            )

    def translate(self, error: DBAPIError) -> RakkanError:
        """Tell by the primary result code; a full or failing disk is no reason to rebuild, damage is."""
        # The low byte is the primary result code (sqlite.org/rescode.html); the rest says where it happened.
        # What has no code comes from the driver: a value that it cannot read.
        code = getattr(error.orig, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT)
        primary = code & 0xFF
        if primary in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            return RefusedError("log.busy", "Another process is writing to this log.")
        # SHMSIZE: the file of its shared memory could not be made larger.
        if primary == sqlite3.SQLITE_FULL or code == sqlite3.SQLITE_IOERR_SHMSIZE:
            return RefusedError("log.disk-full", "The disk that holds the log is full.")
        if primary == sqlite3.SQLITE_CONSTRAINT:
            return IntegrityError("log.corrupt", f"The database refused a row: {error.orig}.")
        if primary in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
            return IntegrityError("log.corrupt", f"The database file is damaged: {error.orig}.")
        if primary in {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_NOLFS}:
            return UsageError("home.missing", f"The database cannot be opened: {error.orig}.")
        return RefusedError("log.storage", f"The database could not be read or written: {error.orig}.")


def _pieces(sql: str, values: Sequence[object]) -> Iterator[tuple[str, Sequence[object]]]:
    """Yield the statement, which ends with IN, for as many values at a time as it may have."""
    for at in range(0, len(values), _MANY):
        some = values[at : at + _MANY]
        # Written out: the expanding parameter of Core takes longer than the search itself.
        yield f"{sql} ({','.join('?' * len(some))})", some


@functools.cache
def _insert_sql(table: Table, count: int, conflict: str) -> str:
    names = ",".join(column.name for column in table.columns)
    row = f"({','.join('?' * len(table.columns))})"
    return f"INSERT INTO {table.name} ({names}) VALUES {','.join([row] * count)} {conflict}"  # noqa: S608 - names of ours


def _rewriting(name: str) -> Iterator[str]:
    yield f"CREATE TABLE {name}_kept AS SELECT * FROM {name}"  # noqa: S608 - names of ours
    yield f"DELETE FROM {name}"  # noqa: S608 - the same
    yield f"INSERT INTO {name} SELECT * FROM {name}_kept"  # noqa: S608 - the same
    yield f"DROP TABLE {name}_kept"


def _path(url: URL) -> Path:
    if not url.database:
        raise UsageError("database.url", "The URL names no file.")
    return Path(url.database)


def _settle(path: Path) -> None:
    """Bring to disk what a killed process wrote to the journal and did not synchronise.

    SQLite takes that for committed when it recovers, and never synchronises it: a retry of an entry would be
    acknowledged before the entry is durable. Raises ``RefusedError`` (``log.disk-full``, ``log.storage``).
    """
    for each in (path.with_name(f"{path.name}-wal"), path.parent):
        try:
            file = os.open(each, os.O_RDONLY | os.O_CLOEXEC)
            try:
                os.fsync(file)
            finally:
                os.close(file)
        except FileNotFoundError:
            continue
        except OSError as error:
            code = "log.disk-full" if error.errno in _FULL else "log.storage"
            raise RefusedError(code, f"The journal cannot be synchronised: {error.strerror}.") from error
