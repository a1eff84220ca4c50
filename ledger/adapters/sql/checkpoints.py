"""``CheckpointStore`` on SQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Engine, Select, select

from ledger.adapters.sql import tables
from ledger.adapters.sql.engine import dialect_of, write
from ledger.adapters.sql.faults import translated
from ledger.adapters.sql.store import log_id
from ledger.adapters.sql.transaction import blob

_size = tables.checkpoint.c.size


class SqlCheckpointStore:
    """The cosigned checkpoints of the log ``origin``. See ``ports.CheckpointStore``.

    May be used from several threads. Raises ``UsageError("home.missing")`` when the database has no such log.
    """

    def __init__(self, engine: Engine, origin: str) -> None:
        self._engine = engine
        self._dialect = dialect_of(engine)
        self._single = self._dialect.single(engine)
        self._log_id = log_id(engine, origin)
        self._notes = select(blob(tables.checkpoint.c.note)).where(tables.checkpoint.c.log_id == self._log_id)

    def put(self, size: int, checkpoint: bytes) -> None:
        """Keep the checkpoint, durable on return. A later one of the same size replaces the earlier."""
        newer = "ON CONFLICT (log_id, size) DO UPDATE SET note = excluded.note"
        with write(self._engine) as connection:
            self._dialect.insert(connection, tables.checkpoint, [(self._log_id, size, checkpoint)], newer)

    def newest(self) -> bytes | None:
        """Return the checkpoint of the largest size, or ``None``."""
        return self._first(self._notes.order_by(_size.desc()))

    def covering(self, size: int) -> bytes | None:
        """Return the checkpoint of the smallest size that is at least ``size``, or ``None``."""
        return self._first(self._notes.where(_size >= size).order_by(_size))

    def below(self, size: int, limit: int) -> Sequence[bytes]:
        """Return the checkpoints of smaller sizes, the largest first, at most so many."""
        query = self._notes.where(_size < size).order_by(_size.desc()).limit(limit)
        with translated(self._dialect), self._single.begin() as connection:
            return connection.scalars(query).all()

    def _first(self, query: Select[Any]) -> bytes | None:
        with translated(self._dialect), self._single.begin() as connection:
            found: bytes | None = connection.scalar(query.limit(1))
            return found
