"""A consistent copy of a database that is in use."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from sqlalchemy import make_url

from ledger.errors import IntegrityError, RefusedError, UsageError

SQLITE, POSTGRES = "ledger.sqlite", "ledger.pgdump"


def copy_database(url: str, folder: Path) -> Path:
    """Write one state of the database into this folder, and return the new file.

    SQLite is copied by its own backup, PostgreSQL by ``pg_dump``, which must be of the server's version or
    newer. Raises ``RefusedError("log.storage")``, ``UsageError("backup.pg-dump")`` and ``log.corrupt``.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite(Path(parsed.database or ""), folder / SQLITE)
    program = shutil.which("pg_dump")
    if program is None:
        raise UsageError("backup.pg-dump", "pg_dump is not installed here.")
    target = folder / POSTGRES
    plain = parsed.set(drivername="postgresql", password=None).render_as_string()
    done = subprocess.run(
        [program, "--format=custom", "--no-password", f"--file={target}", f"--dbname={plain}"],
        env=_with_password(parsed.password),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise UsageError("backup.pg-dump", f"pg_dump failed: {done.stderr.strip()[-300:]}")
    return target


def check_copy(path: Path) -> None:
    """Return if a copied SQLite file is whole. Raises ``IntegrityError("log.corrupt")``."""
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as copy:
            said = copy.execute("PRAGMA integrity_check").fetchone()[0]
    except sqlite3.DatabaseError as error:
        raise IntegrityError("log.corrupt", f"The copied database is damaged: {error}.", path=path) from error
    if said != "ok":
        raise IntegrityError("log.corrupt", f"The copied database is damaged: {said}.", path=path)


def _sqlite(source: Path, target: Path) -> Path:
    target.touch(0o600)
    try:
        with (
            closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as old,
            closing(sqlite3.connect(target)) as new,
        ):
            old.backup(new)  # in one step: one state, whoever writes meanwhile
            # One file, without a journal beside it: that is what the checksum is of.
            new.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.Error as error:
        raise RefusedError("log.storage", f"The database could not be copied: {error}.") from error
    check_copy(target)
    return target


def _with_password(password: object) -> dict[str, str]:
    return {**os.environ, **({"PGPASSWORD": str(password)} if password else {})}
