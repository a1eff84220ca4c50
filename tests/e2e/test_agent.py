"""The agent on one device: what a hook left becomes a signed record."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ledger.errors import RefusedError
from tests.e2e.conftest import Studio
from tests.support.capturing import CaptureDevice, statements

STEP, LOST = "step/v2", "lost-record/v1"


@pytest.fixture
def device(studio: Studio, tmp_path: Path) -> CaptureDevice:
    return CaptureDevice(tmp_path / "device", studio.home, studio.work).install()


def captures(studio: Studio, kind: str = STEP) -> list[dict[str, object]]:
    return [item["predicate"]["capture"] for item in statements(studio, kind)]


def test_what_a_hook_saw_becomes_an_observed_step(device: CaptureDevice, studio: Studio) -> None:
    plate = device.draws("plate.png")
    place = {"episode": "ep03", "sequence": "sq010", "shot": "sh020", "frames": [1001, 1003]}
    with device.step("edit", place=place) as step:
        step.reads(plate, "parent")
        (studio.work / "grade.png").write_bytes(b"graded")
        step.writes(studio.work / "grade.png")
        step.parameter("seed", 7)
    device.turn()
    _, edited = statements(studio, STEP)
    predicate = edited["predicate"]
    assert (predicate["evidence"], predicate["action"]) == ("observed", "edit")
    assert predicate["place"] == {
        "production": "nightfall",
        "episode": "ep03",
        "sequence": "sq010",
        "shot": "sh020",
        "frames": {"first": 1001, "last": 1003},
    }
    assert predicate["parameters"] == {"seed": "7"}
    assert [item["name"] for item in predicate["materials"]] == ["plate.png"]
    assert device.waiting() == []


def test_a_production_pattern_reads_the_place_from_the_path(device: CaptureDevice, studio: Studio) -> None:
    device.install(place="{episode}/{sequence}/{shot}/{task}")
    device.draws("ep03/sq010/sh020/comp/a.png")
    device.draws("loose.png")
    device.turn()
    placed, loose = (item["predicate"]["place"] for item in statements(studio, STEP))
    named = {"episode": "ep03", "sequence": "sq010", "shot": "sh020", "task": "comp"}
    assert placed == {"production": "nightfall", **named}
    assert loose == {"production": "nightfall"}


def test_records_are_numbered_and_each_names_the_one_before(device: CaptureDevice, studio: Studio) -> None:
    for number in range(3):
        device.draws(f"{number}.png")
        device.turn()
    assert [item["sequence"] for item in captures(studio)] == [0, 1, 2]
    assert "previous" not in captures(studio)[0]
    assert studio.ok("devices", "--check").out.startswith("✓ workstation")


def test_what_was_typed_and_who_typed_it_stay_on_the_device(device: CaptureDevice, studio: Studio) -> None:
    with device.step(user="yamada.taro") as step:
        (studio.work / "a.png").write_bytes(b"a")
        step.writes(studio.work / "a.png")
        step.secret("prompt", "a castle nobody may hear of")
    device.draws("b.png", user="yamada.taro")
    device.draws("c.png", user="suzuki")
    device.turn()
    made = statements(studio, STEP)
    assert "castle" not in str(made)
    assert "yamada" not in str(made)
    first, second, third = (item["predicate"]["actor"] for item in made)
    assert first == second != third
    assert studio.rows("opening") == []
    assert len(made[0]["predicate"]["_sd"]) == 2


def test_a_production_may_have_its_prompts(device: CaptureDevice, studio: Studio) -> None:
    device.install(prompts="studio")
    with device.step() as step:
        (studio.work / "a.png").write_bytes(b"a")
        step.writes(studio.work / "a.png")
        step.secret("prompt", "a castle")
    device.turn()
    committed = statements(studio, STEP)[0]["predicate"]["_sd"]
    assert {row[0] for row in studio.rows("opening")} == set(committed)


def test_a_small_file_has_its_digest_from_the_hook(device: CaptureDevice, studio: Studio) -> None:
    device.draws("a.png", b"first")
    device.draws("a.png", b"second")
    device.turn()
    assert len(statements(studio, STEP)) == 2
    assert statements(studio, LOST) == []


def test_an_input_that_has_changed_is_missed_by_name(device: CaptureDevice, studio: Studio) -> None:
    source = studio.work / "source.bin"
    source.write_bytes(b"as it was read")
    with device.step("edit") as step:
        step.reads(source, "parent")
        (studio.work / "out.png").write_bytes(b"out")
        step.writes(studio.work / "out.png")
    source.write_bytes(b"as it is now, which nobody read")
    device.turn()
    (made,) = statements(studio, STEP)
    assert made["predicate"]["capture"]["missed"] == ["source.bin"]
    assert "materials" not in made["predicate"]
    cleared = studio("clear", studio.work / "out.png", "--policy", "internal-previz", "--json")
    gaps = [item for item in cleared.json["reasons"] if item["code"] == "CHAIN_GAP"]
    assert [item["subject"]["name"] for item in gaps] == ["source.bin"]


def test_two_agents_on_one_device(device: CaptureDevice) -> None:
    from ledger.adapters.spool import only_agent

    with (
        only_agent(device.agent_home.lock),
        pytest.raises(RefusedError, match=r"agent\.running"),
        only_agent(device.agent_home.lock),
    ):
        pass


def test_a_clock_that_jumped_is_corrected_by_the_other_one(device: CaptureDevice, studio: Studio) -> None:
    """It jumped in the middle of the step: when that began, it was still right."""
    before = datetime.now(UTC)
    device.draws("a.png", captured="2031-01-01T00:00:00Z")
    device.turn()
    (capture,), (made,) = captures(studio), statements(studio, STEP)
    assert abs((before - datetime.fromisoformat(made["predicate"]["finished"])).total_seconds()) < 10
    assert abs((before - datetime.fromisoformat(str(capture["captured"]))).total_seconds()) < 10
    assert int(str(capture["clockOff"])) < -100_000_000


def test_a_clock_that_was_wrong_all_the_time_is_corrected(device: CaptureDevice, studio: Studio) -> None:
    before, later = datetime.now(UTC), "2031-01-01T00:00:00Z"
    path = studio.png("a.png")
    hook = {"hook": {"name": "h", "version": "1"}, "layer": "app", "action": "draw"}
    times = {"captured": later, "started": later, "finished": later}
    device.leaves({**hook, **times, "tool": {"name": "t", "version": "1"}, "outputs": [device.file(path)]})
    device.turn()
    (made,) = statements(studio, STEP)
    for name in ("started", "finished"):
        assert abs((before - datetime.fromisoformat(made["predicate"][name])).total_seconds()) < 10


def test_a_name_that_is_not_utf8_is_recorded(device: CaptureDevice, studio: Studio) -> None:
    name = os.fsdecode(b"caf\xe9.png")
    device.draws(name)
    device.turn()
    (made,) = statements(studio, STEP)
    assert made["subject"][0]["name"] == "caf?.png"
    assert "superseded" not in made["predicate"]["capture"]


def test_a_list_goes_with_its_record(device: CaptureDevice, studio: Studio) -> None:
    import json

    (studio.work / "a.bin").write_bytes(b"a")
    listed = device.spool.folder / "lists/x.ndjson"
    listed.write_text(json.dumps({"path": str(studio.work / "a.bin"), "role": "component"}) + "\n")
    with device.step("convert") as step:
        step.reads(listed, "component")
        (studio.work / "b.bin").write_bytes(b"b")
        step.writes(studio.work / "b.bin")
    device.turn()
    assert not listed.exists()
    assert statements(studio, STEP)[0]["predicate"]["materials"][0]["name"] == "a.bin"
