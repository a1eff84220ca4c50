"""PostgreSQL as the log's database: many writers, lost connections, and servers that could lose a commit."""

import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, event, make_url, text

from ledger.adapters.files import FileLastSigned
from ledger.adapters.sql import tables
from ledger.adapters.sql.engine import open_database
from ledger.adapters.sql.openings import SqlOpeningStore
from ledger.adapters.sql.schema import upgrade
from ledger.adapters.sql.store import SqlEntryStore
from ledger.adapters.sql.transaction import SqlEntryTransaction
from ledger.core.merkle import leaf_hash, root
from ledger.core.receipt import verify_receipt
from ledger.errors import MalformedError, RakkanError, RefusedError, UsageError
from ledger.ports import ArtifactRow, Head, StatementRow
from ledger.testing import FixedClock
from tests.support.log import ORIGIN, engine_of, entries, opened, postgres_log, tree_hash
from tests.support.postgres import PostgresServer

ROOT = Path(__file__).parents[2]
NOW = FixedClock().now()


def refused(call: Any) -> RakkanError:
    with pytest.raises(RakkanError) as error:
        call()
    return error.value


# --- the schema -------------------------------------------------------------------------------------------


def test_the_migrations_make_the_tables_that_the_code_uses(postgres_url: str) -> None:
    with opened(postgres_url) as engine, engine.connect() as connection:
        found = compare_metadata(MigrationContext.configure(connection), tables.metadata)
        index = connection.execute(
            text("SELECT indexdef FROM pg_indexes WHERE indexname = 'artifact_sha256'")
        ).scalar_one()
    assert {(change[0], change[1].table.name, change[1].name) for change in found} == {
        # Migration 0002 says why these three are on SQLite only.
        *(("add_fk", name, None) for name in ("entry", "statement", "artifact")),
        # Alembic does not see that what PostgreSQL prints of this expression is what we wrote.
        ("remove_index", "artifact", "artifact_sha256"),
        ("add_index", "artifact", "artifact_sha256"),
    }
    assert tables.USED.replace("'subject'", "'subject'::text") in " ".join(index.split())


def test_upgrades_at_the_same_time_wait_for_each_other(postgres_server: PostgresServer) -> None:
    url = postgres_server.url(postgres_server.new())
    failed: list[BaseException] = []

    def run() -> None:
        try:
            upgrade(url)
        except BaseException as error:  # noqa: BLE001 - shown by the assertion below
            failed.append(error)

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    open_database(url).dispose()


def test_a_database_without_tables_or_of_another_version_is_refused(postgres_server: PostgresServer) -> None:
    name = postgres_server.new()
    url = postgres_server.url(name)
    assert refused(lambda: open_database(url)).code == "home.schema"
    upgrade(url)
    postgres_server.run("UPDATE alembic_version SET version_num = '9999'", name=name)
    assert refused(lambda: open_database(url)).code == "home.schema"


@pytest.mark.parametrize(
    ("criterion", "index"),
    [("sha256", "artifact_sha256"), ("pixels", "artifact_pixels"), ("index", "artifact_idx")],
)
def test_searches_can_use_their_index(postgres_url: str, criterion: str, index: str) -> None:
    with postgres_log(postgres_url) as log:
        log.append(entries(300))
        row = log.store.artifacts(index=7)[0]
        asked: list[tuple[str, Any]] = []

        @event.listens_for(engine_of(log), "before_cursor_execute")
        def _note(_connection: Any, _cursor: Any, sql: str, parameters: Any, *_: Any) -> None:
            asked.append((sql, parameters))

        assert row in log.store.artifacts(**{criterion: getattr(row, criterion)})
        ((sql, parameters),) = [one for one in asked if "FROM artifact" in one[0]]
        with engine_of(log).begin() as connection:
            connection.exec_driver_sql("ANALYZE artifact")
            # So few rows are read as fast without an index.
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
            plan = connection.exec_driver_sql(f"EXPLAIN {sql}", parameters).all()
    assert any(re.search(rf"\b{index}\b", line) for (line,) in plan), plan


# --- writers ----------------------------------------------------------------------------------------------

APPEND = """
import json, sys
from pathlib import Path
from ledger.adapters.files import FileLastSigned
from tests.support.log import postgres_log
url, folder, name = sys.argv[1:]
with postgres_log(url, FileLastSigned(Path(folder) / "last-signed")) as log:
    for number in range(0, 200, 4):
        batch = [f"{name} {n}".encode() for n in range(number, number + 4)] + [b"shared %d" % number]
        print(json.dumps([(one.index, entry.decode()) for one, entry in zip(log.append(batch), batch)]))
"""


def test_two_processes_make_one_log_without_gap_or_double(postgres_url: str, tmp_path: Path) -> None:
    command = [sys.executable, "-c", APPEND, postgres_url, str(tmp_path)]
    running = [
        subprocess.Popen([*command, name], cwd=ROOT, stdout=subprocess.PIPE, text=True) for name in "ab"
    ]
    outputs = [process.communicate()[0] for process in running]
    assert [process.returncode for process in running] == [0, 0]
    told = [tuple(pair) for text in outputs for line in text.splitlines() for pair in json.loads(line)]
    assert len(told) == 500
    with postgres_log(postgres_url, FileLastSigned(tmp_path / "last-signed")) as log:
        held = list(log.store.envelopes(0, 2**40))
        assert len(held) == len(set(held)) == log.head().size == 450
        assert {(index, held[index].decode()) for index, _ in told} == set(told)
        assert root(log.head().peaks) == tree_hash([leaf_hash(entry) for entry in held])
        for index in (0, 225, 449):
            verify_receipt(log.receipt(index), held[index], [log.verifier])


def test_threads_share_a_store(postgres_url: str) -> None:
    with postgres_log(postgres_url) as log:
        problems: list[BaseException] = []

        def work(name: str) -> None:
            try:
                for number in range(10):
                    (added,) = log.append([f"{name} {number}".encode()])
                    assert log.store.envelope(added.index) == f"{name} {number}".encode()
            except BaseException as error:  # noqa: BLE001 - shown by the assertion below
                problems.append(error)

        threads = [threading.Thread(target=work, args=(str(n),)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert problems == []
        assert len(set(log.store.envelopes(0, 100))) == log.head().size == 80


MOVES = ("UPDATE head SET size = size + 1", "UPDATE head SET epoch = epoch + 1")


def overtaken(store: SqlEntryStore, other: Engine, sql: str) -> None:
    """Move the head as somebody does who does not lock the log, between reading it and moving it."""
    with store.begin() as transaction:
        transaction.head()
        with other.begin() as connection:
            connection.exec_driver_sql(sql)
        transaction.put_head(Head(3, (b"b" * 32,), b"three"))


@pytest.mark.parametrize("sql", MOVES)
def test_a_stale_head_loses(postgres_url: str, sql: str) -> None:
    with opened(postgres_url) as engine:
        store = SqlEntryStore(engine, ORIGIN)
        with store.begin() as transaction:
            transaction.put_head(Head(2, (b"a" * 32,), b"two"))
        error = refused(lambda: overtaken(store, engine, sql))
        assert error.code == "log.fenced"
        assert store.head().checkpoint == b"two"


def test_the_first_head_is_fenced_too(postgres_url: str) -> None:
    first = "INSERT INTO head SELECT id, 1, 'p', 'c' FROM log"
    with opened(postgres_url) as engine:
        store = SqlEntryStore(engine, ORIGIN)
        assert refused(lambda: overtaken(store, engine, first)).code == "log.fenced"
        assert store.head().size == 1


def test_a_writer_that_waited_sees_what_the_other_one_did(postgres_url: str) -> None:
    """Under READ COMMITTED a head that is read in the statement that waits is the one from before."""
    with opened(postgres_url) as engine:
        store = SqlEntryStore(engine, ORIGIN)
        seen: list[int] = []
        waiting = threading.Thread(target=lambda: seen.append(head_in_transaction(store)))
        with store.begin() as transaction:
            transaction.put_head(Head(2, (b"a" * 32,), b"two"))
            waiting.start()
            waiting.join(0.3)
            assert seen == []
        waiting.join()
    assert seen == [2]


def head_in_transaction(store: SqlEntryStore) -> int:
    with store.begin() as transaction:
        return transaction.head().size


def test_logs_of_one_database_do_not_wait_for_each_other(postgres_url: str) -> None:
    from ledger.adapters.sql.store import create_log

    with opened(postgres_url, busy_seconds=0.2) as engine:
        create_log(engine, "ledger.example/other")
        ours, theirs = SqlEntryStore(engine, ORIGIN), SqlEntryStore(engine, "ledger.example/other")
        with ours.begin() as one, theirs.begin() as other:
            one.append(0, [(b"a" * 32, b"ours")], NOW)
            other.append(0, [(b"a" * 32, b"theirs")], NOW)
        assert (ours.envelope(0), theirs.envelope(0)) == (b"ours", b"theirs")


# --- lost connections -------------------------------------------------------------------------------------


def test_a_connection_that_is_cut_leaves_nothing_half_done(
    postgres_url: str, postgres_server: PostgresServer
) -> None:
    with postgres_log(postgres_url) as log:
        log.append(entries(3))

        def cut() -> None:
            with log.store.begin() as transaction:
                transaction.append(3, [(b"x" * 32, b"never")], NOW)
                assert isinstance(transaction, SqlEntryTransaction)
                connection = transaction._connection
                pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
                postgres_server.run(f"SELECT pg_terminate_backend({pid})")
                transaction.put_head(Head(4, (b"x" * 32,), b"never"))

        error = refused(cut)
        assert error.code == "log.storage"
        assert list(log.store.envelopes(0, 9)) == entries(3)
        assert log.append([b"after"])[0].index == 3


def test_idle_connections_that_are_cut_are_not_noticed(
    postgres_url: str, postgres_server: PostgresServer
) -> None:
    everybody = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 'test%%'"
    with postgres_log(postgres_url) as log:
        log.append(entries(3))
        postgres_server.run(everybody)
        assert log.append([b"after"])[0].index == 3
        postgres_server.run(everybody)
        assert log.store.envelope(3) == b"after"


@contextmanager
def stopped(server: PostgresServer) -> Iterator[None]:
    server.stop()
    try:
        yield
    finally:
        server.start()


def test_a_server_that_is_away_is_said_to_be_and_comes_back(
    postgres_url: str, postgres_server: PostgresServer
) -> None:
    with postgres_log(postgres_url) as log:
        log.append(entries(3))
        with stopped(postgres_server):
            for call in (lambda: log.append([b"x"]), log.store.head, lambda: open_database(postgres_url)):
                error = refused(call)
                assert error.code == "log.storage", error
                assert "\n" not in error.message
        assert log.append([b"after"])[0].index == 3


# --- what is refused --------------------------------------------------------------------------------------


@pytest.mark.parametrize("setting", ["fsync", "full_page_writes"])
def test_a_server_that_can_lose_a_commit_is_refused(
    postgres_url: str, postgres_server: PostgresServer, setting: str
) -> None:
    reload = ("SELECT pg_reload_conf()", "SELECT pg_sleep(0.2)")
    with postgres_log(postgres_url) as log:
        log.append(entries(1))
        postgres_server.run(f"ALTER SYSTEM SET {setting} = off", *reload)
        try:
            for call in (lambda: open_database(postgres_url), lambda: log.append([b"x"])):
                error = refused(call)
                assert (error.code, error.evidence) == ("database.unsafe", {"setting": setting})
        finally:
            postgres_server.run(f"ALTER SYSTEM RESET {setting}", *reload)
        assert log.append([b"x"])[0].index == 1


def test_asynchronous_commit_is_turned_on_for_us(postgres_url: str, postgres_server: PostgresServer) -> None:
    name = make_url(postgres_url).database or ""
    postgres_server.run(f"ALTER DATABASE {name} SET synchronous_commit = off")
    try:
        with postgres_log(postgres_url) as log:
            log.append(entries(1))
            with log.store.begin() as transaction:
                assert isinstance(transaction, SqlEntryTransaction)
                connection = transaction._connection
                assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"
    finally:
        postgres_server.run(f"ALTER DATABASE {name} RESET synchronous_commit")


def test_asynchronous_commit_that_comes_back_is_refused(postgres_url: str) -> None:
    """A pooler between us and the server may hand the transaction to another session."""
    with opened(postgres_url) as engine:
        store = SqlEntryStore(engine, ORIGIN)

        @event.listens_for(engine, "begin")
        def _off(connection: Any) -> None:
            connection.exec_driver_sql("SET LOCAL synchronous_commit = off")

        with pytest.raises(RefusedError) as error, store.begin():
            pass
    assert (error.value.code, error.value.evidence) == ("database.unsafe", {"setting": "synchronous_commit"})


def test_no_database_and_no_user_are_access(postgres_server: PostgresServer) -> None:
    for url in (
        postgres_server.url("none"),
        postgres_server.admin_url.replace("//postgres:", "//nobody:hemlig"),
    ):
        for call in (open_database, upgrade):
            with pytest.raises(UsageError) as error:
                call(url)
            assert error.value.code == "database.access"
            assert "hemlig" not in str(error.value.to_json())


def test_a_user_without_rights_is_told(postgres_url: str, postgres_server: PostgresServer) -> None:
    postgres_server.run("DROP ROLE IF EXISTS guest", "CREATE ROLE guest LOGIN")
    with pytest.raises(UsageError) as error:
        open_database(postgres_url.replace("//postgres:", "//guest:"))
    assert error.value.code == "database.access"


def test_text_that_postgres_cannot_hold_is_refused(postgres_url: str) -> None:
    """No statement gets so far: the parser takes no control characters. Rows of another projector might."""
    with opened(postgres_url) as engine:
        store = SqlEntryStore(engine, ORIGIN)

        def project(name: str) -> None:
            with store.begin() as transaction:
                transaction.project(
                    [StatementRow(0, "t", "k")], [ArtifactRow(0, "r", 0, name, "aa" * 32, None)]
                )

        with pytest.raises(MalformedError) as error:
            project("a\x00b")
        assert error.value.code == "statement.field"
        assert store.statements("t") == []
        odd = "".join(map(chr, (0x1, 0x7F, 0xFFFF, 0xFEFF, 0x202E, 0x10FFFF))) + "落款" * 50_000
        project(odd)
        assert store.artifacts(index=0)[0].name == odd


# --- erasing ----------------------------------------------------------------------------------------------


def test_what_is_erased_is_in_no_file_of_a_table(postgres_url: str, postgres_server: PostgresServer) -> None:
    def shown(secret: bytes) -> bool:
        postgres_server.run("CHECKPOINT")
        base = postgres_server.folder / "base"
        return any(secret in path.read_bytes() for path in base.rglob("*") if path.is_file())

    with opened(postgres_url) as engine:
        openings = SqlOpeningStore(engine)
        openings.put({f"d{n}": f"<opening number {n:03d}>" for n in range(100)})
        assert shown(b"<opening number 042>")
        assert openings.erase(["d42"]) == 1
        assert not shown(b"<opening number 042>")
        assert shown(b"<opening number 041>")
