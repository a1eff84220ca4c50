"""Any text can be set, and no strip hides its worst frame."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.core.audit import Column, Kind
from ledger.render.report.pdf.cells import cell, plain, strip

RUNS = st.lists(st.tuples(st.sampled_from("crbu"), st.integers(1, 5000)), min_size=1, max_size=30)


@given(st.text(max_size=300), st.sets(st.characters(min_codepoint=0x80), max_size=5))
def test_a_text_that_is_set_has_no_character_that_nobody_sees_or_has(text: str, missing: set[str]) -> None:
    shown = plain(text, missing)
    seen = set(shown) - {"\u200b", "\u200c", "\u200d", "\ufe0e", "\ufe0f"}
    assert not {char for char in seen if unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co", "Cn"}}
    assert not seen & missing


@given(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126), max_size=300))
def test_an_ordinary_text_is_set_as_it_is_with_places_to_break(text: str) -> None:
    shown: str = plain(text)
    assert shown.replace("\u200b", "") == text
    assert all(
        len(word) <= 15 for part in shown.split("\u200b") for word in re.split("[ ]|-(?=[A-Za-z])", part)
    )


@given(RUNS, st.integers(1, 80))
def test_a_strip_fills_its_width_and_keeps_its_worst_letter(runs: list[tuple[str, int]], most: int) -> None:
    shown = strip([part for run in runs for part in run], most)
    assert sum(part for _, part in shown) == pytest.approx(1)
    assert len(shown) <= most
    assert max("curb".index(letter) for letter, _ in shown) == max("curb".index(letter) for letter, _ in runs)


@given(st.lists(st.integers(0, 10_000), unique=True, max_size=60).map(sorted))
def test_entries_that_are_not_named_are_counted(numbers: list[int]) -> None:
    shown = cell(Column("entries", "Entries", Kind.ENTRIES), tuple(numbers))
    named, _, rest = shown.partition(" and ")
    count = int(rest.split()[0].replace(",", "")) if rest else 0
    for part in filter(None, named.split(", ")):
        first, _, last = part.partition("–")
        count += int(last or first) - int(first) + 1
    assert count == len(numbers)
