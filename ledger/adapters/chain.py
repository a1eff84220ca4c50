"""The agent's durable memory: signed records in SQLite. Implements ``capture.store.Chain``.

One database for a device, one chain for each log that it signs into. ``synchronous=FULL``: what ``add`` has
returned from is on disk.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from ledger.errors import RakkanError, RefusedError
from ledger.service.capture.store import Link, Receipted, State

_SCHEMA = """
CREATE TABLE IF NOT EXISTS link (
    log TEXT NOT NULL, sequence INTEGER NOT NULL, record TEXT NOT NULL, signed TEXT NOT NULL,
    envelope BLOB NOT NULL, state TEXT NOT NULL, problem TEXT, entry INTEGER, receipt BLOB,
    openings TEXT, shared INTEGER NOT NULL, seal TEXT,
    PRIMARY KEY (log, sequence), UNIQUE (log, record)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS link_state ON link (log, state, sequence);
CREATE TABLE IF NOT EXISTS mark (log TEXT PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID;
"""


class SqliteChain:
    """The chain of one log in a device's database, which is made when it is not there."""

    def __init__(self, path: Path, log: str) -> None:
        self._log = log
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _errors():
            self._database = sqlite3.connect(path, isolation_level=None, timeout=30)
            path.chmod(0o600)
            self._database.execute("PRAGMA journal_mode=WAL")
            self._database.execute("PRAGMA synchronous=FULL")
            self._database.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def head(self) -> tuple[int, str | None]:
        """Return the next number, and the SHA-256 (hex) of the newest envelope."""
        rows = self._all("SELECT sequence, envelope FROM link WHERE log = ? ORDER BY sequence DESC LIMIT 1")
        if not rows:
            return 0, None
        sequence, envelope = rows[0]
        return sequence + 1, sha256(envelope).hexdigest()

    def last_number(self) -> int:
        """Return the newest number of the spool that was taken in; 0 before the first."""
        rows = self._all("SELECT number FROM mark WHERE log = ?")
        return int(rows[0][0]) if rows else 0

    def knows(self, records: Sequence[str]) -> frozenset[str]:
        """Return which of these identifiers of spooled records are in the chain."""
        query = "SELECT record FROM link WHERE log = ? AND record IN (SELECT value FROM json_each(?))"
        return frozenset(row[0] for row in self._all(query, json.dumps(list(records))))

    def add(self, links: Sequence[Link], last_number: int | None) -> None:
        """Keep the records, and the number unless ``None``, together and durable on return."""
        signed = datetime.now(UTC).isoformat()
        rows = [
            (
                *(self._log, link.sequence, link.record, signed, link.envelope, State.SIGNED),
                *(json.dumps(dict(link.openings)), not link.openings, json.dumps(link.seal)),
            )
            for link in links
        ]
        with self._transaction():
            self._database.executemany(
                "INSERT INTO link (log, sequence, record, signed, envelope, state, openings, shared, seal)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                rows,
            )
            if last_number is not None:
                self._database.execute(
                    "INSERT INTO mark VALUES (?, ?) ON CONFLICT (log) DO UPDATE SET number = excluded.number",
                    (self._log, last_number),
                )

    def unsent(self, limit: int) -> Sequence[Link]:
        """Return the oldest records that the log has neither taken nor refused, at most ``limit``."""
        query = (
            "SELECT sequence, record, envelope, openings, seal FROM link"
            " WHERE log = ? AND state = ? ORDER BY sequence LIMIT ?"
        )
        return [
            Link(sequence, record, envelope, json.loads(openings), tuple(json.loads(seal)))
            for sequence, record, envelope, openings, seal in self._all(query, State.SIGNED, limit)
        ]

    def reconsider(self) -> None:
        """Count what the log refused among what it has not been offered."""
        with self._transaction():
            self._database.execute(
                "UPDATE link SET state = ? WHERE log = ? AND state = ?",
                (State.SIGNED, self._log, State.REFUSED),
            )

    def settle(self, outcomes: Mapping[int, Receipted | RakkanError]) -> None:
        """Keep what became of records, by number. One that a checkpoint covers keeps its receipt."""
        rows = [
            (State.COVERED, None, outcome.index, outcome.receipt, self._log, sequence)
            if isinstance(outcome, Receipted)
            else (State.REFUSED, str(outcome), None, None, self._log, sequence)
            for sequence, outcome in outcomes.items()
        ]
        with self._transaction():
            self._database.executemany(
                "UPDATE link SET state = ?, problem = ?, entry = ?, receipt = ?"
                " WHERE log = ? AND sequence = ?",
                rows,
            )

    def unshared(self, limit: int) -> Mapping[int, Mapping[str, str]]:
        """Return openings, by index of the entry, that the log has not been given."""
        query = "SELECT entry, openings FROM link WHERE log = ? AND state = ? AND NOT shared LIMIT ?"
        return {entry: json.loads(openings) for entry, openings in self._all(query, State.COVERED, limit)}

    def shared(self, indices: Sequence[int]) -> None:
        """Take note that the log has the openings of these entries."""
        with self._transaction():
            self._database.executemany(
                "UPDATE link SET shared = 1 WHERE log = ? AND entry = ?",
                [(self._log, index) for index in indices],
            )

    def unsealed(self) -> Mapping[int, tuple[str, ...]]:
        """Return the files that are due to be sealed, by number of the record."""
        query = "SELECT sequence, seal FROM link WHERE log = ? AND state = ? AND seal != '[]'"
        return {sequence: tuple(json.loads(seal)) for sequence, seal in self._all(query, State.COVERED)}

    def sealed(self, sequences: Sequence[int]) -> None:
        """Take note that these records' files are sealed, or never will be."""
        with self._transaction():
            self._database.executemany(
                "UPDATE link SET seal = '[]' WHERE log = ? AND sequence = ?",
                [(self._log, sequence) for sequence in sequences],
            )

    def counts(self) -> Mapping[str, int]:
        """Return how many records are in each state, and how many are ``unsealed``."""
        found = {state.value: 0 for state in State}
        found |= dict(self._all("SELECT state, count(*) FROM link WHERE log = ? GROUP BY state"))
        return {**found, "unsealed": len(self.unsealed())}

    def problems(self) -> Sequence[str]:
        """Return why the log refused records, each reason once."""
        query = "SELECT DISTINCT problem FROM link WHERE log = ? AND problem IS NOT NULL LIMIT 5"
        return [row[0] for row in self._all(query)]

    def forget(self, before: datetime) -> None:
        """Drop records that were signed before this time and need nothing more; the newest one stays.

        The openings of commitments are never dropped: where they are not shared, nobody else has them.
        """
        with self._transaction():
            self._database.execute(
                "DELETE FROM link WHERE log = ?1 AND state = ?2 AND signed < ?3 AND shared AND seal = '[]'"
                " AND sequence < (SELECT max(sequence) FROM link WHERE log = ?1)",
                (self._log, State.COVERED, before.isoformat()),
            )

    def _all(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with _errors():
            return self._database.execute(query, (self._log, *values)).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with _errors():
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise RefusedError("agent.storage", f"The agent's memory cannot be used: {error}.") from error
