"""The strip of the whole cut: every frame, or columns in which the worst is never lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.render.report.strips import SMALLEST, columns

coded = st.lists(st.tuples(st.sampled_from("crub"), st.integers(1, 500)), min_size=1, max_size=40).filter(
    lambda runs: sum(count for _, count in runs) > 20
)


@given(coded)
def test_each_column_is_full_and_has_each_verdict_of_its_frames_and_no_other(
    runs: list[tuple[str, int]],
) -> None:
    letters = [letter for letter, count in runs for _ in range(count)]
    total = len(letters)
    found = columns([part for run in runs for part in run], 20)
    assert len(found) == 20
    for n, column in enumerate(found):
        held = letters[-(-n * total // 20) : -(-(n + 1) * total // 20)]
        assert {letter for letter, _ in column} == set(held)
        assert sum(share for _, share in column) == pytest.approx(1)
        assert [letter for letter, _ in column] == sorted(set(held), key="bruc".index)


def test_one_blocked_frame_of_a_feature_is_seen() -> None:
    found = columns(["c", 60_000, "b", 1, "c", 70_000], 180)
    blocked = [dict(column).get("b") for column in found]
    assert [share for share in blocked if share] == [pytest.approx(SMALLEST / (SMALLEST + 1), rel=0.01)]
