"""``BasisStore`` on SQL.

* Rows of a batch, and look-ups of many keys, go to the driver as they are: see ``transaction``.
* A digest is looked for by its first digits, which is what its index holds, and compared as a whole here.
* ``+idx`` keeps SQLite from choosing the index on the entry's number, with which it would walk the log.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256 as hashed
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, bindparam, delete, select, text, tuple_, update

from ledger.adapters.sql import tables
from ledger.adapters.sql.engine import dialect_of, write
from ledger.adapters.sql.faults import translated
from ledger.adapters.sql.store import log_id
from ledger.adapters.sql.transaction import blob
from ledger.core.predicates.step import Evidence
from ledger.core.rights.basis import Item, ItemKind, digest
from ledger.service.clear.store import (
    STEPS,
    Changes,
    EntryRow,
    Final,
    FinalRow,
    Link,
    Mark,
    Where,
    placed,
    unpack,
)

_PIECE = 5_000
# Calling an enumeration takes longer than reading the row.
_KINDS = {kind.value: kind for kind in ItemKind}
_EVIDENCE = {evidence.value: evidence for evidence in Evidence}
_mark, _item, _basis = tables.basis_mark.c, tables.basis_item.c, tables.basis.c
_entry, _final = tables.basis_entry.c, tables.basis_final.c
_LINKS = "SELECT idx, role, position, name, sha256, pixels FROM artifact"
_ENTRIES = (
    "SELECT idx, kind, basis, flaw, sequence, shot, task, version, first_frame, last_frame, slot,"
    " episode FROM basis_entry"
)
_FINALS = "SELECT idx, position, sha256, name, basis FROM basis_final"
_ITEMS = "SELECT id, kind, sha256, name, detail, slot, evidence FROM basis_item"
_MARK = select(_mark.size, _mark.item_count, _mark.basis_count, blob(_mark.root)).where(
    _mark.log_id == bindparam("log")
)
_BASIS = select(_basis.id).where(_basis.log_id == bindparam("log"), _basis.key == bindparam("sought"))
_MOVE = text(
    """INSERT INTO basis_mark (log_id, size, item_count, basis_count, root)
    VALUES (:log, :size, :items, :bases, :root)
    ON CONFLICT (log_id) DO UPDATE SET size = excluded.size, item_count = excluded.item_count,
    basis_count = excluded.basis_count, root = excluded.root"""
)
_CHANGE = (
    update(tables.basis_entry)
    .where(_entry.log_id == bindparam("log"), _entry.idx == bindparam("index"))
    .values(basis=bindparam("now"), flaw=bindparam("code"))
)
_REMOVE = delete(tables.basis_final).where(
    _final.log_id == bindparam("log"),
    _final.idx == bindparam("index"),
    _final.position == bindparam("place"),
)
_STEP = tuple(tables.basis_entry.c)[1:]
_ITEM = (_item.id, _item.kind, _item.sha256, _item.name, _item.detail, _item.slot, _item.evidence)
_PLACE = (
    _entry.sequence,
    _entry.shot,
    _entry.task,
    _entry.version,
    _entry.first_frame,
    _entry.last_frame,
    _entry.episode,
)


class SqlBasisStore:
    """The bases of the log ``origin``. See ``service.clear.store.BasisStore``.

    With ``held`` everything is read on this connection, in the transaction that it is in.
    """

    def __init__(self, engine: Engine, origin: str, held: Connection | None = None) -> None:
        self._engine = engine
        self._dialect = dialect_of(engine)
        self._single = self._dialect.single(engine)
        self._whole = self._dialect.snapshot(engine)
        self._log_id = log_id(engine, origin)
        self._origin, self._held = origin, held

    @contextmanager
    def snapshot(self) -> Iterator[SqlBasisStore]:
        """Yield these bases as they are now, for this thread to read while the block runs."""
        with translated(self._dialect), self._whole.begin() as connection:
            still = SqlBasisStore(self._engine, self._origin, connection)
            still.mark()  # the first read is what settles the state
            yield still

    def mark(self) -> Mark:
        """Return how far the projection has come."""
        with self._reading() as connection:
            return self._marked(connection)

    def put(self, old: Mark, new: Mark, changes: Changes) -> bool:
        """Apply the changes and move the mark, together and durable; ``False`` where it is not ``old``."""
        with write(self._engine) as connection:
            # The lock that appending and rebuilding take. That the log was given up does not matter here.
            self._dialect.lock_log(connection, self._log_id)
            if self._marked(connection) != old:
                return False
            self._apply(connection, changes)
            connection.execute(_MOVE, {"log": self._log_id, **new._asdict()})
        return True

    def clear(self) -> None:
        """Forget everything."""
        with write(self._engine) as connection:
            self._dialect.lock_log(connection, self._log_id)
            for table in tables.BASES:
                connection.execute(delete(table).where(table.c.log_id == self._log_id))

    def links(self, sha256: Collection[str], stop: int, *, made: bool) -> Sequence[Link]:
        """Return the rows about these bytes in entries before ``stop``."""
        role = f"AND {tables.USED} = 0 " if made else ""
        return [link for link in self._links("sha256", sha256, stop, role) if link.sha256 in sha256]

    def twins(self, pixels: Collection[str], stop: int, *, made: bool) -> Sequence[Link]:
        """Return the rows with these pixels in entries before ``stop``."""
        # A partial index is used only where the query repeats its condition.
        role = f"AND pixels IS NOT NULL AND role {'=' if made else '<>'} 'subject' "
        return [link for link in self._links("pixels", pixels, stop, role) if link.pixels in pixels]

    def rows(self, indices: Collection[int]) -> Sequence[Link]:
        """Return every row of these entries."""
        return [Link(*row) for row in self._among(_LINKS, "idx", indices)]

    def entries(self, indices: Collection[int]) -> Mapping[int, EntryRow]:
        """Return those of these entries that have a row here."""
        return {row[0]: EntryRow(*row) for row in self._among(_ENTRIES, "idx", indices)}

    def find_items(self, items: Collection[Item]) -> Mapping[Item, int]:
        """Return the numbers of those items that have one."""
        keys = {_key(item): item for item in items}
        found = self._among("SELECT key, id FROM basis_item", "key", keys)
        return {keys[bytes(key)]: number for key, number in found}

    def find_basis(self, packed: bytes) -> int | None:
        """Return the number of the basis of just these items."""
        with self._reading() as connection:
            sought = {"log": self._log_id, "sought": hashed(packed).digest()}
            found: int | None = connection.scalar(_BASIS, sought)
        return found

    def items(self, numbers: Collection[int]) -> Mapping[int, Item]:
        """Return the items of these numbers."""
        wanted = frozenset(numbers)
        rows = self._items_between(wanted) if _dense(wanted) else self._among(_ITEMS, "id", wanted)
        return {
            number: Item(_KINDS[kind], sha256, name, detail, slot, _EVIDENCE[evidence])
            for number, kind, sha256, name, detail, slot, evidence in rows
            if number in wanted
        }

    def members(self, bases: Collection[int]) -> Mapping[int, bytes]:
        """Return the packed item numbers of these bases."""
        return {
            number: bytes(packed)
            for number, packed in self._among("SELECT id, members FROM basis", "id", bases)
        }

    def items_about(self, things: Collection[tuple[ItemKind, str]]) -> frozenset[int]:
        """Return the items of these kinds about these SHA-256."""
        rows = self._among(
            "SELECT id, kind, sha256 FROM basis_item", "sha256", {sha256 for _, sha256 in things}
        )
        return frozenset(number for number, kind, sha256 in rows if (kind, sha256) in things)

    def bases_with(self, items: Collection[int]) -> Sequence[int]:
        """Return the bases that hold any of these items, in ascending order."""
        wanted, found, last = frozenset(items), list[int](), -1
        while rows := self._bases_after(last):
            found += [number for number, packed in rows if not wanted.isdisjoint(unpack(packed))]
            last = rows[-1][0]
        return found

    def steps_on(self, bases: Collection[int]) -> Iterator[EntryRow]:
        """Yield the steps that have one of these bases."""
        for row in self._among(_ENTRIES, "basis", bases):
            if row[1] in STEPS:
                yield EntryRow(*row)

    def steps_at(self, where: Where) -> Iterator[EntryRow]:
        """Yield the steps at this place, in the order of the log."""
        query = select(*_STEP).where(_entry.kind.in_(STEPS), *_conditions(where))
        if _indexed(where):
            # Asked for the order of the log, SQLite would walk it rather than use an index.
            yield from sorted(EntryRow(*row) for row in self._all(query.where(self._mine(_entry))))
            return
        for row in self._pieces(query.where(self._mine(_entry)), _entry.idx):
            yield EntryRow(*row)

    def finals_at(self, where: Where) -> Iterator[Final]:
        """Yield the final files of the steps at this place, in the order of the log."""
        if _indexed(where):
            steps = list(self.steps_at(where))
            yield from sorted(self._with_places(steps))
            return
        same = (_entry.log_id == _final.log_id) & (_entry.idx == _final.idx)
        query = (
            select(*tuple(tables.basis_final.c)[1:], *_PLACE)
            .join_from(tables.basis_final, tables.basis_entry, same)
            .where(self._mine(_final), *_conditions(where))
        )
        for row in self._pieces(query, _final.idx, _final.position):
            yield Final(*row)

    def finals_of(self, indices: Collection[int]) -> Iterator[Final]:
        """Yield the final files of these steps."""
        return self._with_places(list(self.entries(indices).values()))

    def _with_places(self, steps: Sequence[EntryRow]) -> Iterator[Final]:
        by_index = {step.index: step for step in steps}
        for row in self._among(_FINALS, "idx", by_index):
            yield placed(FinalRow(*row), by_index[row[0]])

    def _apply(self, connection: Connection, changes: Changes) -> None:
        log, insert = self._log_id, self._dialect.insert
        items = [
            (log, number, _key(item), item.kind.value, *item[1:5], item.evidence.value)
            for number, item in changes.items.items()
        ]
        bases = [(log, number, hashed(packed).digest(), packed) for number, packed in changes.bases.items()]
        changed = [
            {"log": log, "index": row.index, "now": row.basis, "code": row.flaw} for row in changes.changed
        ]
        gone = [{"log": log, "index": index, "place": place} for index, place in sorted(changes.gone)]
        insert(connection, tables.basis_item, items)
        insert(connection, tables.basis, bases)
        insert(connection, tables.basis_entry, [(log, *row) for row in changes.entries])
        if changed:
            connection.execute(_CHANGE, changed)
        if gone:
            connection.execute(_REMOVE, gone)
        insert(connection, tables.basis_final, [(log, *row) for row in changes.finals])

    def _marked(self, connection: Connection) -> Mark:
        row = connection.execute(_MARK, {"log": self._log_id}).one_or_none()
        return Mark() if row is None else Mark(*row)

    def _links(self, column: str, digests: Collection[str], stop: int, condition: str) -> Iterator[Link]:
        wanted = f"+idx < {int(stop)} {condition}AND substr({column}, 1, 16)"
        return (Link(*row) for row in self._among(_LINKS, wanted, {found[:16] for found in digests}))

    def _among(self, sql: str, column: str, values: Collection[object]) -> Sequence[Any]:
        with self._reading() as connection:
            return self._dialect.select_among(connection, sql, self._log_id, column, list(values))

    def _items_between(self, wanted: frozenset[int]) -> Sequence[Any]:
        """Return the items from the first to the last of these: one walk, where most are wanted."""
        between = _item.id.between(min(wanted), max(wanted))
        return self._all(select(*_ITEM).where(self._mine(_item), between))

    def _bases_after(self, last: int) -> Sequence[Any]:
        query = select(_basis.id, blob(_basis.members)).where(self._mine(_basis), _basis.id > last)
        return self._all(query.order_by(_basis.id).limit(_PIECE))

    def _pieces(self, query: Any, *order: ColumnElement[Any]) -> Iterator[Any]:
        """Yield the rows in this order, a piece at a time, so that a slow reader keeps no connection."""
        last: tuple[int, ...] = (-1,) * len(order)
        while True:
            rows = self._all(query.where(tuple_(*order) > tuple_(*last)).order_by(*order).limit(_PIECE))
            yield from rows
            if len(rows) < _PIECE:
                return
            last = tuple(rows[-1][: len(order)])

    def _all(self, query: Any) -> Sequence[Any]:
        with self._reading() as connection:
            # The driver's own rows: those that are put around them take longer than reading.
            rows: Sequence[Any] = connection.execute(query).cursor.fetchall()
            return rows

    def _mine(self, columns: Any) -> ColumnElement[bool]:
        mine: ColumnElement[bool] = columns.log_id == self._log_id
        return mine

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with translated(self._dialect):
            if self._held is not None:
                yield self._held
                return
            with self._single.begin() as connection:
                yield connection


def _conditions(where: Where) -> list[ColumnElement[bool]]:
    pairs = (
        (_entry.episode, where.episode),
        (_entry.sequence, where.sequence),
        (_entry.shot, where.shot),
        (_entry.task, where.task),
        (_entry.version, where.version),
    )
    found = [column == value for column, value in pairs if value is not None]
    if where.frames is not None:
        first, last = where.frames
        found += [_entry.first_frame <= last, _entry.last_frame >= first]
    return found


def _indexed(where: Where) -> bool:
    """Whether there is an index for such places."""
    return where.shot is not None or where.episode is not None


def _dense(numbers: frozenset[int]) -> bool:
    """Whether these are many, and most of those between the first and the last."""
    return len(numbers) > _PIECE and max(numbers) - min(numbers) < 4 * len(numbers)


def _key(item: Item) -> bytes:
    return bytes.fromhex(digest([item]))
