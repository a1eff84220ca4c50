"""What every store of openings promises."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.adapters.sql.openings import SqlOpeningStore
from ledger.ports import OpeningStore
from ledger.testing import MemoryOpeningStore
from tests.support.engines import engine_on


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def openings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OpeningStore]:
    if request.param == "memory":
        yield MemoryOpeningStore()
        return
    with engine_on(request, tmp_path) as engine:
        yield SqlOpeningStore(engine)


def test_openings_are_kept(openings: OpeningStore) -> None:
    openings.put({})
    openings.put({"d1": "one", "d2": "two"})
    openings.put({"d2": "another", "d3": "three"})
    assert [openings.get(f"d{n}") for n in range(5)] == [None, "one", "two", "three", None]


def test_an_erased_opening_is_gone_and_the_others_stay(openings: OpeningStore) -> None:
    openings.put({f"d{n}": f"opening {n}" for n in range(5)})
    assert openings.erase(["d1", "d3", "d3", "never"]) == 2
    assert [openings.get(f"d{n}") for n in range(5)] == ["opening 0", None, "opening 2", None, "opening 4"]
    assert openings.erase(["d1"]) == 0
    assert openings.erase([]) == 0


def test_many_are_erased_at_once(openings: OpeningStore) -> None:
    openings.put({f"d{n}": "text" for n in range(1200)})
    assert openings.erase([f"d{n}" for n in range(1, 2000)]) == 1199
    assert openings.get("d0") == "text"


def test_an_erased_opening_may_be_given_again(openings: OpeningStore) -> None:
    openings.put({"d": "text"})
    openings.erase(["d"])
    openings.put({"d": "text"})
    assert openings.get("d") == "text"
