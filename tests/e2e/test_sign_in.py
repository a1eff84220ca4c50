"""People sign in with a real OpenID provider, as a browser does; machines show its tokens."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from fastapi.testclient import TestClient

from ledger.core.people import Rule
from ledger.core.secret import Secret
from ledger.service.access.settings import AccessSettings, SignIn
from tests.e2e.conftest import ROOT, Studio
from tests.e2e.test_tokens import bearer, created
from tests.support.http import WORK, answering, device_key, signed
from tests.support.node import node_modules

BACK = "http://127.0.0.1:9"
LEADS = Rule("groups", ("supervisor",), ("nightfall",), contains="nightfall-leads")
ALICE = Rule("email", ("legal",), ("nightfall",), equals="alice@studio.example")
ROBOT = Rule("sub", ("auditor",), ("*",), equals="robot")


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    """The issuer of a provider that runs."""
    script = ROOT / "tests/support/oidc_provider.mjs"
    command = ["node", str(script), str(node_modules()), f"{BACK}/login/callback"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


@pytest.fixture(params=["public", "rakkan"])
def sign_in(request: pytest.FixtureRequest, issuer: str) -> SignIn:
    secret = Secret("s3cret: with/odd+characters") if request.param == "rakkan" else None
    return SignIn(issuer, request.param, secret, people=(LEADS, ALICE, ROBOT))


@pytest.fixture
def clients(studio: Studio) -> Iterator[Any]:
    """Make an application with these settings."""
    with ExitStack() as stack:

        def make(sign_in: SignIn) -> TestClient:
            return stack.enter_context(
                answering(studio.home, settings=(AccessSettings(public_url=BACK), sign_in))
            )

        yield make


def at_the_provider(address: str, who: str) -> str:
    """Sign in as a browser would, and return the path that the provider sends it back to."""
    with httpx2.Client(timeout=20) as browser:
        answer = browser.get(address)
        while True:
            place = answer.headers.get("location")
            if place is None:
                action = re.search(r'action="([^"]+)"', answer.text)
                prompt = re.search(r'name="prompt" value="([^"]+)"', answer.text)
                assert action is not None, answer.text
                assert prompt is not None, answer.text
                form = {"prompt": prompt[1], "login": who, "password": "x"}
                answer = browser.post(str(answer.url.join(action[1])), data=form)
            elif place.startswith(BACK):
                return place.removeprefix(BACK)
            else:
                answer = browser.get(str(answer.url.join(place)))


def begin(client: TestClient, to: str = "") -> str:
    got = client.get("/login" + (f"?to={to}" if to else ""), follow_redirects=False)
    assert got.status_code == 303, got.text
    return got.headers["location"]


def come_back(client: TestClient, path: str) -> Any:
    return client.get(path, follow_redirects=False)


def test_somebody_signs_in_is_what_the_rules_say_and_signs_out(clients: Any, sign_in: SignIn) -> None:
    client = clients(sign_in)
    back = at_the_provider(begin(client, WORK), "alice")
    got = come_back(client, back)
    assert (got.status_code, got.headers["location"]) == (303, WORK)
    cookie = next(item for item in got.headers.get_list("set-cookie") if item.startswith("rakkan=rks_"))
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    me = client.get("/v1/me").json()
    assert me["roles"] == {"nightfall": ["legal", "supervisor"]}
    assert re.fullmatch(r"person:[0-9a-f]{16}", me["name"])
    assert come_back(client, back).json()["code"] == "signin.refused"
    session = client.cookies["rakkan"]
    assert client.post("/logout").json()["code"] == "access.cross-site"
    assert client.post("/logout", headers={"Sec-Fetch-Site": "same-origin"}).status_code == 204
    assert client.get("/v1/me").json()["name"] == "anybody"
    replayed = client.get("/v1/me", headers={"Cookie": f"rakkan={session}"})
    assert replayed.json()["code"] == "access.ended"


def test_somebody_who_leaves_is_signed_out_everywhere(studio: Studio, clients: Any, issuer: str) -> None:
    client = clients(SignIn(issuer, "public", people=(LEADS,)))
    come_back(client, at_the_provider(begin(client), "alice"))
    name = client.get("/v1/me").json()["name"]
    assert "0 sessions" in studio.ok("token", "sign-out", "person:0000000000000000").out
    assert "1 sessions" in studio.ok("token", "sign-out", name).out
    assert client.get("/v1/me").json()["code"] == "access.ended"


def test_an_address_that_nobody_verified_makes_nobody_of_nobody(clients: Any, sign_in: SignIn) -> None:
    client = clients(sign_in)
    got = come_back(client, at_the_provider(begin(client), "mallory"))
    assert (got.status_code, got.json()["code"]) == (403, "signin.nobody")
    assert "rakkan" not in client.cookies


def test_another_browser_cannot_finish_what_one_began(clients: Any, sign_in: SignIn) -> None:
    client = clients(sign_in)
    back = at_the_provider(begin(client), "alice")
    client.cookies.clear()
    assert come_back(client, back).json()["code"] == "signin.refused"
    begin(client)
    assert come_back(client, back).json()["code"] == "signin.refused"


def test_a_code_counts_once_and_for_its_own_sign_in(clients: Any, sign_in: SignIn) -> None:
    client = clients(sign_in)
    used = parse_qs(urlsplit(at_the_provider(begin(client), "alice")).query)["code"][0]
    state = parse_qs(urlsplit(begin(client)).query)["state"][0]
    got = come_back(client, f"/login/callback?state={state}&code={used}")
    assert (got.status_code, got.json()["code"]) == (401, "signin.refused")
    assert come_back(client, f"/login/callback?state={state}&code={used}").json()["code"] == "signin.refused"
    begin(client)
    got = come_back(client, f"/login/callback?state={state}&error=access_denied")
    assert got.json()["code"] == "signin.refused"


@pytest.mark.parametrize("to", ["//evil.example", "https://evil.example", "/\\evil", "/%0d%0aX: y", "x"])
def test_nobody_is_sent_elsewhere_after_signing_in(clients: Any, issuer: str, to: str) -> None:
    client = clients(SignIn(issuer, "public"))
    got = client.get(f"/login?to={to}", follow_redirects=False)
    assert (got.status_code, got.json()["code"]) == (400, "request.malformed")


def test_a_machine_shows_the_providers_token(clients: Any, studio: Studio, issuer: str) -> None:
    def token(resource: str) -> str:
        form = {"grant_type": "client_credentials", "scope": "read", "resource": resource}
        answer = httpx2.post(f"{issuer}/token", data=form, auth=("robot", "robot-secret"))
        found: str = answer.json()["access_token"]
        return found

    settings = SignIn(issuer, "public", audience="https://log.studio", people=(ROBOT,))
    text = token("https://log.studio")
    client = clients(settings)
    assert client.get(WORK, headers=bearer(text)).json()["roles"] == {"*": ["auditor"]}
    head, body, _ = text.split(".")
    for wrong in (f"{head}.{body}.", text[:-6] + "AAAAAA", f"e30.{body}.x", "a.b.c", ".."):
        assert client.get("/v1/me", headers=bearer(wrong)).json()["code"] == "access.credential", wrong
    for other in (
        replace(settings, audience="https://other.studio"),
        replace(settings, audience=""),
    ):
        got = clients(other).get(WORK, headers=bearer(text))
        assert (got.status_code, got.json()["code"]) == (401, "access.credential")
    got = clients(replace(settings, people=())).get(WORK, headers=bearer(text))
    assert (got.status_code, got.json()["code"]) == (403, "access.denied")


def test_a_provider_that_is_down_stops_only_those_who_need_it(clients: Any, studio: Studio) -> None:
    client = clients(SignIn("http://127.0.0.1:9", "public", audience="x"))
    for got in (
        client.get("/login", follow_redirects=False),
        client.get(WORK, headers=bearer("eyJhbGciOiJSUzI1NiIsImtpZCI6IjEifQ.e30.eA")),
    ):
        assert (got.status_code, got.json()["code"]) == (503, "signin.unavailable")
        assert got.headers["retry-after"]
    assert client.get(WORK, headers=bearer(created(studio, "--role", "artist")["token"])).status_code == 200
    key = device_key(studio.home, "workstation")
    assert client.get(WORK, headers=signed(key, "GET", WORK)).status_code == 200


def test_without_a_provider_nobody_signs_in(studio: Studio) -> None:
    with answering(studio.home) as client:
        assert client.get("/login").json()["code"] == "signin.off"
        assert client.get("/v1/me", headers=bearer("a.b.c")).json()["code"] == "access.credential"
