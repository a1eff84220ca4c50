"""What a report is of: shots and frames of a cut and of places, and every gap between them and the log."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from ledger.core.audit import Report, counted
from ledger.errors import UsageError
from ledger.service.places import Place
from ledger.service.report.population import Frame, Known, Shot
from tests.support.feature import FIRST, Feature
from tests.support.feature_home import Kept


@pytest.fixture(scope="module")
def cut(small: Kept) -> Report:
    return small.report().report


@pytest.fixture(scope="module")
def whole(small: Kept) -> Report:
    return small.report(".").report


def test_a_feature_has_the_frames_that_were_asked_for() -> None:
    for shots, finals in ((10, 200), (7, 33), (1, 5), (1_700, 130_000), (400, 31_680)):
        feature = Feature(shots, finals)
        lengths = [len(feature.frames(shot)) for shot in range(shots)]
        assert sum(lengths) == finals
        assert min(lengths) > 0


def test_the_shots_of_a_cut_are_its_clips_in_their_order(cut: Report, small: Kept) -> None:
    names = [f"sh{shot:04}" for shot in range(small.feature.shots)]
    assert cut.tables["shots"].column("name") == [*names, "stray"]
    codes = cut.tables["shots"].column("in")
    assert codes == sorted(codes)
    assert cut.head.cut == "final"
    assert cut.head.rate == "24"


def test_the_shots_of_a_production_are_its_places(whole: Report, small: Kept) -> None:
    places = whole.tables["shots"].column("place")
    assert places == [f"sq000/sh{shot:04}" for shot in range(small.feature.shots)]
    assert whole.head.cut is None
    assert set(whole.tables["shots"].column("in")) == {None}


def test_every_frame_of_a_cut_has_a_row_also_if_nobody_made_it(cut: Report, small: Kept) -> None:
    known = Counter(cut.tables["frames"].column("known"))
    assert known == {"name": small.feature.finals, "absent": 4, "unknown": 1}
    gaps = [(row[1], row[5]) for row in cut.tables["gaps"].shown]
    assert sorted(gaps) == [("absent", 4), ("unknown", 1)]


def test_frames_stand_in_the_order_of_their_shot(cut: Report, small: Kept) -> None:
    rows = cut.tables["frames"].shown
    shown = [row for row in rows if row[1] == 1]
    assert [row[3] for row in shown] == list(small.feature.frames(0))
    assert [row[0] for row in rows] == list(range(1, len(rows) + 1))


def test_a_frame_in_two_versions_is_there_twice_and_named_as_a_gap(whole: Report) -> None:
    (gap,) = [row for row in whole.tables["gaps"].shown if row[1] == "two-versions"]
    frames = [row for row in whole.tables["frames"].shown if row[1] == gap[2] and row[3] == FIRST]
    assert {row[4] for row in frames} == {"v001", "v002"}
    assert gap[5] == 2
    assert all(str(row[2]) in gap[3] for row in frames)


def test_the_entry_of_a_frame_is_the_step_that_made_it(whole: Report) -> None:
    entries = [row[12] for row in whole.tables["frames"].shown]
    shots = whole.tables["shots"]
    assert None not in entries
    assert set(entries) == {entry for row in shots.column("entries") for entry in row}


def test_the_columns_of_a_shot_add_up_to_its_frames(cut: Report) -> None:
    shots = cut.tables["shots"]
    place = shots.schema.place
    for row in shots.shown:
        verdicts = sum(row[place(key)] for key in ("cleared", "needs_review", "blocked"))
        assert row[place("found")] == verdicts
        assert row[place("frames")] == verdicts + row[place("unknown")] + row[place("absent")]
        assert row[place("frames")] == sum(row[place("strip")][1::2])


def test_every_figure_is_a_count_over_a_table(cut: Report, whole: Report) -> None:
    for report in (cut, whole):
        assert [figure.value for figure in report.figures] == [
            counted(report.tables, figure.count) for figure in report.figures
        ]
        frames = report.figure("frames").value
        assert frames == sum(
            report.figure(key).value for key in ("cleared", "needs-review", "blocked", "undecided")
        )


def test_the_same_targets_make_the_same_report(small: Kept, cut: Report) -> None:
    assert small.report().report == cut


def test_of_targets_the_places_are_in_order_whatever_the_order_asked(small: Kept) -> None:
    one = small.report("sq000/sh0003", "sq000/sh0001").report
    assert one.tables["shots"].column("place") == ["sq000/sh0001", "sq000/sh0003"]
    assert one.head.scope == "sq000/sh0003, sq000/sh0001"


def test_frames_asked_for_by_number_that_nobody_made_are_absent(small: Kept) -> None:
    last = small.feature.frames(3)[-1]
    report = small.report(f"sq000/sh0003/{last}-{last + 9}").report
    assert report.figure("absent").value == 9
    assert report.figure("found").value == 1
    assert report.verdict_now in {"blocked", "needs_review"}


def test_a_place_that_is_not_there_is_an_error(small: Kept) -> None:
    with pytest.raises(UsageError) as error:
        small.report("sq999/sh9999")
    assert error.value.code == "clear.unknown-target"


@pytest.mark.parametrize(
    ("versions", "digests", "expected"),
    [
        (("v1", "v2"), ("a", "b"), [5]),
        (("v1", "v1"), ("a", "b"), []),
        (("v1", "v2"), ("a", "a"), []),
        ((None, "v2"), ("a", "b"), [5]),
    ],
)
def test_two_files_of_one_frame_are_two_versions_if_versions_and_bytes_differ(
    versions: tuple[str | None, ...], digests: tuple[str, ...], expected: list[int]
) -> None:
    one = Frame("a.5.png", "a", Known.BYTES, frozenset(), 5, None, None)
    frames = [
        one._replace(version=version, sha256=digest)
        for version, digest in zip(versions, digests, strict=True)
    ]
    assert list(Shot("sh", Place(), frames=frames).doubles) == expected
    unnumbered = [frame._replace(frame=None) for frame in frames]
    assert not Shot("sh", Place(), frames=unnumbered).doubles


def test_the_population_says_what_was_asked_for(small: Kept) -> None:
    made = small.report("sq000/sh0003")
    shots = made.population.shots
    other = replace(made.population, shots=(*shots, Shot("more", Place(), absent=1)))
    assert other.digest != made.population.digest
    assert made.report.head.population == made.population.digest
