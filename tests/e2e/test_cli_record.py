"""`rakkan record`: what a step says, and what it refuses to say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.e2e.conftest import PROMPT, Studio, checks
from tests.support.media import make


def step(studio: Studio, index: int) -> dict[str, Any]:
    """The predicate of an entry."""
    predicate: dict[str, Any] = studio.ok("show", index).json["statement"]["predicate"]
    return predicate


def test_everything_that_can_be_said(production: Studio) -> None:
    parent, plate, guide = (production.png(f"{n}.png", n) for n in (1, 2, 3))
    production.ok(
        *("record", production.png("out.png", 4), "--action", "composite", "--tool", "Comp Suite 16.0v4"),
        *(
            "--parent",
            parent,
            "--component",
            plate,
            "--reference",
            guide,
            "--model",
            "sky",
            "--dataset",
            "plates",
        ),
        *("--prompt", PROMPT, "--set", "seed=42", "--set", "note=a=b", "--actor", "actor:9f3b6c52"),
        *("--sequence", "sq010", "--shot", "sh0020", "--task", "comp", "--frames", "1001-1024"),
        *("--started", "2026-01-01", "--json"),
    )
    said = step(production, production.size() - 1)
    assert said["evidence"] == "declared"
    assert said["tool"] == {"name": "Comp Suite", "version": "16.0v4"}
    assert said["parameters"] == {"seed": "42", "note": "a=b"}
    assert said["place"] == {
        "production": "nightfall",
        "sequence": "sq010",
        "shot": "sh0020",
        "task": "comp",
        "frames": {"first": 1001, "last": 1024},
    }
    roles = [item["annotations"]["role"] for item in said["materials"]]
    assert roles == ["parent", "component", "reference", "model", "dataset"]
    assert (said["started"], len(said["_sd"])) == ("2026-01-01T00:00:00Z", 1)


def test_a_remote_service_and_people_are_on_record(studio: Studio) -> None:
    pose, hole = studio.png("pose.png", 2), studio.png("hole.png", 3)
    studio.record(
        studio.png("out.png", 4),
        *("--service", "Vendor/Video/2026-01", "--plan", "pro", "--person", "p-2", "--person", "p-1"),
        *("--control", pose, "--inpaint", hole),
    )
    said = step(studio, 2)
    assert said["service"] == {"vendor": "Vendor", "product": "Video", "snapshot": "2026-01"}
    assert (said["planTier"], said["people"]) == ("pro", ["p-1", "p-2"])
    roles = {item["name"]: item["annotations"]["role"] for item in said["materials"]}
    assert roles == {"pose.png": "control", "hole.png": "inpaint", "Vendor/Video/2026-01": "model"}


@pytest.mark.parametrize(
    "options", [("--service", "Vendor"), ("--service", "/x"), ("--plan", "pro")], ids=" ".join
)
def test_half_a_service_is_none(studio: Studio, options: tuple[str, ...]) -> None:
    assert studio("record", studio.png(), *options).code == 2


@pytest.mark.parametrize(
    "options",
    [
        ("--actor", "Hana Sato"),
        ("--actor", "hana@example.org"),
        ("--service", "V/P", "--person", "Hana Sato"),
    ],
    ids=" ".join,
)
def test_what_looks_like_a_name_does_not_enter_the_log(studio: Studio, options: tuple[str, ...]) -> None:
    studio.fails("rights.name", "record", studio.png(), *options)


@pytest.mark.parametrize(
    ("text", "tool"),
    [("painter", ("painter", "0")), ("painter 1.0", ("painter", "1.0")), ("A B C", ("A B", "C"))],
)
def test_how_a_tool_is_written(studio: Studio, text: str, tool: tuple[str, str]) -> None:
    studio.record(studio.png(), "--tool", text)
    said = step(studio, 2)["tool"]
    assert (said["name"], said["version"]) == tool


@pytest.mark.parametrize(("text", "frames"), [("7", (7, 7)), ("0-0", (0, 0)), ("1-99999", (1, 99999))])
def test_how_frames_are_written(studio: Studio, text: str, frames: tuple[int, int]) -> None:
    studio.record(studio.png(), "--frames", text)
    said = step(studio, 2)["place"]["frames"]
    assert (said["first"], said["last"]) == frames


@pytest.mark.parametrize(
    "options",
    [
        ("--frames", "a-b"),
        ("--frames", ""),
        ("--set", "seed"),
        ("--finished", "yesterday"),
        ("--finished", "2026-13-01"),
        ("--action", "paint"),
    ],
)
def test_options_that_are_written_wrong(studio: Studio, options: tuple[str, str]) -> None:
    path = studio.png()
    before = studio.state()
    result = studio("record", path, *options)
    assert (result.code, result.out) == (2, "")
    assert "Usage: rakkan record" in result.err
    assert studio.state() == before


@pytest.mark.parametrize(
    "options",
    [
        ("--frames", "9-1"),
        ("--tool", ""),
        ("--actor", ""),
        ("--set", "=x"),
        ("--set", "x="),
        ("--shot", "line\nbreak"),
        ("--task", "x" * 5000),
        ("--started", "2099-01-01"),
        ("--finished", "2099-01-01"),
    ],
)
def test_what_no_statement_can_say(studio: Studio, options: tuple[str, str]) -> None:
    result = studio.fails("statement.field", "record", studio.png(), *options)
    assert len(result.err) < 1000


def test_a_step_before_the_enrolment(studio: Studio) -> None:
    result = studio.fails("key.not-valid", "record", studio.png(), "--finished", "2020-01-01")
    assert "before the device “workstation” was enrolled" in result.err


def test_a_step_that_just_finished_on_a_machine_whose_clock_is_ahead(studio: Studio) -> None:
    soon = datetime.now(UTC) + timedelta(minutes=2)
    studio.ok("record", studio.png(), "--finished", f"{soon:%Y-%m-%dT%H:%M:%SZ}")


def test_two_outputs_of_one_name(studio: Studio) -> None:
    (studio.work / "b").mkdir()
    studio.fails("record.nothing", "record", studio.png("a.png"), studio.png("b/a.png", 2))


def test_no_output(studio: Studio) -> None:
    result = studio("record")
    assert (result.code, "Missing argument" in result.err) == (2, True)


def test_a_model_nobody_registered(studio: Studio) -> None:
    studio.fails("record.unknown-model", "record", studio.png(), "--model", "sky")
    studio.fails("record.unknown-dataset", "record", studio.png(), "--dataset", "plates")


def test_a_model_by_its_weights_its_name_or_its_digest(production: Studio) -> None:
    weights = production.work / "sky.safetensors"
    production.record(production.png("a.png"), "--action", "generate", "--model", "sky")
    digest = step(production, production.size() - 1)["materials"][0]["digest"]["sha256"]
    for number, name in enumerate((weights, digest), 2):
        path = production.record(
            production.png(f"{number}.png", number), "--action", "generate", "--model", name
        )
        assert step(production, production.size() - 1)["materials"][0]["digest"]["sha256"] == digest
        production.ok("seal", path)
        assert production.verify(path).code == 0


def test_the_same_step_twice_is_two_steps(studio: Studio) -> None:
    path = studio.png()
    for index in (2, 3):
        assert studio.ok("record", path, "--json").json["index"] == index


def test_several_parents(studio: Studio) -> None:
    """A manifest has one; the others stay in it as components."""
    first, second = studio.sealed("1.png", seed=1), studio.sealed("2.png", seed=2)
    merged = studio.record(studio.png("m.png", 3), "--action", "edit", "--parent", first, "--parent", second)
    studio.ok("seal", merged)
    result = studio.verify(merged)
    assert (result.code, checks(result)["ancestry"]) == (0, "passed")


def test_a_parent_that_was_changed_after_sealing_is_not_taken_for_it(production: Studio) -> None:
    """What the manifest says of the original does not carry over, and nothing else says what was in it."""
    parent = production.sealed("p.png", "--action", "generate", "--model", "sky")
    data = bytearray(parent.read_bytes())
    data[-20] ^= 1
    parent.write_bytes(data)
    child = production.record(production.png("c.png", 2), "--action", "edit", "--parent", parent)
    production.ok("seal", child)
    result = production.verify(child)
    assert result.code == 3
    assert result.json["named"] == []
    history = next(check for check in result.json["checks"] if check["check"] == "history")
    assert (history["status"], history["codes"]) == ("undecided", ["lineage.unattributed"])
    assert "p.png" in history["words"]


@pytest.mark.parametrize("kind", ["png", "jpg", "tif", "exr", "mp4"])
def test_pictures_have_a_second_identity(studio: Studio, kind: str) -> None:
    answer = studio.ok("record", make(kind, studio.work), "--json").json
    assert len(answer["subjects"][0]["annotations"]["pixels"]) == 64


def test_the_device_may_be_named_by_the_environment(studio: Studio) -> None:
    studio.ok("enrol", "render-07")
    ran = studio.process("record", studio.png(), "--json", RAKKAN_DEVICE="render-07")
    assert ran.returncode == 0, ran.stderr
    signer = studio.ok("show", "3").json["signedBy"]
    assert signer == [studio.ok("show", "2").json["statement"]["subject"][0]["digest"]["sha256"]]
