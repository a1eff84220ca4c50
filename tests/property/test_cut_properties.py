"""A timeline comes from anywhere: whatever is in it, the answer is a cut or a coded error."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ledger.core.cut import Film, Images, Shot, end_frame, first_frame
from ledger.core.otio import local_path, read_otio
from ledger.core.timeline import ONE, Clip, Gap, Item, Span, Stack, Track, Transition, flatten
from ledger.errors import MalformedError
from tests.support.timelines import clip, data, film, images, span, timeline

RATE = Fraction(24)
SEED = data(timeline([clip("a", images("x", "a.", range(1, 9))), clip("b", film("b.mov", 9), span(2, 3))]))


def stretch(start: int, frames: int) -> Span:
    return Span(start / RATE, frames / RATE, RATE)


SPANS = st.builds(stretch, st.integers(0, 50), st.integers(1, 50))
SPEEDS = st.sampled_from([ONE, Fraction(2), Fraction(1, 2), Fraction(-1), Fraction(0), None])
CLIPS = st.builds(
    Clip,
    name=st.sampled_from("abc"),
    source=SPANS,
    speed=SPEEDS,
    media=st.builds(Film, st.sampled_from(["a.mov", "b.mov"])),
    available=st.builds(stretch, st.just(0), st.just(200)),
)
GAPS = st.builds(Gap, name=st.just(""), source=SPANS)
FADES = st.builds(lambda a, b: Transition(a / RATE, b / RATE), st.integers(0, 9), st.integers(0, 9))


def tracks(inside: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    children = st.lists(st.one_of(inside, GAPS, FADES), max_size=5).map(tuple)
    source = st.one_of(st.none(), SPANS)
    track = st.builds(Track, name=st.just("V"), source=source, speed=SPEEDS, children=children)
    return track | st.builds(
        Stack, name=st.just(""), source=source, children=st.lists(track, max_size=3).map(tuple)
    )


STACKS = st.builds(
    Stack, name=st.just("top"), children=st.lists(tracks(st.recursive(CLIPS, tracks))).map(tuple)
)


def clips(item: Item | Transition) -> list[Clip]:
    if isinstance(item, Clip):
        return [item]
    return (
        [found for child in item.children for found in clips(child)]
        if isinstance(item, Track | Stack)
        else []
    )


@given(STACKS)
def test_shots_are_in_the_order_of_the_record_and_last_at_least_a_frame(top: Stack) -> None:
    cut = flatten("", top, Fraction(3600), RATE)
    assert [shot.record.start for shot in cut.shots] == sorted(shot.record.start for shot in cut.shots)
    assert all(shot.record.start < shot.record.stop for shot in cut.shots)
    assert all(shot.frames is not None and shot.frames[0] <= shot.frames[1] for shot in cut.shots)
    assert len(cut.shots) <= len(clips(top))


@given(st.lists(CLIPS, max_size=6))
def test_a_plain_track_shows_each_clip_where_it_lies(children: list[Clip]) -> None:
    cut = flatten("", Stack("", children=(Track("V", children=tuple(children)),)), Fraction(0), RATE)
    assert [shot.clip for shot in cut.shots] == [child.name for child in children]
    lengths = [int(child.source.duration * RATE) for child in children if child.source]
    assert [shot.record.stop - shot.record.start for shot in cut.shots] == lengths
    assert cut.length == sum(lengths)


@given(STACKS)
def test_what_is_switched_off_is_listed_and_not_shown(top: Stack) -> None:
    off = Stack("off", top.source, enabled=False, children=top.children)
    cut = flatten("", Stack("", children=(off,)), Fraction(0), RATE)
    assert cut.shots == ()
    assert [aside.clip for aside in cut.asides] == [each.name for each in clips(top)]


@given(STACKS, st.integers(0, 40))
def test_a_longer_transition_never_hides_a_frame(top: Stack, more: int) -> None:
    def longer(item: Any) -> Any:
        if isinstance(item, Transition):
            return Transition(item.before + more / RATE, item.after + more / RATE)
        if isinstance(item, Track | Stack):
            fields = {name: getattr(item, name) for name in item.__dataclass_fields__}
            return type(item)(**{**fields, "children": tuple(map(longer, item.children))})
        return item

    assert seen(top) <= seen(longer(top))


def seen(top: Stack) -> set[tuple[str, int]]:
    cut = flatten("", top, Fraction(0), RATE)
    return {(shot.media.label, number) for shot in cut.shots for number in shot.numbers}


@given(st.integers(-500, 500), st.integers(1, 4), st.integers(0, 8), st.integers(0, 300), st.integers(1, 50))
def test_each_number_of_a_sequence_has_its_own_file(
    first: int, step: int, pad: int, at: int, length: int
) -> None:
    media = Images("d", "p.", ".exr", first, step, pad)
    held = Clip("c", stretch(at, length), media=media, available=stretch(0, 400))
    (shot,) = flatten("", Stack("", children=(held,)), Fraction(0), RATE).shots
    paths = list(shot.paths())
    assert len(set(paths)) == len(paths) == len(shot.numbers)
    assert shot.frames is not None
    assert all((number - first) % step == 0 for number in shot.numbers)
    assert shot.frames[0] <= first + at < shot.frames[0] + step
    assert shot.frames[1] <= first + at + length - 1 < shot.frames[1] + step


@given(st.integers(-(10**9), 10**9), st.sampled_from([24, 25, 30000 / 1001, 23.976]))
def test_a_frame_stored_as_a_decimal_is_found_again(number: int, rate: float) -> None:
    exact = Fraction(rate)
    seconds = Fraction(float(number)) / exact
    assert (first_frame(seconds, exact), end_frame(seconds, exact)) == (number, number)


@given(st.text())
def test_any_url_is_a_path(url: str) -> None:
    assert isinstance(local_path(url), str)


def outcome(content: bytes) -> str:
    try:
        shots: tuple[Shot, ...] = read_otio(content).shots
    except MalformedError as error:
        return error.code
    assert all(shot.label for shot in shots)
    return "cut"


@given(st.binary(max_size=300))
def test_any_bytes_are_a_cut_or_a_coded_error(content: bytes) -> None:
    assert outcome(content) in ("cut", "cut.malformed", "cut.unsupported")


def places(value: Any) -> list[tuple[Any, Any]]:
    """Return every member and element of a document as its holder and its key."""
    if not isinstance(value, dict | list):
        return []
    keys = list(value) if isinstance(value, dict) else list(range(len(value)))
    return [(value, key) for key in keys] + [found for key in keys for found in places(value[key])]


JUNK = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=5,
)


@given(st.data())
def test_a_timeline_with_anything_in_any_place_is_a_cut_or_a_coded_error(draw: st.DataObject) -> None:
    document = json.loads(SEED)
    found = places(document)

    for _ in range(draw.draw(st.integers(1, 3))):
        holder, key = draw.draw(st.sampled_from(found))
        holder[key] = draw.draw(JUNK)
    assert outcome(json.dumps(document).encode()) in ("cut", "cut.malformed", "cut.unsupported")
