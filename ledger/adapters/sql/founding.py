"""A log that comes into being together with its studio, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sqlalchemy import Engine, delete

from ledger.adapters.sql import tables
from ledger.adapters.sql.engine import open_database, write
from ledger.adapters.sql.store import create_log, log_id
from ledger.errors import RakkanError, RefusedError


@contextmanager
def new_log(url: str, origin: str) -> Iterator[None]:
    """Add the log; when the block fails, take it and its first entries away again.

    Raises ``RefusedError("home.exists")`` when the database holds a log of this name: its key is somebody
    else's, and it is left as it is.
    """
    engine = open_database(url)
    try:
        if not create_log(engine, origin):
            raise RefusedError("home.exists", "The database already holds this log.", origin=origin)
        try:
            yield
        except BaseException:
            # A database that is gone keeps the rows; the reason why it is gone is what matters.
            with suppress(RakkanError):
                _remove(engine, origin)
            raise
    finally:
        engine.dispose()


def _remove(engine: Engine, origin: str) -> None:
    number = log_id(engine, origin)
    with write(engine) as connection:
        for table in reversed(tables.metadata.sorted_tables):
            if "log_id" in table.c:
                connection.execute(delete(table).where(table.c.log_id == number))
        connection.execute(delete(tables.log).where(tables.log.c.id == number))
