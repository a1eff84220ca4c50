"""The lineage picture: a hostile name does nothing, cards never overlap, equal cards give equal bytes."""

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.render.svg import ICONS, MAX_CARDS, WIDTH, Card, Edge, draw
from tests.support.drawn import parsed

NS = "{http://www.w3.org/2000/svg}"
HOSTILE = [
    "</title><script>alert(1)</script>",
    '" onload="alert(1)',
    "a\x00b\x1b[31m",
    "gnp.emarf\u202efinal",
    "&amp;<!--",
    "落款" * 40,
    "\ud800lone",
]


def card(key: str, **more: object) -> Card:
    values = {"kind": "edit", "group": "step", "title": "Edited", "lines": (key,)} | more
    return Card(key, **values)  # type: ignore[arg-type]  # the tests' own words


def rectangles(picture: str) -> list[tuple[float, float, float, float]]:
    found = []
    for rect in parsed(picture).iter(f"{NS}rect"):
        x, y, width, height = (float(rect.attrib[name]) for name in ("x", "y", "width", "height"))
        found.append((x, y, x + width, y + height))
    return found


def chain(*keys: str) -> list[Edge]:
    return [Edge(left, right, "parent") for left, right in itertools.pairwise(keys)]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_only_text(name: str) -> None:
    cards = [card("a", title=name, lines=(name,), mark=name), card(name)]
    picture = draw(cards, [Edge("a", name, name)], name, name)
    root = parsed(picture)
    assert {element.tag.removeprefix(NS) for element in root.iter()} <= {
        *("svg", "title", "desc", "g", "rect", "path", "text")
    }
    assert not any(name.startswith("on") for element in root.iter() for name in element.attrib)
    assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", picture)


@pytest.mark.parametrize(
    "address", ["https://example.org/x.png", "javascript:alert(1)", "data:text/html;base64,AA==", "x.png"]
)
def test_a_picture_that_is_no_data_of_ours_is_not_shown(address: str) -> None:
    assert "<image" not in draw([card("a", picture=address)], [], "t", "d")


def test_a_data_picture_is_shown() -> None:
    assert 'href="data:image/png;base64,AA=="' in draw(
        [card("a", picture="data:image/png;base64,AA==")], [], "t", "d"
    )


@pytest.mark.parametrize("address", ["/productions/p/frames/a?b=c", "#way", '/"><script>'])
def test_a_card_leads_to_a_place_within_the_site(address: str) -> None:
    root = parsed(draw([card("a", href=address)], [], "t", "d"))
    (link,) = root.iter(f"{NS}a")
    assert (link.attrib["href"], link.attrib["aria-label"]) == (address, "Edited, a")
    assert root.attrib["role"] == "group"


@pytest.mark.parametrize(
    "address", ["https://example.org", "javascript:alert(1)", "//x.org", "/\\x.org", "x"]
)
def test_a_card_leads_nowhere_else(address: str) -> None:
    assert "<a " not in draw([card("a", href=address)], [], "t", "d")


def test_raw_materials_stand_left_of_what_was_made_from_them() -> None:
    cards = [card(key) for key in ("dataset", "model", "frame", "drawing", "final")]
    edges = [*chain("dataset", "model", "frame", "final"), Edge("drawing", "final", "component")]
    picture = draw(cards, edges, "t", "d")
    left = {
        group.findtext(f"{NS}title"): float(group.find(f"{NS}rect").attrib["x"])  # type: ignore[union-attr]  # each card has one
        for group in parsed(picture).iter(f"{NS}g")
        if "node" in group.attrib.get("class", "")
    }
    at = {name.removeprefix("Edited, "): x for name, x in left.items() if name}
    assert at["dataset"] < at["model"] < at["frame"] < at["final"]
    assert at["drawing"] == at["frame"]


@given(st.integers(1, 40), st.data())
def test_no_two_cards_overlap_whatever_the_links(count: int, data: st.DataObject) -> None:
    keys = [f"k{number}" for number in range(count)]
    pairs = st.tuples(st.sampled_from(keys), st.sampled_from(keys))
    links = data.draw(st.lists(pairs, max_size=80))
    cards = [card(key, mark="m" if number % 3 else None) for number, key in enumerate(keys)]
    picture = draw(cards, [Edge(*pair, "x") for pair in links], "t", "d")
    found = rectangles(picture)
    assert len(found) == count
    for (x1, y1, x2, y2), (u1, v1, u2, v2) in itertools.combinations(found, 2):
        assert x2 <= u1 or u2 <= x1 or y2 <= v1 or v2 <= y1
    size = parsed(picture).attrib
    assert all(x2 <= float(size["width"]) and y2 <= float(size["height"]) for _, _, x2, y2 in found)


def test_the_same_cards_give_the_same_bytes() -> None:
    cards = [card(f"k{number}") for number in range(9)]
    edges = [Edge(f"k{number}", f"k{number // 2}", "x") for number in range(1, 9)]
    assert draw(cards, edges, "t", "d") == draw(list(cards), list(edges), "t", "d")


def test_many_siblings_become_one_card() -> None:
    frames = [card(f"f{number}") for number in range(MAX_CARDS + 5)]
    film = card("film", kind="convert", title="Converted")
    picture = draw([*frames, film], [Edge(item.key, "film", "component") for item in frames], "t", "d")
    assert len(rectangles(picture)) == 2
    assert f"{MAX_CARDS + 5} × Edited" in picture


def test_a_folded_card_is_good_only_when_all_are() -> None:
    models = [card(f"m{n}", kind="model", title="Model", mark="grant", good=n != 7) for n in range(70)]
    assert "! grant" in draw(models, [], "t", "d")


def test_state_is_told_by_mark_and_word() -> None:
    picture = draw(
        [card("a", mark="no grant on record", good=False), card("b", mark="grant G")], [], "t", "d"
    )
    assert "! no grant on record" in picture
    assert "✓ grant G" in picture


def test_it_names_itself_to_a_screen_reader_and_brings_no_style_or_script() -> None:
    picture = draw(
        [card("a", kind=kind, title=kind) for kind in ICONS][:1], [], "What it is", "What it shows"
    )
    root = parsed(picture)
    assert root.attrib["role"] == "img"
    named = root.attrib["aria-labelledby"].split()
    texts = {element.attrib["id"]: element.text for element in root if "id" in element.attrib}
    assert [texts[name] for name in named] == ["What it is", "What it shows"]
    assert "style=" not in picture
    assert "script" not in picture


def test_links_to_nothing_are_left_out() -> None:
    assert 'class="edge"' not in draw([card("a")], [Edge("a", "gone", "x")], "t", "d")


def test_an_empty_lineage_is_still_a_picture() -> None:
    assert parsed(draw([], [], "t", "d")).tag == f"{NS}svg"


def test_a_long_name_stays_inside_its_card() -> None:
    picture = draw([card("a", lines=("x" * 300,))], [], "t", "d")
    shown = [element.text or "" for element in parsed(picture).iter(f"{NS}text")]
    assert max(len(text) for text in shown) * 6 < WIDTH
