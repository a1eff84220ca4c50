"""`rakkan clear`: what a producer asks, and what a pipeline acts on."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import pytest
from PIL import Image

from tests.e2e.conftest import Studio
from tests.support.cleared import clear, place, policy, revoke, verdicts


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
    assert found["targets"][0]["verdict"] == found["verdict"] == {"then": None, "now": None}
    assert found["grade"] == {"then": None, "now": None}
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


def _sha256(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()
