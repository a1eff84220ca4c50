"""The agent on one device: what a hook left becomes a signed record, once, whatever happens in between."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ledger.errors import RakkanError, RefusedError, UndecidedError
from ledger.service.capture.store import Receipted, Waiting
from ledger.testing import FixedClock
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
    with device.step("edit", place={"sequence": "sq010", "shot": "sh020", "frames": [1001, 1003]}) as step:
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
        "sequence": "sq010",
        "shot": "sh020",
        "frames": {"first": 1001, "last": 1003},
    }
    assert predicate["parameters"] == {"seed": "7"}
    assert [item["name"] for item in predicate["materials"]] == ["plate.png"]
    assert device.waiting() == []


def test_a_production_pattern_reads_the_place_from_the_path(device: CaptureDevice, studio: Studio) -> None:
    device.install(place="{sequence}/{shot}/{task}")
    device.draws("sq010/sh020/comp/a.png")
    device.draws("loose.png")
    device.turn()
    placed, loose = (item["predicate"]["place"] for item in statements(studio, STEP))
    assert placed == {"production": "nightfall", "sequence": "sq010", "shot": "sh020", "task": "comp"}
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


def test_a_file_written_again_before_it_was_hashed_is_lost_not_invented(
    device: CaptureDevice, studio: Studio
) -> None:
    path = studio.work / "big.exr"
    with device.step() as step:
        path.write_bytes(b"first" * (1 << 20))  # too large to be hashed by the hook
        step.writes(path)
    with device.step() as step:
        path.write_bytes(b"other" * (1 << 20))
        step.writes(path)
    device.turn()
    (step_made,), (lost,) = statements(studio, STEP), statements(studio, LOST)
    assert step_made["predicate"]["capture"]["sequence"] == 1
    assert lost["predicate"]["reason"] == "superseded"
    assert lost["predicate"]["files"] == ["big.exr"]
    assert lost["subject"][0]["name"] == "record 1"


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


@pytest.mark.parametrize("kept", ["chain", "neither"])
def test_a_crash_between_keeping_and_removing_makes_no_second_record(
    device: CaptureDevice, studio: Studio, monkeypatch: pytest.MonkeyPatch, kept: str
) -> None:
    device.draws("a.png")

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        target = "ledger.adapters.spool.DirectorySpool.remove"
        patch.setattr(target if kept == "chain" else "ledger.adapters.chain.SqliteChain.add", crash)
        with pytest.raises(KeyboardInterrupt):
            device.turn()
    device.draws("b.png")
    device.turn()
    assert [item["sequence"] for item in captures(studio)] == [0, 1]
    assert statements(studio, LOST) == []


def test_a_record_that_was_taken_away_shows(device: CaptureDevice, studio: Studio) -> None:
    for name in ("a", "b", "c", "d"):
        device.draws(f"{name}.png")
    for item in device.spool.waiting(10)[1:3]:
        (device.spool.folder / "new" / item.name).unlink()
    device.turn()
    (lost,) = statements(studio, LOST)
    assert (lost["predicate"]["reason"], lost["subject"][0]["name"]) == ("abandoned", "record 2 to 3")
    assert studio("devices").code == 3


def test_a_spool_that_was_emptied_and_begun_anew_shows(device: CaptureDevice, studio: Studio) -> None:
    device.draws("a.png")
    device.draws("b.png")
    device.turn()
    shutil.rmtree(device.spool.folder)
    device.draws("c.png")
    device.turn()
    assert [item["predicate"]["reason"] for item in statements(studio, LOST)] == ["restarted"]
    assert len(statements(studio, STEP)) == 3


def test_what_cannot_be_read_is_put_aside_and_holds_nobody_up(device: CaptureDevice, studio: Studio) -> None:
    new = device.spool.folder / "new"
    new.mkdir(parents=True, exist_ok=True)
    (new / f"{0:016d}-newer.json").write_bytes(b'{"rakkan": 2}')
    (new / f"{0:016d}-broken.json").write_bytes(b"{")
    device.draws("a.png")
    device.draws("elsewhere.png", place={"production": "another"})
    device.turn()
    assert len(statements(studio, STEP)) == 1
    held = {name.partition("-")[2]: code for name, code in device.spool.held()}
    assert held["newer.json"] == "capture.newer"
    assert held["broken.json"] == "capture.malformed"
    assert sorted(held.values()) == ["capture.malformed", "capture.newer", "capture.no-production"]
    assert (device.spool.folder / "held" / f"{0:016d}-newer.json").read_bytes() == b'{"rakkan": 2}'


def test_what_was_put_aside_can_be_looked_at_again(device: CaptureDevice, studio: Studio) -> None:
    outside = studio.work.parent / "outside"
    outside.mkdir()
    with device.step() as step:
        (outside / "a.png").write_bytes(b"a")
        step.writes(outside / "a.png")
    device.turn()
    assert [code for _, code in device.spool.held()] == ["capture.no-production"]
    device.install(roots=(str(studio.work), str(outside)))
    assert device.spool.release() == 1
    device.turn()
    assert len(statements(studio, STEP)) == 1
    assert statements(studio, LOST) == []


class Away:
    """A log that cannot be reached, and says when to come back."""

    def __init__(self, error: RakkanError) -> None:
        self.error, self.asked = error, 0

    def send(self, envelopes: Sequence[bytes]) -> Sequence[Receipted | RakkanError]:
        self.asked += 1
        raise self.error

    def share(self, openings: object) -> None:
        raise self.error


def test_a_log_that_is_away_is_asked_again_with_growing_patience(
    device: CaptureDevice, studio: Studio
) -> None:
    clock = FixedClock(datetime.now(UTC))
    device.draws("a.png")
    with device.agent(clock) as agent:
        (way,) = agent.ways
        log, way.uplink = way.uplink, (away := Away(UndecidedError("capture.unreachable", "away")))
        for _ in range(100):
            agent.turn()
            clock.moment += timedelta(seconds=10)
        assert 5 < away.asked < 20
        assert statements(studio, STEP) == []
        way.uplink = log
        clock.moment += timedelta(minutes=6)
        agent.turn()
    assert len(statements(studio, STEP)) == 1


def test_a_log_that_says_when_is_not_asked_before(device: CaptureDevice) -> None:
    clock = FixedClock(datetime.now(UTC))
    device.draws("a.png")
    with device.agent(clock) as agent:
        away = Away(RefusedError("log.overloaded", "busy", retry_after=600))
        agent.ways[0].uplink = away
        agent.turn()
        clock.moment += timedelta(seconds=590)
        agent.turn()
        assert away.asked == 1
        clock.moment += timedelta(seconds=20)
        agent.turn()
        assert away.asked == 2


def test_a_week_offline_is_late_and_nothing_is_wrong(device: CaptureDevice, studio: Studio) -> None:
    device.draws("a.png", boot="the start before this one")
    device.turn(FixedClock(datetime.now(UTC) + timedelta(days=7)))
    shown = studio.ok("devices").out
    assert shown.startswith("✓ workstation")
    assert "late: 1, by 168 h at most." in shown
    assert studio.ok("devices", "--json").json[0]["late"] == 1


def test_a_receipt_that_does_not_hold_is_none(device: CaptureDevice, studio: Studio) -> None:
    device.draws("a.png")
    device.draws("b.png")
    with device.agent() as agent:
        (way,) = agent.ways
        log = way.uplink

        class Liar:
            def send(self, envelopes: Sequence[bytes]) -> Sequence[Receipted | RakkanError]:
                return list(reversed(log.send(envelopes)))

            def share(self, openings: object) -> None: ...

        way.uplink = Liar()
        agent.turn()
        counts = way.chain.counts()
    assert (counts["covered"], counts["refused"]) == (0, 2)


def test_a_record_changed_on_the_device_is_refused_by_the_log(device: CaptureDevice, studio: Studio) -> None:
    device.draws("a.png")
    with device.agent() as agent:
        agent.ways[0].uplink = Away(UndecidedError("capture.unreachable", "away"))
        agent.turn()
    with sqlite3.connect(device.agent_home.database) as database:
        (envelope,) = database.execute("SELECT envelope FROM link").fetchone()
        database.execute("UPDATE link SET envelope = ?", (envelope.replace(b"A", b"B", 1),))
    database.close()
    device.turn()
    assert statements(studio, STEP) == []


def test_a_record_removed_from_the_chain_leaves_a_gap(device: CaptureDevice, studio: Studio) -> None:
    with device.agent() as agent:
        agent.ways[0].uplink = Away(UndecidedError("capture.unreachable", "away"))
        for name in ("a", "b", "c"):
            device.draws(f"{name}.png")
        agent.turn()
    with sqlite3.connect(device.agent_home.database) as database:
        database.execute("DELETE FROM link WHERE sequence = 1")
    database.close()
    device.turn()
    found = studio("devices")
    assert found.code == 3
    assert "missing: number 1." in found.out


def test_a_copied_device_is_two_histories(device: CaptureDevice, studio: Studio, tmp_path: Path) -> None:
    device.draws("a.png")
    device.turn()
    shutil.copytree(device.folder, tmp_path / "clone")
    clone = CaptureDevice(tmp_path / "clone", studio.home, studio.work)
    device.draws("b.png")
    clone.draws("c.png")
    device.turn()
    clone.turn()
    found = studio("devices", "--check")
    assert found.code == 3
    assert "told twice: number 1." in found.out


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


def test_publishing_seals_and_saving_does_not(device: CaptureDevice, studio: Studio) -> None:
    device.install(seal=("publish", "final"))
    saved, published = studio.png("saved.png", 1), studio.png("published.png", 2)
    for path, event in ((saved, "save"), (published, "publish")):
        with device.step(event=event) as step:
            step.writes(path)
    before = saved.read_bytes()
    device.turn()
    assert saved.read_bytes() == before
    assert studio.verify(published).code == 0
    device.turn()
    assert len(statements(studio, "seal/v1")) == 1


def test_a_file_that_was_changed_after_publishing_is_not_sealed(
    device: CaptureDevice, studio: Studio
) -> None:
    device.install(seal=("publish",))
    path = studio.png("published.png", 2)
    with device.step(event="publish") as step:
        step.writes(path)
    path.write_bytes(b"not what was published")
    device.turn()
    assert path.read_bytes() == b"not what was published"
    with device.agent() as agent:
        assert agent.ways[0].chain.counts()["unsealed"] == 0


def test_numbers_that_are_waiting_twice_are_one_record(device: CaptureDevice, studio: Studio) -> None:
    device.draws("a.png")
    (item,) = device.spool.waiting(5)
    assert isinstance(item, Waiting)
    copy = device.spool.folder / "new" / f"{0:016d}-copy.json"
    copy.write_bytes(item.data)
    device.turn()
    assert len(statements(studio, STEP)) == 1
    assert device.waiting() == []


def test_two_records_of_one_identifier_are_two(device: CaptureDevice, studio: Studio) -> None:
    """A hook that gave them one identifier by mistake must not lose the second."""
    device.draws("a.png", id="always the same")
    device.draws("b.png", id="always the same")
    device.turn()
    device.draws("c.png", id="always the same")
    device.turn()
    names = [item["subject"][0]["name"] for item in statements(studio, STEP)]
    assert names == ["a.png", "b.png", "c.png"]


def test_one_file_that_cannot_be_sealed_holds_no_other_up(device: CaptureDevice, studio: Studio) -> None:
    device.install(seal=("publish",))
    first, second = studio.png("first.png", 1), studio.png("second.png", 2)
    (studio.work / "second.png.c2pa").mkdir()
    for path in (second, first):
        with device.step(event="publish") as step:
            step.writes(path)
    exr = studio.work / "third.bin"
    exr.write_bytes(b"not a picture")
    (studio.work / "third.bin.c2pa").mkdir()  # where its sidecar belongs
    with device.step(event="publish") as step:
        step.writes(exr)
    device.turn()
    assert studio.verify(first).code == 0
    with device.agent() as agent:
        assert agent.ways[0].chain.counts()["unsealed"] == 1
        agent.turn()
        assert agent.ways[0].trouble is not None
        asked = agent.ways[0].seals_again
        agent.turn()
        assert agent.ways[0].seals_again == asked
    (studio.work / "third.bin.c2pa").rmdir()
    device.turn()
    assert (studio.work / "third.bin.c2pa").is_file()


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


def test_a_mark_that_came_in_is_not_lost(
    device: CaptureDevice, studio: Studio, elsewhere: Studio, tmp_path: Path
) -> None:
    """A picture that another studio sealed goes into one of ours; sealing ours keeps their manifest."""
    device.install(seal=("publish",))
    theirs = elsewhere.sealed("theirs.png", seed=9)
    plate = studio.work / "plate.png"
    plate.write_bytes(theirs.read_bytes())
    final = studio.png("final.png", 10)
    with device.step("composite", event="publish") as step:
        step.reads(plate, "component")
        step.writes(final)
    plate_copy = plate.read_bytes()
    device.turn()
    assert plate.read_bytes() == plate_copy
    report = studio.verify(final)
    assert report.code in (0, 3)
    assert b"Studio Elsewhere" in final.read_bytes()
