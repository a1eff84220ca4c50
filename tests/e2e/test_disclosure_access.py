"""Every access to a secret is an entry before anything is shown; without a key for that, nothing is."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from ledger.core import envelope as dsse
from ledger.core import statement as statements
from ledger.core.artifact import Artifact
from ledger.core.digest import sha256_hex
from ledger.core.predicates.disclosure_access import DisclosureAccess
from ledger.core.statement import Statement
from ledger.errors import RakkanError
from ledger.wiring import home_at, open_device, open_studio
from tests.e2e.conftest import PROMPT, Studio
from tests.support.http import answering

WHY = "claim 2026-114: is the prompt Mr Mori's?"


@pytest.fixture
def recorded(studio: Studio) -> int:
    """The index of a step with a secret prompt."""
    studio.license()
    studio.record(studio.png(), "--action", "generate", "--tool", "painter 1.0", "--prompt", PROMPT)
    return studio.size() - 1


def token(studio: Studio, role: str) -> tuple[dict[str, str], str]:
    made = studio.ok("token", "create", "x", "--role", role, "--json").json
    return {"Authorization": f"Bearer {made['token']}"}, f"token:{made['id']}"


def ask(client: TestClient, fields: dict[str, str], index: int, purpose: str = WHY) -> Any:
    path = f"/v1/productions/nightfall/disclosures/{index}"
    return client.post(path, json={"purpose": purpose}, headers=fields)


def test_what_is_shown_is_on_record_first(studio: Studio, recorded: int) -> None:
    studio.ok("enrol", "server")
    size = studio.size()
    fields, name = token(studio, "auditor")
    with answering(studio.home) as client:
        got = ask(client, fields, recorded).json()
    (prompt,) = (item for item in got["openings"] if item["name"] == "prompt")
    assert prompt["value"] == PROMPT
    assert (got["access"], got["absent"]) == (size, [])
    said = studio.ok("show", got["access"]).json
    predicate = said["statement"]["predicate"]
    assert said["statement"]["predicateType"] == DisclosureAccess.TYPE
    assert predicate["reader"] == name
    assert predicate["digests"] == sorted(item["digest"] for item in got["openings"])
    subject = said["statement"]["subject"][0]
    assert subject["name"] == f"entry-{recorded}.dsse.json"
    assert WHY not in json.dumps(said)
    purposes = [text for digest, text in studio.rows("opening") if digest in predicate["_sd"]]
    assert len(purposes) == 1
    assert studio.ok("fsck").code == 0


def test_without_a_key_nothing_is_shown(studio: Studio, recorded: int) -> None:
    fields, _ = token(studio, "legal")
    with answering(studio.home) as client:
        got = ask(client, fields, recorded)
        assert (got.status_code, got.json()["code"]) == (409, "access.no-server-key")
        assert PROMPT not in got.text
        assert "rakkan enrol server" in got.json()["hint"]


def test_where_the_log_takes_nothing_nothing_is_shown(
    studio: Studio, recorded: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ledger.errors import RefusedError
    from ledger.service.log.sequencer import Sequencer

    def full(*_: object) -> None:
        raise RefusedError("log.overloaded", "More is waiting than the log can take in.", retry_after=7)

    studio.ok("enrol", "server")
    fields, _ = token(studio, "legal")
    monkeypatch.setattr(Sequencer, "submit", full)
    with answering(studio.home) as client:
        got = ask(client, fields, recorded)
    assert (got.status_code, got.json()["code"]) == (503, "log.overloaded")
    assert PROMPT not in got.text


def test_an_erased_secret_is_absent_and_showing_nothing_is_no_entry(studio: Studio, recorded: int) -> None:
    studio.ok("enrol", "server")
    studio.ok("erase", recorded, "--why", "data-subject-request")
    size = studio.size()
    fields, _ = token(studio, "legal")
    with answering(studio.home) as client:
        got = ask(client, fields, recorded).json()
    assert (got["access"], got["openings"]) == (None, [])
    assert got["absent"]
    assert studio.size() == size


@pytest.mark.parametrize("purpose", ["", "x", "x" * 501])
def test_a_purpose_is_asked_for(studio: Studio, recorded: int, purpose: str) -> None:
    studio.ok("enrol", "server")
    fields, _ = token(studio, "legal")
    size = studio.size()
    with answering(studio.home) as client:
        assert ask(client, fields, recorded, purpose).json()["code"] == "request.malformed"
        assert ask(client, fields, 0).json()["code"] == "disclosure.none"
        assert ask(client, fields, 10_000).json()["code"] == "log.no-such-entry"
        assert ask(client, fields, -1).json()["code"] == "log.no-such-entry"
        assert ask(client, token(studio, "producer")[0], recorded).status_code == 403
    assert studio.size() == size


def test_a_workstation_cannot_say_that_somebody_was_shown_something(studio: Studio, recorded: int) -> None:
    home = home_at(studio.home)
    with open_studio(home) as opened:
        raw = opened.entries.envelope(recorded)
        committed = getattr(opened.statement(recorded).predicate, "commitments", ())
        said = DisclosureAccess(opened.clock.now(), "token:0", tuple(sorted(committed)), committed)
        subject = Artifact(f"entry-{recorded}.dsse.json", sha256_hex(raw))
        payload = statements.encode(Statement((subject,), said))
        with pytest.raises(RakkanError) as caught:
            opened.log.append([dsse.sign(payload, open_device(home, "workstation").signer)])
    assert caught.value.code == "key.not-valid"
