"""One open transaction on one log.

* Whoever has it holds the log's write lock, so the head it reads stays the head; moving it is a
  compare-and-swap all the same, because a lock is only as good as everybody's taking it.
* Rows of a batch go to the driver as they are: the Core path would spend more time on a row than the
  database does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any

from sqlalchemy import ColumnElement, Connection, LargeBinary, bindparam, cast, delete, select, text

from ledger.adapters.sql import tables
from ledger.adapters.sql.dialect import Dialect
from ledger.errors import RefusedError, UsageError
from ledger.ports import ArtifactRow, Head, StatementRow

_HASH_SIZE = 32
_MAX_INDEX = 2**63 - 1


def blob(column: ColumnElement[bytes]) -> ColumnElement[bytes]:
    """Return the column as bytes, even where damage has turned a row's value into text."""
    return cast(column, LargeBinary)


def check_index(index: int) -> None:
    """Return if a log can have this index. Raises ``UsageError("log.no-such-entry")``."""
    if not 0 <= index <= _MAX_INDEX:
        raise UsageError("log.no-such-entry", "The log has no such entry.", index=index)


# Built once: putting a statement together takes longer than running it.
_head, _entry, _stated = tables.head.c, tables.entry.c, tables.statement.c
_HEAD = select(_head.size, blob(_head.peaks), blob(_head.checkpoint), _head.epoch).where(
    _head.log_id == bindparam("log")
)
_ENVELOPE = select(blob(_entry.envelope)).where(
    _entry.log_id == bindparam("log"), _entry.idx == bindparam("idx")
)
_TILE = select(blob(tables.tile.c.hashes)).where(
    tables.tile.c.log_id == bindparam("log"),
    tables.tile.c.level == bindparam("level"),
    tables.tile.c.idx == bindparam("idx"),
)
STATEMENT_ROW = select(_stated.idx, _stated.predicate_type, _stated.keyid, _stated.sequence, _stated.captured)
_STATEMENTS = STATEMENT_ROW.where(
    _stated.log_id == bindparam("log"), _stated.idx >= bindparam("start")
).where(_stated.predicate_type.in_(bindparam("types", expanding=True)))
_MOVE_HEAD = text(
    """UPDATE head SET size = :size, peaks = :peaks, checkpoint = :checkpoint, epoch = :epoch
    WHERE log_id = :log AND head.size = :old_size AND head.epoch = :old_epoch"""
)
# A log that is still empty may have no row yet.
_FIRST_HEAD = text(
    """INSERT INTO head (log_id, size, peaks, checkpoint, epoch)
    VALUES (:log, :size, :peaks, :checkpoint, :epoch)
    ON CONFLICT (log_id) DO UPDATE SET size = excluded.size, peaks = excluded.peaks,
    checkpoint = excluded.checkpoint, epoch = excluded.epoch
    WHERE head.size = :old_size AND head.epoch = :old_epoch"""
)
_LONGER_TILE = "ON CONFLICT (log_id, level, idx) DO UPDATE SET hashes = excluded.hashes"


class SqlEntryTransaction:
    """See ``ports.EntryTransaction``."""

    def __init__(self, connection: Connection, dialect: Dialect, log_id: int) -> None:
        self._connection = connection
        self._dialect = dialect
        self._log_id = log_id
        self._seen: Head | None = None

    def head(self) -> Head:
        """Return the log's tip, as the row states it."""
        row = self._connection.execute(_HEAD, {"log": self._log_id}).one_or_none()
        self._seen = Head(0, (), b"") if row is None else _as_head(*row)
        return self._seen

    def envelope(self, index: int) -> bytes:
        """Return the entry's exact bytes. Raises ``UsageError("log.no-such-entry")``."""
        check_index(index)
        found: bytes | None = self._connection.scalar(_ENVELOPE, {"log": self._log_id, "idx": index})
        if found is None:
            raise UsageError("log.no-such-entry", "The log has no such entry.", index=index)
        return found

    def statements(self, predicate_types: Sequence[str], start: int) -> Sequence[StatementRow]:
        """Return the entries of these types at ``start`` and after it, oldest first."""
        wanted = {"log": self._log_id, "start": start, "types": predicate_types}
        # Put in order here: asked for that order, SQLite would walk the log by index number.
        rows = self._connection.execute(_STATEMENTS, wanted).all()
        return [StatementRow(*row) for row in sorted(rows, key=itemgetter(0))]

    def indices(self, leaf_hashes: Sequence[bytes]) -> Mapping[bytes, int]:
        """Return the index of each of these leaf hashes that the log already holds."""
        select_leaves = "SELECT leaf_hash, idx FROM entry"
        rows: Sequence[tuple[Any, ...]] = self._dialect.select_among(
            self._connection, select_leaves, self._log_id, "leaf_hash", leaf_hashes
        )
        return dict(rows)

    def tile(self, level: int, index: int) -> bytes:
        """Return the tile's hashes as stored; ``b""`` when it does not exist yet."""
        key = {"log": self._log_id, "level": level, "idx": index}
        return self._connection.scalar(_TILE, key) or b""

    def append(self, first: int, entries: Sequence[tuple[bytes, bytes]], received: datetime) -> None:
        """Add ``(leaf hash, envelope)`` pairs at ``first`` and the indices after it."""
        stamp = received.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        log_id = self._log_id
        rows = [
            (log_id, index, leaf, envelope, stamp) for index, (leaf, envelope) in enumerate(entries, first)
        ]
        self._dialect.insert(self._connection, tables.entry, rows)

    def put_tiles(self, tiles: Mapping[tuple[int, int], bytes]) -> None:
        """Store tiles by ``(level, index)``; a longer one replaces its own prefix."""
        rows = [(self._log_id, level, index, hashes) for (level, index), hashes in tiles.items()]
        self._dialect.insert(self._connection, tables.tile, rows, _LONGER_TILE)

    def put_head(self, head: Head) -> None:
        """Move the tip from the one that ``head()`` returned. Raises ``RefusedError("log.fenced")``."""
        old = self._seen or self.head()
        row = {
            "log": self._log_id,
            "size": head.size,
            "peaks": b"".join(head.peaks),
            "checkpoint": head.checkpoint,
            "epoch": head.epoch,
            "old_size": old.size,
            "old_epoch": old.epoch,
        }
        if self._connection.execute(_MOVE_HEAD if old.size else _FIRST_HEAD, row).rowcount != 1:
            raise RefusedError(
                "log.fenced", "Another process has moved the log on.", size=old.size, epoch=old.epoch
            )
        self._seen = head

    def project(self, statements: Sequence[StatementRow], artifacts: Sequence[ArtifactRow]) -> None:
        """Add projection rows."""
        log_id = self._log_id
        found = [(log_id, r.index, r.predicate_type, r.keyid, r.sequence, r.captured) for r in statements]
        self._dialect.insert(self._connection, tables.statement, found)
        rows: list[tuple[object, ...]] = []
        index, seq = -1, 0
        for r in artifacts:
            index, seq = r.index, seq + 1 if r.index == index else 0
            rows.append((log_id, index, seq, r.role, r.position, r.name, r.sha256, r.pixels))
        self._dialect.insert(self._connection, tables.artifact, rows)

    def clear_projections(self) -> None:
        """Empty every table that can be recomputed from the entries."""
        for table in (tables.tile, tables.head, tables.statement, tables.artifact, *tables.BASES):
            self._connection.execute(delete(table).where(table.c.log_id == self._log_id))
        self._seen = None


def _as_head(size: int, peaks: bytes, checkpoint: bytes, epoch: int) -> Head:
    hashes = tuple(peaks[at : at + _HASH_SIZE] for at in range(0, len(peaks), _HASH_SIZE))
    return Head(size, hashes, checkpoint, epoch)
