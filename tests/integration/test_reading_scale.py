"""Long chains, wide fans, circles, ladders: every page of a lineage is bounded, and nothing is left out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ledger.errors import RefusedError
from ledger.service.reading import pages as pages_module
from ledger.service.reading.files import Wanted, listing
from ledger.service.reading.lineage import OPEN, Direction, Way, lineage
from ledger.service.reading.pages import MAX_CURSOR, Page, caught_up
from ledger.service.reading.sight import Sight
from ledger.service.studio import Studio
from tests.support.bases import component, made
from tests.support.builders import digest
from tests.support.reading_log import fill, readable

CHAIN, FAN, WIDE = 5_000, 20_000, 8


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    with readable(tmp_path) as studio:
        yield studio


def pages(studio: Studio, root: str, way: Way, limit: int) -> Iterator[dict[str, Any]]:
    after = None
    while True:
        found = lineage(studio, digest(root), way, Page((root,), limit, after), Sight()).to_json()
        yield found
        after = found["next"]
        if after is None:
            return
        assert len(after) < MAX_CURSOR


def pairs(found: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(edge["child"], edge["parent"]) for page in found for edge in page["edges"]]


@pytest.mark.slow
def test_a_chain_of_five_thousand_steps_is_followed_to_its_end(studio: Studio) -> None:
    fill(studio, (made(f"v{n}", of=[component(f"v{n - 1}")], step_id=f"s{n}") for n in range(1, CHAIN + 1)))
    up = list(pages(studio, f"v{CHAIN}", Way(Direction.UP, CHAIN), 500))
    assert pairs(up) == [(digest(f"v{n}"), digest(f"v{n - 1}")) for n in range(CHAIN, 0, -1)]
    assert all(len(page["edges"]) <= 500 for page in up)
    down = list(pages(studio, "v0", Way(Direction.DOWN, CHAIN), 500))
    assert pairs(down) == pairs(up)[::-1]
    assert [node["attributed"] for page in up for node in page["nodes"]].count(False) == 1
    near = list(pages(studio, f"v{CHAIN}", Way(Direction.UP, 3), 500))
    assert pairs(near) == pairs(up)[:3]
    assert [node["sha256"] for node in near[0]["nodes"] if node.get("open")] == [digest(f"v{CHAIN - 3}")]


@pytest.mark.slow
def test_a_file_that_became_twenty_thousand_is_told_page_by_page(studio: Studio) -> None:
    fill(
        studio,
        (
            made(*(f"f{n}.{m}" for m in range(WIDE)), of=[component("sheet")], step_id=f"s{n}")
            for n in range(FAN // WIDE)
        ),
    )
    found = list(pages(studio, "sheet", Way(Direction.DOWN, 1), 1_000))
    assert len(set(pairs(found))) == len(pairs(found)) == FAN
    assert all(len(page["edges"]) < 1_000 + WIDE for page in found)
    assert len(found) == FAN // 1_000
    deeper = list(pages(studio, "sheet", Way(Direction.DOWN, 5), 1_000))
    assert set(pairs(deeper)) == set(pairs(found))
    met = {node["sha256"]: node for page in deeper for node in page["nodes"]}
    assert sum(node.get("open", False) for node in met.values()) == FAN - OPEN
    files = studio.rows.uses(digest("sheet"), -1, 10**9)
    assert (len(files.rows), files.after) == (999, 998)


@pytest.mark.parametrize("limit", [1, 2, 7, 1000])
@pytest.mark.parametrize("direction", Direction)
def test_files_that_are_under_one_another_come_to_an_end(
    studio: Studio, direction: Direction, limit: int
) -> None:
    ring = [made(f"r{n}", of=[component(f"r{(n + 1) % 5}")], step_id=f"s{n}") for n in range(5)]
    fill(studio, ring)
    found = list(pages(studio, "r0", Way(direction, 12), limit))
    assert len(set(pairs(found))) == 5
    assert len(pairs(found)) <= 12


@pytest.mark.parametrize("limit", [1, 3, 1000])
def test_a_ladder_is_no_tree(studio: Studio, limit: int) -> None:
    """Each rung was made from both of the rung before: as a tree these were a million million links."""
    steps = [
        made(f"{side}{n}", of=[component(f"a{n - 1}"), component(f"b{n - 1}")], step_id=f"{side}{n}")
        for n in range(1, 41)
        for side in "ab"
    ]
    fill(studio, steps)
    found = list(pages(studio, "a40", Way(Direction.UP, 100), limit))
    assert len(set(pairs(found))) == 2 * 79
    assert len(pairs(found)) <= 4 * 79


def test_files_are_listed_whole_however_small_the_pages(studio: Studio) -> None:
    fill(studio, (made(*(f"f{n}.{m}" for m in range(7)), step_id=f"s{n}") for n in range(200)))
    found, after = list[str](), None
    while True:
        page = listing(studio, Wanted(name=".3"), Page(("x",), 9, after), Sight()).to_json()
        found += [item["name"] for item in page["assets"]]
        after = page["next"]
        if after is None:
            break
    assert found == [f"f{n}.3" for n in range(200)]


def test_a_backlog_is_projected_piece_by_piece(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages_module, "BEHIND", 1_000)
    fill(studio, (made(f"f{n}", step_id=f"s{n}") for n in range(2_500)))
    for projected in (1_000, 2_000):
        with pytest.raises(RefusedError) as error:
            caught_up(studio)
        assert (error.value.code, error.value.evidence["retry_after"]) == ("log.behind", 1)
        assert studio.bases.mark().size == projected
    assert caught_up(studio) == 2_500
