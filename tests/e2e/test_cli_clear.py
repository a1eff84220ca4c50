"""`rakkan clear`, `why`, `impact`, `recheck`: what a producer asks, and what a pipeline acts on."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from ledger.core.predicates.verdict import CLEARANCE
from tests.e2e.conftest import Studio, copied
from tests.support.cleared import license_production, place, shoot

SVR = "https://in-toto.io/attestation/svr/v0.2"
PROFILE = "https://rakkan.org/policy-profile/v1"


@pytest.fixture(scope="module")
def shot_once(founded: Studio, tmp_path_factory: pytest.TempPathFactory) -> Studio:
    """Three shots and the rights to them. Never written to."""
    studio = copied(founded, tmp_path_factory.mktemp("shot"))
    license_production(studio)
    shoot(studio)
    return studio


@pytest.fixture
def nightfall(shot_once: Studio, tmp_path: Path) -> Studio:
    """The same, of the test's own."""
    return copied(shot_once, tmp_path / "nightfall")


def policy(studio: Studio) -> tuple[str, str]:
    return "--policy", str(studio.work / "house.toml")


def clear(studio: Studio, *targets: object, code: int = 0) -> Any:
    """Clear as JSON; the command must end with this code."""
    result = studio("clear", *targets, *policy(studio), "--json")
    assert result.code == code, result.err or result.out
    return result.json


def verdicts(studio: Studio) -> list[dict[str, Any]]:
    """Every verdict in the log, oldest first, each with its subjects and its index."""
    rows = [index for _, index, kind, _ in sorted(studio.rows("statement")) if kind == SVR]
    shown = [studio.ok("show", index).json for index in rows]
    return [{"index": item["index"], **item["statement"]} for item in shown]


def revoke(studio: Studio) -> int:
    """Revoke the grant with effect before the work was made; return the entry."""
    studio.ok("grant", "revoke", "G-7", "--effective", "2026-02-01")
    return studio.size() - 1


# --- clear -------------------------------------------------------------------------------------------------


def test_a_grant_for_every_recorded_use_is_cleared(nightfall: Studio) -> None:
    found = clear(nightfall, ".")
    assert found["verdict"] == {"then": "cleared", "now": "cleared"}
    target = found["targets"][0]
    assert (target["verdict"], target["grade"]) == ({"then": "cleared", "now": "cleared"}, "L1")
    assert found["targets"][0]["counts"]["now"]["verdicts"] == {"cleared": 3, "needs_review": 0, "blocked": 0}
    assert found["delivery"]["title"] == "T-1"
    assert (found["delivery"]["media"], found["delivery"]["territories"]) == (
        ["broadcast", "streaming"],
        ["JP"],
    )
    assert found["tree"]["size"] == nightfall.size()
    assert found["coverage"] == {"files": 3, "complete": 0, "declared": 4, "inferred": 0, "gaps": 0}
    assert "no grant" not in found["says"]


def test_the_page_says_what_a_verdict_does_not_say(nightfall: Studio) -> None:
    shown = nightfall.ok("clear", "sh020", *policy(nightfall)).out
    assert shown.startswith("✓ sh020: cleared, grade L1, 1 file\n")
    assert "found a grant for every recorded use" in shown
    assert "evidence, not a legal opinion" in shown
    assert "✓ shown: What a model was trained on to imitate" in shown


def test_every_kind_of_target_means_the_same_file(nightfall: Studio) -> None:
    work = nightfall.work
    frame = work / "final.1001.png"
    digest = _sha256(frame)
    (work / "cut.txt").write_text("# the first shot\n\nfinal.1001.png\n", encoding="utf-8")
    (work / "cut.csv").write_text(f'target,note\n{digest},"graded, twice"\n', encoding="utf-8-sig")
    targets: list[object] = [
        frame,
        digest,
        "sh010",
        "sq010/sh010",
        "sq010/sh010/1001",
        "nightfall/sq010/sh010",
    ]
    targets += ["sh010/1001-1001", f"@{work / 'cut.txt'}", f"@{work / 'cut.csv'}"]
    answers = [clear(nightfall, target) for target in targets]
    assert {item["targets"][0]["files"] for item in answers} == {1}
    assert {json.dumps(item["reasons"]) for item in answers} == {json.dumps(answers[0]["reasons"])}
    assert clear(nightfall, *targets)["coverage"]["files"] == 1


def test_a_place_means_its_final_files_and_a_sealed_one_stands_for_the_one_before(nightfall: Studio) -> None:
    before = _sha256(nightfall.work / "final.1001.png")
    nightfall.ok("seal", nightfall.work / "final.1001.png")
    after = _sha256(nightfall.work / "final.1001.png")
    nightfall.ok("clear", "sh010", *policy(nightfall), "--record")
    (verdict,) = verdicts(nightfall)
    assert [item["digest"]["sha256"] for item in verdict["subject"]] == [after]
    assert clear(nightfall, before)["reasons"] == clear(nightfall, after)["reasons"]


@pytest.mark.parametrize("frames", ["1002", "1002-1003"])
def test_one_frame_of_a_step_over_many_is_that_frame(nightfall: Studio, frames: str) -> None:
    paths = [nightfall.png(f"wide.{number}.png", number) for number in (1001, 1002, 1003, 1004)]
    nightfall.ok("record", *paths, "--action", "draw", *place("sh090", "1001-1004"))
    first, _, last = frames.partition("-")
    expected = 1 + int(last or first) - int(first)
    assert clear(nightfall, f"sh090/{frames}")["targets"][0]["files"] == expected


@pytest.mark.parametrize(("frames", "absent"), [("1003-1006", 2), ("1001-1004", 0)])
def test_frames_that_are_not_on_record_are_undecided(nightfall: Studio, frames: str, absent: int) -> None:
    """Else an incomplete shot would pass for a cleared one."""
    paths = [nightfall.png(f"wide.{number}.png", number) for number in (1001, 1002, 1003, 1004)]
    nightfall.ok("record", *paths, "--action", "draw", *place("sh090", "1001-1004"))
    found = clear(nightfall, f"sh090/{frames}", code=3 if absent else 0)
    assert found["targets"][0]["absent"] == absent
    said = nightfall("clear", f"sh090/{frames}", *policy(nightfall)).out
    assert ("2 frames asked for that no record has" in said) is bool(absent)


def test_an_unknown_place_names_the_likely_ones(nightfall: Studio) -> None:
    result = nightfall.fails("clear.unknown-target", "clear", "sq010/sh01", *policy(nightfall))
    assert "Did you mean 'sq010/sh010'" in result.err


def test_a_file_that_no_record_explains_is_undecided(nightfall: Studio) -> None:
    stray = nightfall.png("stray.png", 99)
    found = clear(nightfall, stray, code=3)
    assert found["unknown"] == [{"name": "stray.png", "sha256": _sha256(stray)}]
    assert found["principles"] == []
    assert found["targets"][0]["verdict"] == {"then": None, "now": None}
    shown = nightfall("clear", stray, "sh020", *policy(nightfall))
    assert shown.code == 3
    assert "undecided; no record says how it was made" in shown.out
    assert "forged" not in shown.out


def test_a_picture_without_its_metadata_is_known_by_its_pixels(nightfall: Studio) -> None:
    copy = nightfall.work / "from-the-web.png"
    with Image.open(nightfall.work / "final.1001.png") as picture:
        picture.save(copy, compress_level=1)
    assert _sha256(copy) != _sha256(nightfall.work / "final.1001.png")
    shown = nightfall.ok("clear", copy, *policy(nightfall), "--record").out
    assert "known by its picture, not by its bytes" in shown
    assert verdicts(nightfall) == []
    assert (
        "bg.1001.png: generate with painter 1.0"
        in nightfall("why", copy, *policy(nightfall), "--territory", "FR").out
    )


def test_a_dataset_is_no_target(nightfall: Studio) -> None:
    nightfall.fails("clear.not-made", "clear", nightfall.work / "plates.csv", *policy(nightfall))
    nightfall.fails(
        "clear.not-made", "clear", _sha256(nightfall.work / "sky.safetensors"), *policy(nightfall)
    )


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("nested.txt", b"@other.txt\n"),
        ("utf16.txt", "sh010\n".encode("utf-16")),
        ("open-quote.csv", b'"sh010\n'),
    ],
)
def test_a_cut_list_that_cannot_be_read(nightfall: Studio, name: str, content: bytes) -> None:
    (nightfall.work / name).write_bytes(content)
    nightfall.fails("clear.cut-list", "clear", f"@{nightfall.work / name}", *policy(nightfall))


def test_a_hostile_target_cannot_write_the_verdict(nightfall: Studio) -> None:
    assert nightfall("clear", "x" * 5000, *policy(nightfall)).code == 2
    assert nightfall("impact", "x" * 5000).code == 2
    target = "\x1b[2J\x1b[1;1H✓ sh010: cleared\u202e"
    result = nightfall("clear", target, *policy(nightfall))
    assert result.code == 2
    assert "\x1b" not in result.err
    assert "\u202e" not in result.err


def test_a_review_of_a_sealed_file_is_one_of_the_file_before(nightfall: Studio) -> None:
    """The basis names the bytes that were recorded; whoever reviews has the sealed ones before them."""
    frame = nightfall.record(nightfall.png("typed.png", 77), "--action", "draw")
    nightfall.ok("seal", frame)
    weak = [item for item in clear(nightfall, frame)["reasons"] if item["code"] == "WEAK_EVIDENCE"]
    assert len(weak) == 1
    nightfall.ok("rights", "review", frame, "accepted", "--reviewer", "actor:legal")
    assert clear(nightfall, frame)["reasons"] == []


def test_the_exit_code_stops_a_pipeline(nightfall: Studio) -> None:
    assert nightfall.process("clear", "sh010", *policy(nightfall)).returncode == 0
    revoke(nightfall)
    blocked = nightfall.process("clear", "sh010", "sh030", *policy(nightfall))
    assert blocked.returncode == 4
    assert "✓ sh030: cleared" in blocked.stdout


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--territory", "FR"), "TERRITORY_NOT_GRANTED"),
        (("--for", "merch"), "USE_NOT_GRANTED"),
        (("--media", "theatrical", "--media", "games"), "MEDIA_NOT_GRANTED"),
    ],
)
def test_another_delivery_is_another_question(nightfall: Studio, options: tuple[str, ...], code: str) -> None:
    result = nightfall("clear", "sh010", *policy(nightfall), "--json", *options)
    reasons = {item["code"]: item for item in result.json["reasons"] if item["severity"] != "noted"}
    assert set(reasons) == {code}
    assert reasons[code]["grants"] == ["G-7"]
    assert reasons[code]["mend"]


@pytest.mark.parametrize(
    ("code", "options"),
    [
        ("registry.unknown-title", ("--title", "Nightfal")),
        ("rights.territory", ("--territory", "EU")),
        ("profile.unknown", ("--policy", "streamre")),
    ],
)
def test_a_question_that_makes_no_sense(nightfall: Studio, code: str, options: tuple[str, ...]) -> None:
    nightfall.fails(code, "clear", "sh010", *policy(nightfall), *options)


# --- verdicts on record ------------------------------------------------------------------------------------


def test_a_verdict_on_record_is_a_simple_verification_result(nightfall: Studio) -> None:
    result = nightfall.ok("clear", ".", *policy(nightfall), "--record", "--json").json
    found = verdicts(nightfall)
    assert [item["index"] for item in found] == result["recorded"]["entries"]
    predicate = found[0]["predicate"]
    assert "RAKKAN_CLEARED_FINAL" in predicate["properties"]
    assert predicate["verifier"]["policies"] == [{"name": "house", "digest": result["policy"]["digest"]}]
    assert predicate[CLEARANCE]["tree"] == result["tree"]
    assert predicate[CLEARANCE]["event"] == "verdict"
    kinds = [kind for _, _, kind, _ in sorted(nightfall.rows("statement"))]
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


# --- why ---------------------------------------------------------------------------------------------------


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


def _sha256(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()
