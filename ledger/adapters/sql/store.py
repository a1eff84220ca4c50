"""``EntryStore`` on SQL.

* Reads that yield many rows take them in short pieces, so that no connection is kept by a slow reader.
* A piece that takes several statements sees one state of the database.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import groupby
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    bindparam,
    func,
    or_,
    select,
    text,
    tuple_,
    update,
)

from ledger.adapters.sql import tables
from ledger.adapters.sql.engine import dialect_of, write
from ledger.adapters.sql.faults import translated
from ledger.adapters.sql.transaction import STATEMENT_ROW, SqlEntryTransaction, blob
from ledger.errors import IntegrityError, RefusedError, UsageError
from ledger.ports import ArtifactRow, ChainRow, Head, StatementRow, StoredEntry

# Entries or tiles that a streaming read holds at a time: at most 4 MB.
_PIECE = 64

_entry, _statement, _artifact, _tile = tables.entry.c, tables.statement.c, tables.artifact.c, tables.tile.c
_FROM = (_entry.log_id == bindparam("log")) & (_entry.idx >= bindparam("start"))
_RANGE = _FROM & (_entry.idx < bindparam("stop"))
_ENVELOPES = select(_entry.idx, blob(_entry.envelope)).where(_RANGE).order_by(_entry.idx).limit(_PIECE)
_ENTRIES = (
    select(_entry.idx, blob(_entry.leaf_hash), blob(_entry.envelope))
    .where(_RANGE)
    .order_by(_entry.idx)
    .limit(_PIECE)
)
_TILES = (
    select(_tile.level, _tile.idx, blob(_tile.hashes))
    .where(
        _tile.log_id == bindparam("log"),
        tuple_(_tile.level, _tile.idx) > tuple_(bindparam("level"), bindparam("idx")),
    )
    .order_by(_tile.level, _tile.idx)
    .limit(_PIECE)
)
_CHAINS = (
    select(_statement.keyid, _statement.sequence, _statement.idx, _statement.captured, _entry.received_at)
    .join(tables.entry, (_entry.log_id == _statement.log_id) & (_entry.idx == _statement.idx))
    .where(
        _statement.log_id == bindparam("log"),
        # As the index has it: a partial index is used only where the query repeats its condition.
        _statement.sequence.is_not(None),
        tuple_(_statement.keyid, _statement.sequence, _statement.idx)
        > tuple_(bindparam("keyid"), bindparam("sequence"), bindparam("idx")),
    )
    .order_by(_statement.keyid, _statement.sequence, _statement.idx)
    .limit(1000)
)


def create_log(engine: Engine, origin: str) -> bool:
    """Add an empty log under this origin, durable on return; whether it was not there yet."""
    sql = text("INSERT INTO log (origin) VALUES (:origin) ON CONFLICT (origin) DO NOTHING")
    with write(engine) as connection:
        return connection.execute(sql, {"origin": origin}).rowcount == 1


def log_id(engine: Engine, origin: str) -> int:
    """Return the number of a log. Raises ``UsageError("home.missing")`` when the database has no such log."""
    with translated(dialect_of(engine)), engine.begin() as connection:
        found = connection.scalar(select(tables.log.c.id).where(tables.log.c.origin == origin))
    if found is None:
        raise UsageError("home.missing", "The database does not hold this log.", origin=origin)
    return int(found)


class SqlEntryStore:
    """The entries of the log ``origin``, and what is computed from them. See ``ports.EntryStore``.

    May be used from several threads. Raises ``UsageError("home.missing")`` when the database has no such log.
    """

    def __init__(self, engine: Engine, origin: str) -> None:
        self._engine = engine
        self._dialect = dialect_of(engine)
        self._single, self._snapshot = self._dialect.single(engine), self._dialect.snapshot(engine)
        self._log_id = log_id(engine, origin)

    @contextmanager
    def begin(self) -> Iterator[SqlEntryTransaction]:
        """Open the write transaction; see ``ports.EntryStore.begin``."""
        with write(self._engine) as connection:
            frozen = self._dialect.lock_log(connection, self._log_id)
            if frozen is not None:
                raise RefusedError("log.frozen", f"This log was given up: {frozen}", reason=frozen)
            yield SqlEntryTransaction(connection, self._dialect, self._log_id)

    def freeze(self, reason: str) -> None:
        """Give the log up for ever, durable on return: from now on ``begin`` raises, with this reason."""
        with write(self._engine) as connection:
            connection.execute(
                update(tables.log).where(tables.log.c.id == self._log_id).values(frozen=reason)
            )

    def head(self) -> Head:
        """Return the tip as last committed."""
        with self._reading() as connection:
            return self._on(connection).head()

    def envelope(self, index: int) -> bytes:
        """Return the entry's exact bytes. Raises ``UsageError("log.no-such-entry")``."""
        with self._reading() as connection:
            return self._on(connection).envelope(index)

    def envelopes(self, start: int, stop: int) -> Iterator[bytes]:
        """Yield the entries ``start <= index < stop`` that exist, in order.

        Raises ``IntegrityError("log.corrupt")`` at a gap.
        """
        while start < stop:
            rows = self._piece(_ENVELOPES, start=start, stop=stop)
            for index, envelope in rows:
                if index != start:
                    raise IntegrityError("log.corrupt", "An entry is missing from the log.", index=start)
                yield envelope
                start += 1
            if len(rows) < _PIECE:
                return

    def envelopes_at(self, indices: Collection[int]) -> Mapping[int, bytes]:
        """Return the exact bytes of those of these entries that exist, by index."""
        with self._reading() as connection:
            sql, wanted = "SELECT idx, envelope FROM entry", list(indices)
            rows: Any = self._dialect.select_among(connection, sql, self._log_id, "idx", wanted)
        return {index: bytes(envelope) for index, envelope in rows}

    def stored(self, start: int, stop: int) -> Iterator[StoredEntry]:
        """Yield the entries ``start <= index < stop`` that exist, in order, with all their rows."""
        while start < stop:
            with translated(self._dialect), self._snapshot.begin() as connection:
                key = {"log": self._log_id, "start": start, "stop": stop}
                rows = connection.execute(_ENTRIES, key).all()
                if not rows:
                    return
                start = rows[-1][0] + 1
                statements, artifacts = self._rows_of(connection, rows[0][0], start)
            for index, leaf, envelope in rows:
                yield StoredEntry(index, leaf, envelope, statements.get(index, ()), artifacts.get(index, ()))

    def _rows_of(
        self, connection: Connection, start: int, stop: int
    ) -> tuple[dict[int, tuple[StatementRow, ...]], dict[int, tuple[ArtifactRow, ...]]]:
        """Return the projections' rows of these entries, by index."""
        statement = STATEMENT_ROW.where(
            _statement.log_id == self._log_id, _statement.idx >= start, _statement.idx < stop
        )
        artifact = select(tables.artifact).where(
            _artifact.log_id == self._log_id, _artifact.idx >= start, _artifact.idx < stop
        )
        statements = connection.execute(statement.order_by(_statement.idx)).all()
        artifacts = connection.execute(artifact.order_by(_artifact.idx, _artifact.seq)).all()
        return (
            {idx: tuple(StatementRow(*row) for row in rows) for idx, rows in groupby(statements, _idx)},
            {idx: tuple(map(_artifact_row, rows)) for idx, rows in groupby(artifacts, _idx)},
        )

    def tiles(self) -> Iterator[tuple[int, int, bytes]]:
        """Yield ``(level, index, hashes)`` of every stored tile, by level, then by index."""
        level, index = -1, 0
        while rows := self._piece(_TILES, level=level, idx=index):
            for level, index, hashes in rows:
                yield level, index, hashes

    def beyond(self, size: int) -> str | None:
        """Return the name of a table with a row whose index is not in ``0 <= index < size``, or ``None``."""
        with translated(self._dialect), self._snapshot.begin() as connection:
            for table in (tables.entry, tables.statement, tables.artifact):
                outside = or_(table.c.idx < 0, table.c.idx >= size)
                query = select(table.c.idx).where(table.c.log_id == self._log_id, outside).limit(1)
                if connection.scalar(query) is not None:
                    return table.name
        return None

    def damage(self) -> str | None:
        """Return what the database itself finds wrong with its tables and indexes, or ``None``."""
        with translated(self._dialect), self._snapshot.begin() as connection:
            return self._dialect.damage(connection)

    def index(self, leaf_hash: bytes) -> int | None:
        """Return the index of the entry with this leaf hash, or ``None``."""
        with self._reading() as connection:
            return self._on(connection).indices([leaf_hash]).get(leaf_hash)

    def tile(self, level: int, index: int) -> bytes:
        """Return the tile as last committed; ``b""`` when there is none."""
        with self._reading() as connection:
            return self._on(connection).tile(level, index)

    def chains(self) -> Iterator[ChainRow]:
        """Yield every record that a device numbered, by key, then by number, then by index."""
        keyid, sequence, index = "", -1, -1
        while rows := self._piece(_CHAINS, keyid=keyid, sequence=sequence, idx=index):
            for row in rows:
                yield ChainRow(*row)
            keyid, sequence, index, *_ = rows[-1]

    def statements(self, predicate_type: str, start: int = 0) -> Sequence[StatementRow]:
        """Return every entry of this type at ``start`` and after it, oldest first."""
        with self._reading() as connection:
            return self._on(connection).statements([predicate_type], start)

    def artifacts(
        self, *, sha256: str | None = None, pixels: str | None = None, index: int | None = None
    ) -> Sequence[ArtifactRow]:
        """Return the rows that match the one criterion given, oldest entry first, then as projected."""
        if sum(criterion is not None for criterion in (sha256, pixels, index)) != 1:
            raise ValueError("give exactly one of sha256, pixels and index")
        if sha256 is not None:
            rows = self._artifacts(_first_digits(_artifact.sha256) == sha256[:16])
            return [row for row in rows if row.sha256 == sha256]
        if pixels is not None:
            # A partial index is used only where the query repeats its condition.
            rows = self._artifacts(
                _artifact.pixels.is_not(None) & (_first_digits(_artifact.pixels) == pixels[:16])
            )
            return [row for row in rows if row.pixels == pixels]
        return self._artifacts(_artifact.idx == index)

    def _artifacts(self, condition: ColumnElement[bool]) -> list[ArtifactRow]:
        """Return the rows that the condition selects, in the order of the log.

        They are put in order here. Asked for that order, or for the whole digest as well, SQLite would walk
        the log by index number rather than use the index on the first digits.
        """
        query = select(tables.artifact).where(_artifact.log_id == self._log_id, condition)
        with self._reading() as connection:
            rows = sorted(connection.execute(query).all(), key=lambda row: (row.idx, row.seq))
        return [_artifact_row(row) for row in rows]

    def _piece(self, query: Any, **key: int | str) -> Sequence[Any]:
        with self._reading() as connection:
            return connection.execute(query, {"log": self._log_id, **key}).all()

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        """Open a read of one statement."""
        with translated(self._dialect), self._single.begin() as connection:
            yield connection

    def _on(self, connection: Connection) -> SqlEntryTransaction:
        return SqlEntryTransaction(connection, self._dialect, self._log_id)


def _idx(row: Any) -> int:
    if not isinstance(row.idx, int):
        raise IntegrityError("log.corrupt", "A row belongs to no entry.", index=row.idx)
    return row.idx


def _artifact_row(row: Any) -> ArtifactRow:
    _, idx, _, *values = row
    return ArtifactRow(idx, *values)


def _first_digits(column: ColumnElement[Any]) -> ColumnElement[str]:
    """Return the part of a digest that its index holds, spelled as in the index."""
    return func.substr(column, text("1"), text("16"))
