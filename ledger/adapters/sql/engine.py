"""Opening a database, and bringing one to the current schema.

* SQLite runs in WAL mode with ``synchronous=FULL``: a commit is on disk when it returns.
* Transactions are begun by us, never by the driver: a writer says ``BEGIN IMMEDIATE`` and so learns at once
  that another one is at work; a reader says ``BEGIN`` and sees one state throughout.
* Tables come from the migrations and from nowhere else. Opening never creates or changes any.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import DBAPIError

from ledger.adapters.sql.faults import translated
from ledger.adapters.sql.tables import REVISION
from ledger.errors import UsageError

BUSY_SECONDS = 5.0
_BEGIN = "rakkan_begin"
_PACKAGE = Path(__file__).resolve().parents[2]


def upgrade(url: str) -> None:
    """Bring the database to the current schema; a missing SQLite file is created, readable by its owner only.

    All migrations run in one transaction. Raises ``RakkanError`` with a ``log.`` code when the database
    cannot be written, and ``UsageError("home.missing")`` when its folder does not exist.
    """
    path = make_url(url).database
    if path is not None and not Path(path).exists():
        _create(Path(path))
    engine = _engine(url, BUSY_SECONDS)
    config = Config()
    # ConfigParser expands percent signs.
    config.set_main_option("script_location", str(_migrations()).replace("%", "%%"))
    try:
        with translated(), writing(engine).begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    finally:
        engine.dispose()


def open_database(url: str, busy_seconds: float = BUSY_SECONDS) -> Engine:
    """Return an engine on an existing database of the current schema; ``dispose`` it when done.

    ``busy_seconds`` is how long a writer waits for another. Raises ``UsageError("home.missing")`` or
    ``UsageError("home.schema")``.
    """
    path = make_url(url).database
    if path is None or not Path(path).is_file():
        raise UsageError("home.missing", "There is no database here.", path=path)
    engine = _engine(url, busy_seconds)
    try:
        with translated(), engine.begin() as connection:
            found = _revision(connection)
    except BaseException:
        engine.dispose()
        raise
    if found != REVISION:
        engine.dispose()
        raise UsageError("home.schema", "The database is of another version.", found=found, expected=REVISION)
    return engine


def writing(engine: Engine) -> Engine:
    """Return the engine with transactions that hold the write lock from their first moment."""
    return engine.execution_options(**{_BEGIN: "BEGIN IMMEDIATE"})


def _create(path: Path) -> None:
    try:
        # The file will hold disclosures; SQLite gives its journal files the same permissions.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise UsageError(
            "home.missing", f"The database cannot be created: {error.strerror}.", path=path
        ) from error


def _engine(url: str, busy_seconds: float) -> Engine:
    engine = create_engine(url)

    @event.listens_for(engine, "do_connect")
    def _connect(dialect: Any, _record: object, arguments: list[Any], options: dict[str, Any]) -> Any:
        # Here and not once the pool has it: what fails on a full disk would stay open, known to nobody.
        connection = dialect.loaded_dbapi.connect(*arguments, **options)
        try:
            _set_up(connection, busy_seconds)
        except BaseException:
            connection.close()
            raise
        return connection

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(connection.get_execution_options().get(_BEGIN, "BEGIN"))

    return engine


def _set_up(connection: Any, busy_seconds: float) -> None:
    # The driver would begin on its own, but only before some statements, and never IMMEDIATE.
    connection.isolation_level = None
    for pragma in (
        f"busy_timeout = {round(busy_seconds * 1000)}",
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
    ):
        connection.execute(f"PRAGMA {pragma}").close()


def _revision(connection: Connection) -> str | None:
    try:
        found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    except DBAPIError as error:
        if "no such table" in str(error.orig):
            return None
        raise
    return found


def _migrations() -> Path:
    """Return the folder of the migrations: inside the wheel, else beside the package in a checkout."""
    installed = _PACKAGE / "_migrations"
    return installed if installed.is_dir() else _PACKAGE.parent / "migrations"
