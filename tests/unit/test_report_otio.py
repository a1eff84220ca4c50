"""The marked timeline, before OpenTimelineIO itself: its own document, and one marker on every shot."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

import opentimelineio as otio
import pytest
from opentimelineio.opentime import RationalTime
from opentimelineio.schema import Clip, Gap, Marker, Stack, Timeline, Track, Transition

from ledger.core.otio import read_otio
from ledger.errors import MalformedError
from ledger.render.report.otio import COLOURS, to_otio
from tests.support.reports import report, shot
from tests.support.timelines import clip, data, film, images, span, timeline

STRIPS = ("ccc", "ccr", "cbr", "cu", "c", "r")


def cut() -> Timeline:
    """Return a cut with all that surrounds shots: a gap, a fade, a nested stack, sound, a disabled clip."""
    inner = Stack(
        "comp",
        children=[
            Track("A", children=[clip("inner one", film("one.mov", 10), span(2, 5))]),
            Track("B", children=[clip("inner two", film("two.mov", 10), span(2, 5))]),
        ],
    )
    fade = Transition(in_offset=RationalTime(1, 24), out_offset=RationalTime(1, 24))
    off = clip("off", film("off.mov", 4))
    off.enabled = False
    marked = clip("夜 1", images("a", "a.", range(1001, 1009)), span(1, 4))
    marked.markers.append(
        Marker("ask Aiko", span(1, 1), otio.schema.MarkerColor.PINK, {"note": [1, 2.5, None]})
    )
    made = timeline(
        [marked, Gap(source_range=span(0, 10)), inner, off],
        [
            clip("b", film("b.mov", 9), span(2, 3)),
            fade,
            clip("c", film("c.mov", 9), span(1, 3)),
            clip("d", film("d.mov", 9)),
        ],
    )
    made.tracks.append(Track("sound", children=[clip("voice", film("v.wav", 90))], kind="Audio"))
    made.metadata["studio"] = {"number": 1.5, "names": ["夜", ""], "nothing": None}
    return made


def plain(value: otio.opentime.TimeRange) -> Any:
    """Return a time range as it stands in a file."""
    return json.loads(otio.core.serialize_json_to_string(value))


def clips(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the clips of a timeline's JSON, in the order of the file."""
    for child in node.get("children", ()):
        if child["OTIO_SCHEMA"].startswith("Clip"):
            yield child
        yield from clips(child)


def marked(document: bytes) -> tuple[dict[str, Any], dict[str, list[dict[str, Any]]]]:
    """Return the marked timeline as the library writes it again, without our markers; and these, by clip."""
    found = read_otio(document)
    shots = [shot(n, STRIPS[n % len(STRIPS)]) for n, _ in enumerate(found.shots, 1)]
    made = otio.adapters.read_from_string(to_otio(report(shots), found, document).decode(), "otio_json")
    written = json.loads(made.to_json_string())
    ours: dict[str, list[dict[str, Any]]] = {}
    for each in clips(written["tracks"]):
        ours[each["name"]] = [marker for marker in each["markers"] if "rakkan" in marker["metadata"]]
        each["markers"] = [marker for marker in each["markers"] if "rakkan" not in marker["metadata"]]
    return written, {name: markers for name, markers in ours.items() if markers}


def test_without_our_markers_it_is_the_timeline_that_was_asked_about() -> None:
    original = data(cut())
    made, ours = marked(original)
    assert made == json.loads(original)
    assert ours


def test_each_shot_has_one_marker_and_nothing_else_has_any() -> None:
    _, ours = marked(data(cut()))
    assert sorted(ours) == sorted(["夜 1", "inner one", "inner two", "b", "c", "d"])
    assert {len(markers) for markers in ours.values()} == {1}
    assert ours["夜 1"][0]["marked_range"] == plain(span(1, 4))
    assert ours["d"][0]["marked_range"] == plain(span(0, 9))


def test_a_marker_says_the_verdict_of_its_own_shot() -> None:
    document = data(cut())
    _, ours = marked(document)
    for n, seen in enumerate(read_otio(document).shots, 1):
        (marker,) = ours[seen.clip]
        told, strip = marker["metadata"]["rakkan"], STRIPS[n % len(STRIPS)]
        assert (told["report"], told["shot"]) == ("R-20261122-0badcafe", n)
        assert (told["blocked"], told["needs_review"]) == (strip.count("b"), strip.count("r"))
        assert marker["name"] == f"{told['now'].replace('_', ' ')}, L3"
        assert marker["color"] == COLOURS[told["now"]]
        assert told["findings"] == (["F-001"] if "b" in strip else [])


def test_the_colours_are_the_librarys_and_four_different_ones() -> None:
    known = {
        getattr(otio.schema.MarkerColor, name) for name in dir(otio.schema.MarkerColor) if name.isupper()
    }
    assert len(set(COLOURS.values()) & known) == len(COLOURS) == 4


def test_it_comes_back_the_same_from_the_library_and_can_be_marked_again() -> None:
    found = read_otio(document := data(cut()))
    shots = [shot(n, "c") for n, _ in enumerate(found.shots, 1)]
    once = to_otio(report(shots), found, document)
    assert json.loads(
        otio.adapters.read_from_string(once.decode(), "otio_json").to_json_string()
    ) == json.loads(once)
    assert read_otio(once) == found
    assert to_otio(report(shots), found, document) == once
    twice = json.loads(to_otio(report(shots), found, once))
    assert len(twice["tracks"]["children"][0]["children"][0]["markers"]) == 3


@pytest.mark.parametrize("schema", ["Clip.1", "Clip.2"])
def test_a_clip_without_any_range_has_a_marker_at_its_first_moment(schema: str) -> None:
    document = json.loads(data(timeline([Clip("a"), clip("b", film("b.mov", 9))])))
    for each in document["tracks"]["children"][0]["children"] if schema == "Clip.1" else ():
        each |= {"OTIO_SCHEMA": schema, "media_reference": each.pop("media_references")["DEFAULT_MEDIA"]}
        del each["active_media_reference_key"]
    _, ours = marked(json.dumps(document).encode("utf-8-sig"))
    assert ours["a"][0]["marked_range"] == plain(span(0, 0))
    assert ours["b"][0]["marked_range"] == plain(span(0, 9))


def test_what_this_reader_does_not_know_stays_in_the_timeline() -> None:
    document = json.loads(data(timeline([clip("a", film("a.mov", 9))])))
    document["tracks"]["children"][0]["children"][0]["vendor"] = {"\ud83c": [1e30, 10**30, "\x00"]}
    found = read_otio(text := json.dumps(document).encode())
    made = json.loads(to_otio(report([shot(1, "c")]), found, text))
    del made["tracks"]["children"][0]["children"][0]["markers"]
    del document["tracks"]["children"][0]["children"][0]["markers"]
    assert made == document


@pytest.mark.parametrize("stray", [5, "x", {"a": 1}, None])
def test_members_that_the_reader_does_not_look_at_break_nothing(stray: Any) -> None:
    document = json.loads(data(timeline([clip("a", film("a.mov", 9))])))
    each = document["tracks"]["children"][0]["children"][0]
    each |= {"markers": stray, "media_reference": stray, "children": None}
    found = read_otio(text := json.dumps(document).encode())
    made = json.loads(to_otio(report([shot(1, "c")]), found, text))
    (marker,) = made["tracks"]["children"][0]["children"][0]["markers"]
    assert marker["name"] == "cleared, L3"


def test_whatever_depth_can_be_read_can_be_written() -> None:
    """The reader refuses what is nested so deep that Python gives up."""
    text = data(timeline([clip("a", film("a.mov", 9))])).decode()
    for depth in range(10, sys.getrecursionlimit() * 2, 7):
        nested = "[" * depth + "]" * depth
        document = text.replace('"metadata": {}', f'"metadata": {{"x": {nested}}}', 1).encode()
        try:
            found = read_otio(document)
        except MalformedError:
            return
        assert to_otio(report([shot(1, "c")]), found, document)
    raise AssertionError("no depth was refused")
