"""`rakkan label`: given to what is cleared, never to anything else; followed by what the log says since."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ledger.core.predicates.revocation import Reason
from ledger.service.log.keys import revoke as end
from ledger.wiring import home_at, open_studio
from tests.e2e.conftest import Studio
from tests.e2e.test_cli_reports import report
from tests.support.cleared import clear, policy, revoke
from tests.support.codes import codes, on_paper

CLEARED, BLOCKED = 0, 4


@pytest.fixture
def issued(nightfall: Studio, tmp_path: Path) -> int:
    """The entry of a report of all three shots, whose verdicts are on record as well."""
    nightfall.ok("clear", ".", *policy(nightfall), "--record")
    report(nightfall, tmp_path / "handover", "--issue")
    return nightfall.size() - 1


def held(studio: Studio) -> dict[str, str]:
    return {item["labelId"]: item["holds"] for item in studio.ok("label", "list", "--json").json}


def claimed(studio: Studio, entry: int) -> Any:
    return studio.ok("show", entry).json["statement"]["predicate"].get("claims")


def test_a_label_says_what_the_report_says_and_nothing_that_was_typed(
    nightfall: Studio, issued: int, tmp_path: Path
) -> None:
    assert "No label was issued yet" in nightfall.ok("label", "list").out
    said = nightfall.ok("label", "issue", "nightfall-tv", "--report", issued, "--json").json
    document = json.loads((tmp_path / "handover" / "report.json").read_text())
    figures = {item["key"]: item["value"] for item in document["figures"]}
    claims = claimed(nightfall, said["entry"])
    assert claims["title"] == document["head"]["title"] == "Nightfall"
    assert (claims["entry"], claims["at"]) == (issued, document["head"]["at"])
    assert (claims["verdict"], claims["grade"]) == (document["verdict"], document["grade"])
    assert claims["delivery"] == document["head"]["delivery"]
    assert claims["counts"] == {
        "files": figures["frames"],
        "shots": len(document["tables"]["shots"]["rows"]),
        "models": figures["ai"],
        "observed": 0,
        "inferred": 0,
        "declared": figures["declared"],
    }
    assert said["page"] == "/label/nightfall/nightfall-tv"
    shown = nightfall.ok("label", "list").out
    assert f"nightfall-tv  entry {said['entry']}  stands  {document['grade']['now']}  Nightfall" in shown
    size = nightfall.size()
    nightfall.ok("label", "issue", "nightfall-tv", "--report", issued)
    assert nightfall.size() == size


def test_what_is_not_cleared_gets_none(nightfall: Studio, issued: int, tmp_path: Path) -> None:
    nightfall.fails("label.source", "label", "issue", "n", "--report", issued - 1)
    nightfall.fails("log.no-such-entry", "label", "issue", "n", "--report", issued + 1)
    nightfall.fails("label.identifier", "label", "issue", "../n", "--report", issued)
    nightfall.fails("label.title", "label", "issue", "n", "--report", issued, "--title", "a\u200bb")
    revoke(nightfall)
    report(nightfall, tmp_path / "next", "--issue", code=BLOCKED)
    nightfall.fails("label.not-cleared", "label", "issue", "n", "--report", issued + 2)
    nightfall.fails("label.changed", "label", "issue", "n", "--report", issued)
    for kept in (nightfall.home / "reports").glob("[0-9a-f]*[0-9a-f].json"):
        kept.unlink()
    nightfall.fails("label.unkept", "label", "issue", "n", "--report", issued)


def test_a_file_gets_one_by_its_own_verdict_which_a_revocation_ends(nightfall: Studio, issued: int) -> None:
    file = nightfall.work / "sh020.1001.png"
    drawn = nightfall.png("unrecorded.png", 9)
    nightfall.fails("verdict.none", "label", "issue", "n", "--file", drawn)
    entry = nightfall.ok("label", "issue", "poster", "--file", file, "--json").json["entry"]
    claims = claimed(nightfall, entry)
    assert (claims["about"], claims["title"], claims["counts"]["models"]) == ("file", "Nightfall", 1)
    assert claims["verdict"] == {"now": "cleared", "then": "cleared"}
    subject = nightfall.ok("show", entry).json["statement"]["subject"]
    assert [item["name"] for item in subject] == ["poster"]  # the name of the file stays with the studio
    nightfall.ok("label", "issue", "nightfall-tv", "--report", issued)
    assert held(nightfall) == {"poster": "stands", "nightfall-tv": "stands"}
    revoke(nightfall)
    assert clear(nightfall, file, "--record", code=BLOCKED)
    assert held(nightfall) == {"poster": "changed", "nightfall-tv": "changed"}
    nightfall.fails("label.not-cleared", "label", "issue", "again", "--file", file)


def test_a_withdrawn_label_stays_withdrawn_until_it_is_given_anew(nightfall: Studio, issued: int) -> None:
    give = ("label", "issue", "nightfall-tv", "--report", issued)
    nightfall.ok(*give)
    nightfall.fails("label.unknown", "label", "withdraw", "other", "--why", "x")
    nightfall.fails("statement.field", "label", "withdraw", "nightfall-tv", "--why", "a\u202eb")
    take = ("label", "withdraw", "nightfall-tv", "--why", "The title is another one now.")
    nightfall.ok(*take)
    size = nightfall.size()
    nightfall.ok(*take)
    assert nightfall.size() == size
    assert held(nightfall) == {"nightfall-tv": "withdrawn"}
    assert "The title is another one now." in nightfall.ok("label", "list").out
    nightfall.ok(*give)
    assert held(nightfall) == {"nightfall-tv": "stands"}


def test_a_label_that_somebody_else_may_have_signed_is_doubted(nightfall: Studio, issued: int) -> None:
    nightfall.ok("label", "issue", "nightfall-tv", "--report", issued)
    place = home_at(nightfall.home)
    with open_studio(place) as studio:  # another registrar would: the command does not end the only one
        end(studio, place.statement_signer("registrar"), "registrar", Reason.STOLEN, issued + 1)
    assert held(nightfall) == {"nightfall-tv": "doubted"}


def test_the_code_for_print_leads_to_the_page(nightfall: Studio, issued: int, tmp_path: Path) -> None:
    nightfall.ok("label", "issue", "nightfall-tv", "--report", issued)
    out = tmp_path / "qr.svg"
    where = ("--out", out, "--address")
    said = nightfall.ok("label", "qr", "nightfall-tv", *where, "https://ledger.example").out
    assert said == "https://ledger.example/label/nightfall/nightfall-tv\n"
    assert codes(on_paper(out.read_bytes(), tmp_path, 25)) == [said.strip()]
    assert nightfall("label", "qr", "nightfall-tv", *where, "javascript:alert(1)").code == 2
    nightfall.fails("label.unknown", "label", "qr", "other", *where, "https://ledger.example")
