"""fsck and recover as an operator meets them at 3 a.m."""

from __future__ import annotations

import pkgutil
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.e2e.conftest import ROOT, Result, Studio, copied, snapshot


def database(studio: Studio) -> Path:
    return studio.home / "ledger.sqlite"


def checks(result: Result) -> dict[str, str]:
    return {item["check"]: item["status"] for item in result.json["checks"]}


def sound(studio: Studio) -> None:
    result = studio("fsck", "--published", "--json")
    assert result.code == 0, result
    assert result.json["condition"] == "sound"
    assert set(checks(result).values()) == {"passed"}


@pytest.fixture(scope="module")
def days(founded: Studio, tmp_path_factory: pytest.TempPathFactory) -> tuple[Studio, Path]:
    """A studio that published, and a copy of its database from before. Never written to."""
    folder = tmp_path_factory.mktemp("days")
    studio = copied(founded, folder)
    studio.sealed("monday.png", seed=1)
    backup = folder / "backup.sqlite"
    shutil.copy(database(studio), backup)
    studio.sealed("tuesday.png", seed=2)
    studio.sealed("wednesday.png", seed=3)
    studio.ok("publish")
    return studio, backup


@pytest.fixture
def restored(days: tuple[Studio, Path], tmp_path: Path) -> Studio:
    """The same studio after yesterday's database was put back."""
    studio = copied(days[0], tmp_path / "restored")
    shutil.copy(days[1], database(studio))
    return studio


# --- fsck --------------------------------------------------------------------------------------------------


def test_a_sound_studio(days: tuple[Studio, Path]) -> None:
    studio = days[0]
    before = snapshot(studio.home / "log"), studio.projections(), studio.rows("entry")
    sound(studio)
    result = studio.ok("fsck", "--published")
    assert result.out.splitlines()[0].endswith(": sound")
    assert "8 entries in " in result.out
    assert (snapshot(studio.home / "log"), studio.projections(), studio.rows("entry")) == before


def test_fsck_needs_no_private_key_and_no_passphrase(days: tuple[Studio, Path], tmp_path: Path) -> None:
    studio = copied(days[0], tmp_path / "auditor")
    shutil.rmtree(studio.home / "keys")
    sound(studio)


def test_fsck_names_what_is_damaged_and_how_to_mend_it(days: tuple[Studio, Path], tmp_path: Path) -> None:
    studio = copied(days[0], tmp_path / "damaged")
    with sqlite3.connect(database(studio)) as connection:
        connection.execute("UPDATE statement SET keyid = 'x' WHERE idx = 3")
    connection.close()
    (studio.home / "log" / "tile" / "entries" / "000.p" / "8").unlink()
    result = studio("fsck", "--published")
    assert result.code == 1
    assert "Entry 3: a row differs" in result.out
    assert "run rakkan rebuild" in result.out
    assert "tile/entries/000.p/8 is missing" in result.out
    studio.ok("rebuild")
    assert checks(studio("fsck", "--json"))["statements"] == "passed"
    (studio.home / "log" / "checkpoint").unlink()
    studio.ok("publish")
    sound(studio)


def test_a_publication_that_is_not_there_is_not_damage(studio: Studio) -> None:
    assert studio("fsck").code == 0
    result = studio("fsck", "--published", "--json")
    assert (result.code, result.json["condition"]) == (3, "undecided")
    assert checks(result)["published-checkpoint"] == "undecided"


def test_a_database_file_that_is_no_database_is_damage(days: tuple[Studio, Path], tmp_path: Path) -> None:
    studio = copied(days[0], tmp_path / "wrecked")
    data = bytearray(database(studio).read_bytes())
    for at in range(4096 * 3, len(data), 4096):
        data[at : at + 64] = bytes(64)
    database(studio).write_bytes(data)
    result = studio("fsck", "--json")
    assert result.code == 1, result
    assert "Traceback" not in result.err


# --- yesterday's database ----------------------------------------------------------------------------------


def test_the_drill_yesterdays_database_is_put_back(restored: Studio) -> None:
    studio = restored
    new = studio.png("thursday.png", seed=4)
    for arguments in (
        ("record", new, "--action", "draw", "--tool", "x 1"),
        ("enrol", "laptop"),
        ("publish",),
    ):
        result = studio(*arguments)
        assert (result.code, result.error) == (2, "log.rollback"), result
    assert studio("show", "0").code == 0  # reads work
    result = studio("fsck", "--published", "--json")
    assert result.code == 1
    failed = {name for name, status in checks(result).items() if status == "failed"}
    assert failed == {"last-signed", "published-checkpoint"}
    assert "rakkan recover" in result.out
    dry = studio.ok("recover", "--dry-run")
    assert dry.out == "4 entries would come back, to 8. Nothing was written.\n"
    assert studio.size() == 4
    result = studio.ok("recover")
    assert result.out == "4 entries came back: 8 now. The log takes new ones again.\n"
    sound(studio)
    for name in ("monday", "tuesday", "wednesday"):
        assert studio.verify(studio.work / f"{name}.png").code == 0
        assert studio("verify", studio.work / f"{name}.png").code == 0
    studio.sealed("thursday.png", seed=4)
    studio.ok("publish")
    sound(studio)
    assert studio.ok("recover").out == "Nothing was missing: the database holds all 10 entries.\n"


def test_a_home_that_was_restored_whole_is_found_out_by_what_is_published(
    studio: Studio, tmp_path: Path
) -> None:
    """Database and last-signed record agree with each other, and both are yesterday's."""
    public = shutil.copytree(studio.home, tmp_path / "yesterday")
    studio.record(studio.png("one.png", seed=1))
    studio.ok("publish")
    for name in (database(studio).name, "last-signed"):
        shutil.copy(public / name, studio.home / name)
    for suffix in ("-wal", "-shm"):
        database(studio).with_name(database(studio).name + suffix).unlink(missing_ok=True)
    result = studio("record", studio.png("two.png", seed=2), "--action", "draw", "--tool", "x 1")
    assert (result.code, result.error) == (2, "log.rollback"), result
    assert "behind the published checkpoint" in result.err
    studio.ok("recover")
    studio.record(studio.work / "two.png")
    sound(studio)


def test_a_lost_database_comes_back_from_another_folder(restored: Studio, tmp_path: Path) -> None:
    studio = restored
    database(studio).unlink()
    mirror = shutil.move(studio.home / "log", tmp_path / "mirror")
    result = studio("recover")
    assert (result.code, result.error) == (2, "recover.nothing")
    assert studio.ok("recover", "--from-tiles", mirror, "--dry-run").out.startswith(
        "8 entries would come back"
    )
    studio.ok("recover", "--from-tiles", mirror)
    assert studio("fsck").code == 0
    assert studio.verify(studio.work / "wednesday.png").code == 0
    studio.sealed("thursday.png", seed=4)


def test_a_dry_run_makes_no_database(restored: Studio) -> None:
    database(restored).unlink()
    restored.ok("recover", "--dry-run")
    assert not database(restored).exists()


def test_a_damaged_bundle_is_refused_and_changes_nothing(restored: Studio) -> None:
    path = restored.home / "log" / "tile" / "entries" / "000.p" / "8"
    data = bytearray(path.read_bytes())
    data[-200] ^= 1
    path.write_bytes(data)
    before = restored.projections()
    result = restored("recover")
    assert (result.code, result.error) == (1, "recover.damaged")
    assert "tile/entries/000.p/8" in result.err
    assert restored.projections() == before


@pytest.mark.slow
@pytest.mark.sample
def test_a_recovery_killed_at_any_moment_is_all_or_nothing(restored: Studio) -> None:
    studio, seeded = restored, random.Random(3)
    backup = database(studio).read_bytes()
    for _ in range(4):
        for name in ("ledger.sqlite-wal", "ledger.sqlite-shm"):
            (studio.home / name).unlink(missing_ok=True)
        database(studio).write_bytes(backup)
        command = [sys.executable, "-m", "ledger", "recover"]
        process = subprocess.Popen(
            command, env=studio.environment(), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        time.sleep(seeded.uniform(0.3, 1.2))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert studio.size() in {4, 8}
        studio.ok("recover")
        sound(studio)


# --- a fork ------------------------------------------------------------------------------------------------


@pytest.fixture
def lost(restored: Studio, days: tuple[Studio, Path]) -> Studio:
    """A studio whose key signed two entries that were never published, and whose database is yesterday's."""
    studio = restored
    shutil.copy(database(days[0]), database(studio))
    studio.sealed("thursday.png", seed=4)
    shutil.copy(days[1], database(studio))
    return studio


def test_entries_that_are_nowhere_are_named_and_what_is_published_comes_back(lost: Studio) -> None:
    result = lost("recover")
    assert (result.code, result.error) == (2, "log.rollback")
    assert "2 entries that were acknowledged" in result.err
    assert lost.size() == 8
    result = lost("record", lost.png("friday.png", seed=5), "--action", "draw", "--tool", "x 1")
    assert (result.code, result.error) == (2, "log.rollback")
    assert checks(lost("fsck", "--json"))["last-signed"] == "failed"


def test_a_log_that_can_go_on_is_not_given_up(days: tuple[Studio, Path]) -> None:
    result = days[0]("recover", "--declare-fork", "--why", "no reason")
    assert (result.code, result.error) == (2, "recover.not-needed")
    sound(days[0])


@pytest.mark.parametrize("options", [(), ("--why", "x", "--dry-run"), ("--why", "x", "--from-tiles", "y")])
def test_declare_fork_wants_a_reason_and_nothing_else(lost: Studio, options: tuple[str, ...]) -> None:
    assert lost("recover", "--declare-fork", *options).code == 2
    assert not (lost.home / "alarms").exists()


def test_a_declared_fork_founds_a_successor_and_keeps_what_there_is(lost: Studio) -> None:
    studio = lost
    assert studio("recover").code == 2
    old = studio.ok("show", "7").json
    origin = (studio.home / "log" / "checkpoint").read_text().split("\n")[0]
    files = snapshot(studio.home / "log")
    result = studio.ok("recover", "--declare-fork", "--why", "both disks burnt")
    assert f"Its successor is {origin}-2" in result.out
    # The new log begins with the registrar, the devices, and what happened.
    kinds = [studio.ok("show", str(index)).json["statement"]["predicateType"] for index in range(3)]
    assert kinds == ["https://rakkan.org/enrolment/v1"] * 2 + ["https://rakkan.org/incident/v1"]
    said = studio.ok("show", "2").json["statement"]["predicate"]
    assert (said["log"], said["reason"]) == (origin, "both disks burnt")
    assert (said["heldSize"], said["signedSize"]) == (8, 10)
    # What was proven stays proven.
    for name in ("monday", "tuesday", "wednesday", "thursday"):
        assert studio.verify(studio.work / f"{name}.png").code == 0
    assert old["index"] == 7
    # The evidence is kept, and until somebody closes the alarm nothing is published.
    (alarm,) = (studio.home / "alarms").iterdir()
    assert {path.name for path in alarm.iterdir()} >= {"held.checkpoint", "last-signed.checkpoint"}
    assert studio("publish").error == "log.alarm"
    studio.ok("alarm", "close", alarm.name, "--why", "seen")
    # Work goes on in the new log.
    studio.sealed("friday.png", seed=5)
    studio.ok("publish")
    assert snapshot(studio.home / "log") == files
    assert (studio.home / "log-2" / "checkpoint").read_text().split("\n")[0] == f"{origin}-2"
    assert studio.verify(studio.work / "friday.png").code == 0
    sound(studio)
    assert studio("recover", "--declare-fork", "--why", "again").error == "recover.not-needed"


class Stop(BaseException):
    """The process is gone."""


STEPS = [
    ("ledger.adapters.alarms.DirectoryAlarms.sound", 1),
    ("ledger.adapters.sql.store.SqlEntryStore.freeze", 1),
    ("ledger.adapters.sql.store.create_log", 1),
    ("ledger.adapters.home.Home.trust_log_key", 1),
    ("ledger.adapters.home.Home.succeed", 1),
    ("ledger.adapters.home.format_settings", 1),
    ("ledger.service.log.succession.enrol", 1),
    ("ledger.service.log.succession.enrol", 2),
    ("ledger.service.studio.Studio.state", 3),
]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(("step", "count"), STEPS)
def test_a_declaration_that_dies_at_any_step_can_be_made_again(
    lost: Studio, monkeypatch: pytest.MonkeyPatch, step: str, count: int, when: str
) -> None:
    calls = 0
    real = pkgutil.resolve_name(step)

    def dying(*arguments: object, **options: object) -> object:
        nonlocal calls
        calls += 1
        if calls == count and when == "before":
            raise Stop
        result = real(*arguments, **options)
        if calls == count:
            raise Stop
        return result

    arguments = ("recover", "--declare-fork", "--why", "both disks burnt")
    lost("recover")
    with monkeypatch.context() as patch:
        patch.setattr(step, dying)
        with pytest.raises(Stop):
            lost(*arguments)
    result = lost(*arguments)
    assert result.code == 0 or (result.error, count, when) == ("recover.not-needed", 3, "after"), result
    kinds = [row[2].rpartition("/")[0].rpartition("/")[2] for row in lost.rows("statement") if row[0] == 2]
    assert sorted(kinds) == ["enrolment", "enrolment", "incident"]
    assert len(list((lost.home / "alarms").iterdir())) == 1
    assert lost("fsck").code == 0
    assert lost.verify(lost.work / "monday.png").code == 0
    lost.sealed("friday.png", seed=5)
