"""A cut shows what OpenTimelineIO's own library says that it shows."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import opentimelineio as otio
import pytest
from opentimelineio.opentime import RationalTime
from opentimelineio.schema import (
    FreezeFrame,
    Gap,
    GeneratorReference,
    LinearTimeWarp,
    MissingReference,
    Stack,
    Track,
    Transition,
)

from ledger.core.cut import Aside, Cut, Film, Images, Nothing, timecode
from ledger.core.otio import frame_rate, local_path, read_otio
from ledger.errors import MalformedError
from tests.support.timelines import clip, data, film, images, span, timeline

PLATES = images("plates", "sh010.", range(1001, 1101), media_start=86400)


def cut(*tracks: list[Any]) -> Cut:
    return read_otio(data(timeline(*tracks)))


def frames(*tracks: list[Any]) -> list[tuple[int, int] | None]:
    return [shot.frames for shot in cut(*tracks).shots]


def records(*tracks: list[Any]) -> list[tuple[int, int]]:
    return [(shot.record.start, shot.record.stop) for shot in cut(*tracks).shots]


def test_a_sequence_is_the_files_that_the_library_names() -> None:
    media = images("file:///show/sh%20010", "a%20b.", range(1001, 1101, 3), media_start=86400)
    (shot,) = cut([clip("sh010", media, span(86410, 20))]).shots
    numbers = range(10 // 3, 29 // 3 + 1)
    named = [local_path(media.target_url_for_image_number(number)) for number in numbers]
    expected = [path.replace("a%20b", "a b") for path in named]
    assert list(shot.paths()) == expected
    assert (shot.frames, expected[0]) == ((1010, 1028), "/show/sh 010/a b.1010.png")


def test_a_number_below_zero_is_written_as_the_library_does() -> None:
    media = images("x", "a.", range(-3, 3))
    (shot,) = cut([clip("c", media)]).shots
    assert list(shot.paths()) == [media.target_url_for_image_number(number) for number in range(6)]


def test_clips_follow_each_other_over_gaps_as_in_the_library() -> None:
    children = [clip("a", PLATES, span(86400, 10)), Gap(source_range=span(0, 5)), clip("b", PLATES)]
    made = timeline(children)
    ranges = [made.range_of_child(each) for each in made.find_clips()]
    expected = [
        (86400 + int(each.start_time.value), 86400 + int(each.end_time_exclusive().value)) for each in ranges
    ]
    assert (
        [shot.record for shot in read_otio(data(made)).shots] == expected == [(86400, 86410), (86415, 86515)]
    )


def test_a_transition_shows_both_sides_as_far_as_the_library_says() -> None:
    blend = Transition(in_offset=RationalTime(3, 24), out_offset=RationalTime(5, 24))
    before, after = clip("a", PLATES, span(86410, 20)), clip("b", PLATES, span(86450, 20))
    made = timeline([before, blend, after])
    visible = [each.visible_range() for each in made.find_clips()]
    expected = [
        (1001 + int(each.start_time.value) - 86400, 1000 + int(each.end_time_exclusive().value) - 86400)
        for each in visible
    ]
    assert [shot.frames for shot in read_otio(data(made)).shots] == expected == [(1011, 1035), (1048, 1070)]


@pytest.mark.parametrize(
    ("effects", "expected"),
    [
        ([LinearTimeWarp(time_scalar=2)], (1011, 1050)),
        ([LinearTimeWarp(time_scalar=0.5)], (1011, 1020)),
        ([LinearTimeWarp(time_scalar=-1)], (1011, 1030)),
        ([LinearTimeWarp(time_scalar=-2)], (1011, 1050)),
        ([LinearTimeWarp(time_scalar=4), LinearTimeWarp(time_scalar=0.5)], (1011, 1050)),
        ([FreezeFrame()], (1011, 1011)),
        ([otio.schema.Effect(effect_name="blur")], (1011, 1030)),
        ([otio.schema.TimeEffect()], (1001, 1100)),
    ],
)
def test_a_speed_changes_which_frames_are_seen(effects: list[Any], expected: tuple[int, int]) -> None:
    (shot,) = cut([clip("a", PLATES, span(86410, 20), *effects)]).shots
    assert (shot.frames, tuple(shot.record)) == (expected, (86400, 86420))


def test_a_speed_that_is_switched_off_changes_nothing() -> None:
    warp = LinearTimeWarp(time_scalar=2)
    warp.enabled = False
    assert frames([clip("a", PLATES, span(86410, 20), warp)]) == [(1011, 1030)]


def test_a_nested_stack_is_cut_and_slowed_like_a_clip() -> None:
    inner = Track(children=[clip("a", PLATES, span(86400, 10)), clip("b", PLATES, span(86450, 10))])
    nested = Stack(children=[inner], source_range=span(5, 10))
    assert frames([nested.clone()]) == [(1006, 1010), (1051, 1055)]
    assert records([nested.clone()]) == [(86400, 86405), (86405, 86410)]
    nested.effects.append(LinearTimeWarp(time_scalar=0.5))
    assert frames([nested.clone()]) == [(1006, 1010)]
    nested.effects[0].time_scalar = -1
    assert frames([nested.clone()]) == [(1051, 1055), (1006, 1010)]
    assert records([nested.clone()]) == [(86400, 86405), (86405, 86410)]
    nested.effects[0].time_scalar = 0
    assert frames([nested]) == [(1006, 1006)]


def test_what_a_nested_stack_cuts_away_is_not_seen() -> None:
    nested = Stack(
        children=[Track(children=[clip("a", PLATES), clip("b", PLATES)])], source_range=span(0, 100)
    )
    made = timeline([nested])
    assert [shot.clip for shot in read_otio(data(made)).shots] == ["a"]


def test_every_picture_counts_also_one_under_another() -> None:
    below, above = clip("below", PLATES), clip("above", film("over.mov", 50), span(10, 20))
    found = cut([below], [Gap(source_range=span(0, 30)), above])
    assert [(shot.clip, shot.track, shot.record.start) for shot in found.shots] == [
        ("below", "V1", 86400),
        ("above", "V2", 86430),
    ]


def test_what_has_no_picture_is_listed_and_not_shown() -> None:
    made = timeline([clip("a", PLATES)])
    off = clip("off", film("old%20take.mov", 10))
    off.enabled = False
    made.tracks[0].append(off)
    made.tracks[0].append(clip("b", PLATES))
    made.tracks.append(Track("A1", kind="Audio", children=[clip("voice", film("voice.wav", 90))]))
    found = read_otio(data(made))
    assert [(shot.clip, shot.record.start) for shot in found.shots] == [("a", 86400), ("b", 86510)]
    assert found.asides == (Aside("off", "disabled", "old take.mov"), Aside("voice", "audio", "voice.wav"))


def test_a_film_is_counted_from_its_own_first_frame() -> None:
    media = film("file:///C:/cut/reel%201.mov", 500, media_start=86400)
    (shot,) = cut([clip("a", media, span(86448, 24))]).shots
    assert (shot.media, shot.frames) == (Film("C:/cut/reel 1.mov"), (48, 71))


@pytest.mark.parametrize(
    ("media", "label"),
    [
        (None, "missing media"),
        (MissingReference(), "missing media"),
        (GeneratorReference(generator_kind="black"), "generator black"),
    ],
)
def test_a_clip_without_a_file_keeps_its_own_numbers(media: Any, label: str) -> None:
    (shot,) = cut([clip("sh010", media, span(1001, 24))]).shots
    assert (shot.media, shot.frames) == (Nothing(label), (1001, 1024))


def test_nobody_can_say_which_images_are_seen_when_the_media_has_no_range() -> None:
    media = images("x", "a.", range(1001, 1010))
    media.available_range = None
    assert frames([clip("a", media, span(1001, 5))]) == [None]
    assert frames([clip("a", media)]) == [None]


def test_rates_are_exact_and_time_is_not_lost() -> None:
    rate = 24000 / 1001
    children = [clip(f"c{n}", film("a.mov", 10**6, rate=23.976), span(n * 10, 10, rate)) for n in range(3000)]
    made = timeline(children)
    made.global_start_time = RationalTime(86400, 23.98)
    found = read_otio(data(made))
    assert found.rate == Fraction(24000, 1001)
    assert [shot.frames for shot in found.shots] == [(n * 10, n * 10 + 9) for n in range(3000)]
    assert found.shots[-1].record == (86400 + 29990, 86400 + 30000)
    assert timecode(86400 + 29990, found.rate) == RationalTime(86400 + 29990, rate).to_timecode(rate, False)


@pytest.mark.parametrize("value", [23.976, 23.98, 23.976024, 24000 / 1001, 29.97, 59.94])
def test_a_decimal_rate_is_the_fraction_that_it_stands_for(value: float) -> None:
    assert frame_rate(Fraction(value)) == Fraction(round(value) * 1000, 1001)


@pytest.mark.parametrize("value", [24, 25, 30, 48, 60, 12.5, 15])
def test_any_other_rate_is_itself(value: float) -> None:
    assert frame_rate(Fraction(value)) == Fraction(value)


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("file:///show/a%20b.mov", "/show/a b.mov"),
        ("file://localhost/show/%E7%8C%AB.mov", "/show/猫.mov"),
        ("file:///C:/show/a.mov", "C:/show/a.mov"),
        ("file://server/show/a.mov", "//server/show/a.mov"),
        ("C:\\show\\a.mov", "C:/show/a.mov"),
        ("plates/a%20b.%04d.exr", "plates/a b.%04d.exr"),
        ("https://host/a%20b.mov", "https://host/a%20b.mov"),
    ],
)
def test_a_url_is_the_path_that_it_names(url: str, path: str) -> None:
    assert local_path(url) == path


OTHER = {
    "cut.unsupported": [b'{"OTIO_SCHEMA":"Clip.2"}', data(timeline()).replace(b"Stack.1", b"Stack.2"), b"{}"],
    "cut.malformed": [
        b"",
        b"[]",
        b"\xff\xfe",
        b"[" * 100_000,
        data(timeline([clip("a", PLATES)])).replace(b'"rate": 24.0', b'"rate": 0.0'),
        data(timeline([clip("a", PLATES)])).replace(b'"rate": 24.0', b'"rate": NaN'),
        data(timeline([clip("a", PLATES)])).replace(b'"frame_step": 1', b'"frame_step": 0'),
        data(timeline([clip("a", film("a.mov", 10**9))])),
        data(timeline([clip("a", film("a.mov", 10**13))])),
    ],
}


@pytest.mark.parametrize(
    ("code", "content"), [(code, item) for code, items in OTHER.items() for item in items]
)
def test_what_is_no_timeline_is_refused_with_a_code(code: str, content: bytes) -> None:
    with pytest.raises(MalformedError) as raised:
        read_otio(content)
    assert raised.value.code == code


def test_nesting_has_an_end() -> None:
    made: Any = clip("a", PLATES)
    for _ in range(100):
        made = Stack(children=[made])
    with pytest.raises(MalformedError, match="too deep"):
        read_otio(data(timeline([made])))


def test_an_old_file_reads_as_the_new_one() -> None:
    """Clip.1 had one media reference; the library still writes it for old readers."""
    made = timeline([clip("a", PLATES, span(86410, 5))])
    old = otio.core.serialize_json_to_string(made, {"Clip": 1}).encode()
    assert b'"Clip.1"' in old
    assert read_otio(old).shots == read_otio(data(made)).shots
    assert isinstance(read_otio(old).shots[0].media, Images)
