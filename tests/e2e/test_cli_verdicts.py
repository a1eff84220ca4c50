"""Verdicts on record: `rakkan clear --record`, `rakkan recheck`, and what `rakkan verify` says of them."""

from __future__ import annotations

from ledger.core.predicates.verdict import CLEARANCE
from tests.e2e.conftest import Studio
from tests.support.cleared import PROFILE, SVR, clear, place, policy, revoke, verdicts


def test_a_verdict_on_record_is_a_simple_verification_result(nightfall: Studio) -> None:
    result = nightfall.ok("clear", ".", *policy(nightfall), "--record", "--json").json
    found = verdicts(nightfall)
    assert [item["index"] for item in found] == result["recorded"]["entries"]
    predicate = found[0]["predicate"]
    assert "RAKKAN_CLEARED_FINAL" in predicate["properties"]
    assert predicate["verifier"]["policies"] == [{"name": "house", "digest": result["policy"]["digest"]}]
    assert predicate[CLEARANCE]["tree"] == result["tree"]
    assert predicate[CLEARANCE]["event"] == "verdict"
    kinds = [row[2] for row in sorted(nightfall.rows("statement"), key=lambda row: row[1])]
    assert kinds.index(PROFILE) < kinds.index(SVR)
    assert kinds.count(PROFILE) == 1


def test_the_same_verdict_again_is_no_new_entry(nightfall: Studio) -> None:
    nightfall.ok("clear", ".", *policy(nightfall), "--record")
    size = nightfall.size()
    result = nightfall.ok("clear", ".", *policy(nightfall), "--record", "--json").json
    assert nightfall.size() == size
    assert result["recorded"]["entries"] == []
    assert sum(item["files"] for item in result["recorded"]["unchanged"]) == 3
    nightfall.ok("clear", "sh010", *policy(nightfall), "--for", "marketing", "--record")
    assert nightfall.size() == size + 1


def test_a_changed_verdict_names_the_one_before_and_the_cause(nightfall: Studio) -> None:
    nightfall.ok("clear", ".", *policy(nightfall), "--record")
    before = {item["subject"][0]["name"]: item["index"] for item in verdicts(nightfall)}
    cause = revoke(nightfall)
    again = nightfall("clear", "sh010", *policy(nightfall), "--record")
    assert again.code == 4
    newest = verdicts(nightfall)[-1]
    clearance = newest["predicate"][CLEARANCE]
    assert (clearance["event"], clearance["previous"], clearance["cause"]) == (
        "verdict_changed",
        before["final.1001.png"],
        cause,
    )
    assert newest["predicate"]["properties"] == ["RAKKAN_GRADE_L1"]


def test_recheck_judges_only_what_is_touched_and_only_once(nightfall: Studio) -> None:
    nightfall.ok("clear", ".", *policy(nightfall), "--record")
    cause = revoke(nightfall)
    before = nightfall.state()
    planned = nightfall("recheck", "--dry-run", "--json")
    assert planned.code == 4
    assert nightfall.state() == before
    (found,) = nightfall("recheck", "--json").json
    assert (found["files"], found["bases"], found["judged"]) == (3, 3, 2)
    assert {item["cause"] for item in found["changed"]} == {cause}
    assert {item["because"] for item in found["changed"]} == {f"grant-revocation G-7, entry {cause}"}
    again = nightfall.ok("recheck")
    assert "Nothing has changed." in again.out
    assert nightfall.size() == found["changed"][-1]["entry"] + 1


def test_recheck_without_any_verdict_says_so(nightfall: Studio) -> None:
    assert "no verdicts on record" in nightfall.ok("recheck").out
    assert nightfall.ok("recheck", "--json").json == []


def test_a_late_record_changes_the_verdict_and_is_its_cause(nightfall: Studio) -> None:
    late = nightfall.png("late.png", 41)
    final = nightfall.record(
        nightfall.png("sh050.png", 42), "--action", "edit", "--parent", late, *place("sh050")
    )
    reviewed = nightfall("clear", final, *policy(nightfall), "--record", "--json")
    assert {item["code"] for item in reviewed.json["reasons"]} >= {"CHAIN_GAP"}
    nightfall.record(late, "--action", "draw", *place("sh050"))
    cause = nightfall.size() - 1
    (found,) = nightfall.ok("recheck", "--json").json
    assert [item["cause"] for item in found["changed"]] == [cause]
    assert found["changed"][0]["now"]["verdict"] == "cleared"


def test_a_verdict_of_a_day_to_come_does_not_go_on_record(nightfall: Studio) -> None:
    """It would pass for one of today."""
    result = nightfall("clear", ".", *policy(nightfall), "--at", "2099-01-01", "--record")
    assert (result.code, "still to come" in result.err) == (2, True)
    assert nightfall("clear", ".", *policy(nightfall), "--at", "2099-01-01").code in (0, 3, 4)


def test_what_holds_the_grade_down_is_named(nightfall: Studio) -> None:
    frame = nightfall.record(nightfall.png("typed.png", 78), "--action", "draw")
    found = clear(nightfall, frame)
    assert found["lowest"] == ["typed.png"]
    assert "At L1, and so the whole: typed.png." in nightfall("clear", frame, *policy(nightfall)).out


def test_known_does_not_go_on_record(nightfall: Studio) -> None:
    result = nightfall("clear", ".", *policy(nightfall), "--known", "2026-06-01", "--record")
    assert (result.code, verdicts(nightfall)) == (2, [])


def test_verify_mentions_the_newest_verdict_on_record(nightfall: Studio) -> None:
    frame = nightfall.work / "final.1001.png"
    nightfall.ok("seal", frame)
    assert "clearance" not in nightfall("verify", frame, "--json").json
    nightfall.ok("clear", frame, *policy(nightfall), "--record")
    revoke(nightfall)
    nightfall("recheck")
    found = nightfall("verify", frame, "--json").json["clearance"]
    assert found["now"] == "blocked"
    assert found["entry"] == nightfall.size() - 1
    assert "clearance on record: blocked (final, policy house; " in nightfall("verify", frame).out
    assert "clearance" not in nightfall("verify", frame, "--json", "--offline").json
