"""Records of which one statement cannot be made: many files, training runs, calls to remote services."""

from __future__ import annotations

import json
import time
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from ledger.adapters import hash_cache
from tests.e2e.conftest import Studio
from tests.support.capturing import CaptureDevice, statements
from tests.support.media import noise, picture_bytes

STEP = "step/v2"


@pytest.fixture
def device(studio: Studio, tmp_path: Path) -> CaptureDevice:
    return CaptureDevice(tmp_path / "device", studio.home, studio.work).install()


def pictures(folder: Path, count: int) -> list[Path]:
    folder.mkdir()
    found = [folder / f"{number:04}.png" for number in range(count)]
    for number, path in enumerate(found):
        path.write_bytes(picture_bytes("PNG", noise(seed=number)))
    return found


def inventory(path: Path, works: list[Path]) -> Path:
    rows = [f"{work.name},{sha256(work.read_bytes()).hexdigest()},Mori" for work in works]
    path.write_text("\n".join(["work,sha256,rights_holder", *rows]) + "\n")
    return path


def train(device: CaptureDevice, read: list[Path], weights: Path) -> None:
    """What a traced training run leaves."""
    with device.step("generate", parameters={"training": "1"}) as step:
        for path in read:
            step.reads(path, "dataset")
        weights.write_bytes(b"weights")
        step.writes(weights)


def test_a_film_of_a_thousand_frames_is_one_lineage(device: CaptureDevice, studio: Studio) -> None:
    frames = [device.work / f"f.{number}.bin" for number in range(1000)]
    for number, path in enumerate(frames):
        path.write_bytes(b"frame %d" % number)
    with device.step("convert") as step:
        for path in frames:
            step.reads(path, "component")
        (device.work / "film.bin").write_bytes(b"film")
        step.writes(device.work / "film.bin")
    device.turn()
    *lists, film = statements(studio, STEP)
    assert len(lists) > 3
    assert {len(item["subject"]) for item in lists} == {1}
    held = {item["name"] for made in lists for item in made["predicate"]["materials"]}
    assert held == {path.name for path in frames}
    listed = [made["subject"][0]["digest"] for made in lists]
    assert [item["digest"] for item in film["predicate"]["materials"]] == listed
    assert studio.ok("devices", "--check").out.startswith("✓")


def test_inputs_in_a_list_of_the_spool_are_inputs(device: CaptureDevice, studio: Studio) -> None:
    source = device.work / "a.bin"
    source.write_bytes(b"a")
    device.spool.prepare()
    listed = device.spool.folder / "lists/x.ndjson"
    listed.write_text(json.dumps({"path": str(source), "role": "component"}) + "\n")
    with device.step("convert") as step:
        step.reads(listed, "component")
        (device.work / "b.bin").write_bytes(b"b")
        step.writes(device.work / "b.bin")
    device.turn()
    (made,) = statements(studio, STEP)
    assert [item["name"] for item in made["predicate"]["materials"]] == ["a.bin"]


def test_a_training_run_on_a_known_dataset_is_attested(device: CaptureDevice, studio: Studio) -> None:
    works = pictures(studio.work / "works", 3)
    plates = inventory(studio.work / "plates.csv", works)
    studio.ok("dataset", "add", "plates", plates)
    device.install(datasets=((str(plates), "focused"),), trainer="party:kumo")
    weights = studio.work / "sky.safetensors"
    train(device, works, weights)
    device.turn()
    (made,), (run,) = statements(studio, STEP), statements(studio, "training/v1")
    digest = sha256(plates.read_bytes()).hexdigest()
    assert [item["digest"]["sha256"] for item in made["predicate"]["materials"]] == [digest]
    assert run["predicate"]["training"] == [{"dataset": "plates", "sha256": digest, "stage": "focused"}]
    assert run["predicate"]["evidence"] == "observed"
    assert run["subject"][0]["digest"]["sha256"] == sha256(weights.read_bytes()).hexdigest()
    studio.ok("model", "add", "sky", weights, "--trained-on", "plates:focused")
    assert studio.ok("devices", "--check").out.startswith("✓")


def test_what_no_known_dataset_holds_is_listed_and_nothing_is_attested(
    device: CaptureDevice, studio: Studio
) -> None:
    works = pictures(studio.work / "works", 3)
    plates = inventory(studio.work / "plates.csv", works[:2])
    device.install(datasets=((str(plates), "focused"),), trainer="party:kumo")
    train(device, works, studio.work / "sky.safetensors")
    device.turn()
    (made,) = statements(studio, STEP)
    known, listed = made["predicate"]["materials"]
    assert (known["name"], listed["name"]) == ("plates", "1 picture of no known dataset")
    assert statements(studio, "training/v1") == []
    kept = device.agent_home.folder / "inventories" / f"{listed['digest']['sha256']}.csv"
    studio.ok("dataset", "add", "leftovers", kept)


def call(outcome: str, attempts: list[dict[str, Any]]) -> dict[str, Any]:
    return {"id": f"call-{outcome}", "outcome": outcome, "attempts": attempts, "account": "account:7"}


def attempt(outcome: str, status: int, **more: Any) -> dict[str, Any]:
    return {"at": "2026-11-22T03:00:00Z", "outcome": outcome, "status": status, **more}


def asked(**more: Any) -> dict[str, Any]:
    service = {"vendor": "Orbit", "product": "Painter", "snapshot": "2026-01-15"}
    return {
        "hook": {"name": "remote", "version": "1"},
        "layer": "app",
        "action": "generate",
        "tool": {"name": "Orbit Painter", "version": "1"},
        "service": service,
        "plan": "enterprise",
        "secrets": {"prompt": "a castle"},
        "place": {"production": "nightfall"},
        **more,
    }


def test_a_refused_call_is_on_record_and_no_step(device: CaptureDevice, studio: Studio) -> None:
    attempts = [attempt("throttled", 429, waited=2000), attempt("refused", 400, code="content_policy")]
    device.leaves(asked(call=call("refused", attempts)))
    device.turn()
    (made,) = statements(studio, "service-call/v1")
    assert (made["predicate"]["outcome"], made["predicate"]["attempts"]) == (
        "refused",
        {"refused": 1, "throttled": 1},
    )
    assert "castle" not in str(made)
    assert statements(studio, STEP) == []
    assert statements(studio, "lost-record/v1") == []


def test_an_accepted_call_and_its_step_stand_side_by_side(device: CaptureDevice, studio: Studio) -> None:
    picture = studio.png("answer.png", 3)
    outputs = [device.file(picture)]
    device.leaves(
        asked(
            call=call("accepted", [attempt("accepted", 200)]),
            parameters={"call": "call-accepted"},
            outputs=outputs,
        )
    )
    device.turn()
    (made,), (step,) = statements(studio, "service-call/v1"), statements(studio, STEP)
    assert made["predicate"]["outputs"] == [sha256(picture.read_bytes()).hexdigest()]
    assert step["predicate"]["parameters"]["call"] == "call-accepted"
    assert step["predicate"]["planTier"] == "enterprise"
    assert [item["name"] for item in step["predicate"]["materials"]] == ["Orbit/Painter/2026-01-15"]
    assert [made["predicate"]["capture"]["sequence"], step["predicate"]["capture"]["sequence"]] == [0, 1]


def test_publishing_what_another_tool_made_is_no_second_making(device: CaptureDevice, studio: Studio) -> None:
    """The tracker's hook does not know what the painter's knew."""
    source = device.draws("source.png")
    with device.step("edit") as step:
        step.reads(source, "parent")
        made = studio.png("made.png", 4)
        step.writes(made)
    with device.step("edit", event="publish") as step:
        published = studio.work / "made.v001.png"
        published.write_bytes(made.read_bytes())
        step.writes(published)
    device.turn()
    found = studio("clear", published, "--policy", "internal-previz", "--json").json
    assert "CYCLE_OR_FORK" not in {item["code"] for item in found["reasons"]}
    with device.step("edit", event="save") as step:
        step.writes(published)
    device.turn()
    found = studio("clear", published, "--policy", "internal-previz", "--json").json
    assert "CYCLE_OR_FORK" not in {item["code"] for item in found["reasons"]}


def test_two_makers_that_differ_contradict_each_other(device: CaptureDevice, studio: Studio) -> None:
    made = studio.png("made.png", 4)
    sky = studio.work / "sky.safetensors"
    sky.write_bytes(b"weights")
    for models in ([sky], []):
        with device.step("generate" if models else "draw") as step:
            for model in models:
                step.reads(model, "model")
            step.writes(made)
    device.turn()
    found = studio("clear", made, "--policy", "internal-previz", "--json").json
    assert "CYCLE_OR_FORK" in {item["code"] for item in found["reasons"]}


def test_a_remote_call_that_brought_nothing_is_a_call(device: CaptureDevice, studio: Studio) -> None:
    """ComfyUI's remote nodes: content has left the studio, and nothing was saved."""
    device.leaves(asked(outputs=[]))
    device.turn()
    (made,) = statements(studio, "service-call/v1")
    assert made["predicate"]["outcome"] == "accepted"


@pytest.mark.parametrize("anew", [False, True], ids=["in-place", "anew"])
def test_a_file_that_was_saved_over_is_its_own_parent(
    device: CaptureDevice, studio: Studio, monkeypatch: pytest.MonkeyPatch, *, anew: bool
) -> None:
    """The agent knew the older state: it had recorded it."""
    monkeypatch.setattr(hash_cache, "GRANULE", 50_000_000)
    scene = studio.work / "scene.blend"
    scene.write_bytes(b"x" * (5 << 20))
    with device.step("edit") as step:
        step.writes(scene)
    older = {**device.file(scene), "role": "parent"}
    time.sleep(0.1)  # only then is a digest kept for the file's stamp
    device.turn()
    if anew:
        scene.unlink()
    scene.write_bytes(b"y" * (5 << 20))
    with device.step("edit") as step:
        step.record["inputs"].append(older)
        step.writes(scene)
    time.sleep(0.1)  # so that the newer state takes the place of the older one
    device.turn()
    newest = statements(studio, STEP)[-1]
    assert [item["name"] for item in newest["predicate"]["materials"]] == ["scene.blend"]


def test_calls_are_shown_by_how_they_ended(device: CaptureDevice, studio: Studio) -> None:
    assert "No such call" in studio.ok("calls").out
    attempts = [
        attempt("throttled", 429, waited=2000),
        attempt("refused", 400, code="content_policy", requestId="req_7Kq1"),
    ]
    device.leaves(asked(call=call("refused", attempts)))
    device.leaves(asked(id="other", call=call("accepted", [attempt("accepted", 200)])))
    device.turn()
    (line,) = studio.ok("calls", "--outcome", "refused").out.splitlines()
    assert "Orbit/Painter/2026-01-15, refused, attempts: 1 throttled, 1 refused" in line
    assert "code content_policy, request req_7Kq1" in line
    assert "no file was saved" in studio.ok("calls", "--outcome", "accepted").out
    assert len(studio.ok("calls", "--since", "2020-01-01", "--json").json) == 2
    assert studio.ok("calls", "--since", "2099-01-01", "--json").json == []
