"""`rakkan clear @final.otio`: the cut decides what is asked, and nothing of it is dropped."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from opentimelineio.schema import Gap, Timeline

from tests.e2e.conftest import Studio
from tests.support.cleared import clear, place, policy, revoke
from tests.support.films import encode, needs_ffmpeg
from tests.support.timelines import clip, film, images, span, timeline, written

PAINTED = ("--action", "generate", "--tool", "painter 1.0", "--model", "sky")


@pytest.fixture
def plates(nightfall: Studio) -> list[Path]:
    """Frames 1001 to 1006 of `sh040`, painted with `sky`."""
    paths = [nightfall.png(f"sh040.{number}.png", number) for number in range(1001, 1007)]
    nightfall.ok("record", *paths, *PAINTED, *place("sh040", "1001-1006"))
    return paths


def in_order(studio: Studio, made: Timeline, code: int = 0, name: str = "final.otio") -> list[dict[str, Any]]:
    """Clear a cut, and return what is said of its shots."""
    found: list[dict[str, Any]] = clear(studio, f"@{written(made, studio.work / name)}", code=code)["targets"]
    return found


def counts(targets: list[dict[str, Any]]) -> list[tuple[int, int, int, int]]:
    """Return the files of each target: known, of these by name, unknown, absent."""
    return [(item["files"], item["byName"], item["unknown"], item["absent"]) for item in targets]


@pytest.mark.usefixtures("plates")
def test_each_shot_is_answered_for_in_the_order_of_the_cut(nightfall: Studio) -> None:
    made = timeline(
        [
            clip("sh040", images("", "sh040.", range(1001, 1007)), span(1, 3)),
            Gap(source_range=span(0, 10)),
            clip("sh030", images("", "sh030.", range(1001, 1002))),
        ]
    )
    targets = in_order(nightfall, made)
    assert [item["target"] for item in targets] == [
        "sh040: sh040.####.png 1002-1004",
        "sh030: sh030.####.png 1001-1001",
    ]
    assert [item["kind"] for item in targets] == ["shot", "shot"]
    assert counts(targets) == [(3, 0, 0, 0), (1, 0, 0, 0)]


def test_frames_that_do_not_lie_here_are_known_by_name_and_shot(
    nightfall: Studio, plates: list[Path]
) -> None:
    for path in plates:
        path.unlink()
    there = images("file:///elsewhere/sq010/sh040", "sh040.", range(1001, 1007))
    assert counts(in_order(nightfall, timeline([clip("comp", there)]))) == [(6, 6, 0, 0)]
    said = nightfall.ok("clear", f"@{nightfall.work / 'final.otio'}", *policy(nightfall)).out
    assert "6 known by name alone" in said


def test_a_name_of_another_shot_explains_nothing(nightfall: Studio) -> None:
    """`sh010` has a `final.1001.png`; that says nothing of the one that `sh099` shows."""
    stranger = images("file:///elsewhere/sh099", "final.", range(1001, 1003))
    (target,) = in_order(nightfall, timeline([clip("sh099", stranger)]), code=3)
    assert counts([target]) == [(0, 0, 0, 2)]
    assert target["verdict"] == {"then": None, "now": None}


@pytest.mark.usefixtures("plates")
def test_missing_and_changed_frames_are_undecided_and_stay_in_the_answer(nightfall: Studio) -> None:
    nightfall.png("sh040.1003.png", 99)
    made = timeline([clip("sh040", images("", "sh040.", range(1001, 1009)))])
    assert counts(in_order(nightfall, made, code=3)) == [(5, 0, 1, 2)]
    said = nightfall("clear", f"@{nightfall.work / 'final.otio'}", *policy(nightfall)).out
    assert said.startswith("– sh040: sh040.####.png 1001-1008: cleared")
    assert "undecided: 3 that no record explains" in said


@pytest.mark.usefixtures("plates")
def test_a_clip_without_media_is_the_place_that_it_names(nightfall: Studio) -> None:
    made = timeline([clip("sh040", None, span(1002, 2)), clip("sh077", None, span(1001, 5))])
    assert counts(in_order(nightfall, made, code=3)) == [(2, 2, 0, 0), (0, 0, 0, 5)]


@needs_ffmpeg
def test_a_still_that_may_not_be_used_blocks_the_shots_of_the_film_made_from_it(nightfall: Studio) -> None:
    """The film itself was made without a model; `sky` painted the still that guided it."""
    still = nightfall.record(nightfall.png("still.png", 5), *PAINTED, *place("sh050"))
    for number, guide in enumerate((("--reference", still), ("--parent", still), ())):
        frames = [nightfall.png(f"{number}.png", 10 + number)] * 48
        movie = encode(frames, nightfall.work / f"take{number}.mkv")
        nightfall.record(movie, "--action", "draw", *guide, *place("sh050", "1-48"))
    made = timeline(
        [
            clip("A", film("take0.mkv", 48), span(0, 10)),
            clip("B", film("take2.mkv", 48)),
            clip("C", film((nightfall.work / "take1.mkv").as_uri(), 48), span(20, 10)),
            clip("D", film("take0.mkv", 48), span(30, 10)),
        ]
    )
    before = in_order(nightfall, made)
    assert [item["verdict"]["now"] for item in before] == ["cleared"] * 4
    revoke(nightfall)
    after = in_order(nightfall, made, code=4)
    assert [item["verdict"]["now"] for item in after] == ["blocked", "cleared", "blocked", "blocked"]


def test_a_bundle_brings_its_media(nightfall: Studio, plates: list[Path]) -> None:
    """The library itself packs it; the file that was swapped in the bundle is unknown, and stays so."""
    media = [film(path.as_uri(), 1) for path in plates]
    made = timeline([clip("sh040", each) for each in media])
    bundle = written(made, nightfall.work / "final.otioz")
    for path in plates:
        path.unlink()
    assert counts(clear(nightfall, f"@{bundle}")["targets"]) == [(1, 0, 0, 0)] * 6
    swapped = nightfall.work / "swapped.otioz"
    with zipfile.ZipFile(bundle) as source, zipfile.ZipFile(swapped, "w") as target:
        for name in source.namelist():
            target.writestr(name, b"another" if name.endswith("1003.png") else source.read(name))
    found = clear(nightfall, f"@{swapped}", code=3)["targets"]
    assert counts(found) == [(0, 0, 1, 0) if at == 2 else (1, 0, 0, 0) for at in range(6)]


@pytest.mark.usefixtures("plates")
def test_a_bill_and_a_verdict_on_record_take_a_cut_as_well(nightfall: Studio) -> None:
    path = written(
        timeline([clip("sh040", images("", "sh040.", range(1001, 1007)))]), nightfall.work / "final.otio"
    )
    bill = json.loads(nightfall.ok("bom", f"@{path}", "--format", "cyclonedx").out)
    assert "sky" in {item["name"] for item in bill["components"]}
    recorded = nightfall.ok("clear", f"@{path}", *policy(nightfall), "--record", "--json").json
    assert recorded["recorded"]["entries"]
    assert nightfall("why", f"@{path}", *policy(nightfall)).code in (0, 2)


def test_a_cut_is_shown_without_any_ledger(tmp_path: Path) -> None:
    nobody = Studio(tmp_path / "nowhere", tmp_path)
    off = clip("off", film("old.mov", 9))
    off.enabled = False
    made = timeline(
        [clip("a", images("p", "a.", range(1, 4))), off, clip("b", film("b%20c.mov", 48), span(24, 24))]
    )
    path = written(made, tmp_path / "final.otio")
    said = nobody.ok("cut", path).out.splitlines()
    assert said == [
        "01:00:00:00 01:00:00:03  a: p/a.####.png 1-3",
        "01:00:00:12 01:00:01:12  b: b c.mov 24-47",
        "not in the picture (disabled)  off: old.mov",
        "2 shots, 27 frames of media, 36 frames of film.",
    ]
    shots = nobody.ok("cut", path, "--json").json["shots"]
    assert shots[0]["files"] == ["p/a.0001.png", "p/a.0002.png", "p/a.0003.png"]
    assert shots[1]["frames"] == {"first": 24, "last": 47}
    assert nobody.ok("cut", path, "--files").out.splitlines() == [*shots[0]["files"], "b c.mov"]


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("cut.otio", b"[" * 200_000, "cut.malformed"),
        ("cut.otioz", b"PK\x03\x04 no archive", "cut.malformed"),
        ("cut.otio", b'{"OTIO_SCHEMA": "SerializableCollection.1"}', "cut.unsupported"),
        ("cut.otio", b'{"OTIO_SCHEMA":"Timeline.1","tracks":{"OTIO_SCHEMA":"Stack.1"}}', "clear.cut-list"),
    ],
)
def test_what_is_no_cut_says_so(nightfall: Studio, name: str, content: bytes, code: str) -> None:
    (nightfall.work / name).write_bytes(content)
    nightfall.fails(code, "clear", f"@{nightfall.work / name}", *policy(nightfall))
