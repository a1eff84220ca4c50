"""Bringing a database to the current schema: apart from opening one, which loads no tool for migrations."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config

from ledger.adapters.sql.engine import BUSY_SECONDS, engine_at, parse, write

_PACKAGE = Path(__file__).resolve().parents[2]


def upgrade(url: str) -> None:
    """Bring the database to the current schema; a missing SQLite file is created, readable by its owner only.

    All migrations run in one transaction. Raises ``RakkanError`` with a ``log.`` code when the database
    cannot be written, ``UsageError("home.missing")`` when its folder does not exist, and what
    ``open_database`` raises about the URL and the server.
    """
    parsed, dialect = parse(url)
    dialect.create(parsed)
    engine = engine_at(parsed, dialect, BUSY_SECONDS)
    config = Config()
    # ConfigParser expands percent signs.
    config.set_main_option("script_location", str(_migrations()).replace("%", "%%"))
    try:
        with write(engine) as connection:
            dialect.lock_schema(connection)
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    finally:
        engine.dispose()


def _migrations() -> Path:
    """Return the folder of the migrations: inside the wheel, else beside the package in a checkout."""
    installed = _PACKAGE / "_migrations"
    return installed if installed.is_dir() else _PACKAGE.parent / "migrations"
