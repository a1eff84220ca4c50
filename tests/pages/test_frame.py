"""What is around every page: languages, signing in and out, refusals, and the browser's own complaints."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.pages import start
from ledger.core.access import EVERY, Role
from ledger.core.secret_text import Kind
from ledger.service.access.credentials import OWNER, Wanted
from ledger.wiring import home_at
from ledger.wiring.access import open_credentials
from tests.pages.conftest import Open
from tests.support.demo import Demo
from tests.support.pages import SCHEMES, Site, needs_chromium

pytestmark = needs_chromium


@pytest.mark.parametrize("path", ["/", "/sign-in", "/nowhere"])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_nothing_keeps_anybody_out(visit: Open, path: str, scheme: str) -> None:
    window = visit(color_scheme=scheme)
    window.go(path, 404 if path == "/nowhere" else 200)
    assert window.audit() == []


def test_a_small_screen_shows_all_of_it(visit: Open) -> None:
    window = visit(viewport={"width": 320, "height": 700})
    window.go("/")
    assert not window.overflows()


def test_the_language_is_the_readers_until_they_choose_another(visit: Open) -> None:
    window = visit(locale="ja-JP")
    page = window.go("/")
    assert page.get_attribute("html", "lang") == "ja"
    page.click("footer >> text=English")
    assert page.get_attribute("html", "lang") == "en"
    assert window.go("/sign-in").get_attribute("html", "lang") == "en"
    arabic = window.go("/?lang=ar")
    assert arabic.get_attribute("html", "dir") == "rtl"


@pytest.mark.parametrize("scripts", [True, False])
def test_a_token_begins_a_session_that_ends_with_it(visit: Open, site: Site, *, scripts: bool) -> None:
    with open_credentials(home_at(site.home)) as credentials:
        wanted = Wanted(Kind.TOKEN, "board", {EVERY: frozenset({Role.PRODUCER})})
        text, made = credentials.make(wanted, OWNER)
        window = visit(java_script_enabled=scripts)
        page = window.go("/sign-in?to=/sign-in")
        page.fill("#token", "rkn_wrong")
        page.click("main button")
        assert "not known here" in page.inner_text("[role=alert]")
        page.fill("#token", text)
        page.click("main button")
        page = window.go("/")
        assert "producer" in page.inner_text(".who")
        credentials.revoke(Kind.TOKEN, made.identifier)
        assert "Your session has ended" in window.go("/", 401).inner_text("h1")
        assert window.go("/").inner_text(".who") == "Sign in"


def test_signing_out_ends_it(visit: Open, site: Site) -> None:
    with open_credentials(home_at(site.home)) as credentials:
        text, _ = credentials.make(Wanted(Kind.TOKEN, "board", {EVERY: frozenset({Role.LEGAL})}), OWNER)
    window = visit()
    page = window.go("/sign-in?to=/")
    page.fill("#token", text)
    page.click("main button")
    (kept,) = [each["value"] for each in window.page.context.cookies() if each["name"] == "rakkan"]
    page.click("text=Sign out")
    assert page.inner_text(".who") == "Sign in"
    window.page.context.add_cookies([{"name": "rakkan", "value": kept, "url": site.url}])
    window.go("/", 401)


def test_a_program_gets_the_problem_itself(site: Site, visit: Open) -> None:
    window = visit()
    answer = window.page.request.get(f"{site.url}/nowhere", headers={"accept": "application/json"})
    assert json.loads(answer.body())["code"] == "request.no-such-route"


def test_another_site_signs_nobody_in(site: Site, visit: Open) -> None:
    window = visit()
    answer = window.page.request.post(
        f"{site.url}/sign-in", form={"token": "x"}, headers={"origin": "https://elsewhere.example"}
    )
    assert answer.status == 403


def test_what_was_not_foreseen_is_a_page_too(
    demo: Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(demo.untouched / "home", tmp_path / "home")
    monkeypatch.setattr(start, "productions_of", lambda *_: 1 / 0)
    with TestClient(create_app(tmp_path / "home"), raise_server_exceptions=False) as client:
        answer = client.get("/", headers={"accept": "text/html"})
        assert answer.status_code == 500
        assert "It was not your fault" in answer.text
        assert client.get("/").json()["code"] == "server.fault"
