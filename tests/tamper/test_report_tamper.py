"""An entry that was changed behind the log's back: the report says so, names it, and goes on."""

from __future__ import annotations

import base64
import json
import re
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ledger.adapters.sql.basis import SqlBasisStore
from ledger.adapters.sql.store import SqlEntryStore
from ledger.core.audit import Report
from ledger.core.predicates.revocation import Reason
from ledger.core.predicates.step import StepAction
from ledger.errors import IntegrityError
from ledger.service.report.report import make
from ledger.service.studio import KeptFacts, Studio
from tests.support.bare_studio import opened, say, studio_on
from tests.support.bases import component, made, sealed
from tests.support.builders import DEVICE, REGISTRAR, digest, revocation
from tests.support.log import ORIGIN, database
from tests.support.reported import asked

STEP = 3


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    """A frame composed from two plates and sealed: entries 2 to 5, after the keys."""
    with database(tmp_path) as engine:
        found = opened(studio_on(SqlEntryStore(engine, ORIGIN), SqlBasisStore(engine, ORIGIN)))
        for plate in ("sky.png", "ship.png"):
            say(found, made(plate, action=StepAction.IMPORT))
        say(found, made("frame.png", of=[component("sky.png"), component("ship.png")]))
        say(found, sealed(**{"final.png": "frame.png"}))
        yield found


def again(studio: Studio) -> Studio:
    """Return the studio as another process opens it: with nothing read yet."""
    return replace(studio, facts=KeptFacts(), _read={}, _stated={}, _logged={})


def reported(studio: Studio) -> Report:
    return make(studio, *asked(studio, digest("final.png"))).report


def check(report: Report, name: str) -> tuple[object, ...]:
    """Return result, looked, failed and the failing entries of a check."""
    (row,) = [row for row in report.tables["checks"].shown if row[0] == name]
    return row[1], row[2], row[3], row[5]


def change(folder: Path, statement: str, *values: object) -> None:
    connection = sqlite3.connect(folder / "ledger.db")
    with connection:
        assert connection.execute(statement, values).rowcount == 1
    connection.close()


def replaced(folder: Path, index: int) -> bytes:
    """Return an entry with one digit of the first digest in its payload changed, and its old signature."""
    connection = sqlite3.connect(folder / "ledger.db")
    (held,) = connection.execute("SELECT envelope FROM entry WHERE idx = ?", (index,)).fetchone()
    connection.close()
    document = json.loads(held)
    payload = base64.b64decode(document["payload"])
    found = re.search(rb"[0-9a-f]{64}", payload)
    assert found is not None
    digit = b"1" if found[0][:1] == b"0" else b"0"
    payload = payload[: found.start()] + digit + payload[found.start() + 1 :]
    document["payload"] = base64.b64encode(payload).decode()
    return json.dumps(document, separators=(",", ":"), sort_keys=True).encode()


def test_a_sound_log_passes_and_the_figure_is_the_check(studio: Studio) -> None:
    report = reported(studio)
    assert check(report, "entries") == ("passed", 6, 0, ())
    assert check(report, "checkpoint") == ("passed", 1, 0, ())
    assert check(report, "witnesses")[0] == "undecided"
    assert report.figure("entries-failed").value == 0
    assert report.tables["devices"].column("device") == ["registrar", "ws-01"]
    assert report.tables["devices"].column("entries_signed") == [2, 4]
    assert report.tables["checkpoints"].column("role") == ["log"]


@pytest.mark.parametrize("index", [2, 3, 4, 5])
def test_an_entry_with_another_payload_is_named_and_the_report_goes_on(
    studio: Studio, tmp_path: Path, index: int
) -> None:
    reported(studio)
    change(tmp_path, "UPDATE entry SET envelope = ? WHERE idx = ?", replaced(tmp_path, index), index)
    report = reported(again(studio))
    assert check(report, "entries") == ("failed", 6, 1, (index,))
    assert check(report, "inclusion") == ("failed", 6, 1, (index,))
    assert check(report, "signatures") == ("failed", 6, 1, (index,))
    assert report.figure("entries-failed").value == 1
    assert report.figure("frames").value == 1


@pytest.mark.parametrize(
    "sql", ["UPDATE entry SET envelope = x'00' WHERE idx = ?", "DELETE FROM entry WHERE idx = ?"]
)
def test_an_entry_that_nobody_can_read_is_named_too(studio: Studio, tmp_path: Path, sql: str) -> None:
    reported(studio)
    change(tmp_path, sql, STEP)
    report = reported(again(studio))
    assert check(report, "entries") == ("failed", 6, 1, (STEP,))


def test_what_was_altered_before_anybody_asked_is_named_and_nothing_is_made_up(
    studio: Studio, tmp_path: Path
) -> None:
    change(tmp_path, "UPDATE entry SET envelope = x'7b7d' WHERE idx = ?", STEP)
    with pytest.raises(IntegrityError) as caught:
        reported(again(studio))
    assert (caught.value.code, caught.value.evidence["index"]) == ("log.corrupt", STEP)


def test_a_tile_that_does_not_lead_to_the_root_fails_every_entry_under_it(
    studio: Studio, tmp_path: Path
) -> None:
    reported(studio)
    connection = sqlite3.connect(tmp_path / "ledger.db")
    (held,) = connection.execute("SELECT hashes FROM tile WHERE level = 0").fetchone()
    connection.close()
    change(tmp_path, "UPDATE tile SET hashes = ? WHERE level = 0", bytes([held[0] ^ 1]) + held[1:])
    report = reported(studio)
    assert check(report, "inclusion") == ("failed", 6, 6, tuple(range(6)))
    assert check(report, "signatures")[0] == "passed"


def test_what_a_suspect_key_signed_is_undecided_and_not_failed(studio: Studio) -> None:
    ended = say(studio, revocation(device="ws-01", reason=Reason.STOLEN, suspect_from=STEP), REGISTRAR)
    report = reported(studio)
    assert check(report, "entries") == ("undecided", 7, 0, ())
    assert check(report, "open-entries") == ("undecided", 3, 0, (3, 4, 5))
    device = dict(
        zip(
            (c.key for c in report.tables["devices"].schema.columns),
            report.tables["devices"].shown[1],
            strict=True,
        )
    )
    assert (device["keyid"], device["revoked"], device["suspect"]) == (DEVICE.keyid, ended, STEP)
    assert device["entries"] == (1, ended)
