"""What changed between two reports: as small tables, shown whole and as a view hides them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ledger.core.audit import Head, Hidden, Row, Table
from ledger.core.audit.changes import Side, changes
from ledger.core.audit.tables import FINDINGS, FRAMES, SHOTS
from tests.support.builders import digest

HEAD = Head(
    identifier="R-1",
    studio="Studio X",
    production="nightfall",
    title=None,
    scope="all",
    population=digest("population"),
    at="2026-06-01T00:00:00Z",
    known=None,
    policy="house",
    policy_version="1",
    policy_sha256=digest("policy 1"),
    delivery={},
    origin="ledger.example/nightfall",
    size=7,
    root=digest("root"),
    engine="1",
)


def row(schema: Any, **cells: Any) -> Row:
    """Return a row of which only these cells are told."""
    return tuple(cells.get(column.key) for column in schema.columns)


def frame(number: int, word: str, now: str = "cleared", shot: int = 1, **cells: Any) -> Row:
    cells = {"name": f"f.{number}.png", "frame": number, "grade": "L3", "entry": 5, **cells}
    return row(FRAMES, row=number, shot=shot, sha256=digest(word), now=now, **cells)


def finding(code: str = "NO_GRANT", state: str = "open", **cells: Any) -> Row:
    cells = {"subject": "sky", "sha256": digest("sky"), "path": ("sky",), "now": 3, "entries": (), **cells}
    return row(FINDINGS, finding="F-001", code=code, state=state, **cells)


def side(
    *frames: Row, findings: tuple[Row, ...] = (), shots: tuple[Any, ...] = ("sh010", "sh020"), **head: Any
) -> Side:
    named = tuple(row(SHOTS, shot=n, name=name, place=name) for n, name in enumerate(shots, 1))
    tables = {
        "shots": Table(SHOTS, named),
        "frames": Table(FRAMES, frames),
        "findings": Table(FINDINGS, findings),
    }
    return Side(replace(HEAD, **head), tables)


def told(old: Side, new: Side) -> list[tuple[object, ...]]:
    """Return kind, name, before, after and files of each change."""
    return [cells[1:6] for cells in changes(old, new).shown]


def test_files_come_go_are_replaced_and_get_other_answers() -> None:
    old = side(frame(1, "a"), frame(2, "b"), frame(3, "c"), frame(4, "d"))
    new = side(frame(1, "a", "blocked", grade="L1"), frame(2, "b2"), frame(4, "d", "blocked"), frame(5, "e"))
    assert told(old, new) == [
        ("verdict", "sh010", "cleared", "blocked", 2),
        ("grade", "sh010", "L3", "L1", 1),
        ("file replaced", "sh010", digest("b"), digest("b2"), 1),
        ("file added", "sh010", None, digest("e"), 1),
        ("file removed", "sh010", digest("c"), None, 1),
    ]


def test_several_files_are_counted_and_no_digest_stands_for_all() -> None:
    old = side(frame(1, "a"), frame(2, "b"))
    assert told(old, side()) == [("file removed", "sh010", None, None, 2)]
    assert told(side(), old) == [("file added", "sh010", None, None, 2)]


def test_shots_are_the_same_by_name_wherever_they_stand_in_the_cut() -> None:
    old = side(frame(1, "a"), frame(1, "b", shot=2))
    new = side(frame(1, "b"), frame(1, "a", shot=2), shots=("sh020", "sh010"))
    assert told(old, new) == []


def test_the_same_shot_twice_in_a_cut_is_told_apart_by_its_turn() -> None:
    old = side(frame(1, "a"), frame(1, "b", shot=2), shots=("sh010", "sh010"))
    new = side(frame(1, "a"), frame(1, "c", shot=2), shots=("sh010", "sh010"))
    assert told(old, new) == [("file replaced", "sh010", digest("b"), digest("c"), 1)]


def test_findings_open_and_close_by_what_they_say_and_not_by_their_number() -> None:
    old = side(findings=(finding("NO_GRANT"), finding("EXPIRED"), finding("UNREVIEWED", "accepted")))
    new = side(
        findings=(
            finding("UNREVIEWED"),
            finding("NO_GRANT", "accepted"),
            finding("REVOKED", use="output-final"),
        )
    )
    assert told(old, new) == [
        ("finding opened", "sky", "accepted", "UNREVIEWED", 3),
        ("finding closed", "sky", "NO_GRANT", "accepted", 3),
        ("finding opened", "sky", None, "REVOKED (output-final)", 3),
        ("finding closed", "sky", "EXPIRED", "closed", 3),
    ]


def test_another_policy_is_a_change() -> None:
    new = side(policy_version="2", policy_sha256=digest("policy 2"))
    ((kind, name, before, after, files),) = told(side(), new)
    assert (kind, name, files) == ("policy", None, None)
    assert (before, after) == (f"house 1 ({digest('policy 1')[:16]})", f"house 2 ({digest('policy 2')[:16]})")


def test_where_names_are_hidden_shots_are_told_by_numbers_and_files_by_digests() -> None:
    hidden: dict[str, Any] = {"name": Hidden("x"), "frame": Hidden("y")}
    shots = (Hidden("one"), Hidden("two"))
    old = side(frame(1, "a", **hidden), frame(2, "b", **hidden), shots=shots)
    new = side(frame(1, "b", "blocked", **hidden), frame(2, "c", **hidden), shots=(Hidden("1"), Hidden("2")))
    assert told(old, new) == [
        ("verdict", Hidden("1"), "cleared", "blocked", 1),
        ("file added", Hidden("1"), None, digest("c"), 1),
        ("file removed", Hidden("1"), digest("a"), None, 1),
    ]


def test_a_report_without_a_table_is_one_with_none_of_its_rows() -> None:
    bare = Side(HEAD, {"shots": side().tables["shots"]})
    assert told(bare, side(frame(1, "a"))) == [("file added", "sh010", None, digest("a"), 1)]


frames = st.builds(
    frame,
    st.integers(1, 4),
    st.sampled_from("abc"),
    st.sampled_from(["cleared", "blocked"]),
    st.integers(1, 2),
)
sides = st.lists(frames, max_size=6).map(lambda found: side(*found))


@given(sides, sides)
def test_nothing_changes_from_a_report_to_itself_and_every_file_is_counted(old: Side, new: Side) -> None:
    assert told(old, old) == []
    counted = dict.fromkeys(("file added", "file removed"), 0)
    for kind, _, _, _, files in told(old, new):
        if isinstance(kind, str) and kind in counted and isinstance(files, int):
            counted[kind] += files
    before, after = (len(side.tables["frames"].rows) for side in (old, new))
    assert after - before == counted["file added"] - counted["file removed"]
