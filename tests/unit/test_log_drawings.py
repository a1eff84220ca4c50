"""The drawings of the log's pages: trees of any size, names of any kind, and nothing that is no text."""

import xml.etree.ElementTree as ET  # what is read was drawn here
from datetime import UTC, datetime

import pytest

from ledger.core.merkle import Proof, leaf_hash
from ledger.core.proof_steps import inclusion_steps
from ledger.render.pages.log_charts import bars, spans
from ledger.render.pages.proof import Words, path, script
from ledger.service.log.key_spans import KeySpan
from ledger.service.log.standing import Bar, Growth
from tests.support.drawn import parsed

LEAF = leaf_hash(b"an entry")
WORDS = Words("<The way>", 'From "here" & up', "Root", "Entry " + "名" * 400)
SVG = "{http://www.w3.org/2000/svg}"
DAY = datetime(2026, 1, 1, tzinfo=UTC)


def hashes(index: int, size: int) -> Proof:
    inner = (index ^ (size - 1)).bit_length()
    return (LEAF,) * (inner + (index >> inner).bit_count())


def drawn(markup: str) -> ET.Element:
    whole = str(markup).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    return parsed(whole)


@pytest.mark.parametrize("index", [0, 12_345, 2**39, 2**40 - 1])
@pytest.mark.parametrize("size", [2**40, 2**40 + 1, 2**62 - 1])
def test_a_tree_of_any_size_is_drawn_whole(index: int, size: int) -> None:
    steps = inclusion_steps(index, size, LEAF, hashes(index, size))
    picture = drawn(path(LEAF, steps, WORDS))
    width, height = (float(picture.attrib[name]) for name in ("width", "height"))
    nodes = picture.findall(f"{SVG}g")
    assert len(nodes) == 2 * len(steps) + 1
    assert width < 1_300
    for node in nodes:
        box = node.find(f"{SVG}rect")
        assert box is not None
        assert 0 <= float(box.attrib["x"]) <= width - float(box.attrib["width"])
        assert 0 <= float(box.attrib["y"]) <= height - float(box.attrib["height"])
    assert [node.attrib["class"] for node in nodes].count("given") == len(steps)
    assert picture.findtext(f"{SVG}title") == "<The way>"
    labels = {node.findtext(f"{SVG}text") for node in nodes}
    assert "Root" in labels
    assert len(script(LEAF, steps).splitlines()) == len(steps) + 9


def test_two_boxes_never_lie_on_each_other() -> None:
    steps = inclusion_steps(5, 1_000, LEAF, hashes(5, 1_000))
    places = [
        (float(box.attrib["x"]), float(box.attrib["y"]), float(box.attrib["width"]))
        for box in drawn(path(LEAF, steps, WORDS)).iter(f"{SVG}rect")
    ]
    assert all(
        abs(x - x2) >= wide or abs(y - y2) >= 40
        for n, (x, y, wide) in enumerate(places)
        for x2, y2, _ in places[:n]
    )


def test_a_name_is_text_whatever_is_in_it() -> None:
    keys = [
        KeySpan("a" * 64, "device", '<b onload="x">& ' + "長" * 300, 1, 5, 3, None, None),
        KeySpan("b" * 64, "log", "log", None, None, None, None, None),
    ]
    picture = drawn(spans(keys, 9, "Keys", "rows"))
    assert [text.text for text in picture.findall(f"{SVG}text")][1] == "log bbbbbbbb"
    assert not picture.findall(f".//{SVG}b")
    assert len(picture.findall(f"{SVG}path[@class='suspect']")) == 1
    assert len(picture.findall(f"{SVG}path[@class='end']")) == 1
    assert drawn(spans([], 0, "Keys", "none")).findall(f"{SVG}rect") == []


def test_days_without_entries_have_no_bar_and_every_other_one_is_seen() -> None:
    grown = Growth(1, (Bar(DAY, 1), Bar(DAY, 0), Bar(DAY, 1_000_000)))
    (path_of_bars,) = drawn(bars(grown, "Growth", "bars")).findall(f"{SVG}path[@class='bar']")
    heights = [float(part.split("v-")[1].split("h")[0]) for part in path_of_bars.attrib["d"].split("M")[1:]]
    assert len(heights) == 2
    assert min(heights) == 2
    assert max(heights) <= 120
    assert drawn(bars(Growth(1, (Bar(DAY, 0),)), "Growth", "bars")) is not None
