"""A way as nested lists: each stop once, however its links run."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ledger.render.pages.languages import language
from ledger.render.pages.lineage import DEEP, NEAREST, Branch, Drawn, grouped, listed, picture
from ledger.service.reading.lineage import Direction
from ledger.service.reading.way import Link, Stop, Way

NAMES = [chr(97 + n) for n in range(12)]


def way(*links: str, direction: Direction = Direction.UP) -> Way:
    """Return a way of links such as ``ab``: ``a`` was made from ``b``."""
    names = dict.fromkeys("".join(links))
    stops = tuple(Stop(name, f"{name}.exr", "edit", n) for n, name in enumerate(names))
    return Way(direction, stops, tuple(Link(link[0], link[1], "parent", 1) for link in links))


def told(branches: list[Branch]) -> str:
    parts = (
        f"{it.stop.sha256}{'*' if it.again else ''}" + (f"({told(it.under)})" if it.under else "")
        for it in branches
    )
    return " ".join(parts)


def test_what_two_were_made_from_is_told_once() -> None:
    assert told(listed(way("ab", "ac", "bd", "cd", "de"))) == "a(b(d(e)) c(d*))"


def test_downwards_it_begins_with_the_material() -> None:
    assert told(listed(way("ab", "cb", direction=Direction.DOWN))) == "b(a c)"


def test_a_deep_way_goes_on_in_the_same_list() -> None:
    links = [f"{one}{other}" for one, other in pairwise(NAMES)]
    found = told(listed(way(*links)))
    assert found.count("(") == DEEP - 1
    assert [char for char in found if char.isalpha()] == NAMES


@given(st.lists(st.text("abcdef", min_size=2, max_size=2), min_size=1, max_size=30))
def test_every_stop_stands_once_and_circles_end(links: list[str]) -> None:
    found = way(*links)
    names = [
        part for part in told(listed(found)).replace("(", " ").replace(")", " ").split() if "*" not in part
    ]
    assert sorted(names) == sorted(stop.sha256 for stop in found.stops)
    assert drawn(found).whole


def drawn(found: Way) -> Drawn:
    return picture(found, language("en"), lambda stop: f"/{stop.sha256}", lambda _: "")


def test_of_a_way_too_long_for_a_page_the_nearest_is_drawn() -> None:
    names = [chr(0x4E00 + n) for n in range(120)]
    found = drawn(way(*("".join(pair) for pair in pairwise(names))))
    assert not found.whole
    assert [name for name in names if f'href="/{name}"' in found.svg] == names[:NEAREST]
    assert len(found.svg) < 60_000


def test_what_was_made_in_the_same_way_is_one_card_however_many() -> None:
    found = drawn(way(*(f"a{chr(0x4E00 + n)}" for n in range(300))))
    assert found.whole
    assert "300 × Edited" in found.svg


@given(st.lists(st.text("abcdef", min_size=2, max_size=2), min_size=1, max_size=30), st.integers(1, 4))
def test_parts_together_have_every_stop_and_every_link(links: list[str], size: int) -> None:
    whole = way(*links)
    parts: list[Way] = []
    more = True
    while more:
        part, more = whole.part(len(parts) + 1, size)
        parts.append(part)
    assert {stop for part in parts for stop in part.stops} == set(whole.stops)
    assert sorted(link for part in parts for link in part.links) == sorted(whole.links)
    for part in parts:
        known = {stop.sha256 for stop in part.stops}
        assert {end for link in part.links for end in (link.child, link.parent)} <= known


def test_reasons_of_one_kind_are_said_once() -> None:
    def reason(code: str, severity: str, name: str) -> dict[str, Any]:
        return {"code": code, "severity": severity, "subject": {"name": name}}

    said = [
        reason("B", "blocked", "x"),
        reason("A", "blocked", "x"),
        reason("B", "blocked", "y"),
        reason("B", "noted", "y"),
        {"code": "A", "severity": "blocked"},
    ]
    assert grouped(said) == [("B", "blocked", ["x", "y"]), ("A", "blocked", ["x"]), ("B", "noted", ["y"])]
