"""``ProposalStore`` on SQL."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from sqlalchemy import Engine, func, select, update

from ledger.adapters.sql import tables
from ledger.adapters.sql.engine import dialect_of, write
from ledger.adapters.sql.faults import translated
from ledger.adapters.sql.store import log_id
from ledger.errors import RefusedError
from ledger.service.rights.proposal import Kept

_table, _row = tables.proposal, tables.proposal.c


class SqlProposalStore:
    """The proposals of the log ``origin``. See ``service.rights.proposal.ProposalStore``.

    Whoever changes one waits for whoever adds to the log, and the other way round. Raises
    ``UsageError("home.missing")`` when the database has no such log.
    """

    def __init__(self, engine: Engine, origin: str) -> None:
        self._engine = engine
        self._dialect = dialect_of(engine)
        self._single = self._dialect.single(engine)
        self._log_id = log_id(engine, origin)
        self._ours = _row.log_id == self._log_id
        self._rows = select(_row.id, _row.document, _row.signature, _row.declined).where(self._ours)

    def add(self, kept: Kept, most: int) -> None:
        """Keep one more, durable on return; again is fine. Raises ``RefusedError("decide.full")``."""
        with write(self._engine) as connection:
            self._dialect.lock_log(connection, self._log_id)
            if connection.execute(self._rows.where(_row.id == kept.id)).one_or_none() is not None:
                return
            if (connection.scalar(select(func.count()).where(self._ours)) or 0) >= most:
                raise RefusedError("decide.full", f"{most} proposals wait already.", waiting=most)
            row = (self._log_id, kept.id, kept.document, kept.signature, kept.declined)
            self._dialect.insert(connection, _table, [row])

    def all(self) -> Sequence[Kept]:
        """Return every one, in no order."""
        with translated(self._dialect), self._single.begin() as connection:
            return [Kept(*row) for row in connection.execute(self._rows)]

    def get(self, name: str) -> Kept | None:
        """Return one, or ``None``."""
        with translated(self._dialect), self._single.begin() as connection:
            row = connection.execute(self._rows.where(_row.id == name)).one_or_none()
        return None if row is None else Kept(*row)

    def decline(self, name: str, declined: str) -> bool:
        """Note that it was declined, durable on return; whether it was there and not declined yet."""
        change = update(_table).where(self._ours, _row.id == name, _row.declined.is_(None))
        with write(self._engine) as connection:
            self._dialect.lock_log(connection, self._log_id)
            return connection.execute(change.values(declined=declined)).rowcount == 1

    def remove(self, names: Sequence[str]) -> int:
        """Erase these, durable on return, and return how many there were."""
        with write(self._engine) as connection:
            self._dialect.lock_log(connection, self._log_id)
            found = connection.scalars(select(_row.id).where(self._ours, _row.id.in_(names))).all()
            erased = self._dialect.erase(connection, _table, "id", list(found))
        with (
            suppress(RefusedError),
            translated(self._dialect),
        ):  # a reader keeps the journal: it ends by itself
            self._dialect.scrub(self._engine, _table)
        return erased
