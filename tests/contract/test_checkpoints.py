"""What every store of cosigned checkpoints promises."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.adapters.sql.checkpoints import SqlCheckpointStore
from ledger.adapters.sql.store import create_log
from ledger.ports import CheckpointStore
from ledger.testing import MemoryCheckpointStore
from tests.support.engines import engine_on
from tests.support.log import ORIGIN

OTHER = "ledger.example/other"


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def two(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[CheckpointStore, CheckpointStore]]:
    """The stores of two logs, in one database where there is one."""
    if request.param == "memory":
        yield MemoryCheckpointStore(), MemoryCheckpointStore()
        return
    with engine_on(request, tmp_path) as engine:
        create_log(engine, OTHER)
        yield SqlCheckpointStore(engine, ORIGIN), SqlCheckpointStore(engine, OTHER)


@pytest.fixture
def checkpoints(two: tuple[CheckpointStore, CheckpointStore]) -> CheckpointStore:
    return two[0]


def test_there_are_none_at_first(checkpoints: CheckpointStore) -> None:
    assert checkpoints.newest() is None
    assert checkpoints.covering(0) is None


def test_the_largest_is_the_newest_however_they_came(checkpoints: CheckpointStore) -> None:
    for size in (5, 2**62, 7):
        checkpoints.put(size, b"note %d" % size)
    assert checkpoints.newest() == b"note %d" % 2**62


@pytest.mark.parametrize(
    ("size", "found"), [(0, b"five"), (5, b"five"), (6, b"nine"), (9, b"nine"), (10, None)]
)
def test_the_smallest_that_covers_a_size_is_found(
    checkpoints: CheckpointStore, size: int, found: bytes | None
) -> None:
    checkpoints.put(9, b"nine")
    checkpoints.put(5, b"five")
    assert checkpoints.covering(size) == found


def test_one_with_more_cosignatures_replaces_its_forerunner(checkpoints: CheckpointStore) -> None:
    checkpoints.put(5, b"note")
    checkpoints.put(5, b"note, cosigned \x00\xff")
    assert checkpoints.newest() == checkpoints.covering(5) == b"note, cosigned \x00\xff"


def test_they_are_listed_from_the_largest_on_and_piece_by_piece(checkpoints: CheckpointStore) -> None:
    for size in (5, 2**62, 7):
        checkpoints.put(size, b"note %d" % size)
    assert list(checkpoints.below(2**63 - 1, 2)) == [b"note %d" % 2**62, b"note 7"]
    assert list(checkpoints.below(7, 2)) == [b"note 5"]
    assert list(checkpoints.below(5, 2)) == []


def test_logs_keep_their_own(two: tuple[CheckpointStore, CheckpointStore]) -> None:
    ours, theirs = two
    theirs.put(9, b"theirs")
    assert ours.newest() is None
    assert ours.covering(1) is None
    assert list(ours.below(10, 1)) == []
