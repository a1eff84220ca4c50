"""What a cookie vouches for, what every answer carries, and how often anybody may come."""

from __future__ import annotations

import logging
from functools import partial
from pathlib import Path

import pytest

from api.limits import Limiter
from ledger.core.access import Role
from ledger.core.rate import Budget
from ledger.core.secret_text import Kind
from ledger.service.access.credentials import OWNER, Wanted
from ledger.service.access.settings import AccessSettings, Limits
from ledger.wiring import home_at
from ledger.wiring.access import open_credentials
from tests.e2e.conftest import Studio
from tests.support.http import WORK, answering

TLS = AccessSettings(public_url="https://log.studio")


def session(home: Path, *roles: Role) -> str:
    with open_credentials(home_at(home)) as credentials:
        wanted = Wanted(Kind.SESSION, "somebody", {"nightfall": frozenset(roles)}, 600)
        return credentials.make(wanted, OWNER)[0]


def test_a_cookie_is_its_session(studio: Studio) -> None:
    cookie = session(studio.home, Role.ARTIST)
    with answering(studio.home) as client:
        assert client.get(WORK, headers={"Cookie": f"a=b; rakkan={cookie}"}).json()["roles"] == {
            "nightfall": ["artist"]
        }
        for text in (cookie[:-1], "", "x"):
            got = client.get("/probe", headers={"Cookie": f"rakkan={text}"})
            assert (got.status_code, got.json()["code"]) == (401, "access.credential")
        twice = client.get(WORK, headers={"Cookie": f"rakkan={cookie}; rakkan={cookie}"})
        assert twice.json()["code"] == "access.credential"
        assert client.get(WORK, headers={"Cookie": f"theme=dark; rakkan2={cookie}"}).status_code == 401


def test_over_tls_only_a_cookie_of_this_very_host_counts(studio: Studio) -> None:
    cookie = session(studio.home, Role.ARTIST)
    with answering(studio.home, settings=(TLS,)) as client:
        assert client.get(WORK, headers={"Cookie": f"__Host-rakkan={cookie}"}).status_code == 200
        assert client.get(WORK, headers={"Cookie": f"rakkan={cookie}"}).json()["code"] == "access.unknown"


def test_a_session_that_ended_is_refused_once_and_its_cookie_taken_back(studio: Studio) -> None:
    cookie = session(studio.home, Role.ARTIST)
    with answering(studio.home) as client, open_credentials(home_at(studio.home)) as credentials:
        credentials.revoke(Kind.SESSION, cookie.split("_")[1])
        got = client.get("/probe", headers={"Cookie": f"rakkan={cookie}"})
        assert (got.status_code, got.json()["code"]) == (401, "access.ended")
        assert got.headers["set-cookie"].startswith('rakkan="";')
        assert "Max-Age=0" in got.headers["set-cookie"]


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://testserver"}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
        ({"Origin": "http://testserver"}, 200),
        ({"Origin": "http://testserver.evil.example"}, 403),
        ({"Origin": "null"}, 403),
    ],
)
def test_a_cookie_changes_something_only_from_our_own_pages(
    studio: Studio, fields: dict[str, str], status: int
) -> None:
    cookie = {"Cookie": f"rakkan={session(studio.home, Role.ARTIST)}"}
    with answering(studio.home) as client:
        got = client.post("/probe", json={"a": 1}, headers={**cookie, **fields})
        assert got.status_code == status
        assert client.get("/probe", headers={**cookie, **fields}).status_code == 200


def test_every_answer_carries_the_fields_that_browsers_obey(studio: Studio) -> None:
    with answering(studio.home, settings=(TLS,)) as client:
        answers = [
            client.get("/health"),
            client.get(WORK),
            client.get("/nowhere"),
            client.post("/probe", content=b"{"),
            client.get("/probe", headers={"Authorization": "Bearer x"}),
        ]
    assert [got.status_code for got in answers] == [200, 401, 404, 400, 401]
    for got in answers:
        assert got.headers["x-content-type-options"] == "nosniff"
        assert got.headers["referrer-policy"] == "no-referrer"
        assert got.headers["content-security-policy"].startswith("default-src 'none'")
        assert got.headers["cache-control"] == "no-store"
        assert got.headers["strict-transport-security"] == "max-age=31536000"
    with answering(studio.home) as client:
        assert "strict-transport-security" not in client.get("/health").headers


def test_a_bug_says_nothing_and_carries_the_fields_too(studio: Studio) -> None:
    from fastapi.testclient import TestClient

    from api.app import create_app

    def broken() -> None:
        raise ValueError(f"a secret in {studio.home}")

    application = create_app(studio.home)
    application.get("/broken")(broken)
    with TestClient(application, raise_server_exceptions=False) as client:
        got = client.get("/broken")
    assert (got.status_code, got.json()["code"]) == (500, "server.fault")
    assert "secret" not in got.text
    assert got.headers["x-content-type-options"] == "nosniff"


def test_whoever_comes_too_often_is_told_when_to_come_back(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.app.Limiter", partial(Limiter, clock=lambda: 0.0))  # no machine is slow then
    cookie = {"Cookie": f"rakkan={session(studio.home, Role.ARTIST)}"}
    once = Budget(0.1, 1)
    limits = Limits(once, Budget(1, 9), once, Budget(1, 9), once)
    with answering(studio.home, settings=(limits,)) as client:
        first, second = client.get("/probe"), client.get("/probe")
        assert first.headers["ratelimit-policy"] == '"read";q=1;w=10'
        assert first.headers["ratelimit"] == '"read";r=0;t=10'
        assert (second.status_code, second.json()["code"]) == (429, "request.rate")
        assert second.headers["retry-after"] == "10"
        assert [client.get("/probe", headers=cookie).status_code for _ in range(3)] == [200] * 3


def test_bad_credentials_are_slowed_down_and_stop_no_good_one(
    studio: Studio, caplog: pytest.LogCaptureFixture
) -> None:
    cookie = {"Cookie": f"rakkan={session(studio.home, Role.ARTIST)}"}
    settings = (Limits(failures=Budget(0.1, 2)),)
    with (
        answering(studio.home, settings=settings) as client,
        caplog.at_level(logging.WARNING, "rakkan.access"),
    ):
        bad = {"Authorization": "Bearer rkn_very_secret_thing"}
        assert [client.get("/probe", headers=bad).status_code for _ in range(4)] == [401, 401, 429, 429]
        assert client.get("/probe", headers=cookie).status_code == 200
    told = [record.getMessage() for record in caplog.records if record.name == "rakkan.access"]
    assert told == ["refused access.credential from testclient"] * 4
