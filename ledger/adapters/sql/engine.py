"""Opening a database of the current schema; ``schema`` brings one to it.

* ``sqlite:///PATH`` or ``postgresql://USER:PASSWORD@HOST/NAME``; ``dialect`` lists all that differs.
* Every write goes through ``write``, which waits for its turn first.
* Tables come from the migrations and from nowhere else. Opening never creates or changes any.
* No error shows a URL or a parameter: the one may hold a password, the other a secret.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError

from ledger.adapters.sql.dialect import Dialect
from ledger.adapters.sql.faults import translated
from ledger.adapters.sql.postgres import Postgres
from ledger.adapters.sql.sqlite import Sqlite
from ledger.adapters.sql.tables import REVISION
from ledger.errors import UsageError

BUSY_SECONDS = 5.0
_DIALECTS: dict[str, Dialect] = {"sqlite": Sqlite(), "postgresql": Postgres()}
_WRITE = "rakkan_write"


def open_database(url: str, busy_seconds: float = BUSY_SECONDS) -> Engine:
    """Return an engine on an existing database of the current schema; ``dispose`` it when done.

    ``busy_seconds`` is how long a writer waits for another. Raises ``UsageError`` with ``home.missing``,
    ``home.schema``, ``database.url``, ``database.driver`` or ``database.access``, and
    ``RefusedError("database.unsafe")`` for a server that can lose a commit.
    """
    parsed, dialect = parse(url)
    dialect.check_exists(parsed)
    engine = engine_at(parsed, dialect, busy_seconds)
    try:
        with translated(dialect), engine.begin() as connection:
            found = _revision(connection)
    except BaseException:
        engine.dispose()
        raise
    if found != REVISION:
        engine.dispose()
        raise UsageError("home.schema", "The database is of another version.", found=found, expected=REVISION)
    return engine


def dialect_of(engine: Engine) -> Dialect:
    """Return what is particular to this kind of database."""
    return _DIALECTS[engine.dialect.name]


def writing(engine: Engine) -> Engine:
    """Return the engine with transactions that hold the write lock from their first moment."""
    return engine.execution_options(**{_WRITE: True})


@contextmanager
def write(engine: Engine) -> Iterator[Connection]:
    """Open a write transaction when it is our turn: leaving the block commits it, an exception undoes it.

    What the database raises leaves as a ``RakkanError``, ``log.busy`` among them.
    """
    dialect = dialect_of(engine)
    with translated(dialect), dialect.turn(engine), writing(engine).begin() as connection:
        yield connection


def parse(url: str) -> tuple[URL, Dialect]:
    """Return the URL as the database's driver takes it, and the dialect. Raises ``database.url``."""
    try:
        parsed = make_url(url)
        dialect = _DIALECTS[parsed.drivername]
    except (ArgumentError, KeyError, ValueError):
        raise UsageError("database.url", "This is no URL of a database that Rakkan can use.") from None
    return dialect.driver_url(parsed), dialect


def engine_at(url: URL, dialect: Dialect, busy_seconds: float) -> Engine:
    """Return an engine on a database of any schema. Raises ``UsageError("database.driver")``."""
    try:
        engine = create_engine(
            url, hide_parameters=True, pool_timeout=busy_seconds, **dialect.options(busy_seconds)
        )
    except ImportError as error:
        raise UsageError("database.driver", "The driver of this database is not installed.") from error

    @event.listens_for(engine, "do_connect")
    def _connect(used: Any, _record: object, arguments: list[Any], options: dict[str, Any]) -> Any:
        # Here and not once the pool has it: what fails on a full disk would stay open, known to nobody.
        connection = used.loaded_dbapi.connect(*arguments, **options)
        try:
            dialect.set_up(connection, busy_seconds)
        except BaseException:
            connection.close()
            raise
        return connection

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        dialect.begin(connection, write=_WRITE in connection.get_execution_options())

    return engine


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found
