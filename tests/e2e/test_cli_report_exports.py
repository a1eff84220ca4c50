"""`rakkan report`: its files for programs, from a real cut of a real studio."""

from __future__ import annotations

import json
import sqlite3
import zipfile
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import opentimelineio as otio
import pytest
from google.protobuf import json_format
from in_toto_attestation.v1.statement import Statement
from in_toto_attestation.v1.statement_pb2 import Statement as StatementMessage
from securesystemslib.dsse import Envelope

from ledger.core.fields import format_time
from tests.e2e.conftest import Studio
from tests.support.cleared import policy, verdicts
from tests.support.timelines import clip, film, images, span, timeline, written

AT = ("--at", format_time(datetime.now(UTC).replace(microsecond=0)))


@pytest.fixture
def cut(nightfall: Studio) -> Path:
    """Two shots that are on record, and one that nobody knows."""
    made = timeline(
        [
            clip("sh020", images("", "sh020.", range(1001, 1002))),
            clip("sh030", images("", "sh030.", range(1001, 1002))),
            clip("=sh099", images("", "sh099.", range(1001, 1003)), span(0, 2)),
        ]
    )
    return written(made, nightfall.work / "final.otio")


def reported(studio: Studio, out: Path, *arguments: object, code: int = 3) -> Path:
    """Write a report into a new folder, and return it."""
    result = studio("report", *arguments, *policy(studio), *AT, "--out", out)
    assert result.code == code, result.err or result.out
    return out


def document(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "report.json").read_bytes())
    return found


def markers(path: Path) -> list[tuple[str, str]]:
    """Return the clips of a timeline, each with what its marker says."""
    made = otio.adapters.read_from_file(str(path))
    found = json.loads(made.to_json_string())["tracks"]["children"][0]["children"]
    return [(each["name"], each["markers"][0]["name"]) for each in found]


def test_an_editor_sees_the_verdicts_in_the_timeline(nightfall: Studio, cut: Path, tmp_path: Path) -> None:
    out = reported(nightfall, tmp_path / "out", "--cut", cut)
    assert markers(out / "report.otio") == [
        ("sh020", "cleared, L1"),
        ("sh030", "cleared, L1"),
        ("=sh099", "undecided, L0"),
    ]


def test_a_bundle_gives_its_timeline(nightfall: Studio, cut: Path, tmp_path: Path) -> None:
    made = timeline([clip("sh020", film((nightfall.work / "sh020.1001.png").as_uri(), 1))])
    bundle = written(made, nightfall.work / "final.otioz")
    with zipfile.ZipFile(bundle) as packed:
        inside = json.loads(packed.read("content.otio"))
    out = reported(nightfall, tmp_path / "out", "--cut", bundle, code=0)
    found = json.loads((out / "report.otio").read_bytes())
    assert markers(out / "report.otio") == [("sh020", "cleared, L1")]
    for each in found["tracks"]["children"][0]["children"]:
        each["markers"] = []
    assert found == inside


@pytest.mark.parametrize(("view", "there"), [("distributor", True), ("insurer", True), ("public", False)])
def test_only_who_may_see_shots_gets_the_timeline(
    nightfall: Studio, cut: Path, tmp_path: Path, view: str, there: bool
) -> None:
    out = reported(nightfall, tmp_path / "out", "--cut", cut, "--view", view)
    assert (out / "report.otio").exists() is there


def test_the_same_question_gives_the_same_files(nightfall: Studio, cut: Path, tmp_path: Path) -> None:
    first, second = (reported(nightfall, tmp_path / name, "--cut", cut) for name in "ab")
    names = sorted(str(path.relative_to(first)) for path in first.rglob("*") if path.is_file())
    assert {"report.json", "report.xlsx", "report.otio", "report.spdx.json", "tables/shots.csv"} <= set(names)
    other = [name for name in names if (first / name).read_bytes() != (second / name).read_bytes()]
    assert other == ["bundle.zip", "report.pdf"], "the signature of the PDF, which the bundle holds as well"


def judged(envelope: str) -> dict[str, Any]:
    """Return the statement, after in-toto's own bindings have read it."""
    payload: dict[str, Any] = json.loads(Envelope.from_dict(json.loads(envelope)).payload)
    Statement.copy_from_pb(json_format.ParseDict(payload, StatementMessage())).validate()
    return payload


def test_the_verdicts_on_record_are_handed_over_as_they_were_signed(
    nightfall: Studio, cut: Path, tmp_path: Path
) -> None:
    nightfall.ok("clear", "sh020", *policy(nightfall), "--record")
    (verdict,) = verdicts(nightfall)
    out = reported(nightfall, tmp_path / "out", "--cut", cut)
    text = (out / "verdicts.svr.json").read_text()
    found = json.loads(text)
    assert (found["files"], found["judged"], found["withheld"]) == (2, 1, 0)
    assert found["words"] == "No verdict is on record about 1 of 2 files, and none was made for this."
    (line,) = text.splitlines()[1:-1]
    with closing(sqlite3.connect(nightfall.home / "ledger.sqlite")) as database:
        (stored,) = database.execute("select envelope from entry where idx = ?", found["entries"]).fetchone()
    assert line.encode() == stored
    statement = judged(line)
    assert statement["predicate"] == verdict["predicate"]
    assert statement["subject"][0]["name"] == "sh020.1001.png"


@pytest.mark.parametrize("view", ["distributor", "public"])
def test_a_verdict_that_says_too_much_for_a_reader_is_counted_and_kept(
    nightfall: Studio, cut: Path, tmp_path: Path, view: str
) -> None:
    nightfall.ok("clear", ".", *policy(nightfall), "--record")
    out = reported(nightfall, tmp_path / "out", "--cut", cut, "--view", view)
    found = json.loads((out / "verdicts.svr.json").read_bytes())
    assert (found["envelopes"], found["withheld"], len(found["entries"])) == ([], 2, 2)
    assert "sh020.1001.png" not in (out / "verdicts.svr.json").read_text()


def test_a_delivery_without_verdicts_on_record_has_none(nightfall: Studio, tmp_path: Path) -> None:
    out = reported(nightfall, tmp_path / "out", "sh020", code=0)
    found = json.loads((out / "verdicts.svr.json").read_bytes())
    assert (found["envelopes"], found["entries"], found["judged"]) == ([], [], 0)
    assert "none was made for this" in found["words"]


def test_a_verdict_that_no_longer_verifies_is_named_and_not_handed_over(
    nightfall: Studio, cut: Path, tmp_path: Path
) -> None:
    nightfall.ok("clear", ".", *policy(nightfall), "--record")
    damaged = verdicts(nightfall)[0]["index"]
    with closing(sqlite3.connect(nightfall.home / "ledger.sqlite")) as database, database:
        (envelope,) = database.execute("select envelope from entry where idx = ?", (damaged,)).fetchone()
        at = envelope.index(b'"sig":"') + 9
        changed = envelope[:at] + (b"A" if envelope[at : at + 1] != b"A" else b"B") + envelope[at + 1 :]
        database.execute("update entry set envelope = ? where idx = ?", (changed, damaged))
    out = reported(nightfall, tmp_path / "out", "--cut", cut)
    found = json.loads((out / "verdicts.svr.json").read_bytes())
    assert found["refused"] == [damaged]
    assert damaged not in found["entries"]
