"""`rakkan why` and `rakkan impact`: from a frame to its raw materials, and from those to the frames."""

from __future__ import annotations

from tests.e2e.conftest import Studio
from tests.support.cleared import policy, revoke


def test_why_leads_from_the_frame_to_the_dataset(nightfall: Studio) -> None:
    revoke(nightfall)
    result = nightfall("why", "sq010/sh010/1001", *policy(nightfall))
    lines = [line.strip() for line in result.out.splitlines()]
    way = lines[len(lines) - lines[::-1].index("dataset plates") - 4 :][:4]
    assert way[0].startswith("final.1001.png: edit with grade 2, ")
    assert way[1].startswith("bg.1001.png: generate with painter 1.0, ")
    assert way[2:] == ["model sky", "dataset plates"]
    assert "since " in result.out
    assert "Looked at G-7; known since " in result.out
    assert result.code == 4


def test_why_asks_what_the_newest_verdict_answered(nightfall: Studio) -> None:
    nightfall.ok("clear", "sh010", *policy(nightfall), "--for", "marketing", "--record")
    found = nightfall.ok("why", "sh010", "--json").json
    assert (found["policy"]["name"], found["delivery"]["deliverable"]) == ("house", "marketing")
    asked = nightfall("why", "sh030")
    assert asked.code == 2
    assert "Give --policy" in asked.err


def test_why_of_a_file_that_no_record_explains(nightfall: Studio) -> None:
    stray = nightfall.png("stray.png", 99)
    nightfall.fails("clear.unexplained", "why", stray, *policy(nightfall), exit_code=3)


def test_why_without_anything_against_it_claims_nothing_more(nightfall: Studio) -> None:
    shown = nightfall.ok("why", "sh030", *policy(nightfall)).out
    assert "Nothing that is on record speaks against it under this policy." in shown


# --- impact ------------------------------------------------------------------------------------------------


def test_impact_of_a_dataset_reaches_the_final_files(nightfall: Studio) -> None:
    for thing in ("plates", "sky", "G-7", nightfall.work / "plates.csv", "plates@1"):
        found = nightfall.ok("impact", thing, "--json").json
        assert (found["finals"], found["shots"]) == (2, {"sq010/sh010": 1, "sq010/sh020": 1}), thing
    assert nightfall.ok("impact", "plates", "--json").json["through"] == [{"kind": "model", "name": "sky"}]


def test_impact_of_a_file_is_what_was_made_from_it(nightfall: Studio) -> None:
    found = nightfall.ok("impact", nightfall.work / "bg.1001.png", "--json").json
    assert (found["entries"], found["shots"]) == (1, {"sq010/sh010": 1})


def test_what_if_signs_nothing(nightfall: Studio) -> None:
    before = nightfall.state()
    result = nightfall.ok("impact", "G-7", "--if-revoked", "2026-02-01", *policy(nightfall), "--json").json
    supposed = result["ifRevoked"]
    assert supposed["moves"] == [{"from": "cleared", "to": "blocked", "finals": 2}]
    assert supposed["shots"] == {"sq010/sh010": 1, "sq010/sh020": 1}
    assert {item["code"] for item in supposed["reasons"]} == {"GRANT_REVOKED"}
    assert nightfall.state() == before
    assert (
        "Nothing was signed."
        in nightfall.ok("impact", "plates", "--if-revoked", "2026-02-01", *policy(nightfall)).out
    )


def test_what_if_needs_a_grant(nightfall: Studio) -> None:
    frame = nightfall.work / "sh030.1001.png"
    nightfall.fails("clear.no-grant", "impact", frame, "--if-revoked", "2026-02-01", *policy(nightfall))


def test_impact_of_nothing_known_names_what_is_like_it(nightfall: Studio) -> None:
    assert "'plates'" in nightfall.fails("clear.unknown-thing", "impact", "plate").err
