"""What every store of bases promises."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ledger.adapters.sql.basis import SqlBasisStore
from ledger.adapters.sql.store import SqlEntryStore, create_log
from ledger.core.predicates.step import Evidence
from ledger.core.rights.basis import Item, ItemKind
from ledger.ports import ArtifactRow, EntryStore
from ledger.service.clear.store import (
    BasisStore,
    Changes,
    EntryRow,
    Final,
    FinalRow,
    Kind,
    Link,
    Mark,
    Where,
    pack,
    unpack,
)
from ledger.testing import MemoryEntryStore
from ledger.testing.bases import MemoryBasisStore
from tests.support.builders import digest
from tests.support.engines import engine_on
from tests.support.log import ORIGIN

OTHER = "ledger.example/other"
MODEL = Item(ItemKind.MODEL, digest("weights"), "sky ☁", "", 1_969_000)
SERVICE = Item(ItemKind.SERVICE, digest("weights"), "sora", "pro", 1_969_001, Evidence.DECLARED)
GAP = Item(ItemKind.GAP, digest("plate"), "plate", "", -5)
COMP = EntryRow(3, Kind.STEP, 1, "", "sq010", "sh0020", "comp", "v003", 1001, 1100, 1_969_000)
PAINT = EntryRow(5, Kind.STEP, 2, "key.suspect", "sq020", "sh0020", None, None, None, None, 1_969_001, "ep02")
SEAL = EntryRow(4, Kind.SEAL, 0)
FIRST = Mark(6, 3, 3, b"root")


@dataclass
class Two:
    """The stores of two logs, in one database where there is one, and the first log's entries."""

    ours: BasisStore
    theirs: BasisStore
    entries: EntryStore


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def two(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Two]:
    if request.param == "memory":
        entries = MemoryEntryStore()
        yield Two(MemoryBasisStore(entries), MemoryBasisStore(MemoryEntryStore()), entries)
        return
    with engine_on(request, tmp_path) as engine:
        create_log(engine, OTHER)
        yield Two(SqlBasisStore(engine, ORIGIN), SqlBasisStore(engine, OTHER), SqlEntryStore(engine, ORIGIN))


@pytest.fixture
def store(two: Two) -> BasisStore:
    return two.ours


def first() -> Changes:
    """Three bases, one in another; two steps and a seal; three final files."""
    return Changes(
        items={0: MODEL, 1: SERVICE, 2: GAP},
        bases={0: pack([]), 1: pack([0]), 2: pack([2, 0, 1])},
        entries=[COMP, SEAL, PAINT],
        finals=[
            FinalRow(3, 0, digest("a"), "a.exr", 1),
            FinalRow(3, 1, digest("b"), "b.exr", 2),
            FinalRow(5, 0, digest("c"), "c.exr", 2),
        ],
    )


@pytest.fixture
def filled(two: Two) -> BasisStore:
    assert two.ours.put(Mark(), FIRST, first())
    return two.ours


def names(finals: Iterator[Final]) -> list[str]:
    return [final.name for final in finals]


def test_there_is_nothing_at_first(store: BasisStore) -> None:
    assert store.mark() == Mark()
    assert list(store.finals_at(Where())) == []
    assert list(store.steps_at(Where())) == []
    assert not store.entries([0])
    assert not store.bases_with([0])
    assert not store.rows([0])


def test_numbers_are_packed_in_order() -> None:
    assert pack([258, 1]) == b"\1\0\0\0\2\1\0\0"
    assert unpack(pack({7, 5, 2**32 - 1})) == (5, 7, 2**32 - 1)
    assert unpack(b"") == ()


def test_rows_are_kept_as_they_were(filled: BasisStore) -> None:
    assert filled.mark() == FIRST
    assert filled.entries([3, 4, 5, 6]) == {3: COMP, 4: SEAL, 5: PAINT}
    assert filled.items([0, 1, 2]) == {0: MODEL, 1: SERVICE, 2: GAP}
    assert filled.members([0, 2]) == {0: b"", 2: pack([0, 1, 2])}


def test_what_is_known_is_found_by_what_it_is(filled: BasisStore) -> None:
    assert filled.find_items([SERVICE, MODEL._replace(slot=0), GAP]) == {SERVICE: 1, GAP: 2}
    assert filled.find_basis(pack([0, 1, 2])) == 2
    assert filled.find_basis(b"") == 0
    assert filled.find_basis(pack([0, 1])) is None


def test_the_blast_radius_is_found_by_kind_and_digest(filled: BasisStore) -> None:
    assert filled.items_about([(ItemKind.MODEL, digest("weights"))]) == {0}
    assert filled.items_about([(ItemKind.SERVICE, digest("weights")), (ItemKind.GAP, digest("plate"))]) == {
        1,
        2,
    }
    assert filled.items_about([(ItemKind.DATASET, digest("weights"))]) == frozenset()
    assert list(filled.bases_with({0})) == [1, 2]
    assert list(filled.bases_with({2, 99})) == [2]
    assert sorted(filled.steps_on([0, 1, 2])) == [COMP, PAINT]
    assert list(filled.steps_on([2])) == [PAINT]
    assert sorted(names(filled.finals_of([3]))) == ["a.exr", "b.exr"]


PLACES = {
    "everywhere": (Where(), "abc"),
    "a sequence": (Where(sequence="sq010"), "ab"),
    "a shot of every sequence": (Where(shot="sh0020"), "abc"),
    "a shot": (Where("sq020", "sh0020"), "c"),
    "an episode": (Where(episode="ep02"), "c"),
    "a shot of an episode": (Where("sq020", "sh0020", episode="ep02"), "c"),
    "that of no other episode": (Where("sq010", "sh0020", episode="ep02"), ""),
    "a task": (Where(task="comp"), "ab"),
    "a version that nobody made": (Where(version="v004"), ""),
    "its last frame": (Where(frames=(1100, 1200)), "ab"),
    "frames inside": (Where(shot="sh0020", frames=(1010, 1010)), "ab"),
    "frames before it": (Where(frames=(1, 1000)), ""),
}


@pytest.mark.parametrize("place", PLACES)
def test_files_are_found_by_place_in_the_order_of_the_log(filled: BasisStore, place: str) -> None:
    where, expected = PLACES[place]
    assert names(filled.finals_at(where)) == [f"{name}.exr" for name in expected]
    steps = {"a": COMP, "c": PAINT}
    assert list(filled.steps_at(where)) == [steps[name] for name in expected if name in steps]


def test_a_final_file_comes_with_its_place_and_its_own_basis(filled: BasisStore) -> None:
    _, final, _ = filled.finals_at(Where())
    assert final == Final(3, 1, digest("b"), "b.exr", 2, "sq010", "sh0020", "comp", "v003", 1001, 1100)


def test_later_changes_replace_what_they_say(filled: BasisStore) -> None:
    changes = Changes(
        changed=[COMP._replace(basis=2, flaw="key.suspect")],
        gone={(3, 0), (3, 1), (9, 9)},
        finals=[FinalRow(3, 1, digest("sealed b"), "b.exr", 2)],
    )
    second = Mark(7, 3, 3, b"later")
    assert filled.put(FIRST, second, changes)
    assert filled.mark() == second
    assert filled.entries([3]) == {3: COMP._replace(basis=2, flaw="key.suspect")}
    assert [(final.name, final.sha256) for final in filled.finals_at(Where())] == [
        ("b.exr", digest("sealed b")),
        ("c.exr", digest("c")),
    ]


def test_who_comes_second_changes_nothing(filled: BasisStore) -> None:
    changes = Changes(changed=[COMP._replace(basis=0)], gone={(3, 0)})
    for stale in (Mark(), FIRST._replace(root=b"another log"), FIRST._replace(items=2)):
        assert not filled.put(stale, Mark(9, 9, 9, b""), changes)
    assert filled.mark() == FIRST
    assert filled.entries([3]) == {3: COMP}
    assert names(filled.finals_at(Where())) == ["a.exr", "b.exr", "c.exr"]


def test_a_snapshot_stays_as_it_was(filled: BasisStore) -> None:
    with filled.snapshot() as still:
        before = still.entries([3, 4, 5]), list(still.finals_at(Where()))
        gone = {(row.index, row.position) for row in before[1]}
        assert filled.put(FIRST, Mark(7, 3, 3, b"later"), Changes(gone=gone))
        assert still.mark() == FIRST
        assert (still.entries([3, 4, 5]), list(still.finals_at(Where()))) == before
        assert (filled.mark().size, list(filled.finals_at(Where()))) == (7, [])


def test_what_is_forgotten_can_be_put_again(two: Two, filled: BasisStore) -> None:
    assert two.theirs.put(Mark(), FIRST, first())
    filled.clear()
    assert filled.mark() == Mark()
    assert list(filled.finals_at(Where())) == []
    assert two.theirs.mark() == FIRST
    assert filled.put(Mark(), FIRST, first())


def test_logs_keep_their_own(two: Two, filled: BasisStore) -> None:
    assert two.theirs.mark() == Mark()
    assert not two.theirs.find_items([MODEL])
    assert not two.theirs.bases_with([0])
    assert list(two.theirs.finals_at(Where())) == []


def test_many_items_are_read_as_few_are(store: BasisStore) -> None:
    items = {number: GAP._replace(detail=f"{number}") for number in range(12_000)}
    assert store.put(Mark(), FIRST, Changes(items=items))
    wanted = [number for number in items if number % 2]
    assert store.items(wanted) == {number: items[number] for number in wanted}


def test_many_rows_come_in_order(store: BasisStore) -> None:
    rows = [EntryRow(index, Kind.STEP, 0, shot=f"sh{index % 7}") for index in range(6_000)]
    finals = [FinalRow(index, at, digest(f"{index} {at}"), "n", 0) for index in range(6_000) for at in (0, 1)]
    assert store.put(Mark(), FIRST, Changes(bases={0: b""}, entries=rows, finals=finals))
    assert [row.index for row in store.steps_at(Where())] == list(range(6_000))
    found = [(final.index, final.position) for final in store.finals_at(Where())]
    assert found == [(index, at) for index in range(6_000) for at in (0, 1)]
    assert [final.index for final in store.finals_at(Where(shot="sh3"))][::2] == list(range(3, 6_000, 7))
    assert len(store.entries(range(6_000))) == len(list(store.steps_on([0]))) == 6_000


PLATE = digest("plate")
TWIN = PLATE[:16] + digest("twin")[16:]
"""Begins as the plate's digest does, so that an index finds both."""


@pytest.fixture
def linked(two: Two) -> BasisStore:
    rows = [
        ArtifactRow(0, "subject", 0, "plate", PLATE, digest("seen")),
        ArtifactRow(0, "subject", 1, "twin", TWIN, None),
        ArtifactRow(1, "component", 0, "the plate", PLATE, None),
        ArtifactRow(1, "subject", 0, "out", digest("out"), None),
        ArtifactRow(2, "parent", 0, "copy", digest("copy"), digest("seen")),
    ]
    with two.entries.begin() as transaction:
        transaction.project([], rows)
    return two.ours


def test_files_are_looked_up_by_bytes(linked: BasisStore) -> None:
    by_plate = [
        Link(0, "subject", 0, "plate", PLATE, digest("seen")),
        Link(1, "component", 0, "the plate", PLATE, None),
    ]
    assert sorted(linked.links([PLATE], 9, made=False)) == by_plate
    assert list(linked.links([PLATE], 1, made=False)) == by_plate[:1]
    assert list(linked.links([PLATE], 9, made=True)) == by_plate[:1]
    assert sorted(link.name for link in linked.links([PLATE, TWIN, digest("out")], 9, made=True)) == [
        "out",
        "plate",
        "twin",
    ]
    assert list(linked.links([], 9, made=True)) == []


def test_files_are_looked_up_by_pixels(linked: BasisStore) -> None:
    assert [link.name for link in linked.twins([digest("seen")], 9, made=True)] == ["plate"]
    assert [link.name for link in linked.twins([digest("seen")], 9, made=False)] == ["copy"]
    assert list(linked.twins([digest("seen")], 2, made=False)) == []


def test_rows_of_entries_are_all_there(linked: BasisStore) -> None:
    assert sorted(link.name for link in linked.rows([0, 2, 7])) == ["copy", "plate", "twin"]
