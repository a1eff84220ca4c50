"""A curation record: what it says, and counts that cannot be."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.core import canonical
from ledger.core.fields import Fields
from ledger.core.predicates.curation import Curation, Filter
from ledger.errors import MalformedError

GOOD = Curation(
    candidates=100,
    filters=(Filter("nsfw", "2.1", 7, "0.85", "a" * 64), Filter("near-duplicates", "1", 3)),
    kept=90,
    sampled=20,
    sampled_rejected=1,
    exclusions_sha256="b" * 64,
)


def read(value: Any) -> Curation:
    return Curation.read(Fields(canonical.decode(canonical.encode(value))))


def test_a_record_reads_back() -> None:
    assert read(GOOD.to_json()) == GOOD
    plain = Curation(candidates=5, filters=(), kept=5, sampled=0, sampled_rejected=0)
    assert read(plain.to_json()) == plain
    assert plain.to_json() == {"candidates": 5, "kept": 5, "sampled": 0, "sampledRejected": 0}


COUNTS = st.integers(0, 1000)


@given(removed=st.lists(COUNTS, max_size=5), kept=COUNTS, data=st.data())
def test_every_record_that_adds_up_reads_back(removed: list[int], kept: int, data: st.DataObject) -> None:
    sampled = data.draw(st.integers(0, kept))
    rejected = data.draw(st.integers(0, sampled))
    filters = tuple(Filter(f"filter {number}", "1", count) for number, count in enumerate(removed))
    record = Curation(kept + sum(removed), filters, kept, sampled, rejected)
    assert read(record.to_json()) == record


@pytest.mark.parametrize(
    ("change", "field"),
    [
        pytest.param({"kept": 91}, "kept", id="more kept than the filters left"),
        pytest.param({"candidates": 99}, "kept", id="fewer candidates"),
        pytest.param({"sampled": 91}, "sampled", id="more looked at than kept"),
        pytest.param({"sampledRejected": 21}, "sampled", id="more rejected than looked at"),
        pytest.param({"sampled": -1}, "sampled", id="less than nothing"),
        pytest.param({"filters": []}, "filters", id="an empty list"),
        pytest.param({"filters": [{"name": "x", "version": "1", "removed": -1}]}, "removed", id="adding"),
        pytest.param({"more": 1}, "more", id="a member too many"),
        pytest.param(
            {"filters": [{"name": "x", "version": "1", "removed": 10, "why": "y"}]}, "why", id="deep"
        ),
        pytest.param({"kept": "90"}, "kept", id="a count in words"),
    ],
)
def test_counts_that_cannot_be(change: dict[str, Any], field: str) -> None:
    with pytest.raises(MalformedError) as error:
        read(GOOD.to_json() | change)
    assert error.value.code == "statement.field"
    assert field in str(error.value.evidence["field"])
