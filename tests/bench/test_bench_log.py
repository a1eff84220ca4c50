"""The log against the raw database: appending, many callers at once, growing, publishing, checking.

The raw database gets the same rows into the same tables, in transactions of the same size, by its own driver
with the same durability. What is left over is the log: leaf hashes, tiles, the root, the checkpoint's
signature, the proofs, and the last-signed record.
"""

from __future__ import annotations

import gc
import os
import sqlite3
import statistics
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import create_engine, make_url, text

from ledger.adapters.files import FileLastSigned
from ledger.adapters.sql.schema import upgrade
from ledger.adapters.sql.store import SqlEntryStore
from ledger.core import merkle
from ledger.core.tiles import WIDTH, Tile, TileNodes, fold
from ledger.service.log import projection
from ledger.service.log.admission import KeyAdmission
from ledger.service.log.publish import publish
from ledger.service.log.rebuild import rebuild
from ledger.service.log.sequence import Log, Offer
from ledger.service.log.sequencer import Sequencer
from ledger.testing import AdmitAll, FixedClock, SeedSigner
from tests.bench.table import print_table
from tests.support.builders import REGISTRAR, enrolment, envelope, registrar_enrolment, step
from tests.support.log import ORIGIN, opened, project, publication, url
from tests.support.postgres import PostgresServer

pytestmark = [pytest.mark.bench, pytest.mark.timeout(3600)]
BATCH = 100
TABLES = {"entry": 5, "statement": 6, "artifact": 8}
"""What every entry adds a row or more to, and each table's number of columns."""
KEY = SeedSigner("log")


def steps(start: int, count: int) -> list[bytes]:
    """Return signed steps, all different, of the size that a painter's step has."""
    return [envelope(step(step_id=f"018f-{number}")) for number in range(start, start + count)]


@contextmanager
def real_log(folder: Path, address: str) -> Iterator[Log]:
    """A log with real admission that holds a registrar and a device."""
    with opened(address) as engine:
        admission = KeyAdmission(ORIGIN, (REGISTRAR.public_key,), (KEY.public_key,))
        store, last_signed = SqlEntryStore(engine, ORIGIN), FileLastSigned(folder / "last-signed")
        log = Log(store, [KEY], ORIGIN, FixedClock(), admission, last_signed)
        log.append([envelope(registrar_enrolment()), envelope(enrolment())])
        yield log


def batches(items: Sequence[Any], size: int) -> list[Sequence[Any]]:
    return [items[at : at + size] for at in range(0, len(items), size)]


def rows_of(address: str, size: int, tables: Sequence[str]) -> list[dict[str, list[tuple[Any, ...]]]]:
    """Return the rows that the log wrote, by batch and table."""
    made = make_url(address)
    engine = create_engine(
        made.set(drivername="postgresql+psycopg") if made.drivername == "postgresql" else made
    )
    found: defaultdict[int, dict[str, list[tuple[Any, ...]]]]
    found = defaultdict(lambda: {table: [] for table in tables})
    with engine.connect() as connection:
        for table in tables:
            for row in connection.execute(text(f"SELECT * FROM {table} WHERE idx > 1 ORDER BY idx")):  # noqa: S608 - our own names
                found[(row.idx - 2) // size][table].append(tuple(row))
    engine.dispose()
    return [found[number] for number in sorted(found)]


def raw_sqlite(folder: Path, work: list[dict[str, list[tuple[Any, ...]]]]) -> float:
    """Insert each batch in a transaction with the bare driver; return the seconds it took."""
    folder.mkdir()
    upgrade(url(folder))
    connection = sqlite3.connect(folder / "ledger.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("INSERT INTO log (id, origin) VALUES (1, 'raw')")
    begun = time.perf_counter()
    for batch in work:
        connection.execute("BEGIN IMMEDIATE")
        for table, rows in batch.items():
            marks = ",".join("?" * TABLES[table])
            connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)  # noqa: S608 - our own names
        connection.execute("COMMIT")
    took = time.perf_counter() - begun
    connection.close()
    return took


def raw_postgres(address: str, work: list[dict[str, list[tuple[Any, ...]]]]) -> float:
    """Insert each batch in a transaction with the bare driver, all rows of a table in one statement."""
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("INSERT INTO log (id, origin) VALUES (1, 'raw')")
        begun = time.perf_counter()
        for batch in work:
            with connection.transaction():
                for table, rows in batch.items():
                    one = "(" + ",".join(["%s"] * TABLES[table]) + ")"
                    sql = f"INSERT INTO {table} VALUES {','.join([one] * len(rows))}"  # noqa: S608 - our own names
                    connection.execute(sql.encode(), [value for row in rows for value in row])
        return time.perf_counter() - begun


def ours(log: Log, offers: Sequence[Offer], size: int) -> float:
    """Commit the entries in batches; return the seconds it took."""
    begun = time.perf_counter()
    for batch in batches(offers, size):
        log.commit(batch)
    return time.perf_counter() - begun


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
def test_appending_against_the_raw_multi_row_insert(
    engine: str, tmp_path: Path, postgres_server: PostgresServer
) -> None:
    table: list[tuple[str, float, float, float | None]] = []
    for size, count in ((1, 300), (10, 1_000), (100, 10_000), (1_000, 20_000)):
        best_ours, best_same, best_entries = float("inf"), float("inf"), float("inf")
        envelopes = steps(0, count)
        for run in range(3):
            folder = tmp_path / f"{size}-{run}"
            folder.mkdir()
            address = url(folder) if engine == "sqlite" else _fresh(postgres_server)
            upgrade(address)
            with real_log(folder, address) as log:
                offers = [log.offer(item) for item in envelopes]
                gc.freeze()  # thousands of offers at a time are the measurement's, not the log's
                best_ours = min(best_ours, ours(log, offers, size))
            for tables in (list(TABLES), ["entry"]):
                work = rows_of(address, size, tables)
                if engine == "sqlite":
                    took = raw_sqlite(folder / "-".join(tables), work)
                else:
                    took = raw_postgres(_fresh(postgres_server), work)
                if len(tables) == 1:
                    best_entries = min(best_entries, took)
                else:
                    best_same = min(best_same, took)
        per = 1e6 / count
        table.append((f"batch {size}: the same rows, us per entry", best_ours * per, best_same * per, None))
        table.append(
            (f"batch {size}: the entries alone, us per entry", best_ours * per, best_entries * per, None)
        )
    print_table(f"appending to {engine} against the raw insert (rate = 1 / ratio)", table)


def _fresh(server: PostgresServer) -> str:
    """Return the URL of a database of the current schema, without a row."""
    found = server.url(server.new())
    upgrade(found)
    return found


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
def test_sixty_four_callers_against_a_commit_for_each_row(
    engine: str, tmp_path: Path, postgres_server: PostgresServer
) -> None:
    """Once with everything that admission does, once without: then only the commits are compared."""
    address = url(tmp_path) if engine == "sqlite" else _fresh(postgres_server)
    upgrade(address)
    with real_log(tmp_path, address) as log:
        whole = _grouped_and_alone(log, 0)
        log._admission = AdmitAll(projection.project)
        commits = _grouped_and_alone(log, 1_000_000)
    work = rows_of(address, 1, ["entry"])[:2_000]
    if engine == "sqlite":
        raw = raw_sqlite(tmp_path / "raw", work)
    else:
        raw = raw_postgres(_fresh(postgres_server), work)
    rows: list[tuple[str, float, float, float | None]] = [
        ("64 callers, against a commit for each", *whole, 0.2),
        ("the same without verifying signatures", *commits, 0.2),
        ("64 callers, against a raw row and commit each", whole[0], raw / len(work) * 1000, None),
    ]
    print_table(f"one entry, {engine}", rows)


def _grouped_and_alone(log: Log, first: int) -> tuple[float, float]:
    """Return the milliseconds for an entry: of 64 callers at once, and of one caller after the other."""
    each, callers = 100, 64
    envelopes = steps(first, each * callers)
    with Sequencer(log) as sequencer:
        begun = time.perf_counter()
        _together([partial(_one_by_one, sequencer, part) for part in batches(envelopes, each)])
        grouped = (time.perf_counter() - begun) / len(envelopes)
    single = steps(first + 500_000, 500)
    begun = time.perf_counter()
    for item in single:
        log.append([item])
    return grouped * 1000, (time.perf_counter() - begun) / len(single) * 1000


def _one_by_one(sequencer: Sequencer, envelopes: Sequence[bytes]) -> None:
    for item in envelopes:
        sequencer.append(item)


def _together(actions: Sequence[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=action) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


MILLION = int(os.environ.get("RAKKAN_BENCH_ENTRIES", "1000000"))


def test_a_log_of_a_million_entries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rate at a million entries against the rate at ten thousand; memory, publication, rebuilding."""
    folder = tmp_path / "log"
    folder.mkdir()
    upgrade(url(folder))
    rates: dict[int, float] = {}
    memory: dict[int, int] = {}
    with real_log(folder, url(folder)) as log:
        # The rate of the log is measured on entries that are ready; making a million signed steps is not it.
        log._admission = AdmitAll(project)
        monkeypatch.setattr(log, "project", project)
        for start in range(0, MILLION, 10_000):
            offers = [log.offer(b"%d " % number + bytes(1_500)) for number in range(start, start + 10_000)]
            rates[start] = 10_000 / ours(log, offers, BATCH)
            memory[start] = _resident()
        marks = sorted(rates)
        early = statistics.median(rates[mark] for mark in marks[1:6])
        late = statistics.median(rates[mark] for mark in marks[-5:])
        begun = time.perf_counter()
        published = publish(log, publication(folder))
        publishing = time.perf_counter() - begun
        log.commit([log.offer(b"one more")])
        begun = time.perf_counter()
        publish(log, publication(folder))
        again = time.perf_counter() - begun
        peak = _resident()
        begun = time.perf_counter()
        rebuilt = rebuild(log)
        rebuilding = time.perf_counter() - begun
    lines = [
        f"\na log of {MILLION:,} entries of 1.5 KB, SQLite",
        f"appending at the beginning / at the end     {early:9,.0f} / {late:,.0f} per s ({late / early:.2f})",
        f"memory after 10 thousand / at the end       {memory[marks[0]]:9,} / {memory[marks[-1]]:,} MB",
        f"memory after publishing                     {peak:9,} MB",
        f"first publication                           {publishing:9.1f} s, {published.files:,} files",
        f"publication of one more entry               {again * 1000:9.1f} ms",
        f"rebuild                                     {rebuilt.entries / rebuilding:9,.0f} entries/s",
    ]
    sys.stdout.write("\n".join(lines) + "\n")


def _resident() -> int:
    """Return the memory that the process holds now, in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 1_000_000


def test_an_inclusion_proof_from_ten_million_entries() -> None:
    """From tiles made in memory: the log's own arithmetic, and what it costs to read a tile from SQLite."""
    size = 10_000_000
    tiles = _forest(size)
    reads = Counter[str]()

    def read(tile: Tile) -> bytes:
        reads["tiles"] += 1
        return tiles[tile.level, tile.index]

    times = []
    for index in range(0, size, size // 200):
        begun = time.perf_counter()
        proof = merkle.inclusion_proof(index, size, TileNodes(size, read))
        times.append(time.perf_counter() - begun)
        assert len(proof) in {23, 24, 22, 21, 20, 19, 18}
    median = statistics.median(times) * 1000
    sys.stdout.write(f"\ninclusion proof at 10 million entries: {median:.2f} ms median\n")
    assert median < 1


def _forest(size: int) -> dict[tuple[int, int], bytes]:
    """Return the tiles of a tree of this size whose leaves are all the same."""
    leaf = merkle.leaf_hash(b"")
    found: dict[tuple[int, int], bytes] = {}
    level, count, node = 0, size, leaf
    while count:
        full, rest = divmod(count, WIDTH)
        whole = node * WIDTH
        found.update({(level, index): whole for index in range(full)})
        if rest:
            found[level, full] = node * rest
        level, count, node = level + 1, full, fold(whole)
    return found
