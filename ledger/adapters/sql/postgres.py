"""PostgreSQL through psycopg 3: any number of processes, one writer of a log at a time.

* A writer locks the row of its log first, also while that log is empty, and reads the head in a statement of
  its own afterwards: under READ COMMITTED only a statement that begins after the wait sees what the other
  writer committed. Locked and joined in one statement, the head would be the one from before the wait.
* The locked row is the queue; the compare-and-swap on the head is the fence, which also holds where somebody
  writes without having locked the row.
* A server that may lose a commit is refused (``database.unsafe``), at open and again in every transaction:
  these settings can change while we run.
* A host that vanishes in the middle of a transaction must not keep the log from the others: the server ends
  a transaction that is idle for a minute.
* Many rows go over by COPY, few of them as one array for each column, which takes fewer round trips.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from sqlalchemy import URL, Connection, Engine, Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DBAPIError

from ledger.adapters.sql.dialect import Rows
from ledger.adapters.sql.lease import SessionLease
from ledger.adapters.sql.turn import program
from ledger.errors import IntegrityError, MalformedError, RakkanError, RefusedError, UsageError

# "rakkan", so that two upgrades wait for each other and for nobody else.
_UPGRADE_LOCK = int.from_bytes(b"rakkan", "big")
_DURABLE = ("fsync", "full_page_writes", "synchronous_commit")
_SETTINGS = ", ".join(f"current_setting('{name}')" for name in _DURABLE)
_SET_UP = """SELECT set_config('synchronous_commit', 'on', false), set_config('lock_timeout', %s, false),
set_config('idle_in_transaction_session_timeout', '60s', false)"""
_LOCK_LOG = f"SELECT frozen, {_SETTINGS} FROM log WHERE id = %s FOR NO KEY UPDATE"  # noqa: S608 - names of ours

# Rows from which COPY is faster than arrays.
_MANY = 32

# What libpq says when it cannot connect has no code, only words.
_NO_DATABASE = re.compile(r'FATAL: +database ".*" does not exist')
_NO_ACCESS = re.compile(r"FATAL: +(role|password|no pg_hba|[a-zA-Z0-9]+ authentication)|no password supplied")
# By SQLSTATE, or by the class that its first two characters name (PostgreSQL, appendix A).
_BUSY = (RefusedError, "log.busy", "The database could not wait")
_CORRUPT = (IntegrityError, "log.corrupt", "The database refused")
_NO_SCHEMA = (UsageError, "home.schema", "The database is of another version")
_REFUSED = (UsageError, "database.access", "The database refuses this user")
_CANNOT_HOLD = (MalformedError, "statement.field", "The database cannot hold this")
_STORAGE = (RefusedError, "log.storage", "The database could not be read or written")
_STATES: dict[str, tuple[type[RakkanError], str, str]] = {
    "55P03": _BUSY,  # lock_not_available
    "57014": _BUSY,  # query_canceled: the server's own time limit
    "53300": _BUSY,  # too_many_connections
    "40": _BUSY,  # serialization failure, deadlock
    "53100": (RefusedError, "log.disk-full", "The disk that holds the database is full"),
    "XX001": _CORRUPT,
    "XX002": _CORRUPT,
    "22": _CANNOT_HOLD,  # NUL in a text
    "23": _CORRUPT,  # a constraint
    "42P01": _NO_SCHEMA,
    "42703": _NO_SCHEMA,
    "28": _REFUSED,
    "42501": _REFUSED,
}


class Postgres:
    """See ``dialect.Dialect``."""

    def driver_url(self, url: URL) -> URL:
        """Return the URL with psycopg 3 as its driver."""
        return url.set(drivername="postgresql+psycopg")

    def options(self, busy_seconds: float) -> Mapping[str, Any]:
        """Return what ``create_engine`` is given."""
        return {
            "use_native_hstore": False,
            # A connection that the server has closed since is replaced before anybody works on it.
            "pool_pre_ping": True,
            "connect_args": {
                "application_name": program(),
                "connect_timeout": 10,
                "keepalives_idle": 30,
                "keepalives_interval": 10,
                "keepalives_count": 3,
            },
        }

    def create(self, url: URL) -> None:
        """Nothing to do: a database of a server is its administrator's to make."""

    def check_exists(self, url: URL) -> None:
        """Nothing to do: connecting tells."""

    def set_up(self, connection: Any, busy_seconds: float) -> None:
        """Make a new connection durable, and refuse a server that is not."""
        connection.execute(_SET_UP, [f"{max(1, round(busy_seconds * 1000))}ms"])
        _check_durable(connection.execute(f"SELECT {_SETTINGS}").fetchone())
        connection.commit()

    def begin(self, connection: Connection, *, write: bool) -> None:
        """Nothing to do: the driver begins before the first statement."""

    def turn(self, engine: Engine) -> AbstractContextManager[None]:
        """Nothing to wait for: the server queues writers."""
        return nullcontext()

    def lease(self, engine: Engine, name: str) -> SessionLease:
        """Return an advisory lock of the server's."""
        return SessionLease(self.single(engine), name)

    def lock_schema(self, connection: Connection) -> None:
        """Wait for every other upgrade to end."""
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(%s)", (_UPGRADE_LOCK,))

    def lock_log(self, connection: Connection, log_id: int) -> str | None:
        """Lock the log's row; return why the log is frozen."""
        frozen, *settings = connection.exec_driver_sql(_LOCK_LOG, (log_id,)).one()
        _check_durable(settings)
        return None if frozen is None else str(frozen)

    def insert(self, connection: Connection, table: Table, rows: Rows, conflict: str = "") -> None:
        """Insert the rows: by COPY, where they are many and none can be there already."""
        if len(rows) >= _MANY and not conflict:
            _copy(connection, table, rows)
        elif rows:
            columns = tuple(list(column) for column in zip(*rows, strict=True))
            connection.exec_driver_sql(f"{_insert_sql(table)} {conflict}", columns)

    def select_among(
        self, connection: Connection, select: str, log_id: int, column: str, values: Sequence[object]
    ) -> Rows:
        """Return the rows, the values sent as one array."""
        if not values:
            return []
        sql = f"{select} WHERE log_id = %b AND {column} = ANY(%b)"
        return [tuple(row) for row in connection.exec_driver_sql(sql, (log_id, list(values)))]

    def single(self, engine: Engine) -> Engine:
        """Return the engine without transactions: two round trips fewer."""
        return engine.execution_options(isolation_level="AUTOCOMMIT")

    def snapshot(self, engine: Engine) -> Engine:
        """Return the engine with transactions that see one state and cannot write."""
        return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    def damage(self, connection: Connection) -> str | None:
        """Return ``None``: the server checks its pages when it reads them, and an index only with amcheck."""

    def erase(self, connection: Connection, table: Table, column: str, values: Sequence[object]) -> int:
        """Delete the rows. Their bytes stay until ``scrub``, which cannot run in a transaction."""
        sql = f"DELETE FROM {table.name} WHERE {column} = ANY(%b)"  # noqa: S608 - names of ours
        return connection.exec_driver_sql(sql, (list(values),)).rowcount if values else 0

    def scrub(self, engine: Engine, table: Table) -> None:
        """Write the table anew: a plain VACUUM would leave the bytes in its free space."""
        with self.single(engine).connect() as connection:
            connection.exec_driver_sql(f"VACUUM (FULL) {table.name}")

    def translate(self, error: DBAPIError) -> RakkanError:
        """Tell by the SQLSTATE."""
        original: Any = error.orig  # psycopg's, which is not imported where no database speaks it
        state = getattr(original, "sqlstate", None)
        if state is None:
            return _without_state(error)
        # Only this part of a message: the details may quote a row.
        said = original.diag.message_primary
        kind, code, words = _STATES.get(state) or _STATES.get(state[:2]) or _STORAGE
        return kind(code, f"{words}: {said}.", state=state)


def _without_state(error: DBAPIError) -> RakkanError:
    """Return the error for what the driver found: a value it cannot send, or no connection."""
    words = " ".join(str(error.orig).split()).rstrip(".?")
    if type(error.orig).__name__ == "DataError":
        kind, code, said = _CANNOT_HOLD
        return kind(code, f"{said}: {words}.")
    if _NO_DATABASE.search(words):
        return UsageError("database.access", "The server has no database of this name.")
    if _NO_ACCESS.search(words):
        return UsageError("database.access", f"The database refuses this user: {words}.")
    return RefusedError("log.storage", f"The database cannot be reached: {words}.")


def _check_durable(settings: Sequence[str]) -> None:
    for name, value in zip(_DURABLE, settings, strict=True):
        if value == "off":
            raise RefusedError(
                "database.unsafe", f"The server runs with {name}=off: it can lose a commit.", setting=name
            )


def _copy(connection: Connection, table: Table, rows: Rows) -> None:
    """Send the rows in binary, past Core, which has no word for it."""
    driver: Any = connection.connection.driver_connection
    sql, types = _copy_sql(table)
    try:
        with driver.cursor() as cursor, cursor.copy(sql) as copy:
            copy.set_types(types)
            for row in rows:
                copy.write_row(row)
    except driver.Error as error:
        raise DBAPIError(sql, None, error) from error


_TYPES = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy gives it no types
"""How PostgreSQL spells the types of columns."""


@functools.cache
def _copy_sql(table: Table) -> tuple[str, list[str]]:
    """Return the COPY of a table, and the types of its columns."""
    names = ", ".join(column.name for column in table.columns)
    types = [column.type.compile(_TYPES).partition("(")[0].lower() for column in table.columns]
    return f"COPY {table.name} ({names}) FROM STDIN (FORMAT BINARY)", types


@functools.cache
def _insert_sql(table: Table) -> str:
    """Return the INSERT with one array parameter for each column, in order."""
    names = ", ".join(column.name for column in table.columns)
    arrays = ", ".join(f"%b::{column.type.compile(_TYPES)}[]" for column in table.columns)
    return f"INSERT INTO {table.name} ({names}) SELECT * FROM unnest({arrays})"  # noqa: S608 - names of ours
