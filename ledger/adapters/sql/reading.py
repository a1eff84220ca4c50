"""``ReadingStore`` on SQL.

* Every query names its index by the way it is written: ``+idx`` and the expressions of ``tables`` keep SQLite
  from walking the log. ``tests/integration/test_reading_plans.py`` looks at the plans.
* A digest is looked for by its first digits, which is what its index holds, and compared as a whole here: a
  piece may hold less than it read, and goes on behind what it read. Where the database compares it, that is
  with ``|| ''``: SQLite would put the value into the expression of the index, and not find that any more.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, bindparam, text

from ledger.adapters.sql.engine import dialect_of
from ledger.adapters.sql.faults import translated
from ledger.adapters.sql.store import log_id
from ledger.adapters.sql.tables import USED
from ledger.ports import ArtifactRow, StatementRow
from ledger.service.clear.store import Where
from ledger.service.reading.store import PIECE, Place, ShotRow, Uses

_ARTIFACT = "SELECT idx, role, position, name, sha256, pixels, seq FROM artifact WHERE log_id = :log"
_ABOUT = f"{_ARTIFACT} AND substr(sha256, 1, 16) = :digits AND {USED} ="
_MADE = text(f"{_ABOUT} 0 AND idx < :stop ORDER BY idx DESC LIMIT {PIECE}")
_USES = text(f"{_ABOUT} 1 AND idx > :after AND idx < :stop ORDER BY idx LIMIT {PIECE}")
_SEEN = text(
    f"{_ARTIFACT} AND pixels IS NOT NULL AND substr(pixels, 1, 16) = :digits AND role = 'subject'"
    f" AND +idx < :stop ORDER BY +idx DESC LIMIT {PIECE}"
)
_SUBJECTS = (
    "SELECT a.idx, a.role, a.position, a.name, a.sha256, a.pixels, a.seq FROM artifact AS a"
    " JOIN statement AS s ON s.log_id = a.log_id AND s.idx = a.idx"
    " WHERE a.log_id = :log AND a.idx >= :index AND (a.idx > :index OR a.position > :position)"
    " AND a.idx < :stop AND a.role = 'subject' AND s.predicate_type IN :types"
)
_IN_ORDER = f" ORDER BY a.idx, a.seq LIMIT {PIECE}"
_NAMED = " AND lower(a.name) LIKE :name ESCAPE '!'"
_STATEMENTS = (
    "SELECT idx, predicate_type, keyid, sequence, captured FROM statement"
    " WHERE log_id = :log AND predicate_type = :type AND idx > :after AND idx < :stop"
)
_STEPS = "SELECT idx FROM basis_entry WHERE log_id = :log AND kind IN (0, 4)"
_SHOTS = text(
    "SELECT DISTINCT shot FROM basis_entry WHERE log_id = :log AND shot > :after ORDER BY shot LIMIT :limit"
)
_SHOT = text(
    "SELECT e.shot, e.sequence, COUNT(DISTINCT e.idx), COUNT(f.idx), MAX(e.idx), e.episode"
    " FROM basis_entry AS e LEFT JOIN basis_final AS f ON f.log_id = e.log_id AND f.idx = e.idx"
    " WHERE e.log_id = :log AND e.shot IN :shots GROUP BY e.shot, e.sequence, e.episode"
).bindparams(bindparam("shots", expanding=True))
_BASES = (
    "SELECT f.basis AS basis, COUNT(*) AS files FROM basis_entry AS e"
    " JOIN basis_final AS f ON f.log_id = e.log_id AND f.idx = e.idx WHERE e.log_id = :log"
)
_USING = (
    "FROM artifact AS a JOIN basis_entry AS e ON e.log_id = a.log_id AND e.idx = a.idx"
    f" WHERE a.log_id = :log AND substr(a.sha256, 1, 16) IN :digits AND {USED} = 1"
    " AND a.sha256 || '' IN :digests AND e.kind IN (0, 4) AND e.slot >= :first AND e.slot <= :last"
)
_LISTS: tuple[Any, ...] = (bindparam("digits", expanding=True), bindparam("digests", expanding=True))
_RECEIVED = text("SELECT idx, received_at FROM entry WHERE log_id = :log AND idx IN :indices").bindparams(
    bindparam("indices", expanding=True)
)
_SIZE = text("SELECT size FROM head WHERE log_id = :log")


class SqlReadingStore:
    """The projections of the log ``origin``. See ``service.reading.store.ReadingStore``."""

    def __init__(self, engine: Engine, origin: str) -> None:
        self._dialect = dialect_of(engine)
        self._single = self._dialect.single(engine)
        self._log_id = log_id(engine, origin)

    def made(self, sha256: str, stop: int) -> Sequence[ArtifactRow]:
        """Return the newest rows with these bytes as a subject, newest entry first."""
        rows = self._all(_MADE, digits=sha256[:16], stop=stop)
        return _in_order(rows, lambda row: row.sha256 == sha256, newest_first=True)

    def seen(self, pixels: str, stop: int) -> Sequence[ArtifactRow]:
        """Return the newest rows with these pixels as a subject, newest entry first."""
        rows = self._all(_SEEN, digits=pixels[:16], stop=stop)
        return _in_order(rows, lambda row: row.pixels == pixels, newest_first=True)

    def uses(self, sha256: str, after: int, stop: int) -> Uses:
        """Return the rows with these bytes in another role than subject, in the order of the log."""
        rows = self._all(_USES, digits=sha256[:16], after=after, stop=stop)
        last = None
        if len(rows) == PIECE:
            # The last entry may go on in the next piece: it is left to that whole.
            rows = [row for row in rows if row.idx != rows[-1].idx]
            last = rows[-1].idx
        return Uses(_in_order(rows, lambda row: row.sha256 == sha256), last)

    def subjects(
        self, types: Collection[str], after: Place, stop: int, name: str | None
    ) -> Sequence[ArtifactRow]:
        """Return the first subjects after that place, of entries of these types, in order."""
        query = text(f"{_SUBJECTS}{_NAMED if name else ''}{_IN_ORDER}")
        sought = {"name": f"%{_escaped(name.lower())}%"} if name else {}
        key = {"index": after.index, "position": after.position, "stop": stop, "types": list(types), **sought}
        rows = self._all(query.bindparams(bindparam("types", expanding=True)), **key)
        return [ArtifactRow(*row[:6]) for row in rows]

    def statements(
        self, types: Collection[str], after: int, stop: int, keyid: str | None = None
    ) -> Sequence[StatementRow]:
        """Return the first entries of these types, in order."""
        query = text(f"{_STATEMENTS}{' AND keyid = :keyid' if keyid else ''} ORDER BY idx LIMIT {PIECE}")
        key = {"after": after, "stop": stop, **({"keyid": keyid} if keyid else {})}
        found = [StatementRow(*row) for each in types for row in self._all(query, type=each, **key)]
        return sorted(found, key=lambda row: row.index)[:PIECE]

    def steps(self, where: Where, after: int, stop: int) -> Sequence[int]:
        """Return the first steps at this place, in order."""
        conditions, given = _conditions(where)
        # Of shots and episodes there is an index; else the log is walked, which is in this order.
        idx = "+idx" if where.shot is not None or where.episode is not None else "idx"
        between = f" AND {idx} > :after AND {idx} < :stop ORDER BY {idx} LIMIT {PIECE}"
        rows = self._all(text(f"{_STEPS}{conditions}{between}"), after=after, stop=stop, **given)
        return [row.idx for row in rows]

    def shots(self, after: str | None, limit: int) -> Sequence[ShotRow]:
        """Return every row of the first names of shots after this one, in the order of names."""
        names = [row.shot for row in self._all(_SHOTS, after=after or "", limit=limit)]
        rows = self._all(_SHOT, shots=names) if names else ()
        found = (ShotRow(*row) for row in rows)
        return sorted(found, key=lambda row: (row.shot, row.episode or "", row.sequence or ""))

    def final_bases(self, where: Where) -> Mapping[int, int]:
        """Return how many final files of the steps at this place rest on each basis, by its number."""
        conditions, given = _conditions(where)
        rows = self._all(text(f"{_BASES}{conditions} GROUP BY f.basis"), **given)
        return {row.basis: row.files for row in rows}

    def types(self, indices: Collection[int]) -> Mapping[int, str]:
        """Return the predicate types of those of these entries that exist."""
        return {index: kind for index, kind, _ in self._statements(indices)}

    def keyids(self, indices: Collection[int]) -> Mapping[int, str]:
        """Return the keys that signed those of these entries that exist."""
        return {index: keyid for index, _, keyid in self._statements(indices)}

    def steps_using(
        self, digests: Sequence[str], first: int, last: int, limit: int
    ) -> tuple[int, Sequence[int]]:
        """Return how many steps read one of these files in these slots, and the first ones in order."""
        if not digests:
            return 0, ()
        key = {"digits": [item[:16] for item in digests], "digests": list(digests)}
        slots = {"first": first, "last": last}
        how_many = text(f"SELECT COUNT(DISTINCT a.idx) {_USING}").bindparams(*_LISTS)
        ((count,),) = self._all(how_many, **key, **slots)
        some = text(f"SELECT DISTINCT a.idx {_USING} ORDER BY a.idx LIMIT :limit").bindparams(*_LISTS)
        return count, [row.idx for row in self._all(some, **key, **slots, limit=limit)]

    def first_since(self, moment: datetime) -> int:
        """Return the first entry that the log took in at this moment or later; the log's size if none."""
        return self.firsts_since([moment])[0]

    def firsts_since(self, moments: Sequence[datetime]) -> Sequence[int]:
        """Return the same for each of these moments: all of them are halved in together."""
        sizes = self._all(_SIZE)
        low, high = [0] * len(moments), [sizes[0].size if sizes else 0] * len(moments)
        while sought := {n: (low[n] + high[n]) // 2 for n in range(len(moments)) if low[n] < high[n]}:
            rows = self._all(_RECEIVED, indices=sorted(set(sought.values())))
            received = {row.idx: datetime.fromisoformat(row.received_at) for row in rows}
            for n, middle in sought.items():
                if middle in received and received[middle] < moments[n]:
                    low[n] = middle + 1
                else:
                    high[n] = middle
        return low

    def received(self, index: int) -> datetime | None:
        """Return when the log took an entry in."""
        rows = self._all(_RECEIVED, indices=[index])
        return datetime.fromisoformat(rows[0].received_at) if rows else None

    def _statements(self, indices: Collection[int]) -> Any:
        with self._reading() as connection:
            # With a column that the index on types has not: SQLite would walk all of that for many entries.
            sql, wanted = "SELECT idx, predicate_type, keyid FROM statement", list(indices)
            return self._dialect.select_among(connection, sql, self._log_id, "idx", wanted)

    def _all(self, query: Any, **key: Any) -> Sequence[Any]:
        with self._reading() as connection:
            return connection.execute(query, {"log": self._log_id, **key}).all()

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with translated(self._dialect), self._single.begin() as connection:
            yield connection


def _conditions(where: Where) -> tuple[str, dict[str, str]]:
    """Return what follows a WHERE, and its parameters."""
    asked = {
        "shot": where.shot,
        "sequence": where.sequence,
        "episode": where.episode,
        "task": where.task,
        "version": where.version,
    }
    given = {name: value for name, value in asked.items() if value is not None}
    return "".join(f" AND {name} = :{name}" for name in given), given


def _in_order(
    rows: Sequence[Any], holds: Callable[[Any], bool], *, newest_first: bool = False
) -> list[ArtifactRow]:
    """Return the rows for which this holds. Asked for an entry's own order, SQLite would walk the log."""
    sign = -1 if newest_first else 1
    ordered = sorted(filter(holds, rows), key=lambda row: (sign * row.idx, row.seq))
    return [ArtifactRow(*row[:6]) for row in ordered]


def _escaped(name: str) -> str:
    return name.replace("!", "!!").replace("%", "!%").replace("_", "!_")
