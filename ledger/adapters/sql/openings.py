"""``OpeningStore`` on SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Engine, select

from ledger.adapters.sql import tables
from ledger.adapters.sql.engine import dialect_of, write
from ledger.adapters.sql.faults import translated


class SqlOpeningStore:
    """The openings in a SQL database. See ``ports.OpeningStore``."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._dialect = dialect_of(engine)
        self._single = self._dialect.single(engine)

    def put(self, openings: Mapping[str, str]) -> None:
        """Keep ``digest -> disclosure``, durable on return. A digest that is there keeps its disclosure."""
        if openings:
            with write(self._engine) as connection:
                self._dialect.insert(
                    connection, tables.opening, list(openings.items()), "ON CONFLICT (digest) DO NOTHING"
                )

    def get(self, digest: str) -> str | None:
        """Return the disclosure, or ``None`` when it was erased or never here."""
        query = select(tables.opening.c.disclosure).where(tables.opening.c.digest == digest)
        with translated(self._dialect), self._single.begin() as connection:
            return connection.scalar(query)

    def erase(self, digests: Sequence[str]) -> int:
        """Remove the disclosures of these digests from the rows and from the files; return how many it had.

        Raises ``RefusedError("log.busy")`` when a reader still holds the files' old state. The rows are gone
        then; the same call again, which finds none of them, cleans the files.
        """
        with write(self._engine) as connection:
            erased = self._dialect.erase(connection, tables.opening, "digest", list(set(digests)))
        with translated(self._dialect):
            self._dialect.scrub(self._engine, tables.opening)
        return erased
