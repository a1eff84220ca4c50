"""Events of a production, on a database connection of their own: listeners keep none from those who work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ledger.adapters.home import Home
from ledger.wiring import database_url

if TYPE_CHECKING:
    from ledger.service.events.source import Source


@contextmanager
def open_source(home: Home) -> Iterator[Source]:
    """Open a home's log to be told of, for as long as the block runs. Raises ``home.*``, ``database.*``."""
    from ledger.adapters.sql.engine import open_database
    from ledger.adapters.sql.events import SqlEventStore
    from ledger.adapters.sql.store import SqlEntryStore
    from ledger.service.events.source import Source

    settings = home.settings()
    engine = open_database(database_url(home))
    try:
        origin = settings.origin
        yield Source(settings.production, SqlEntryStore(engine, origin), SqlEventStore(engine, origin))
    finally:
        engine.dispose()
