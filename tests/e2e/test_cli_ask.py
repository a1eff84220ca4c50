"""`rakkan ask`: what a client wants to know, answered by frames and shots, with the rest counted."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from ledger.core.fields import format_time
from ledger.service.questions.origin import OUTSIDE
from tests.e2e.conftest import Studio
from tests.support.cleared import place, policy

PAINTED = {"sq010/sh010": "final.1001.png", "sq010/sh020": "sh020.1001.png"}


def ask(studio: Studio, *question: object, code: int = 0) -> Any:
    result = studio("ask", *question, "--json")
    assert result.code == code, result.err or result.out
    return result.json


def counted(found: Any) -> dict[str, int]:
    return {item["name"]: item["files"] for item in found["groups"]}


@pytest.fixture
def mixed(nightfall: Studio) -> Studio:
    """Beside the three declared shots: one that came in from outside, one with a gap, one that was seen."""
    nightfall.ok("enrol", "pixelhut.ws-3")
    nightfall.record(nightfall.png("matte.1001.png", 21), "--action", "import", *place("sh040"))
    nightfall.record(
        nightfall.png("patched.1001.png", 22),
        *("--action", "edit", "--parent", nightfall.png("found.png", 23), "--device", "pixelhut.ws-3"),
        *place("sh050"),
    )
    return nightfall


def test_what_has_no_origin_is_listed_and_counted(mixed: Studio) -> None:
    found = ask(mixed, "unknown-origin", code=3)
    assert (found["asked"], found["found"]) == (5, 5)
    assert found["origins"] == {"unknown": 1, "imported": 1, "declared": 3}
    assert counted(found["shots"]) == {f"sq010/sh0{n}0": 1 for n in range(1, 6)}
    assert counted(found["devices"]) == {"workstation": 4, "pixelhut.ws-3": 1}
    assert counted(found["vendors"]) == {
        "workstation": 3,
        "from outside, no party on record": 1,
        "pixelhut": 1,
    }
    by_name = {file["name"]: file for file in found["files"]}
    assert by_name["patched.1001.png"]["origin"] == "unknown"
    assert by_name["patched.1001.png"]["frames"] == {"first": 1001, "last": 1001}
    assert by_name["matte.1001.png"]["vendor"] == OUTSIDE
    assert found["next"] is None


def test_targets_are_asked_about_as_they_are_given(mixed: Studio) -> None:
    stranger = mixed.png("stranger.png", 99)
    found = ask(mixed, "unknown-origin", "sh050", stranger, "sh010/1001-1004", code=3)
    assert (found["asked"], found["found"], found["absent"]) == (3, 3, 3)
    assert [file["origin"] for file in found["files"]] == ["unknown", "declared", "unknown"]
    assert {"no maker on record", "pixelhut.ws-3", "workstation"} == set(counted(found["devices"]))
    shown = mixed("ask", "unknown-origin", "sh050")
    assert (shown.code, "patched.1001.png  (unknown, pixelhut.ws-3)" in shown.out) == (3, True)


def test_a_list_ends_and_counts_the_rest(mixed: Studio) -> None:
    found = ask(mixed, "unknown-origin", "--limit", 2, code=3)
    assert (len(found["files"]), found["found"]) == (2, 5)
    assert found["shots"]["others"] == {"groups": 3, "files": 3}
    assert found["next"]
    assert "and 3 more: --limit shows them." in mixed("ask", "unknown-origin", "--limit", 2).out


def test_who_used_a_model_and_when(mixed: Studio) -> None:
    found = ask(mixed, "used", "sky")
    assert {file["shot"]: file["name"] for file in found["files"]} == PAINTED
    assert found["steps"]["count"] == 2
    steps = [mixed.ok("show", index).json["statement"] for index in found["steps"]["entries"]]
    assert {step["subject"][0]["name"] for step in steps} == {"bg.1001.png", "sh020.1001.png"}
    assert all(use["name"] == "sky" for file in found["files"] for use in file["uses"])
    (use,) = found["files"][0]["uses"]
    assert ask(mixed, "used", "sky", "--after", use["first"])["found"] == 2
    assert ask(mixed, "used", "sky", "--before", use["first"])["found"] == 0
    later = ask(mixed, "used", "sky", "--after", "2199-01-01")
    assert (later["found"], later["steps"]["count"], later["files"]) == (0, 0, [])
    assert "2 final files used the model sky." in mixed.ok("ask", "used", "sky").out


def test_what_was_trained_on_a_dataset_used_it(mixed: Studio) -> None:
    assert {file["name"] for file in ask(mixed, "used", "plates")["files"]} == set(PAINTED.values())
    assert ask(mixed, "used", "G-7")["found"] == 2
    assert ask(mixed, "used", "sky", "--delivered")["found"] == 0


def test_of_a_file_or_of_nothing_it_is_not_asked(mixed: Studio) -> None:
    sha256 = ask(mixed, "used", "sky")["files"][0]["sha256"]
    mixed.fails("question.thing", "ask", "used", sha256)
    mixed.fails("clear.unknown-thing", "ask", "used", "no-such-model")


def test_what_would_change_says_what_impact_says_and_names_the_files(mixed: Studio) -> None:
    asked = (*policy(mixed), "--at", format_time(datetime.now(UTC).replace(microsecond=0)))
    found = ask(mixed, "if-ended", "G-7", "--on", "2026-02-01", *asked)
    same = mixed.ok("impact", "G-7", "--if-revoked", "2026-02-01", *asked, "--json").json["ifRevoked"]
    # What is supposed is known as of now, and the second command runs later than the first.
    for reason in (*found["ifEnded"]["reasons"], *same["reasons"]):
        reason.pop("knownSince", None)
    assert found["ifEnded"] == same
    assert {(file["shot"], file["name"]) for file in found["files"]} == set(PAINTED.items())
    assert {(file["from"], file["to"]) for file in found["files"]} == {("cleared", "blocked")}
    shown = mixed.ok("ask", "if-ended", "G-7", "--on", "2026-02-01", *policy(mixed)).out
    assert "sq010/sh020  sh020.1001.png  (cleared → blocked)" in shown


@pytest.mark.parametrize(
    ("axis", "names"),
    [
        ("vendor", [OUTSIDE, "pixelhut", "workstation"]),
        ("device", ["pixelhut.ws-3", "workstation"]),
        ("task", ["no task on record"]),
        ("shot", [f"sq010/sh0{n}0" for n in range(1, 6)]),
    ],
)
def test_coverage_is_counted_by(mixed: Studio, axis: str, names: list[str]) -> None:
    found = ask(mixed, "coverage", "--by", axis)
    assert [item["name"] for item in found["groups"]] == names
    assert sum(item["files"] for item in found["groups"]) == found["files"] == 5
    assert (found["unknown"], found["imported"], found["declared"], found["observed"]) == (1, 1, 3, 0)
    assert ("derived" in found) == (axis == "vendor")
    few = mixed.ok("ask", "coverage", "--by", axis, "--limit", 1)
    assert ("more: --limit shows them." in few.out) == (len(names) > 1)


def test_an_empty_production_is_answered(studio: Studio) -> None:
    assert ask(studio, "unknown-origin")["asked"] == 0
    assert ask(studio, "coverage")["groups"] == []
