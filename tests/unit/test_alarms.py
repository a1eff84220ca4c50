"""Alarms on a real disk: whole, in order, once, and open until somebody says why not."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from ledger.adapters.alarms import DirectoryAlarms
from ledger.core.digest import sha256_hex
from ledger.errors import RefusedError, UsageError
from ledger.testing import FixedClock

EVIDENCE = {"ours.checkpoint": b"ours\n", "theirs.checkpoint": b"theirs\n"}


def new_alarms(folder: Path) -> DirectoryAlarms:
    return DirectoryAlarms(folder / "alarms", FixedClock())


def test_an_alarm_is_a_folder_that_explains_itself(tmp_path: Path) -> None:
    path = Path(new_alarms(tmp_path).sound("witness.fork", "Two histories.", EVIDENCE))
    assert path.parent == tmp_path / "alarms"
    assert path.name.startswith("0001-witness.fork-")
    assert {name: (path / name).read_bytes() for name in EVIDENCE} == EVIDENCE
    assert json.loads((path / "alarm.json").read_text()) == {
        "code": "witness.fork",
        "message": "Two histories.",
        "at": "2026-01-02T03:04:05Z",
        "evidence": {name: sha256_hex(data) for name, data in EVIDENCE.items()},
    }
    assert {item.name for item in path.iterdir()} == {*EVIDENCE, "alarm.json"}


def test_without_a_folder_no_alarm_is_open(tmp_path: Path) -> None:
    assert new_alarms(tmp_path).open() == []


def test_alarms_are_listed_oldest_first_whatever_the_clock_says(tmp_path: Path) -> None:
    clock = FixedClock()
    alarms = DirectoryAlarms(tmp_path / "alarms", clock)
    found = []
    for number in range(12):
        found.append(alarms.sound("witness.fork", "m", {"a": bytes([number])}))
        clock.moment -= timedelta(days=1)
    assert alarms.open() == found


def test_the_same_evidence_again_is_the_same_alarm_until_it_is_closed(tmp_path: Path) -> None:
    alarms = new_alarms(tmp_path)
    first = alarms.sound("witness.fork", "m", EVIDENCE)
    assert alarms.sound("witness.fork", "another sentence", EVIDENCE) == first
    assert alarms.sound("log.conflict", "m", EVIDENCE) != first
    alarms.close(Path(first).name, "looked")
    assert alarms.sound("witness.fork", "m", EVIDENCE) != first


def test_closing_keeps_the_evidence_and_the_reason(tmp_path: Path) -> None:
    alarms = new_alarms(tmp_path)
    path = Path(alarms.sound("witness.fork", "m", EVIDENCE))
    alarms.close(str(path), "the wrong database was restored")
    assert alarms.open() == []
    assert json.loads((path / "closed.json").read_text()) == {
        "why": "the wrong database was restored",
        "at": "2026-01-02T03:04:05Z",
    }
    assert (path / "ours.checkpoint").read_bytes() == b"ours\n"


@pytest.mark.parametrize("name", ["", ".", "..", "0001", "0001-witness.fork-" + "0" * 16])
def test_only_an_open_alarm_can_be_closed(tmp_path: Path, name: str) -> None:
    alarms = new_alarms(tmp_path)
    path = Path(alarms.sound("witness.fork", "m", EVIDENCE))
    for _ in range(2):
        with pytest.raises(UsageError) as error:
            alarms.close(name, "why")
        assert error.value.code == "alarm.unknown"
    alarms.close(path.name, "why")
    with pytest.raises(UsageError):
        alarms.close(path.name, "again")


def test_what_an_interruption_left_is_no_alarm_and_in_nobody_s_way(tmp_path: Path) -> None:
    alarms = new_alarms(tmp_path)
    path = Path(alarms.sound("witness.fork", "m", EVIDENCE))
    path.rename(path.with_name(f".{path.name}"))
    assert alarms.open() == []
    assert Path(alarms.sound("witness.fork", "m", EVIDENCE)).exists()


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "A"])
def test_evidence_stays_in_its_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="plain file names"):
        new_alarms(tmp_path).sound("witness.fork", "m", {name: b""})


def test_a_folder_that_cannot_be_made_is_an_error_and_not_silence(tmp_path: Path) -> None:
    (tmp_path / "alarms").write_text("a file")
    with pytest.raises(RefusedError) as error:
        new_alarms(tmp_path).sound("witness.fork", "m", EVIDENCE)
    assert error.value.code == "log.storage"
