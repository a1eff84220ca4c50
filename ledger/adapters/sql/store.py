"""``EntryStore`` and ``OpeningStore`` on SQL.

* A transaction holds the write lock from its first moment, so the head it reads stays the head.
* Rows of a batch go to the driver as tuples, under SQL that is compiled once: the ORM-free Core path would
  spend more time on a row than the database does.
* Reads that yield many entries take them in short pieces, so that no connection is kept by a slow reader.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    LargeBinary,
    Table,
    bindparam,
    cast,
    delete,
    func,
    insert,
    select,
    text,
)
from sqlalchemy.dialects.sqlite import Insert
from sqlalchemy.dialects.sqlite import insert as upsert

from ledger.adapters.sql import tables
from ledger.adapters.sql.engine import writing
from ledger.adapters.sql.faults import translated
from ledger.errors import IntegrityError, UsageError
from ledger.ports import ArtifactRow, Head, StatementRow

_HASH_SIZE = 32
# Well below the number of variables that one SQL statement may have.
_MANY = 500
# Entries a streaming read holds at a time: at most 4 MB.
_PIECE = 64


def _upsert(table: Table, *keys: str) -> Insert:
    """Return the INSERT that replaces what stands under the same keys."""
    statement = upsert(table)
    moved = {col.name: statement.excluded[col.name] for col in table.c if col.name not in keys}
    return statement.on_conflict_do_update(index_elements=keys, set_=moved)


def _blob(column: ColumnElement[bytes]) -> ColumnElement[bytes]:
    """Return the column as bytes, even where damage has turned a row's value into text."""
    return cast(column, LargeBinary)


# Built once: putting a statement together takes longer than running it.
_HEAD = select(tables.head.c.size, _blob(tables.head.c.peaks), _blob(tables.head.c.checkpoint)).where(
    tables.head.c.log_id == bindparam("log")
)
_TILE = select(_blob(tables.tile.c.hashes)).where(
    tables.tile.c.log_id == bindparam("log"),
    tables.tile.c.level == bindparam("level"),
    tables.tile.c.idx == bindparam("idx"),
)
_PUT_TILE = _upsert(tables.tile, "log_id", "level", "idx")
_PUT_HEAD = _upsert(tables.head, "log_id")


def create_log(engine: Engine, origin: str) -> None:
    """Add an empty log under this origin, durable on return; one that is there already stays as it is."""
    with translated(), writing(engine).begin() as connection:
        connection.execute(upsert(tables.log).values(origin=origin).on_conflict_do_nothing())


class SqlEntryStore:
    """The entries of the log ``origin``, and what is computed from them. See ``ports.EntryStore``.

    May be used from several threads. Raises ``UsageError("home.missing")`` when the database has no such log.
    """

    def __init__(self, engine: Engine, origin: str) -> None:
        self._engine = engine
        with translated(), engine.begin() as connection:
            found = connection.scalar(select(tables.log.c.id).where(tables.log.c.origin == origin))
        if found is None:
            raise UsageError("home.missing", "The database does not hold this log.", origin=origin)
        self._log_id = found

    @contextmanager
    def begin(self) -> Iterator[SqlEntryTransaction]:
        """Open the write transaction; see ``ports.EntryStore.begin``."""
        with translated(), writing(self._engine).begin() as connection:
            yield SqlEntryTransaction(connection, self._log_id)

    def head(self) -> Head:
        """Return the tip as last committed."""
        with self._reading() as transaction:
            return transaction.head()

    def envelope(self, index: int) -> bytes:
        """Return the entry's exact bytes. Raises ``UsageError("log.no-such-entry")``."""
        for envelope in self.envelopes(index, index + 1):
            return envelope
        raise UsageError("log.no-such-entry", "The log has no such entry.", index=index)

    def envelopes(self, start: int, stop: int) -> Iterator[bytes]:
        """Yield the entries ``start <= index < stop`` that exist, in order.

        Raises ``IntegrityError("log.corrupt")`` at a gap.
        """
        columns = tables.entry.c
        query = select(columns.idx, _blob(columns.envelope)).order_by(columns.idx).limit(_PIECE)
        query = query.where(columns.log_id == self._log_id, columns.idx >= bindparam("start"))
        while start < stop:
            with translated(), self._engine.begin() as connection:
                rows = connection.execute(query.where(columns.idx < stop), {"start": start}).all()
            for index, envelope in rows:
                if index != start:
                    raise IntegrityError("log.corrupt", "An entry is missing from the log.", index=start)
                yield envelope
                start += 1
            if len(rows) < _PIECE:
                return

    def index(self, leaf_hash: bytes) -> int | None:
        """Return the index of the entry with this leaf hash, or ``None``."""
        with self._reading() as transaction:
            return transaction.indices([leaf_hash]).get(leaf_hash)

    def tile(self, level: int, index: int) -> bytes:
        """Return the tile as last committed; ``b""`` when there is none."""
        with self._reading() as transaction:
            return transaction.tile(level, index)

    def statements(self, predicate_type: str) -> Sequence[StatementRow]:
        """Return every entry of this type, oldest first."""
        columns = tables.statement.c
        query = select(columns.idx, columns.predicate_type, columns.keyid).order_by(columns.idx)
        query = query.where(columns.log_id == self._log_id, columns.predicate_type == predicate_type)
        with translated(), self._engine.begin() as connection:
            return [StatementRow(*row) for row in connection.execute(query)]

    def artifacts(
        self, *, sha256: str | None = None, pixels: str | None = None, index: int | None = None
    ) -> Sequence[ArtifactRow]:
        """Return the rows that match the one criterion given, oldest entry first, then as projected."""
        if sum(criterion is not None for criterion in (sha256, pixels, index)) != 1:
            raise ValueError("give exactly one of sha256, pixels and index")
        columns = tables.artifact.c
        if sha256 is not None:
            rows = self._artifacts(_first_digits(columns.sha256) == sha256[:16])
            return [row for row in rows if row.sha256 == sha256]
        if pixels is not None:
            # SQLite uses a partial index only where the query repeats its condition.
            rows = self._artifacts(
                columns.pixels.is_not(None) & (_first_digits(columns.pixels) == pixels[:16])
            )
            return [row for row in rows if row.pixels == pixels]
        return self._artifacts(columns.idx == index)

    def _artifacts(self, condition: ColumnElement[bool]) -> list[ArtifactRow]:
        """Return the rows that the condition selects, in the order of the log.

        They are put in order here. Asked for that order, or for the whole digest as well, SQLite would walk
        the log by index number rather than use the index on the first digits.
        """
        query = select(tables.artifact).where(tables.artifact.c.log_id == self._log_id, condition)
        with translated(), self._engine.begin() as connection:
            rows = sorted(connection.execute(query).all(), key=lambda row: (row.idx, row.seq))
        return [ArtifactRow(idx, *values) for _, idx, _, *values in rows]

    @contextmanager
    def _reading(self) -> Iterator[SqlEntryTransaction]:
        with translated(), self._engine.begin() as connection:
            yield SqlEntryTransaction(connection, self._log_id)


class SqlEntryTransaction:
    """One open transaction on one log. See ``ports.EntryTransaction``."""

    def __init__(self, connection: Connection, log_id: int) -> None:
        self._connection = connection
        self._log_id = log_id

    def head(self) -> Head:
        """Return the log's tip, as the row states it."""
        row = self._connection.execute(_HEAD, {"log": self._log_id}).one_or_none()
        if row is None:
            return Head(0, (), b"")
        size, peaks, checkpoint = row
        return Head(
            size, tuple(peaks[at : at + _HASH_SIZE] for at in range(0, len(peaks), _HASH_SIZE)), checkpoint
        )

    def indices(self, leaf_hashes: Sequence[bytes]) -> Mapping[bytes, int]:
        """Return the index of each of these leaf hashes that the log already holds."""
        found: dict[bytes, int] = {}
        for at in range(0, len(leaf_hashes), _MANY):
            some = tuple(leaf_hashes[at : at + _MANY])
            # Written out: the expanding parameter of Core takes longer than the search itself.
            marks = ",".join("?" * len(some))
            sql = "SELECT leaf_hash, idx FROM entry WHERE log_id = ? AND leaf_hash IN (" + marks + ")"  # noqa: S608 - only question marks
            rows = self._connection.exec_driver_sql(sql, (self._log_id, *some)).all()
            found.update((leaf, index) for leaf, index in rows)
        return found

    def tile(self, level: int, index: int) -> bytes:
        """Return the tile's hashes as stored; ``b""`` when it does not exist yet."""
        key = {"log": self._log_id, "level": level, "idx": index}
        return self._connection.scalar(_TILE, key) or b""

    def append(self, first: int, entries: Sequence[tuple[bytes, bytes]], received: datetime) -> None:
        """Add ``(leaf hash, envelope)`` pairs at ``first`` and the indices after it."""
        stamp = received.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        log_id = self._log_id
        self._insert(
            tables.entry,
            [(log_id, index, leaf, envelope, stamp) for index, (leaf, envelope) in enumerate(entries, first)],
        )

    def put_tiles(self, tiles: Mapping[tuple[int, int], bytes]) -> None:
        """Store tiles by ``(level, index)``; a longer one replaces its own prefix."""
        rows = [
            {"log_id": self._log_id, "level": level, "idx": index, "hashes": hashes}
            for (level, index), hashes in tiles.items()
        ]
        if rows:
            self._connection.execute(_PUT_TILE, rows)

    def put_head(self, head: Head) -> None:
        """Move the tip."""
        row = {"size": head.size, "peaks": b"".join(head.peaks), "checkpoint": head.checkpoint}
        self._connection.execute(_PUT_HEAD, {"log_id": self._log_id, **row})

    def project(self, statements: Sequence[StatementRow], artifacts: Sequence[ArtifactRow]) -> None:
        """Add projection rows."""
        log_id = self._log_id
        self._insert(tables.statement, [(log_id, r.index, r.predicate_type, r.keyid) for r in statements])
        rows: list[tuple[object, ...]] = []
        index, seq = -1, 0
        for r in artifacts:
            index, seq = r.index, seq + 1 if r.index == index else 0
            rows.append((log_id, index, seq, r.role, r.position, r.name, r.sha256, r.pixels))
        self._insert(tables.artifact, rows)

    def clear_projections(self) -> None:
        """Empty every table that can be recomputed from the entries: tiles, head, statement, artifact."""
        for table in (tables.tile, tables.head, tables.statement, tables.artifact):
            self._connection.execute(delete(table).where(table.c.log_id == self._log_id))

    def _insert(self, table: Table, rows: list[tuple[object, ...]]) -> None:
        """Insert rows whose values stand in the order of the table's columns."""
        if rows:
            self._connection.exec_driver_sql(_insert_sql(self._connection, table), rows)


def _first_digits(column: ColumnElement[Any]) -> ColumnElement[str]:
    """Return the part of a digest that its index holds, spelled as in the index."""
    return func.substr(column, text("1"), text("16"))


class SqlOpeningStore:
    """The openings in a SQL database. See ``ports.OpeningStore``."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def put(self, openings: Mapping[str, str]) -> None:
        """Keep ``digest -> disclosure``, durable on return. A digest that is there keeps its disclosure."""
        rows = [{"digest": digest, "disclosure": disclosure} for digest, disclosure in openings.items()]
        if not rows:
            return
        with translated(), writing(self._engine).begin() as connection:
            connection.execute(upsert(tables.opening).on_conflict_do_nothing(), rows)

    def get(self, digest: str) -> str | None:
        """Return the disclosure, or ``None`` when it was erased or never here."""
        query = select(tables.opening.c.disclosure).where(tables.opening.c.digest == digest)
        with translated(), self._engine.begin() as connection:
            return connection.scalar(query)


def _insert_sql(connection: Connection, table: Table) -> str:
    """Return the INSERT with one positional parameter for each column, in order."""
    key = f"rakkan.insert.{table.name}"
    cached = connection.info.get(key)
    if cached is None:
        cached = connection.info[key] = str(insert(table).compile(dialect=connection.dialect))
    return str(cached)
