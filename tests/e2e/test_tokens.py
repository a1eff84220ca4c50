"""API tokens: shown once, never beyond their maker, ended with it; a bad one is never taken for nobody."""

from __future__ import annotations

import sqlite3
import time
from typing import Any

import pytest
from fastapi.testclient import TestClient

from ledger.adapters.sql.accounts import SqlCredentialStore
from ledger.errors import RefusedError
from tests.e2e.conftest import Studio
from tests.support.http import WORK, answering

TOKENS = "/v1/productions/nightfall/tokens"


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def created(studio: Studio, *options: object) -> dict[str, Any]:
    found: dict[str, Any] = studio.ok("token", "create", "somebody", *options, "--json").json
    return found


def answer(client: TestClient, token: str, path: str = WORK) -> tuple[int, str]:
    got = client.get(path, headers=bearer(token))
    return got.status_code, got.json().get("code", "")


def change(studio: Studio, sql: str, *values: object) -> None:
    with sqlite3.connect(studio.home / "ledger.sqlite") as connection:
        connection.execute(sql, values)
    connection.close()


def test_a_token_is_its_roles_on_its_production(studio: Studio) -> None:
    made = created(studio, "--role", "artist", "--role", "supervisor")
    everywhere = created(studio, "--role", "legal", "--production", "*")
    elsewhere = created(studio, "--role", "legal", "--production", "daybreak")
    with answering(studio.home) as client:
        seen = client.get(WORK, headers=bearer(made["token"])).json()
        assert seen == {
            "name": f"token:{made['id']}",
            "roles": {"nightfall": ["artist", "supervisor"]},
            "party": None,
        }
        assert answer(client, everywhere["token"]) == (200, "")
        assert answer(client, elsewhere["token"]) == (403, "access.denied")
        assert answer(client, made["token"], TOKENS) == (403, "access.denied")


def test_what_is_stored_opens_nothing(studio: Studio) -> None:
    made = created(studio, "--role", "artist")
    stored = repr(studio.rows("credential"))
    assert made["token"] not in stored
    assert made["token"].split("_")[2] not in stored
    assert made["token"] not in studio.ok("token", "list").out
    assert made["id"] in studio.ok("token", "list").out


@pytest.mark.parametrize("path", [WORK, "/probe", "/health"])
def test_a_bad_token_is_refused_on_public_routes_too(studio: Studio, path: str) -> None:
    made = created(studio, "--role", "artist")["token"]
    kind, identifier, secret, checksum = made.split("_")
    other = created(studio, "--role", "artist")["token"]
    with answering(studio.home) as client:
        wrong = [
            made[:-1],
            made.upper(),
            f"{kind}_{identifier}_{secret[::-1]}_{checksum}",
            "rkn_",
            "",
            "e30.e30.x",
        ]
        wrong += [made.replace("rkn_", "rks_"), other.replace(other.split("_")[1], identifier)]
        for text in wrong:
            assert answer(client, text, path) == (401, "access.credential"), text
        assert answer(client, made, path)[0] == 200
        for fields in ({"Authorization": made}, {"Authorization": f"Basic {made}"}):
            assert client.get(path, headers=fields).json()["code"] == "access.credential"
        twice = [("Authorization", f"Bearer {made}"), ("authorization", f"Bearer {other}")]
        assert client.get(path, headers=twice).json()["code"] == "access.credential"


def test_a_token_ends_while_the_server_runs(studio: Studio) -> None:
    made, other = (created(studio, "--role", "artist") for _ in range(2))
    with answering(studio.home) as client:
        assert answer(client, made["token"]) == (200, "")
        studio.ok("token", "revoke", made["id"])
        assert answer(client, made["token"]) == (401, "access.ended")
        change(
            studio, "UPDATE credential SET expires = ? WHERE identifier = ?", int(time.time()), other["id"]
        )
        assert answer(client, other["token"]) == (401, "access.ended")
    studio.fails("access.no-such-credential", "token", "revoke", "0" * 16)
    assert studio.ok("token", "list").out.count("revoked") == 1


def test_the_day_of_the_last_use_is_kept_and_no_more(studio: Studio) -> None:
    made = created(studio, "--role", "artist")
    with answering(studio.home) as client:
        for _ in range(3):
            answer(client, made["token"])
    (row,) = studio.rows("credential")
    assert row[-3:] == (None, int(time.time()) // 86400 * 86400, 1)


def test_a_busy_database_keeps_nobody_out(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: object) -> None:
        raise RefusedError("log.busy", "Another process is writing to this log.")

    made = created(studio, "--role", "artist")
    monkeypatch.setattr(SqlCredentialStore, "use", busy)
    with answering(studio.home) as client:
        assert answer(client, made["token"]) == (200, "")


def test_an_operator_makes_tokens_that_hold_no_more_than_they_do(studio: Studio) -> None:
    boss = created(studio, "--role", "operator", "--role", "artist", "--expires", "10")
    with answering(studio.home) as client:

        def make(token: str, **wanted: object) -> Any:
            return client.post(TOKENS, json={"name": "bot", **wanted}, headers=bearer(token))

        assert make(boss["token"], roles=["legal"]).json()["code"] == "access.beyond"
        assert make(boss["token"], roles=["device"]).json()["code"] == "access.wanted"
        assert make(boss["token"], roles=["artist"], days=367).status_code == 400
        grown = make(boss["token"], roles=["operator", "artist"], days=300)
        assert grown.status_code == 201
        child = grown.json()
        assert child["maker"] == f"token:{boss['id']}"
        assert child["expires"] <= boss["expires"]
        grandchild = make(child["token"], roles=["artist"]).json()
        assert answer(client, grandchild["token"]) == (200, "")
        assert make(grandchild["token"], roles=["artist"]).status_code == 403
        listed = client.get(TOKENS, headers=bearer(boss["token"])).json()["tokens"]
        assert {item["id"] for item in listed} == {boss["id"], child["id"], grandchild["id"]}
        assert "token" not in listed[0]
        studio.ok("token", "revoke", boss["id"])
        for ended in (boss, child, grandchild):
            assert answer(client, ended["token"]) == (401, "access.ended")


def test_a_token_for_other_productions_is_not_revoked_from_one(studio: Studio) -> None:
    boss = created(studio, "--role", "operator")
    wide = created(studio, "--role", "legal", "--production", "nightfall", "--production", "daybreak")
    own = created(studio, "--role", "legal")
    with answering(studio.home) as client:
        shown = client.get(TOKENS, headers=bearer(boss["token"])).json()["tokens"]
        assert [list(item["roles"]) for item in shown] == [["nightfall"]] * 3
        assert client.delete(f"{TOKENS}/{wide['id']}", headers=bearer(boss["token"])).status_code == 404
        assert client.delete(f"{TOKENS}/{own['id']}", headers=bearer(boss["token"])).status_code == 204
        assert answer(client, own["token"]) == (401, "access.ended")
        assert answer(client, wide["token"]) == (200, "")


@pytest.mark.parametrize(
    "options",
    [
        ("--role", "artist", "--expires", "0"),
        ("--role", "artist", "--expires", "367"),
        ("--role", "rights-holder"),
        ("--role", "artist", "--party", "mori"),
    ],
)
def test_what_nobody_can_hold_is_refused(studio: Studio, options: tuple[str, ...]) -> None:
    studio.fails("access.wanted", "token", "create", "x", *options)


def test_a_rebuild_leaves_the_tokens(studio: Studio) -> None:
    created(studio, "--role", "artist")
    before = studio.rows("credential")
    studio.ok("rebuild")
    assert studio.rows("credential") == before
