"""What the store of readers promises, on both engines."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from ledger.adapters.sql.basis import SqlBasisStore
from ledger.adapters.sql.reading import SqlReadingStore
from ledger.adapters.sql.store import SqlEntryStore
from ledger.core.artifact import Artifact
from ledger.core.predicates.step import Place as At
from ledger.core.statement import Statement
from ledger.ports import Head
from ledger.service.clear.store import ANYWHERE, Where
from ledger.service.reading.entries import FILES, STEPS
from ledger.service.reading.store import PIECE, Place, ReadingStore
from tests.support.bases import component, made, project, sealed
from tests.support.builders import DEVICE, digest
from tests.support.engines import engine_on
from tests.support.log import ORIGIN

END = 10**9
NOW = datetime(2026, 1, 2, tzinfo=UTC)
BEGINNING = Place(0)


@pytest.fixture(params=["sqlite", "postgres"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    with engine_on(request, tmp_path) as engine:
        yield engine


@pytest.fixture
def store(engine: Engine) -> ReadingStore:
    return SqlReadingStore(engine, ORIGIN)


def tell(engine: Engine, *statements: Statement) -> None:
    entries = SqlEntryStore(engine, ORIGIN)
    project(SqlBasisStore(engine, ORIGIN), entries, *statements)


def shot(name: str, shot: str, sequence: str | None = "sq010", task: str = "comp") -> Statement:
    return made(name, place=At("nightfall", sequence, shot, task), step_id=name)


def of_episode(name: str, episode: str) -> Statement:
    return made(name, place=At("nightfall", "sq010", "sh010", episode=episode), step_id=name)


def test_makers_and_users_are_told_apart_each_in_order(engine: Engine, store: ReadingStore) -> None:
    tell(
        engine,
        made("a"),
        made("b", of=[component("a")]),
        made("a"),
        made("c", "d", of=[component("a"), component("e")]),
        sealed(s="a"),
    )
    assert [row.index for row in store.made(digest("a"), END)] == [2, 0]
    assert [row.index for row in store.made(digest("a"), 2)] == [0]
    assert [(row.index, row.role) for row in store.uses(digest("a"), -1, END).rows] == [
        (1, "component"),
        (3, "component"),
        (4, "sealed-from"),
    ]
    assert [row.index for row in store.uses(digest("a"), 1, 4).rows] == [3]
    assert store.uses(digest("nothing"), -1, END) == ([], None)
    assert store.types([0, 4, 99]) == {0: STEPS[0], 4: "https://rakkan.org/seal/v1"}
    assert store.types([]) == {}


def test_digests_that_begin_alike_are_told_apart(engine: Engine, store: ReadingStore) -> None:
    twin = digest("a")[:16] + "0" * 48
    other = Artifact("twin", twin, pixels=digest("x")[:16] + "0" * 48)
    tell(engine, made("b", of=[component("a")]), Statement((other,), made("x").predicate))
    assert [row.index for row in store.made(twin, END)] == [1]
    assert store.made(digest("a"), END) == []
    assert store.seen(digest("x"), END) == []
    assert [row.name for row in store.seen(other.pixels or "", END)] == ["twin"]


def test_what_is_used_often_comes_in_pieces_of_whole_entries(engine: Engine, store: ReadingStore) -> None:
    many = [made(f"f{n}", of=[component("sheet"), component("sheet")], step_id=f"{n}") for n in range(700)]
    tell(engine, *many)
    found, after = list[int](), -1
    while True:
        rows, more = store.uses(digest("sheet"), after, END)
        found += [row.index for row in rows]
        if more is None:
            break
        assert len(rows) < PIECE
        after = more
    assert found == [n for n in range(700) for _ in range(2)]


def test_files_are_found_by_a_part_of_their_names(engine: Engine, store: ReadingStore) -> None:
    tell(engine, made("Night_01.png", "night%02.png", "day!.png"), made("NIGHT 03.png"))

    def names(part: str | None, after: Place = BEGINNING) -> list[str]:
        return [row.name for row in store.subjects(FILES, after, END, part)]

    assert names(None) == ["Night_01.png", "night%02.png", "day!.png", "NIGHT 03.png"]
    assert names("night") == ["Night_01.png", "night%02.png", "NIGHT 03.png"]
    assert names("t_0") == ["Night_01.png"]
    assert names("%") == ["night%02.png"]
    assert names("!") == ["day!.png"]
    assert names("night", Place(0, 0)) == ["night%02.png", "NIGHT 03.png"]
    assert names("night", Place(0, 2)) == ["NIGHT 03.png"]
    assert list(store.subjects(["none"], Place(0), END, None)) == []


def test_entries_are_told_by_type_and_by_key(engine: Engine, store: ReadingStore) -> None:
    tell(engine, made("a"), sealed(s="a"), made("b"))
    assert [row.index for row in store.statements(STEPS, -1, END)] == [0, 2]
    assert [row.index for row in store.statements(STEPS, 0, END)] == [2]
    assert [row.index for row in store.statements(FILES, -1, 2)] == [0, 1]
    assert [row.index for row in store.statements(STEPS, -1, END, "device")] == [0, 2]
    assert store.statements(STEPS, -1, END, DEVICE.keyid) == []


def test_steps_and_shots_are_counted_by_place(engine: Engine, store: ReadingStore) -> None:
    tell(
        engine,
        shot("a", "sh010"),
        shot("b", "sh020"),
        shot("c", "sh010", task="paint"),
        shot("d", "sh010", "sq020"),
        shot("e", "sh030", None),
        made("f", of=[component("a")], place=At("nightfall", "sq010", "sh010"), step_id="f"),
    )
    assert store.steps(ANYWHERE, -1, END) == [0, 1, 2, 3, 4, 5]
    assert store.steps(Where("sq010", "sh010"), -1, END) == [0, 2, 5]
    assert store.steps(Where(shot="sh010"), 0, 5) == [2, 3]
    assert store.steps(Where(task="paint"), -1, END) == [2]
    assert store.shots(None, 9) == [
        ("sh010", "sq010", 3, 2, 5, None),
        ("sh010", "sq020", 1, 1, 3, None),
        ("sh020", "sq010", 1, 1, 1, None),
        ("sh030", None, 1, 1, 4, None),
    ]
    assert [row.shot for row in store.shots("sh010", 1)] == ["sh020"]
    assert store.shots("sh030", 9) == []
    assert sum(store.final_bases(ANYWHERE).values()) == 5
    assert sum(store.final_bases(Where("sq010", "sh010")).values()) == 2


def test_two_episodes_may_have_the_same_shot(engine: Engine, store: ReadingStore) -> None:
    tell(engine, shot("a", "sh010"), *(of_episode(name, f"ep{name}") for name in "bc"))
    assert store.shots(None, 9) == [
        ("sh010", "sq010", 1, 1, 0, None),
        ("sh010", "sq010", 1, 1, 1, "epb"),
        ("sh010", "sq010", 1, 1, 2, "epc"),
    ]
    assert store.steps(Where("sq010", "sh010", episode="epc"), -1, END) == [2]
    assert store.steps(Where(episode="epb"), -1, END) == [1]
    assert sum(store.final_bases(Where(episode="epb")).values()) == 1


def test_steps_that_used_a_file_are_counted_by_time(engine: Engine, store: ReadingStore) -> None:
    hours = [made(f"f{n}", of=[component("a")], finished=NOW + timedelta(hours=n)) for n in range(4)]
    twice = made("g", of=[component("a"), component("b")], finished=NOW)
    tell(engine, made("a"), made("b"), *hours, twice, sealed(s="a"))
    slot = int(NOW.timestamp()) // 900
    assert store.steps_using([digest("a")], 0, END, 10) == (5, [2, 3, 4, 5, 6])
    assert store.steps_using([digest("a"), digest("b")], 0, END, 2) == (5, [2, 3])
    assert store.steps_using([digest("a")], slot + 4, slot + 8, 10) == (2, [3, 4])
    assert store.steps_using([digest("a")[:16] + "0" * 48], 0, END, 10) == (0, [])
    assert store.steps_using([], 0, END, 10) == (0, ())
    assert store.keyids([2, 99]) == {2: "device"}


def test_the_first_entry_since_a_moment_is_found(engine: Engine, store: ReadingStore) -> None:
    assert store.first_since(NOW) == 0
    with SqlEntryStore(engine, ORIGIN).begin() as transaction:
        for number in range(20):
            leaf = number.to_bytes(32, "big")
            transaction.append(number, [(leaf, b"x")], NOW + timedelta(minutes=number // 2))
        transaction.put_head(Head(20, (), b"c"))
    assert store.first_since(NOW) == 0
    assert store.first_since(NOW + timedelta(minutes=3)) == 6
    assert store.first_since(NOW + timedelta(minutes=3, seconds=1)) == 8
    assert store.first_since(NOW + timedelta(days=1)) == 20
    minutes = (3, 0, 9, 99, 3)
    assert list(store.firsts_since([NOW + timedelta(minutes=n) for n in minutes])) == [6, 0, 18, 20, 6]
    assert list(store.firsts_since([])) == []
    assert store.received(7) == NOW + timedelta(minutes=3)
    assert store.received(20) is None
