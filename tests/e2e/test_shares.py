"""A link shows one file, counts its openings, ends, and is good for nothing else."""

from __future__ import annotations

import time

import pytest

from ledger.core.digest import sha256_hex
from tests.e2e.conftest import Studio
from tests.e2e.test_tokens import bearer, change, created
from tests.support.cleared import policy
from tests.support.http import WORK, answering

SHARES = "/v1/productions/nightfall/shares"


@pytest.fixture
def file(studio: Studio) -> str:
    """The SHA-256 of a recorded file."""
    studio.license()
    path = studio.record(studio.png(), "--action", "generate", "--tool", "painter 1.0", "--model", "sky")
    return sha256_hex(path.read_bytes())


def test_a_link_shows_its_file_to_anybody_and_counts(studio: Studio, file: str) -> None:
    made = studio.ok("share", "create", file, "--expires", "14", "--json").json
    with answering(studio.home) as client:
        for _ in range(2):
            got = client.get(made["url"])
            answer = got.json()
            assert answer.pop("verification")["outcome"] == "recorded"
            assert answer == {
                "production": "nightfall",
                "sha256": file,
                "name": "frame.png",
                "expires": made["expires"],
                "verdicts": [],
            }
            assert got.headers["cache-control"] == "no-store"
            assert got.headers["referrer-policy"] == "no-referrer"
    (listed,) = studio.ok("share", "list", "--json").json
    assert (listed["openings"], listed["sha256"], listed["maker"]) == (2, file, "owner")
    assert "opened 2" in studio.ok("share", "list").out
    assert made["url"].split("_")[2] not in repr(studio.rows("credential"))


def test_what_is_shown_is_what_a_distributor_may_see(nightfall: Studio) -> None:
    studio = nightfall
    studio("clear", ".", *policy(studio), "--record")
    with answering(studio.home) as client:
        token = bearer(created(studio, "--role", "distributor")["token"])
        listed = client.get("/v1/productions/nightfall/verdicts", headers=token).json()["verdicts"]
        file = listed[0]["sha256"]
        direct = client.get(f"/v1/productions/nightfall/verdicts/{file}", headers=token).json()
        url = studio.ok("share", "create", file, "--json").json["url"]
        assert client.get(url).json()["verdicts"] == direct["verdicts"] != []


def test_a_link_is_no_token_and_a_token_no_link(studio: Studio, file: str) -> None:
    url = studio.ok("share", "create", file, "--json").json["url"]
    token = created(studio, "--role", "producer")["token"]
    with answering(studio.home) as client:
        for text in (url.removeprefix("/s/"), url):
            assert client.get(WORK, headers=bearer(text)).json()["code"] == "access.credential"
        for path in (
            f"/s/{token}",
            f"{url[:-1]}{'0' if url[-1] != '0' else '1'}",
            f"{url}0",
            "/s/x",
            f"/s/{'a' * 5000}",
        ):
            got = client.get(path)
            assert (got.status_code, got.json()["code"]) == (404, "share.unknown"), path
            assert token not in got.text


def test_a_link_ends_by_time_and_by_hand(studio: Studio, file: str) -> None:
    one, other = (studio.ok("share", "create", file, "--json").json for _ in range(2))
    with answering(studio.home) as client:
        studio.ok("share", "revoke", one["id"])
        change(
            studio, "UPDATE credential SET expires = ? WHERE identifier = ?", int(time.time()), other["id"]
        )
        for made in (one, other):
            got = client.get(made["url"])
            assert (got.status_code, got.json()["code"]) == (410, "share.ended")
            assert file not in got.text


def test_a_producer_makes_lists_and_revokes_links(studio: Studio, file: str) -> None:
    boss = created(studio, "--role", "producer")
    with answering(studio.home) as client:
        fields = bearer(boss["token"])
        wanted = {"sha256": file, "name": "ep07", "days": 14}
        made = client.post(SHARES, json=wanted, headers=fields).json()
        assert client.get(made["path"]).json()["name"] == "ep07"
        (listed,) = client.get(SHARES, headers=fields).json()["shares"]
        assert listed["openings"] == 1
        assert "path" not in listed
        assert client.delete(f"{SHARES}/{made['id']}", headers=fields).status_code == 204
        assert client.get(made["path"]).status_code == 410
        again = client.post(SHARES, json=wanted, headers=fields).json()
        studio.ok("token", "revoke", boss["id"])
        assert client.get(again["path"]).status_code == 410
        unknown = client.post(SHARES, json={"sha256": "0" * 64}, headers=bearer(boss["token"]))
        assert unknown.json()["code"] == "access.ended"
    studio.fails("asset.unknown", "share", "create", "0" * 64)
