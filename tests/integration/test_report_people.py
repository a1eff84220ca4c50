"""The tables of people in the audit report, cell by cell: who did what, who consented, who decided."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ledger.core.audit import Report
from tests.support.audited import (
    SERVICE,
    Audited,
    holds,
    production,
    rows,
)

COMP = ("actor:mika", "comp", "edit")


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Audited]:
    with production(tmp_path_factory.mktemp("audited")) as opened:
        yield opened


@pytest.fixture(scope="module")
def report(audited: Audited) -> Report:
    return audited.made().report


def test_authorship_is_by_actor_task_and_action(audited: Audited, report: Report) -> None:
    works = rows(report, "authorship", "actor", "task", "action")
    assert [(key, work["steps"], work["withModel"], work["files"]) for key, work in works.items()] == [
        (("actor:aoi", "bg", "generate"), 1, 1, 1),
        (("actor:aoi", "comp", "generate"), 3, 3, 3),
        (COMP, 1, 1, 2),
        (("actor:mika", "comp", "generate"), 1, 1, 1),
        (("actor:mika", "key", "draw"), 1, 0, 1),
        (("actor:mika", "key", "edit"), 1, 1, 1),
        (("actor:rin", "comp", "draw"), 1, 0, 1),
    ]
    assert [work["evidence"] for work in works.values()] == ["observed"] * 4 + ["declared"] * 2 + ["observed"]
    holds(
        works[COMP],
        row=3,
        actor="actor:mika",
        task="comp",
        action="edit",
        steps=1,
        withModel=1,
        files=2,
        shots=1,
        evidence="observed",
        first="2026-03-01T12:00:00Z",
        last="2026-03-01T12:00:00Z",
        entries=audited.entries("grade"),
    )


def test_a_consent_is_before_the_first_use_only_where_that_shows(audited: Audited, report: Report) -> None:
    people = rows(report, "people", "person")
    assert {person: row["before"] for person, row in people.items()} == {
        "person:good": True,
        "person:late": False,
        "person:named": False,
        "person:told-late": None,
    }
    holds(
        people["person:late"],
        row=2,
        person="person:late",
        files=1,
        first="2026-03-01T12:00:00Z",
        consent="late",
        covers="face in crowd shots of episode 3",
        before=False,
        entries=audited.entries("consent late", "remote"),
        **{"from": "2026-03-02T12:00:00Z"},
    )
    holds(
        people["person:named"],
        row=3,
        person="person:named",
        files=1,
        first="2026-03-01T12:00:00Z",
        before=False,
        entries=audited.entries("finding"),
    )


def test_a_decision_has_one_row_however_much_it_is_about(audited: Audited, report: Report) -> None:
    told = [
        (row["kind"], row["about"], row["decision"], row["by"], row["reference"], row["entries"])
        for row in rows(report, "decisions", "row").values()
    ]
    claim = "https://example.org/claims/17"
    people = ("actor:0aa1", "actor:9f3b6c52")
    assert told == [
        ("review", "plates and 1 more", "accepted", ("actor:0aa1",), None, audited.entries("accepted")),
        ("review", "stray", "contested", ("actor:0aa1",), claim, audited.entries("contested")),
        ("approval: tool", SERVICE.name, "approved", ("party:kumo",), "TOOLS-12", audited.entries("tool")),
        ("approval: final-output", "studio-xl", "refused", ("party:kumo",), None, audited.entries("refused")),
        (
            "approval: final-output",
            "sh030.1001.exr",
            "approved",
            ("party:kiri",),
            "TOOLS-12",
            audited.entries("shown"),
        ),
        ("override", "studio-xl", "accepts MODEL_UNREVIEWED", people, None, audited.entries("override")),
    ]
