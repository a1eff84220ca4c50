"""Leases (``ports.Lease``): a locked file beside a SQLite database, an advisory lock of PostgreSQL.

Both are given up by somebody else than their holder, the kernel or the server, when the holder dies.
"""

from __future__ import annotations

import fcntl
import os
from hashlib import sha256
from pathlib import Path

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from ledger.errors import RefusedError

_TAKE = text("SELECT pg_try_advisory_lock(:key)")
_ALIVE = text("SELECT 1")


class FileLease:
    """A lock on this file, which is made when it is not there. Raises ``RefusedError("log.storage")``."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    def take(self) -> bool:
        """Return whether this process holds the lease now."""
        if self._file is not None:
            return True
        try:
            found = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            words = f"The lock file of the lease cannot be made: {error.strerror}."
            raise RefusedError("log.storage", words, path=self._path) from error
        try:
            fcntl.flock(found, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(found)
            return False
        self._file = found
        return True

    def release(self) -> None:
        """Give the lease up."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


class SessionLease:
    """An advisory lock that belongs to one connection, and ends with it.

    ``engine`` opens no transactions. A server that cannot be asked is one that has given the lock up.
    """

    def __init__(self, engine: Engine, name: str) -> None:
        self._engine = engine
        self._key = int.from_bytes(sha256(f"rakkan lease {name}".encode()).digest()[:8], "big", signed=True)
        self._connection: Connection | None = None

    def take(self) -> bool:
        """Return whether this process holds the lease now."""
        try:
            if self._connection is not None:
                self._connection.execute(_ALIVE)
                return True
            self._connection = self._taken()
        except DBAPIError:
            self.release()
        return self._connection is not None

    def _taken(self) -> Connection | None:
        connection = self._engine.connect()
        if connection.scalar(_TAKE, {"key": self._key}):
            return connection
        connection.close()
        return None

    def release(self) -> None:
        """Give the lease up: the connection is closed, not put back."""
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
            self._connection = None
