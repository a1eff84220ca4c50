"""What differs between the databases: the one list of it. ``sqlite`` and ``postgres`` each implement it.

Tables, migrations and stores are the same on both. A difference that is not in this list is a defect.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from sqlalchemy import URL, Connection, Engine, Table
from sqlalchemy.exc import DBAPIError

from ledger.errors import RakkanError
from ledger.ports import Lease

Rows = Sequence[tuple[object, ...]]
"""Rows whose values stand in the order of the table's columns."""


class Dialect(Protocol):
    """One kind of database."""

    def driver_url(self, url: URL) -> URL:
        """Return the URL with the driver that this adapter speaks through."""

    def options(self, busy_seconds: float) -> Mapping[str, Any]:
        """Return what ``create_engine`` is given."""

    def create(self, url: URL) -> None:
        """Make what must be there before the first migration. Raises ``UsageError("home.missing")``."""

    def check_exists(self, url: URL) -> None:
        """Return if there is a database, as far as can be known without connecting to it.

        Raises ``UsageError("home.missing")``.
        """

    def set_up(self, connection: Any, busy_seconds: float) -> None:
        """Make a new connection of the driver durable and strict.

        Raises ``RefusedError("database.unsafe")`` where a commit could be lost.
        """

    def begin(self, connection: Connection, *, write: bool) -> None:
        """Begin a transaction, where the driver does not."""

    def turn(self, engine: Engine) -> AbstractContextManager[None]:
        """Wait for this process's turn to write. Raises ``RefusedError("log.busy")`` after too long."""

    def lease(self, engine: Engine, name: str) -> Lease:
        """Return a lease for one of the processes on this database. ``name`` is one plain word."""

    def lock_schema(self, connection: Connection) -> None:
        """Keep other upgrades out until the transaction ends."""

    def lock_log(self, connection: Connection, log_id: int) -> str | None:
        """Keep other writers out of the log until the transaction ends; return why it is frozen, if it is.

        Raises ``RefusedError`` with ``log.busy`` or ``database.unsafe``.
        """

    def insert(self, connection: Connection, table: Table, rows: Rows, conflict: str = "") -> None:
        """Insert the rows; ``conflict`` is the statement's ON CONFLICT clause."""

    def select_among(
        self, connection: Connection, select: str, log_id: int, column: str, values: Sequence[object]
    ) -> Rows:
        """Return the rows of a log whose column holds one of the values.

        ``select`` is ``SELECT columns FROM table``; the answer is in no order.
        """

    def single(self, engine: Engine) -> Engine:
        """Return the engine for reads of one statement."""

    def snapshot(self, engine: Engine) -> Engine:
        """Return the engine for reads whose statements must all see one state."""

    def damage(self, connection: Connection) -> str | None:
        """Return what the database itself finds wrong with its tables and indexes, or ``None``."""

    def erase(self, connection: Connection, table: Table, column: str, values: Sequence[object]) -> int:
        """Delete the rows whose column holds one of the values, and return how many there were."""

    def scrub(self, engine: Engine, table: Table) -> None:
        """Remove what deleted rows left in the files, after the transaction of ``erase``.

        Raises ``RefusedError("log.busy")`` when somebody is reading it; calling again goes on.
        """

    def translate(self, error: DBAPIError) -> RakkanError:
        """Return our error for what the database raised."""
