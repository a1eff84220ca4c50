"""What every store of entries, manifests and last-signed records promises."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ledger.adapters.files import DirectoryManifestStore, FileLastSigned
from ledger.adapters.sql.store import SqlEntryStore
from ledger.core.checkpoint import sign_checkpoint
from ledger.core.note import NoteSigner
from ledger.errors import IntegrityError, MalformedError, RefusedError, UsageError
from ledger.ports import ArtifactRow, EntryStore, Head, ManifestStore, StatementRow
from ledger.service.log.guard import LastSigned
from ledger.testing import (
    MemoryEntryStore,
    MemoryLastSigned,
    MemoryManifestStore,
)
from tests.support.engines import engine_on
from tests.support.log import KEY, ORIGIN

NOW = datetime(2026, 1, 2, tzinfo=UTC)
KINDS = ("memory", "real")


def leaf(number: int) -> bytes:
    return number.to_bytes(32, "big")


ENTRIES = [(leaf(number), f"entry {number}".encode()) for number in range(200)]


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[EntryStore]:
    if request.param == "memory":
        yield MemoryEntryStore()
        return
    with engine_on(request, tmp_path, busy_seconds=0.1) as engine:
        yield SqlEntryStore(engine, ORIGIN)


def fill(store: EntryStore, count: int) -> None:
    with store.begin() as transaction:
        transaction.append(0, ENTRIES[:count], NOW)


def test_a_new_log_is_empty(store: EntryStore) -> None:
    assert store.head() == Head(0, (), b"")
    assert store.tile(0, 0) == b""
    assert store.index(leaf(0)) is None
    assert list(store.envelopes(0, 10)) == []
    assert store.statements("any") == []
    assert store.artifacts(index=0) == []


def test_entries_come_back_byte_for_byte_and_in_order(store: EntryStore) -> None:
    fill(store, 200)
    assert [store.envelope(index) for index in (0, 99, 199)] == [b"entry 0", b"entry 99", b"entry 199"]
    assert list(store.envelopes(0, 2**63 - 1)) == [envelope for _, envelope in ENTRIES]
    assert list(store.envelopes(63, 66)) == [b"entry 63", b"entry 64", b"entry 65"]
    assert list(store.envelopes(198, 300)) == [b"entry 198", b"entry 199"]
    assert list(store.envelopes(5, 5)) == []


def test_many_entries_are_read_at_once(store: EntryStore) -> None:
    fill(store, 200)
    assert store.envelopes_at([]) == {}
    assert store.envelopes_at([199, 7, 7, 200, -1]) == {7: b"entry 7", 199: b"entry 199"}
    assert len(store.envelopes_at(range(5_000))) == 200


@pytest.mark.parametrize("index", [-1, 3, 2**40])
def test_an_index_outside_the_log_is_refused(store: EntryStore, index: int) -> None:
    fill(store, 3)
    with pytest.raises(UsageError) as error:
        store.envelope(index)
    assert error.value.code == "log.no-such-entry"


def test_known_leaves_are_found(store: EntryStore) -> None:
    fill(store, 3)
    assert store.index(leaf(2)) == 2
    assert store.index(leaf(3)) is None
    with store.begin() as transaction:
        assert transaction.indices([]) == {}
        assert transaction.indices([leaf(2), leaf(7), leaf(0)]) == {leaf(0): 0, leaf(2): 2}


def test_many_leaves_are_looked_up_at_once(store: EntryStore) -> None:
    fill(store, 200)
    with store.begin() as transaction:
        assert len(transaction.indices([leaf(number) for number in range(40_000)])) == 200


@pytest.mark.parametrize(
    ("first", "entry"), [(2, (leaf(9), b"x")), (3, (leaf(1), b"x"))], ids=["index", "leaf"]
)
def test_an_index_and_a_leaf_are_taken_once(
    store: EntryStore, first: int, entry: tuple[bytes, bytes]
) -> None:
    fill(store, 3)
    with pytest.raises(IntegrityError) as error, store.begin() as transaction:
        transaction.append(first, [entry], NOW)
    assert error.value.code == "log.corrupt"
    assert len(list(store.envelopes(0, 9))) == 3


def test_a_transaction_sees_what_it_wrote_and_nobody_else_does(store: EntryStore) -> None:
    head = Head(1, (leaf(0),), b"note")
    with store.begin() as transaction:
        transaction.append(0, ENTRIES[:1], NOW)
        transaction.put_tiles({(0, 0): leaf(0)})
        transaction.put_head(head)
        assert transaction.head() == head
        assert transaction.tile(0, 0) == leaf(0)
        assert transaction.indices([leaf(0)]) == {leaf(0): 0}
        assert (store.head().size, store.tile(0, 0), store.index(leaf(0))) == (0, b"", None)
    assert (store.head(), store.tile(0, 0), store.index(leaf(0))) == (head, leaf(0), 0)


def test_an_exception_undoes_everything(store: EntryStore) -> None:
    fill(store, 1)

    def fail() -> None:
        with store.begin() as transaction:
            transaction.append(1, ENTRIES[1:2], NOW)
            transaction.put_tiles({(0, 0): leaf(0)})
            transaction.put_head(Head(2, (leaf(0),), b"note"))
            transaction.project([StatementRow(1, "t", "k")], [])
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert (store.head().size, store.tile(0, 0), store.index(leaf(1))) == (0, b"", None)
    assert store.statements("t") == []


def test_a_second_writer_is_told_that_the_log_is_busy(store: EntryStore) -> None:
    codes = []

    def second() -> None:
        try:
            with store.begin():
                codes.append("in")
        except RefusedError as error:
            codes.append(error.code)

    with store.begin():
        thread = threading.Thread(target=second)
        thread.start()
        thread.join()
    assert codes == ["log.busy"]


def test_a_longer_tile_replaces_its_prefix(store: EntryStore) -> None:
    for width in (1, 2, 256):
        with store.begin() as transaction:
            transaction.put_tiles({(0, 0): leaf(1) * width, (1, 7): leaf(2)})
    assert store.tile(0, 0) == leaf(1) * 256
    assert store.tile(1, 7) == leaf(2)


def test_no_tiles_is_fine(store: EntryStore) -> None:
    with store.begin() as transaction:
        transaction.put_tiles({})
        transaction.append(0, [], NOW)
        transaction.project([], [])


def test_a_transaction_reads_entries_and_statements(store: EntryStore) -> None:
    fill(store, 3)
    rows = [StatementRow(0, "t", "k"), StatementRow(1, "u", "k"), StatementRow(2, "v", "k")]
    with store.begin() as transaction:
        transaction.project(rows, [])
        assert transaction.envelope(2) == b"entry 2"
        assert transaction.statements(["t", "v"], 0) == [rows[0], rows[2]]
        assert transaction.statements(["v", "u", "t"], 1) == rows[1:]
        assert transaction.statements([], 0) == []
        for index in (-1, 3, 2**63, -(2**70)):
            with pytest.raises(UsageError) as error:
                transaction.envelope(index)
            assert error.value.code == "log.no-such-entry"


# --- the head ---------------------------------------------------------------------------------------------


def test_the_head_moves_from_state_to_state(store: EntryStore) -> None:
    heads = [Head(1, (leaf(0),), b"one"), Head(3, (leaf(1), leaf(2)), b"three"), Head(3, (), b"three", 1)]
    for before, after in zip([Head(0, (), b""), *heads], heads, strict=False):
        with store.begin() as transaction:
            assert transaction.head() == before
            transaction.put_head(after)
            assert transaction.head() == after
        assert store.head() == after


def test_a_head_may_move_twice_in_a_transaction(store: EntryStore) -> None:
    with store.begin() as transaction:
        transaction.put_head(Head(1, (leaf(0),), b"one"))
        transaction.put_head(Head(2, (leaf(1),), b"two"))
    assert store.head() == Head(2, (leaf(1),), b"two")


def test_a_cleared_head_may_be_put_again(store: EntryStore) -> None:
    head = Head(2, (leaf(1),), b"two", 2**62)
    for _ in range(2):
        with store.begin() as transaction:
            transaction.head()
            transaction.clear_projections()
            transaction.put_head(head)
    assert store.head() == head


def test_the_largest_size_fits(store: EntryStore) -> None:
    head = Head(2**63 - 1, (leaf(1),) * 63, b"two", 2**63 - 1)
    with store.begin() as transaction:
        transaction.put_head(head)
    assert store.head() == head


def test_a_frozen_log_takes_nothing_and_is_still_read(store: EntryStore) -> None:
    fill(store, 2)
    store.freeze("two checkpoints of size 7 – évidence in alarm 3")
    for _ in range(2):
        with pytest.raises(RefusedError) as error, store.begin():
            raise AssertionError
        assert error.value.code == "log.frozen"
        assert "évidence in alarm 3" in error.value.message
    assert store.envelope(1) == b"entry 1"


# --- everything that is stored ----------------------------------------------------------------------------


def test_chains_come_by_key_then_number_then_index(store: EntryStore) -> None:
    count = 2500  # more than one piece
    received = datetime(2026, 3, 1, 12, tzinfo=UTC)
    rows = [StatementRow(0, "t", "registrar")]
    rows += [StatementRow(n, "t", "key-b", count - n, "2026-03-01T11:00:00Z") for n in range(1, count)]
    rows += [StatementRow(count, "t", "key-a", 0, "2026-03-01T11:00:00Z")]
    rows += [StatementRow(count + 1, "t", "key-b", 1, "2026-03-01T11:00:00Z")]
    with store.begin() as transaction:
        transaction.append(0, [(b"%032d" % n, b"{}") for n in range(count + 2)], received)
        transaction.project(rows, [])
    found = list(store.chains())
    assert [(row.keyid, row.sequence) for row in found[:4]] == [
        ("key-a", 0),
        ("key-b", 1),
        ("key-b", 1),
        ("key-b", 2),
    ]
    assert [row.index for row in found[1:3]] == [count - 1, count + 1]
    assert len(found) == count + 1
    assert datetime.fromisoformat(found[0].received) == received


ROWS = [
    ArtifactRow(0, "subject", 0, "a", "aa" * 32, None),
    ArtifactRow(0, "subject", 1, "b", "bb" * 32, "cc" * 32),
    ArtifactRow(0, "plate", 0, "p", "dd" * 32, "cc" * 32),
    ArtifactRow(1, "subject", 0, "a2", "aa" * 32, None),
    # The same first digits, and the same row twice.
    ArtifactRow(1, "plate", 0, "q", "aa" * 31 + "ab", None),
    ArtifactRow(1, "plate", 0, "q", "aa" * 31 + "ab", None),
]


def test_rows_are_found_by_each_criterion_in_order(store: EntryStore) -> None:
    with store.begin() as transaction:
        transaction.project([StatementRow(0, "t", "k0")], ROWS[:3])
        transaction.project([StatementRow(1, "u", "k1"), StatementRow(2, "t", "k2")], ROWS[3:])
    assert store.artifacts(index=0) == ROWS[:3]
    assert store.artifacts(sha256="aa" * 32) == [ROWS[0], ROWS[3]]
    assert store.artifacts(sha256="aa" * 31 + "ab") == ROWS[4:]
    assert store.artifacts(pixels="cc" * 32) == [ROWS[1], ROWS[2]]
    assert store.artifacts(pixels="aa" * 32) == []
    assert store.statements("t") == [StatementRow(0, "t", "k0"), StatementRow(2, "t", "k2")]


def test_entries_come_with_all_their_rows(store: EntryStore) -> None:
    statements = [StatementRow(0, "t", "k0"), StatementRow(130, "u", "k1")]
    far = [ArtifactRow(130, "subject", n, f"n{n}", "ab" * 32, None) for n in range(3)]
    with store.begin() as transaction:
        transaction.append(0, ENTRIES, NOW)
        transaction.project(statements, [*ROWS, *far])
    found = list(store.stored(0, 2**63 - 1))
    assert [(one.index, one.leaf_hash, one.envelope) for one in found] == [
        (index, *entry) for index, entry in enumerate(ENTRIES)
    ]
    assert {one.index: one.statements for one in found if one.statements} == {
        0: tuple(statements[:1]),
        130: tuple(statements[1:]),
    }
    assert {one.index: one.artifacts for one in found if one.artifacts} == {
        0: tuple(ROWS[:3]),
        1: tuple(ROWS[3:]),
        130: tuple(far),
    }
    assert list(store.stored(129, 131)) == found[129:131]
    assert list(store.stored(200, 300)) == list(store.stored(5, 5)) == []


def test_tiles_come_by_level_and_index(store: EntryStore) -> None:
    tiles = {(level, index): leaf(level) * (index % 256 + 1) for level in range(3) for index in range(100)}
    with store.begin() as transaction:
        transaction.put_tiles(dict(reversed(tiles.items())))
    assert list(store.tiles()) == [(*key, hashes) for key, hashes in tiles.items()]


def test_rows_beyond_a_size_are_noticed_by_table(store: EntryStore) -> None:
    assert store.beyond(0) is None
    fill(store, 3)
    with store.begin() as transaction:
        transaction.project([StatementRow(2, "t", "k"), StatementRow(7, "t", "k")], [ROWS[0]])
    assert [store.beyond(size) for size in (0, 2, 3, 7, 8)] == [
        "entry",
        "entry",
        "statement",
        "statement",
        None,
    ]
    with store.begin() as transaction:
        transaction.project([], [ArtifactRow(-1, "subject", 0, "a", "aa" * 32, None)])
    assert store.beyond(8) == "artifact"


@pytest.mark.parametrize("criteria", [{}, {"index": 0, "pixels": "cc" * 32}])
def test_exactly_one_criterion_is_taken(store: EntryStore, criteria: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="exactly one"):
        store.artifacts(**criteria)


def test_clearing_projections_keeps_the_entries(store: EntryStore) -> None:
    fill(store, 2)
    with store.begin() as transaction:
        transaction.put_tiles({(0, 0): leaf(0)})
        transaction.put_head(Head(2, (leaf(0),), b"note"))
        transaction.project([StatementRow(0, "t", "k")], ROWS[:1])
    with store.begin() as transaction:
        transaction.clear_projections()
    assert (store.head(), store.tile(0, 0)) == (Head(0, (), b""), b"")
    assert (store.statements("t"), store.artifacts(index=0)) == ([], [])
    assert [store.index(leaf(0)), store.index(leaf(1))] == [0, 1]


# --- manifests and last-signed records -----------------------------------------------


@pytest.fixture(params=KINDS)
def manifests(request: pytest.FixtureRequest, tmp_path: Path) -> ManifestStore:
    return MemoryManifestStore() if request.param == "memory" else DirectoryManifestStore(tmp_path / "m")


def test_a_newer_manifest_store_replaces_the_older(manifests: ManifestStore) -> None:
    assert manifests.get("ab" * 32) is None
    manifests.put("ab" * 32, b"old")
    manifests.put("ab" * 32, b"new")
    assert manifests.get("ab" * 32) == b"new"
    assert manifests.get("ac" * 32) is None


@pytest.mark.parametrize("digest", ["", "AB" * 32, "../" * 21 + "x", "ab" * 32 + "\n"])
def test_a_manifest_store_is_named_by_a_digest(manifests: ManifestStore, digest: str) -> None:
    with pytest.raises(MalformedError) as error:
        manifests.get(digest)
    assert error.value.code == "digest.malformed"
    with pytest.raises(MalformedError):
        manifests.put(digest, b"")


@pytest.fixture(params=KINDS)
def last_signed(request: pytest.FixtureRequest, tmp_path: Path) -> LastSigned:
    return (
        MemoryLastSigned() if request.param == "memory" else FileLastSigned(tmp_path / "keys" / "last-signed")
    )


def signed(size: int) -> bytes:
    return sign_checkpoint(ORIGIN, size, bytes([size]) * 32, [NoteSigner(ORIGIN, KEY)])


def test_the_record_keeps_the_largest_checkpoint(last_signed: LastSigned) -> None:
    assert last_signed.read() is None
    for size, largest in [(1, 1), (2, 2), (3, 3), (2, 3), (3, 3), (9, 9), (4, 9), (10, 10)]:
        last_signed.write(signed(size))
        assert last_signed.read() == signed(largest)
