"""`rakkan report --issue` and `rakkan reports`: issued, interrupted, compared, watched by a receiver."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest

from ledger.service.report.issuing import CHECKPOINT, ENTRY, PROOF, RECEIPT
from tests.e2e.conftest import Studio
from tests.e2e.test_events import listening, served
from tests.support.cleared import policy, revoke
from tests.support.here import serving

CLEARED, PERSON, BLOCKED = 0, 3, 4


def report(studio: Studio, folder: Path, *options: object, code: int = CLEARED) -> dict[str, Any]:
    """Issue a report of the whole production for a distributor, and return its document."""
    asked = ("report", ".", *policy(studio), "--view", "distributor", "--out", folder, *options)
    result = studio(*asked)
    assert result.code == code, result.err
    document: dict[str, Any] = json.loads((folder / "report.json").read_text())
    return document


def watch(studio: Studio, folder: Path, *where: object, code: int) -> Any:
    result = studio("reports", "watch", folder, *where, "--trust", studio.trust, "--json")
    assert result.code == code, result.err or result.out
    return result.json


@pytest.fixture
def handover(nightfall: Studio, tmp_path: Path) -> Path:
    """A report that was issued before its verdicts were on record."""
    report(nightfall, tmp_path / "handover", "--issue")
    return tmp_path / "handover"


def test_issued_listed_and_proven_to_whoever_holds_it(nightfall: Studio, handover: Path) -> None:
    (listed,) = nightfall.ok("reports", "list", "--json").json
    document = json.loads((handover / "report.json").read_text())
    assert (listed["identifier"], listed["view"]) == (document["head"]["identifier"], "distributor")
    assert listed["entry"] == nightfall.size() - 1
    assert document["head"]["identifier"] in nightfall.ok("reports", "list").out
    assert {ENTRY, RECEIPT, CHECKPOINT} <= {path.name for path in handover.iterdir()}


def test_a_draft_names_no_entry_and_leaves_the_log_as_it_is(nightfall: Studio, tmp_path: Path) -> None:
    size = nightfall.size()
    report(nightfall, tmp_path / "draft")
    assert nightfall.size() == size
    nightfall.fails("report.not-signed", "reports", "issue", tmp_path / "draft")
    assert "No report was issued yet" in nightfall.ok("reports", "list").out


def test_an_interrupted_issue_is_finished_and_repeating_it_changes_nothing(
    nightfall: Studio, handover: Path
) -> None:
    size = nightfall.size()
    (handover / RECEIPT).unlink()
    for _ in range(2):
        assert f"is entry {size - 1}" in nightfall.ok("reports", "issue", handover).out
    assert nightfall.size() == size
    (handover / "report.html").write_text("another page")
    nightfall.fails("report.changed", "reports", "issue", handover, exit_code=1)


def test_what_a_revoked_grant_changed_is_in_the_next_report_and_between_any_two(
    nightfall: Studio, handover: Path, tmp_path: Path
) -> None:
    revoke(nightfall)
    following = report(nightfall, tmp_path / "next", "--issue", code=BLOCKED)
    first = json.loads((handover / "report.json").read_text())
    assert following["head"]["previous"] == first["head"]["identifier"]
    kinds = {row[1] for row in following["tables"]["changes"]["rows"]}
    assert {"finding opened", "verdict"} <= kinds
    between = nightfall.ok("reports", "changes", handover, tmp_path / "next", "--json").json
    assert [[row["kind"], row["before"], row["after"], row["files"]] for row in between] == [
        [row[1], *row[3:6]] for row in following["tables"]["changes"]["rows"]
    ]
    said = nightfall.ok("reports", "changes", handover, tmp_path / "next").out
    assert "cleared → blocked" in said
    assert nightfall.ok("reports", "changes", handover, handover).out == "Nothing changed.\n"


def test_the_proof_between_two_reports_is_checked_without_the_studio(
    nightfall: Studio, handover: Path, tmp_path: Path
) -> None:
    report(nightfall, tmp_path / "next", "--issue")
    (key,) = json.loads(nightfall.trust.read_text())["logs"]
    asked = (handover / RECEIPT, tmp_path / "next" / CHECKPOINT, "--proof", tmp_path / "next" / PROOF)
    assert "Proven" in nightfall.ok("consistency", *asked, "--key", key).out


def test_a_receiver_sees_by_the_published_log_that_it_stands_and_then_what_changed(
    nightfall: Studio, handover: Path, tmp_path: Path
) -> None:
    nightfall.ok("publish")
    log = ("--log", nightfall.home / "log")
    bundle = tmp_path / "bundle.zip"
    with zipfile.ZipFile(bundle, "w") as file:
        file.write(handover / "report.json", "report/report.json")
    for held in (handover, handover / "report.json", bundle):
        found = watch(nightfall, held, *log, code=CLEARED)
        assert (found["changed"], found["newer"], found["complete"]) == ([], [], True)
        assert found["issued"] == nightfall.size() - 1
    revoke(nightfall)
    nightfall("clear", ".", *policy(nightfall), "--record")
    report(nightfall, tmp_path / "next", "--issue", code=BLOCKED)
    nightfall.ok("publish")
    found = watch(nightfall, handover, *log, code=BLOCKED)
    assert {(item["before"], item["now"], item["proven"]) for item in found["changed"]} == {
        ("cleared", "blocked", True)
    }
    assert [item["verdict"]["now"] for item in found["newer"]] == ["blocked"]
    said = nightfall("reports", "watch", handover, *log, "--trust", nightfall.trust).out
    assert "cleared → blocked" in said
    assert "A newer report is out" in said


def test_a_report_that_was_not_issued_or_was_changed_since_is_said_to_be(
    nightfall: Studio, handover: Path, tmp_path: Path
) -> None:
    nightfall.ok("publish")
    log = ("--log", nightfall.home / "log")
    document = json.loads((handover / "report.json").read_text())
    document["verdict"]["now"] = "blocked"
    (tmp_path / "report.json").write_text(json.dumps(document))
    assert watch(nightfall, tmp_path / "report.json", *log, code=PERSON)["issued"] is None
    document["head"]["root"] = "0" * 64
    (tmp_path / "report.json").write_text(json.dumps(document))
    nightfall.fails(
        "report.tree",
        *("reports", "watch", tmp_path / "report.json", *log, "--trust", nightfall.trust),
        exit_code=1,
    )


def test_a_log_that_went_back_is_undecided_and_one_with_changed_entries_is_not_believed(
    nightfall: Studio, handover: Path, tmp_path: Path
) -> None:
    older = tmp_path / "older"
    nightfall.ok("publish")
    log = nightfall.home / "log"
    shutil.copytree(log, older)
    revoke(nightfall)
    report(nightfall, tmp_path / "next", "--issue", code=BLOCKED)
    trust = ("--trust", nightfall.trust)
    nightfall.fails(
        "report.ahead", "reports", "watch", tmp_path / "next", "--log", older, *trust, exit_code=PERSON
    )
    nightfall.ok("publish")
    (bundle,) = (log / "tile" / "entries").glob(f"*.p/{nightfall.size()}")
    data = bytearray(bundle.read_bytes())
    data[-20] ^= 1
    bundle.write_bytes(data)
    nightfall.fails("monitor.tiles", "reports", "watch", handover, "--log", log, *trust, exit_code=1)


@pytest.mark.slow
def test_a_receiver_asks_the_studios_server_and_is_told_what_cannot_be_proven_to_them(
    nightfall: Studio, handover: Path
) -> None:
    revoke(nightfall)
    nightfall("clear", ".", *policy(nightfall), "--record")
    with serving(nightfall.home) as url:
        for role, proven in (("auditor", True), ("distributor", False)):
            token = nightfall.ok("token", "create", role, "--role", role, "--json").json["token"]
            asked = ("reports", "watch", handover, "--server", url, "--trust", nightfall.trust, "--json")
            done = nightfall.process(*asked, RAKKAN_TOKEN=token)
            assert done.returncode == BLOCKED, done.stderr
            found = json.loads(done.stdout)
            assert {item["proven"] for item in found["changed"]} == {proven}
            assert {item["now"] for item in found["changed"]} == {"blocked"}
            assert found["complete"] is proven
            assert found["issued"] is not None


def test_it_is_asked_of_one_place(nightfall: Studio, handover: Path) -> None:
    result = nightfall("reports", "watch", handover, "--trust", nightfall.trust)
    assert result.code == 2


def test_a_receiver_is_told_of_an_issued_report_by_an_event(nightfall: Studio, tmp_path: Path) -> None:
    with served(nightfall) as port, listening(port, "dee distributor", types="entry.audit_report") as client:
        client.block()
        document = report(nightfall, tmp_path / "handover", "--issue")
        told = client.events(1)[0].data
    assert told["type"] == "entry.audit_report"
    data = told["data"]
    assert (data["identifier"], data["view"]) == (document["head"]["identifier"], "distributor")
    assert data["verdict"] == document["verdict"]
    assert data["subjects"][0]["name"] == "report.json"
    assert "previous" not in data


def test_a_backup_takes_along_what_the_next_report_needs(
    nightfall: Studio, handover: Path, tmp_path: Path
) -> None:
    nightfall.ok("backup", tmp_path / "copy")
    elsewhere = Studio(tmp_path / "elsewhere" / "home", nightfall.work)
    elsewhere.ok("restore", tmp_path / "copy")
    shutil.copytree(nightfall.home / "keys", elsewhere.home / "keys")
    following = report(elsewhere, tmp_path / "next")
    results = {row[0]: row[1] for row in following["tables"]["checks"]["rows"]}
    assert results["consistency"] == "passed"
    assert "changes" not in results
