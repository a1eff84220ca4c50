"""The board as people use it: by mouse, by the keyboard alone, without scripts, on a small screen, live."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from ledger.core.access import EVERY, Role
from ledger.core.artifact import Artifact
from ledger.core.predicates import Step
from ledger.core.predicates.step import Evidence, Place, StepAction, Tool
from ledger.core.secret_text import Kind
from ledger.service.access.credentials import OWNER, Wanted
from ledger.testing import FixedClock
from ledger.wiring import SystemClock, home_at, open_studio
from ledger.wiring.access import open_credentials
from tests.pages.conftest import Open
from tests.support.builders import digest
from tests.support.pages import SCHEMES, Site, needs_chromium

pytestmark = needs_chromium
BOARD = "/productions/moonrise"
SHOT = f"{BOARD}/shots/sq010/sh020"
PLACES = (
    BOARD,
    SHOT,
    *(f"{BOARD}/{name}" for name in ("findings", "changes", "activity", "reports", "verdicts")),
)


def test_from_a_shot_to_a_frame_and_its_way_in_two_clicks(visit: Open) -> None:
    window = visit(Role.PRODUCER)
    page = window.go("/productions")
    page.click("main >> text=moonrise")
    assert "1 of 14 final files is blocked under" in page.inner_text("h1")
    page.click(".worst h3 a")
    assert "sh020" in page.inner_text("h1")
    assert page.locator(".contact li").count() == 14
    page.click(".contact a:has-text('unlicensed-model.png')")
    assert "/frames/" in page.url
    assert "Blocked" in page.inner_text("main")
    page.go_back()
    assert page.get_attribute(".contact a >> nth=0", "href") != page.get_attribute(
        ".contact a >> nth=1", "href"
    )
    assert window.complaints == []


@pytest.mark.parametrize("scheme", SCHEMES)
def test_no_place_of_the_board_keeps_anybody_out(visit: Open, scheme: str) -> None:
    window = visit(Role.LEGAL, color_scheme=scheme)
    for place in ("/productions", *PLACES):
        window.go(place)
        assert window.audit() == [], place


def test_it_is_whole_without_scripts_and_by_the_keyboard_alone(visit: Open) -> None:
    window = visit(Role.SUPERVISOR, java_script_enabled=False)
    page = window.go(BOARD)
    page.focus("[name=text]")
    page.keyboard.type("nobody called it so")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("text=nobody"))
    assert "No shot is like that" in window.text()
    page.locator("text=Show all").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/productions/moonrise\?policy=[a-z-]+#shots"))
    page.focus("[name=verdict]")
    page.keyboard.type("Blo")
    tabbed_to(page, "Filter")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("verdict=blocked"))
    assert "sh020" in page.inner_text("#shots ~ .scroll")
    page.locator("#shots ~ .scroll a").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/shots/sq010/sh020"))


def tabbed_to(page: Page, name: str) -> None:
    for _ in range(10):
        page.keyboard.press("Tab")
        if page.locator("*:focus").inner_text() == name:
            return
    raise AssertionError(name)


def test_another_policy_has_another_answer_and_goes_along(visit: Open) -> None:
    window = visit(Role.LEGAL)
    page = window.go(BOARD)
    page.select_option(".asof [name=policy]", "internal-previz")
    page.click(".asof button")
    assert "internal-previz" in page.inner_text("h1")
    page.click("#shots ~ .scroll a")
    assert "internal-previz" in page.inner_text("main")
    assert window.go(f"{BOARD}?policy=nobodys", 400).inner_text("h1")


def test_findings_lead_to_who_may_accept_them(visit: Open) -> None:
    page = visit(Role.LEGAL).go(f"{BOARD}/findings")
    href = page.get_attribute("article:first-of-type a:has-text('Accept it')", "href")
    assert href is not None
    assert re.fullmatch(rf"{BOARD}/rights/decisions/override\?code=[A-Z_]+&thing=[0-9a-f]{{64}}", href)
    assert "Accept it" not in visit(Role.PRODUCER).go(f"{BOARD}/findings").inner_text("main")
    artist = visit(Role.ARTIST).go(f"{BOARD}/findings").inner_text("main")
    assert "Nobody has recorded a permission for it." in artist
    assert "dreamweft" not in artist


def test_changes_are_those_since_a_day_that_somebody_chooses(visit: Open) -> None:
    window = visit(Role.PRODUCER)
    page = window.go(f"{BOARD}/changes?since=2026-01-01")
    assert "files are new" in page.inner_text(".stats")
    assert "A grant was recorded" in window.text()
    page.fill("[type=date]", SystemClock().now().date().isoformat())
    page.click("text=Show >> nth=-1")
    assert "2026" in page.inner_text("h1")
    window.go(f"{BOARD}/changes?since=yesterday", 400)


def test_who_is_not_shown_the_board_finds_what_is_theirs(visit: Open) -> None:
    window = visit(Role.DISTRIBUTOR)
    page = window.go("/")
    page.click("main >> text=moonrise")
    page.click("text=Verdicts on record")
    assert "Cleared" in window.text()
    page.go_back()
    page.click("main >> text=Reports")
    page.click("text=Have a report made")
    assert any(word in window.text() for word in ("waits", "being made", "is done"))
    window.go(BOARD, 403)


def test_a_small_screen_shows_all_of_it_in_japanese(visit: Open) -> None:
    window = visit(Role.LEGAL, viewport={"width": 320, "height": 700}, locale="ja-JP")
    for place in PLACES:
        page = window.go(place)
        assert page.get_attribute("html", "lang") == "ja"
        assert not window.overflows(), place


def test_what_happens_appears_by_itself_unless_somebody_reads(visit: Open, site: Site) -> None:
    window = visit(Role.PRODUCER)
    page = window.go(f"{BOARD}/activity")
    expect(page.locator(".live [role=status]")).to_contain_text("by themselves")
    record(site, "<b>first</b>.1001.png")
    expect(page.locator(".happened li").first).to_contain_text("<b>first</b>.1001.png", timeout=60_000)
    page.click(".live button")
    record(site, "second.1001.png")
    expect(page.locator(".live [role=status]")).to_contain_text("Paused")
    page.wait_for_timeout(1_500)
    assert "second.1001.png" not in page.inner_text(".happened")
    page.click(".live button")
    expect(page.locator(".happened li").first).to_contain_text("second.1001.png", timeout=60_000)
    assert window.complaints == []


def test_a_lost_connection_and_an_ended_session_are_told(visit: Open, site: Site) -> None:
    with open_credentials(home_at(site.home)) as credentials:
        text, made = credentials.make(Wanted(Kind.SESSION, "x", {EVERY: frozenset({Role.PRODUCER})}), OWNER)
        window = visit()
        window.page.context.add_cookies([{"name": "rakkan", "value": text, "url": site.url}])
        page = window.go(f"{BOARD}/activity")
        said = page.locator(".live [role=status]")
        expect(said).to_contain_text("by themselves")
        page.route("**/activity", lambda route: route.abort())
        record(site, "lost.1001.png")
        expect(said).to_contain_text("connection is lost", timeout=60_000)
        page.unroute("**/activity")
        credentials.revoke(Kind.SESSION, made.identifier)
        record(site, "ended.1001.png")
        expect(said).to_contain_text("session has ended", timeout=60_000)


def record(site: Site, name: str) -> None:
    """Have a device record one more file, as another process does."""
    home = home_at(site.home)
    with open_studio(home) as studio:
        now = FixedClock(studio.clock.now()).now()
        place = Place(studio.production, "sq010", "sh020", "test", "v001", (1001, 1001))
        step = Step(name, StepAction.DRAW, Evidence.OBSERVED, place, now, now, "actor:1", Tool("t", "1"))
        signer = home.statement_signer("workstation")
        studio.state(signer, (Artifact(name, digest(name)),), step)
