"""Whatever goes wrong between a hook and the log: each record once, and what is missing shows."""

from __future__ import annotations

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


@pytest.mark.parametrize("said", [{"trace": "none"}, {"misread": "3"}, {"fault": "KeyError"}, {}])
def test_a_tool_that_nobody_could_watch_shows(
    device: CaptureDevice, studio: Studio, said: dict[str, str]
) -> None:
    with device.step("convert", parameters=said, place={"production": "nightfall"}):
        pass
    device.turn()
    reasons = [item["predicate"]["reason"] for item in statements(studio, LOST)]
    assert reasons == (["unseen"] if said else [])
    assert studio("devices").code == (3 if said else 0)


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
        log, way.uplink = way.uplink, (away := Away(UndecidedError("server.unreachable", "away")))
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
        agent.ways[0].uplink = Away(UndecidedError("server.unreachable", "away"))
        agent.turn()
    with sqlite3.connect(device.agent_home.database) as database:
        (envelope,) = database.execute("SELECT envelope FROM link").fetchone()
        database.execute("UPDATE link SET envelope = ?", (envelope.replace(b"A", b"B", 1),))
    database.close()
    device.turn()
    assert statements(studio, STEP) == []


def test_a_record_removed_from_the_chain_leaves_a_gap(device: CaptureDevice, studio: Studio) -> None:
    with device.agent() as agent:
        agent.ways[0].uplink = Away(UndecidedError("server.unreachable", "away"))
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
