"""The schema and its versions, the query plans it is made for, and a disk that fills up."""

import json
import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, event

from ledger.adapters.sql import schema as schemas
from ledger.adapters.sql import tables
from ledger.adapters.sql.checkpoints import SqlCheckpointStore
from ledger.adapters.sql.engine import open_database, writing
from ledger.adapters.sql.schema import upgrade
from ledger.adapters.sql.store import SqlEntryStore
from ledger.core.receipt import verify_receipt
from ledger.errors import IntegrityError, RefusedError, UsageError
from ledger.ports import Head
from tests.support.log import ORIGIN, database, engine_of, entries, sqlite_log, url

ROOT = Path(__file__).parents[2]


def schema(path: Path) -> list[tuple[str, str]]:
    connection = sqlite3.connect(path)
    try:
        rows = connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'alembic%'"
        ).fetchall()
    finally:
        connection.close()
    return sorted(
        (name, " ".join((sql or "").split())) for name, sql in rows if not name.startswith("sqlite_")
    )


def test_the_migrations_make_the_tables_that_the_code_uses(tmp_path: Path) -> None:
    upgrade(url(tmp_path))
    other = create_engine(f"sqlite:///{tmp_path / 'metadata.db'}")
    tables.metadata.create_all(other)
    other.dispose()
    assert schema(tmp_path / "ledger.db") == schema(tmp_path / "metadata.db")


def test_the_code_s_revision_is_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(ROOT / "migrations"))
    assert ScriptDirectory.from_config(config).get_current_head() == tables.REVISION


def test_upgrading_again_changes_nothing(tmp_path: Path) -> None:
    with sqlite_log(tmp_path) as log:
        log.append([b"a"])
    upgrade(url(tmp_path))
    with sqlite_log(tmp_path) as log:
        assert log.store.envelope(0) == b"a"


def test_a_new_database_is_the_owner_s_only(tmp_path: Path) -> None:
    with sqlite_log(tmp_path) as log:
        log.append([b"a"])
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.glob("ledger.db*")}
    names = ("ledger.db", "ledger.db-wal", "ledger.db-shm", "ledger.db.writer", "ledger.db.next")
    assert modes == dict.fromkeys(names, 0o600)


def test_the_migrations_of_a_wheel_are_found_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "_migrations").symlink_to(ROOT / "migrations")
    monkeypatch.setattr(schemas, "_PACKAGE", tmp_path)
    assert schemas._migrations() == tmp_path / "_migrations"
    upgrade(url(tmp_path))
    open_database(url(tmp_path)).dispose()


def test_a_path_with_a_percent_sign_is_fine(tmp_path: Path) -> None:
    folder = tmp_path / "100% done"
    folder.mkdir()
    with sqlite_log(folder) as log:
        log.append([b"a"])


def test_a_missing_database_is_said_to_be_missing_and_not_created(tmp_path: Path) -> None:
    for call in (lambda: open_database(url(tmp_path)), lambda: upgrade(url(tmp_path / "no" / "folder"))):
        with pytest.raises(UsageError) as error:
            call()
        assert error.value.code == "home.missing"
    assert list(tmp_path.iterdir()) == []


def test_a_log_that_is_not_in_the_database_is_missing(tmp_path: Path) -> None:
    with database(tmp_path) as engine, pytest.raises(UsageError) as error:
        SqlEntryStore(engine, "ledger.example/none")
    assert error.value.code == "home.missing"


@pytest.mark.parametrize(
    "sql", ["UPDATE alembic_version SET version_num = '9999'", "DROP TABLE alembic_version"]
)
def test_another_version_is_refused(tmp_path: Path, sql: str) -> None:
    upgrade(url(tmp_path))
    connection = sqlite3.connect(tmp_path / "ledger.db")
    connection.execute(sql)
    connection.commit()
    connection.close()
    with pytest.raises(UsageError) as error:
        open_database(url(tmp_path))
    assert error.value.code == "home.schema"


def test_a_file_that_is_no_database_is_corrupt(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").write_bytes(b"not a database, but long enough to be looked at" * 100)
    with pytest.raises(IntegrityError) as error:
        open_database(url(tmp_path))
    assert error.value.code == "log.corrupt"


def test_a_connection_is_durable_and_strict(tmp_path: Path) -> None:
    with database(tmp_path) as engine, engine.begin() as connection:
        found = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        ]
    assert found == ["wal", 2, 1, 5000]


def test_a_database_of_the_first_version_is_brought_up_with_its_rows(tmp_path: Path) -> None:
    engine = create_engine(url(tmp_path))
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(ROOT / "migrations"))
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.exec_driver_sql("INSERT INTO log (origin) VALUES (?)", (ORIGIN,))
        connection.exec_driver_sql("INSERT INTO head VALUES (1, 7, x'00', x'01')")
        connection.exec_driver_sql("INSERT INTO entry VALUES (1, 6, x'02', x'03', 'then')")
    engine.dispose()
    with pytest.raises(UsageError) as error:
        open_database(url(tmp_path))
    assert error.value.code == "home.schema"
    upgrade(url(tmp_path))
    with database(tmp_path) as engine:
        store = SqlEntryStore(engine, ORIGIN)
        assert store.head() == Head(7, (b"\0",), b"\1", 0)
        assert store.envelope(6) == b"\3"
        assert SqlCheckpointStore(engine, ORIGIN).newest() is None
        store.freeze("a fork")
    upgrade(url(tmp_path))


@pytest.mark.parametrize("address", ["mysql://u:hemlig@h/d", "postgresql://u:hemlig@h:port/d", "x", ""])
def test_what_is_no_url_is_said_without_showing_it(address: str) -> None:
    for call in (open_database, upgrade):
        with pytest.raises(UsageError) as error:
            call(address)
        assert error.value.code == "database.url"
        assert "hemlig" not in f"{error.value} {error.value.to_json()}"


def test_a_missing_driver_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(UsageError) as error:
        open_database("postgresql://localhost/none")
    assert error.value.code == "database.driver"
    assert "rakkan[postgres]" in error.value.hint


def overtaken(store: SqlEntryStore, sql: str) -> None:
    with store.begin() as transaction:
        transaction.head()
        transaction._connection.exec_driver_sql(sql)
        transaction.put_head(Head(3, (b"b" * 32,), b"three"))


def test_a_head_that_was_moved_without_the_lock_is_fenced(tmp_path: Path) -> None:
    with database(tmp_path) as engine:
        store = SqlEntryStore(engine, ORIGIN)
        with store.begin() as transaction:
            transaction.put_head(Head(2, (b"a" * 32,), b"two"))
        for sql in ("UPDATE head SET size = size + 1", "UPDATE head SET epoch = epoch + 1"):
            with pytest.raises(RefusedError) as error:
                overtaken(store, sql)
            assert error.value.code == "log.fenced"
        assert store.head() == Head(2, (b"a" * 32,), b"two")


@pytest.mark.parametrize(
    ("criterion", "index"),
    [("sha256", "artifact_sha256"), ("pixels", "artifact_pixels"), ("index", "sqlite_autoindex_artifact_1")],
)
def test_searches_use_their_index(tmp_path: Path, criterion: str, index: str) -> None:
    """SQLite easily takes the index on the entry's number instead, and then walks the whole log."""
    with sqlite_log(tmp_path) as log:
        log.append(entries(300))
        row = log.store.artifacts(index=7)[0]
        engine = engine_of(log)
        asked: list[tuple[str, Any]] = []

        @event.listens_for(engine, "before_cursor_execute")
        def _note(_connection: Any, _cursor: Any, sql: str, parameters: Any, *_: Any) -> None:
            asked.append((sql, parameters))

        assert row in log.store.artifacts(**{criterion: getattr(row, criterion)})
        ((sql, parameters),) = [one for one in asked if "FROM artifact" in one[0]]
        with engine.begin() as connection:
            (plan,) = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", parameters).all()
    assert f"SEARCH artifact USING INDEX {index} (log_id=? AND " in plan.detail


def test_a_gap_between_entries_is_noticed(tmp_path: Path) -> None:
    with sqlite_log(tmp_path) as log:
        log.append(entries(9))
        with writing(engine_of(log)).begin() as connection:
            connection.exec_driver_sql("DELETE FROM entry WHERE idx = 5")
        assert list(log.store.envelopes(0, 5)) == entries(5)
        with pytest.raises(IntegrityError) as error:
            list(log.store.envelopes(0, 9))
        assert (error.value.code, error.value.evidence["index"]) == ("log.corrupt", 5)


# --- a disk that fills up ---------------------------------------------------------------------------------


def fill(log_folder: Path) -> tuple[int, str]:
    """Append until something stops it; return how many entries were acknowledged, and the code."""
    with sqlite_log(log_folder) as log:
        size = log.store.head().size
        while True:
            batch = [os.urandom(8000) for _ in range(10)]
            try:
                size = log.append(batch)[-1].index + 1
            except (RefusedError, IntegrityError) as error:
                return size, error.code


def check_after(folder: Path, acknowledged: int) -> None:
    """The log opens, holds what it acknowledged, and goes on."""
    with sqlite_log(folder) as log:
        held = list(log.store.envelopes(0, 2**63 - 1))
        assert len(held) >= acknowledged
        verify_receipt(log.receipt(acknowledged - 1), held[acknowledged - 1], [log.verifier])
        assert log.append([b"one more"])[0].index == len(held)


def test_a_database_that_may_not_grow_says_that_the_disk_is_full(tmp_path: Path) -> None:
    with sqlite_log(tmp_path) as log:
        log.append(entries(3))
        engine = engine_of(log)
        with engine.connect() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 20}")
        for _ in range(2):
            with pytest.raises(RefusedError) as error:
                log.append([os.urandom(60_000) for _ in range(4)])
            assert error.value.code == "log.disk-full"
        assert log.store.head().size == 3
    check_after(tmp_path, 3)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a disk of 3 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", folder], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("no permission to mount a small disk")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_full_disk_loses_nothing_acknowledged(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(500_000))
    acknowledged, code = fill(small_disk)
    assert code == "log.disk-full"
    assert acknowledged >= 10
    ballast.unlink()
    check_after(small_disk, acknowledged)


LIMITED = """
import json, resource, sys
from pathlib import Path
from tests.integration.test_database import fill
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
print(json.dumps(fill(Path(sys.argv[1]))))
"""


def test_a_failing_write_loses_nothing_acknowledged(tmp_path: Path) -> None:
    """The limit on file sizes makes a write fail in its middle."""
    command = [sys.executable, "-c", LIMITED, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    acknowledged, code = json.loads(done.stdout)
    assert code in {"log.storage", "log.disk-full"}
    assert acknowledged >= 10
    check_after(tmp_path, acknowledged)
