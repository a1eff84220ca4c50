"""``EventStore`` on SQL."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import Engine, bindparam, select

from ledger.adapters.sql import tables
from ledger.adapters.sql.engine import dialect_of
from ledger.adapters.sql.faults import translated
from ledger.adapters.sql.store import log_id
from ledger.core.artifact import Artifact
from ledger.service.events.store import EventRow

_entry, _statement, _artifact = tables.entry.c, tables.statement.c, tables.artifact.c
_SIZE = select(tables.head.c.size).where(tables.head.c.log_id == bindparam("log"))
_ROWS = (
    select(_statement.idx, _statement.predicate_type, _entry.received_at)
    .join(tables.entry, (_entry.log_id == _statement.log_id) & (_entry.idx == _statement.idx))
    .where(
        _statement.log_id == bindparam("log"),
        _statement.idx >= bindparam("start"),
        _statement.idx < bindparam("stop"),
        _statement.predicate_type.in_(bindparam("types", expanding=True)),
    )
    .order_by(_statement.idx)
    .limit(bindparam("most"))
)
_SUBJECTS = (
    select(_artifact.idx, _artifact.name, _artifact.sha256)
    .where(
        _artifact.log_id == bindparam("log"),
        _artifact.idx.in_(bindparam("indices", expanding=True)),
        _artifact.role == "subject",
        _artifact.position <= bindparam("subjects"),
    )
    .order_by(_artifact.idx, _artifact.seq)
)


class SqlEventStore:
    """The entries of the log ``origin``. See ``service.events.store.EventStore``.

    May be used from several threads. Raises ``UsageError("home.missing")`` when the database has no such log.
    """

    def __init__(self, engine: Engine, origin: str) -> None:
        self._dialect = dialect_of(engine)
        self._single, self._snapshot = self._dialect.single(engine), self._dialect.snapshot(engine)
        self._log_id = log_id(engine, origin)

    def size(self) -> int:
        """Return the log's size."""
        with translated(self._dialect), self._single.begin() as connection:
            return connection.scalar(_SIZE, {"log": self._log_id}) or 0

    def rows(
        self, predicate_types: Sequence[str], start: int, stop: int, limit: int, subjects: int
    ) -> Sequence[EventRow]:
        """Return the entries of these types in ``start <= index < stop``, in order, at most ``limit``."""
        wanted = {
            "log": self._log_id,
            "types": predicate_types,
            "start": start,
            "stop": stop,
            "most": limit,
        }
        found: defaultdict[int, list[Artifact]] = defaultdict(list)
        with translated(self._dialect), self._snapshot.begin() as connection:
            entries = connection.execute(_ROWS, wanted).all()
            key = {"log": self._log_id, "indices": [row.idx for row in entries], "subjects": subjects}
            for index, name, sha256 in connection.execute(_SUBJECTS, key):
                found[index].append(Artifact(name, sha256))
        return [
            EventRow(index, kind, received, tuple(found[index][:subjects]), len(found[index]) > subjects)
            for index, kind, received in entries
        ]
