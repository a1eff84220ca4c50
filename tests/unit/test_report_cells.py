"""Cells in words: every kind has its own, a hidden one says so, and an empty one says nothing."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.core.audit import Hidden, Kind
from ledger.core.audit.tables import TABLES
from ledger.render.report import findings
from ledger.render.report.cells import HIDDEN, moment, ranges, words
from tests.support.reports import finding, report, shot


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        (Kind.TEXT, "落款", "落款"),
        (Kind.COUNT, 130_000, "130,000"),
        (Kind.COUNT, 0, "0"),
        (Kind.FLAG, False, "no"),
        (Kind.FLAG, True, "yes"),
        (Kind.MOMENT, "2026-11-22T09:00:00Z", "2026-11-22 09:00:00 UTC"),
        (Kind.DIGEST, "ab" * 32, "abababababababab…"),
        (Kind.DIGEST, "abc", "abc"),
        (Kind.VERDICT, "needs_review", "Needs review"),
        (Kind.SEVERITY, "noted", "Noted"),
        (Kind.GRADE, "L3", "L3"),
        (Kind.PER_MILLE, 125, "12.5 %"),
        (Kind.TIMECODE, "01:00:00:12", "01:00:00:12"),
        (Kind.TEXTS, ("a", Hidden("x"), "b"), f"a; {HIDDEN}; b"),
        (Kind.ENTRIES, (3, 4, 5, 9), "3–5, 9"),
        (Kind.STRIP, ("c", 1200, "b", 3), "1,200 cleared, 3 blocked"),
    ],
)
def test_each_kind_has_its_words(kind: Kind, value: Any, said: str) -> None:
    assert words(kind, value) == said


@pytest.mark.parametrize("kind", Kind)
def test_hidden_is_said_and_empty_is_not(kind: Kind) -> None:
    assert words(kind, Hidden("digest")) == HIDDEN
    assert words(kind, None) == ""
    assert words(kind, ()) == ""


@given(st.sets(st.integers(0, 400)))
def test_no_entry_is_lost_in_the_ranges(entries: set[int]) -> None:
    told, _, more = ranges(sorted(entries)).partition(" and ")
    found = 0
    for part in filter(None, told.split(", ")):
        first, _, last = part.partition("–")
        found += int(last or first) - int(first) + 1
    found += int(more.split()[0].replace(",", "")) if more else 0
    assert found == len(entries)


@given(st.text(max_size=30))
def test_what_is_no_moment_stays_as_it_is(text: str) -> None:
    assert moment(text) == text or text.endswith("Z")


def test_findings_of_one_code_and_state_are_told_together_in_the_order_of_the_register() -> None:
    rows = [
        finding(1),
        finding(2, code="MODEL_OPAQUE", severity="needs_review"),
        finding(3, subject="other"),
        finding(4, state="accepted", approvers=("legal-2",), expires="2027-01-01T00:00:00Z"),
    ]
    table = report([shot(1, "b")], {"findings": rows}).tables["findings"]
    found = findings.groups(table)
    assert [(group.code, group.state, [item.number for item in group.told]) for group in found] == [
        ("NO_GRANT", "open", ["F-001", "F-003"]),
        ("MODEL_OPAQUE", "open", ["F-002"]),
        ("NO_GRANT", "accepted", ["F-004"]),
    ]
    assert found[2].told[0].rest == "accepted by legal-2, until 2027-01-01 00:00:00 UTC"
    assert [group.code for group in findings.groups(table, ("F-002",))] == ["MODEL_OPAQUE"]


def test_what_a_finding_is_about_is_said_to_be_hidden_once() -> None:
    hidden = finding(1, subject=Hidden("a"), detail=Hidden("b"), path=Hidden("c"))
    table = report([shot(1, "b")], {"findings": [hidden]}).tables["findings"]
    told = findings.groups(table)[0].told[0]
    assert (told.about, told.way) == (f"{HIDDEN}, for showing its output in the finished production", "")


def test_every_column_of_every_table_can_be_said() -> None:
    values: dict[Kind, Any] = {Kind.COUNT: 1, Kind.FLAG: True, Kind.TEXTS: ("a",), Kind.ENTRIES: (1,)}
    values |= {Kind.STRIP: ("c", 1), Kind.VERDICT: "cleared", Kind.PER_MILLE: 1}
    for table in TABLES.values():
        for column in table.columns:
            assert words(column.kind, values.get(column.kind, "x"))
