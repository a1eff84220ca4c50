"""``HashCache`` on one SQLite file of this machine's user.

* One row for each file that the file system knows by a number, with the rest of its stamp beside it: a file
  that was written again replaces its row. A number of 0 says that the file system has none, and nothing is
  kept.
* A stamp is kept only if it was ``GRANULE`` old when the file was opened. Two writes within one tick of the
  file system's clock leave the same stamp; so git re-reads what is "racily clean". FAT ticks in two seconds.
* The file is trusted like the user's own programs: it must be the user's, and nobody else may write to it.
  One that is not, that is damaged, or of another version, is set aside and begun anew.
* Several processes may use it: WAL, and short transactions. One object belongs to one thread.
* Rows that nobody asked for in ``KEPT_DAYS`` are removed when it is opened.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from ledger.service.stamps import Known, Stamp

GRANULE = 2_000_000_000
"""Nanoseconds."""
KEPT_DAYS = 180
_TOUCH_DAYS = 7
_DAY = 86_400
_MANY = 500
_VERSION = 1
_BUSY_SECONDS = 10.0
_TABLE = """
CREATE TABLE IF NOT EXISTS file (
    device INTEGER NOT NULL, inode INTEGER NOT NULL,
    size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, ctime_ns INTEGER NOT NULL,
    sha256 BLOB NOT NULL CHECK (typeof(sha256) = 'blob' AND length(sha256) = 32),
    pixels BLOB CHECK (pixels IS NULL OR (typeof(pixels) = 'blob' AND length(pixels) = 32)),
    media_type TEXT, used INTEGER NOT NULL,
    PRIMARY KEY (device, inode)
) WITHOUT ROWID
"""
_PUT = """
INSERT INTO file VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (device, inode) DO UPDATE SET
    pixels = CASE WHEN sha256 = excluded.sha256 THEN coalesce(excluded.pixels, pixels)
        ELSE excluded.pixels END,
    size = excluded.size, mtime_ns = excluded.mtime_ns, ctime_ns = excluded.ctime_ns,
    sha256 = excluded.sha256, media_type = excluded.media_type, used = excluded.used
"""
_GET = "SELECT device, inode, size, mtime_ns, ctime_ns, sha256, pixels, media_type, used FROM file"
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_SCHEMA, sqlite3.SQLITE_ERROR}


class _DamagedError(Exception):
    """What is in the file is not what this module wrote."""


class SqliteHashCache:
    """The cache in this file, made where there is none. See ``stamps.HashCache``.

    ``warn`` hears, in a sentence, when the file was set aside, and when there is no cache at all. One that
    is to be ``fresh`` answers nothing, and keeps what it is given.
    """

    def __init__(self, path: Path, warn: Callable[[str], None], *, fresh: bool = False) -> None:
        self._fresh = fresh
        self._path = path
        self._warn = warn
        self._connection: sqlite3.Connection | None = None
        self._inode: int | None = None
        with self._whatever_happens():
            self._connection = self._opened()

    def close(self) -> None:
        """Let go of the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def get_many(self, stamps: Collection[Stamp]) -> Mapping[Stamp, Known]:
        """Return what is known of those of these files that still bear the very stamp."""
        found: dict[Stamp, Known] = {}
        with self._whatever_happens():
            if self._connection is not None and not self._fresh:
                found = self._found(self._connection, stamps)
        return found

    def put_many(self, found: Mapping[Stamp, Known], read_ns: int) -> None:
        """Keep what these files are, where their stamps were settled at ``read_ns``."""
        rows = [
            _row(stamp, known)
            for stamp, known in found.items()
            if stamp.inode and max(stamp.mtime_ns, stamp.ctime_ns) + GRANULE <= read_ns
        ]
        with self._whatever_happens():
            if self._connection is not None and rows:
                with _transaction(self._connection):
                    self._connection.executemany(_PUT, rows)

    def _found(self, connection: sqlite3.Connection, stamps: Collection[Stamp]) -> dict[Stamp, Known]:
        # Of one file several states may be asked for: at most one of them is kept.
        by_device: dict[int, dict[int, list[Stamp]]] = defaultdict(lambda: defaultdict(list))
        for stamp in stamps:
            if stamp.inode:
                by_device[_signed(stamp.device)][_signed(stamp.inode)].append(stamp)
        found: dict[Stamp, Known] = {}
        old: list[tuple[int, int, int]] = []
        for device, wanted in by_device.items():
            for row in _rows(connection, device, sorted(wanted)):
                for stamp in wanted[row[1]]:
                    if row[2:5] == stamp[2:]:
                        found[stamp] = _known(row)
                        if row[8] + _TOUCH_DAYS < _today():
                            old.append((_today(), *row[:2]))
        if old:
            with _transaction(connection):
                connection.executemany("UPDATE file SET used = ? WHERE device = ? AND inode = ?", old)
        return found

    @contextmanager
    def _whatever_happens(self) -> Iterator[None]:
        """Go on without a cache, or with a new one, when this one fails."""
        try:
            yield
        except (sqlite3.Error, OSError, _DamagedError) as error:
            self.close()
            if not _is_damage(error):
                self._warn(f"The digests of files are not kept: {self._path}: {error}.")
                return
            try:
                self._connection = self._opened(error)
            except (sqlite3.Error, OSError, _DamagedError) as again:
                self._warn(f"The digests of files are not kept: {self._path}: {again}.")

    def _opened(self, damage: Exception | None = None) -> sqlite3.Connection:
        """Open the file. The one that was open when there was ``damage`` is set aside; another may be new."""
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _alone(self._path.with_name(f"{self._path.name}.lock")):
            if damage is not None and self._path.lstat().st_ino == self._inode:
                self._set_aside(damage)
            try:
                connection = _connected(self._path)
            except (sqlite3.Error, _DamagedError) as error:
                if not _is_damage(error):
                    raise
                self._set_aside(error)
                connection = _connected(self._path)
            self._inode = self._path.lstat().st_ino
            return connection

    def _set_aside(self, why: Exception) -> None:
        aside = self._path.with_name(f"{self._path.name}.damaged")
        for suffix in ("", "-wal", "-shm"):
            with suppress(FileNotFoundError):
                Path(f"{self._path}{suffix}").replace(f"{aside}{suffix}")
        self._warn(f"The kept digests of files begin anew: {aside} was set aside ({why}).")


def _connected(path: Path) -> sqlite3.Connection:
    """Open the file, made where there is none. Raises ``_DamagedError`` for one that must not be believed."""
    # SQLite gives its journal files the same permissions.
    os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
    status = path.lstat()
    if status.st_uid != os.geteuid() or status.st_mode & 0o022:
        raise _DamagedError("others may write to it")
    connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA cache_size = -65536")
        with _transaction(connection):
            _prepare(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection) -> None:
    ((version,),) = connection.execute("PRAGMA user_version")
    if version == 0:
        connection.execute(_TABLE)
        connection.execute(f"PRAGMA user_version = {_VERSION}")
    elif version != _VERSION:
        raise _DamagedError(f"it is of version {version}")
    connection.execute("DELETE FROM file WHERE used < ?", (_today() - KEPT_DAYS,))


def _rows(connection: sqlite3.Connection, device: int, inodes: Sequence[int]) -> Iterator[tuple[Any, ...]]:
    for at in range(0, len(inodes), _MANY):
        some = inodes[at : at + _MANY]
        sql = f"{_GET} WHERE device = ? AND inode IN ({','.join('?' * len(some))})"
        with closing(connection.execute(sql, (device, *some))) as cursor:
            yield from cursor.fetchall()


def _row(stamp: Stamp, known: Known) -> tuple[object, ...]:
    pixels = bytes.fromhex(known.pixels) if known.pixels else None
    numbers = (_signed(stamp.device), _signed(stamp.inode), *stamp[2:])
    return *numbers, bytes.fromhex(known.sha256), pixels, known.media_type, _today()


def _known(row: tuple[Any, ...]) -> Known:
    """Return what a row says. Raises ``_DamagedError`` for one that was never written here."""
    sha256, pixels, media_type = row[5:8]
    for digest in (sha256, pixels or sha256):
        if not isinstance(digest, bytes) or len(digest) != 32:
            raise _DamagedError("a row holds no digest")
    return Known(sha256.hex(), pixels and pixels.hex(), media_type)


def _signed(number: int) -> int:
    """Return the number as SQLite can hold it: file systems use all 64 bits."""
    return number - (1 << 64) if number >= 1 << 63 else number


def _today() -> int:
    return int(time.time()) // _DAY


def _is_damage(error: Exception) -> bool:
    # The low byte is the primary result code. What has none comes from the driver: text that it cannot read.
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT)
    return not isinstance(error, OSError) and code & 0xFF in _DAMAGED


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold a lock: two processes that find the same damage must not set aside each other's new file."""
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)
