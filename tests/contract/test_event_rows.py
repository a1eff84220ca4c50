"""What every store that events are read from promises."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ledger.adapters.sql.events import SqlEventStore
from ledger.adapters.sql.store import SqlEntryStore, create_log
from ledger.service.events.store import EventStore
from tests.support.engines import engine_on
from tests.support.log import ORIGIN, TYPE, entries, new_log

OTHER = "ledger.example/other"


@dataclass(frozen=True)
class Two:
    ours: EventStore
    theirs: EventStore


@pytest.fixture(params=["sqlite", "postgres"])
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Two]:
    """A log of ten entries, and an empty one in the same database."""
    with engine_on(request, tmp_path) as engine:
        create_log(engine, OTHER)
        new_log(SqlEntryStore(engine, ORIGIN)).append(entries(10))
        yield Two(SqlEventStore(engine, ORIGIN), SqlEventStore(engine, OTHER))


def test_sizes_are_each_logs_own(stores: Two) -> None:
    assert (stores.ours.size(), stores.theirs.size()) == (10, 0)


@pytest.mark.parametrize(
    ("start", "stop", "limit", "found"),
    [
        (0, 10, 100, list(range(10))),
        (3, 7, 100, [3, 4, 5, 6]),
        (3, 10, 2, [3, 4]),
        (9, 5000, 100, [9]),
        (10, 20, 100, []),
    ],
)
def test_rows_come_in_order_within_their_limits(
    stores: Two, start: int, stop: int, limit: int, found: list[int]
) -> None:
    rows = stores.ours.rows([TYPE], start, stop, limit, 5)
    assert [row.index for row in rows] == found
    assert all(row.subjects[0].name == f"frame {row.index}" for row in rows)
    assert all(row.received.endswith("Z") for row in rows)


def test_what_was_not_asked_for_does_not_come(stores: Two) -> None:
    assert stores.ours.rows(["https://example.org/other/v1"], 0, 10, 100, 5) == []
    assert stores.ours.rows([], 0, 10, 100, 5) == []
    assert stores.theirs.rows([TYPE], 0, 10, 100, 5) == []


def test_subjects_beyond_the_limit_are_said_to_be_there(stores: Two) -> None:
    (row,) = stores.ours.rows([TYPE], 4, 5, 1, 0)
    assert (row.subjects, row.more) == ((), True)
    (row,) = stores.ours.rows([TYPE], 4, 5, 1, 1)
    assert (len(row.subjects), row.more) == (1, False)
