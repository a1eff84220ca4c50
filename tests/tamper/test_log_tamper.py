"""One flipped bit anywhere in a stored or published log is found, named and never signed over."""

import dataclasses
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from ledger.adapters.sql.engine import writing
from ledger.core.merkle import leaf_hash
from ledger.core.receipt import format_receipt, parse_receipt, verify_receipt
from ledger.errors import IntegrityError, RakkanError
from ledger.service.log.publish import publish
from ledger.service.log.rebuild import rebuild
from ledger.service.log.sequence import Log
from ledger.testing import FixedClock, MemoryLastSigned, MemoryPublication
from tests.support.log import engine_of, entries, new_log, sqlite_log

SIZE = 700


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    with sqlite_log(tmp_path) as log:
        log.append(entries(SIZE))
        yield log


def flip_value(log: Log, table: str, column: str, where: str, byte: int) -> None:
    """Flip the lowest bit of one byte of a stored value."""
    # Names that the tests below write out: nothing here comes from outside.
    read = f"SELECT {column} FROM {table} WHERE {where}"  # noqa: S608 - see above
    write = f"UPDATE {table} SET {column} = :value WHERE {where}"  # noqa: S608 - see above
    with writing(engine_of(log)).begin() as connection:
        value = connection.execute(text(read)).scalar_one()
        changed = bytes([*value[:byte], value[byte] ^ 1, *value[byte + 1 :]])
        connection.execute(text(write), {"value": changed})


def raises(code: str, call: Callable[[], object]) -> None:
    with pytest.raises(IntegrityError) as error:
        call()
    assert error.value.code == code


def test_a_flipped_bit_in_an_entry_is_found(log: Log) -> None:
    flip_value(log, "entry", "envelope", "idx = 400", 3)
    raises("log.corrupt", lambda: log.receipt(400))
    raises("log.corrupt", lambda: rebuild(log))
    public = MemoryPublication()
    raises("log.corrupt", lambda: publish(log, public))
    assert "tile/entries/001" not in public.files
    assert "checkpoint" not in public.files
    # The rest of the log goes on.
    verify_receipt(log.receipt(399), b"entry 399", [log.verifier])


@pytest.mark.parametrize(
    ("level", "tile", "byte", "index"),
    [(0, 0, 5, 1), (0, 1, 8191, 510), (0, 2, 0, 513), (1, 0, 0, 300), (1, 0, 40, 3)],
)
def test_a_flipped_bit_in_a_tile_gives_no_proof(
    log: Log, level: int, tile: int, byte: int, index: int
) -> None:
    flip_value(log, "tile", "hashes", f"level = {level} AND idx = {tile}", byte)
    raises("log.corrupt", lambda: log.receipt(index))
    raises("log.corrupt", lambda: publish(log, MemoryPublication()))
    rebuild(log)
    verify_receipt(log.receipt(index), f"entry {index}".encode(), [log.verifier])


@pytest.mark.parametrize(("level", "tile"), [(0, 2), (1, 0)])
def test_nothing_is_signed_over_a_damaged_edge(log: Log, level: int, tile: int) -> None:
    flip_value(log, "tile", "hashes", f"level = {level} AND idx = {tile}", 17)
    before = log.store.head()
    raises("log.corrupt", lambda: log.append([b"new"]))
    assert log.store.head() == before


def test_a_damaged_tile_gives_no_consistency_proof(log: Log) -> None:
    flip_value(log, "tile", "hashes", "level = 0 AND idx = 1", 0)
    raises("log.corrupt", lambda: log.consistency(257, 600))
    raises("log.corrupt", lambda: log.consistency(257, 700))


def test_a_damaged_node_under_both_trees_gives_no_consistency_proof(log: Log) -> None:
    """The two older roots agree with each other then, and only the signed one tells."""
    flip_value(log, "tile", "hashes", "level = 1 AND idx = 0", 0)
    raises("log.corrupt", lambda: log.consistency(257, 600))


def test_a_damaged_node_above_published_tiles_is_not_published(tmp_path: Path) -> None:
    public = MemoryPublication()
    with sqlite_log(tmp_path) as log:
        log.append(entries(300))
        publish(log, public)
        log.append(entries(600))
        flip_value(log, "tile", "hashes", "level = 1 AND idx = 0", 0)
        before = dict(public.files)
        raises("log.corrupt", lambda: publish(log, public))
    assert public.files == before


@pytest.mark.parametrize("damage", ["older-checkpoint", "smaller-size", "larger-size", "other-peaks"])
def test_a_head_that_is_not_what_its_checkpoint_states_stops_the_log(damage: str) -> None:
    """Each part of such a head is sound by itself."""
    log = new_log()
    log.append(entries(20))
    older = log.store.head()
    log.append(entries(23))
    head = log.store.head()
    changed = {
        "older-checkpoint": dataclasses.replace(head, checkpoint=older.checkpoint),
        "smaller-size": dataclasses.replace(head, size=22),
        "larger-size": dataclasses.replace(head, size=24),
        "other-peaks": dataclasses.replace(head, peaks=older.peaks),
    }[damage]
    with log.store.begin() as transaction:
        transaction.put_head(changed)
    log.last_signed = MemoryLastSigned()
    for call in (lambda: log.append([b"new"]), lambda: log.append([b"entry 0"]), log.head):
        raises("log.corrupt", call)


def test_an_entry_beyond_the_head_is_no_duplicate() -> None:
    log = new_log()
    log.append(entries(3))
    with log.store.begin() as transaction:
        transaction.append(3, [(leaf_hash(b"stray"), b"stray")], FixedClock().now())
    raises("log.corrupt", lambda: log.append([b"stray"]))


@pytest.mark.parametrize("column", ["peaks", "checkpoint"])
def test_a_flipped_bit_in_the_head_stops_the_log(log: Log, column: str) -> None:
    flip_value(log, "head", column, "1", 40)
    for call in (
        lambda: log.append([b"new"]),
        lambda: log.receipt(0),
        lambda: publish(log, MemoryPublication()),
    ):
        raises("log.corrupt", call)
    rebuild(log)
    verify_receipt(log.receipt(0), b"entry 0", [log.verifier])


def test_a_retry_of_an_entry_whose_proof_is_damaged_gets_none(log: Log) -> None:
    flip_value(log, "tile", "hashes", "level = 0 AND idx = 0", 32)
    raises("log.corrupt", lambda: log.append([b"entry 0"]))


def test_no_flipped_bit_of_a_receipt_verifies() -> None:
    log = new_log()
    good = format_receipt(log.append(entries(9))[4].receipt)
    for position in range(len(good) * 8):
        data = bytearray(good)
        data[position // 8] ^= 1 << position % 8
        with pytest.raises(RakkanError):
            verify_receipt(parse_receipt(bytes(data)), b"entry 4", [log.verifier])


@pytest.mark.parametrize("path", ["tile/0/000", "tile/entries/000", "checkpoint"])
def test_a_changed_file_of_a_publication_is_not_published_over(path: str) -> None:
    log, public = new_log(), MemoryPublication()
    log.append(entries(200))
    publish(log, public)
    log.append(entries(300))
    public.files[path] = b"other bytes"
    raises("log.conflict", lambda: publish(log, public))
    assert public.files[path] == b"other bytes"


@pytest.mark.slow
@pytest.mark.slow
@pytest.mark.sample
def test_a_database_file_with_a_flipped_bit_never_lies(tmp_path: Path) -> None:
    """Whatever the bit hits, what comes out is right, or one of our errors; never another exception."""
    (tmp_path / "good").mkdir()
    with sqlite_log(tmp_path / "good") as log:
        log.append(entries(SIZE))
    good = (tmp_path / "good" / "ledger.db").read_bytes()
    assert not (tmp_path / "good" / "ledger.db-wal").exists()
    seeded = random.Random(20261122)
    codes: dict[str, int] = {}
    for _ in range(60):
        bad = tmp_path / "bad"
        shutil.rmtree(bad, ignore_errors=True)
        shutil.copytree(tmp_path / "good", bad)
        data = bytearray(good)
        data[seeded.randrange(len(data))] ^= 1 << seeded.randrange(8)
        (bad / "ledger.db").write_bytes(data)
        for use in (ask, grow, spread, repair):
            try:
                with sqlite_log(bad) as log:
                    use(log)
            except RakkanError as error:
                codes[error.code] = codes.get(error.code, 0) + 1
    assert codes["log.corrupt"] >= 10, codes
    assert set(codes) <= {"log.corrupt", "home.schema", "home.missing", "log.storage", "log.rollback"}, codes


def ask(log: Log) -> None:
    for index in range(0, SIZE, 23):
        receipt = log.receipt(index)
        assert verify_receipt(receipt, f"entry {index}".encode(), [log.verifier]).size in {SIZE, SIZE + 1}


def grow(log: Log) -> None:
    for entry, found in zip(batch := [b"entry 5", b"new"], log.append(batch), strict=True):
        verify_receipt(found.receipt, entry, [log.verifier])


def spread(log: Log) -> None:
    public = MemoryPublication()
    assert publish(log, public).checkpoint == log.store.head().checkpoint


def repair(log: Log) -> None:
    rebuild(log)
    ask(log)
