"""Works are found in whatever a rights holder sends: a list, a table, or nothing of the kind."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from ledger.service.reading.own_works import listed
from tests.support.strategies import digests

between = st.sampled_from(["\n", ",", ";", '","', "\t", " ", "\r\n", "|"])


@given(works=st.lists(digests, max_size=6), gap=between, upper=st.booleans())
def test_every_work_is_found_once_in_its_order(works: list[str], gap: str, upper: bool) -> None:
    text = gap.join(work.upper() if upper else work for work in works)
    assert listed(f"work,sha256{gap}{text}{gap}") == list(dict.fromkeys(works))


@given(text=st.text(max_size=400))
def test_any_text_gives_digests_and_nothing_else(text: str) -> None:
    assert all(re.fullmatch("[0-9a-f]{64}", each) for each in listed(text))


@given(work=digests, more=st.sampled_from(["0", "f", "z"]))
def test_a_longer_word_is_no_digest(work: str, more: str) -> None:
    assert listed(work + more) == listed(more + work) == []
