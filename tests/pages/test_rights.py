"""The rights desk as a producer, a lawyer and a rights holder use it; much of everything, hostile names."""

from __future__ import annotations

import csv
import json
import re
import shlex
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, expect

from ledger.core.access import Role
from ledger.core.digest import sha256_hex
from tests.pages.conftest import Open
from tests.support.demo import Demo
from tests.support.desk import BASE, CROWD, CYCLE, FAMILY, GRANTS, HOSTILE, lora, made_desk, midnight
from tests.support.pages import SCHEMES, Site, needs_chromium, serving, visiting

pytestmark = needs_chromium
RIGHTS = "/productions/nightfall/rights"
LIMIT = 150_000
"""Bytes of a page, without pictures."""


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Two thousand grants about one dataset, and a family of three hundred."""
    with serving(made_desk(tmp_path_factory.mktemp("crowded") / "home").folder) as running:
        yield running


@pytest.fixture
def look(browser: Browser, crowded: Site) -> Iterator[Open]:
    """Open windows on the crowded production."""
    with ExitStack() as windows:
        yield lambda role=None, **options: windows.enter_context(visiting(browser, crowded, role, **options))


def test_a_producer_finds_what_ends_and_what_hangs_on_it(look: Open) -> None:
    window = look(Role.PRODUCER)
    page = window.go(RIGHTS)
    ending = page.locator("section", has=page.locator("#ending"))
    assert "G-soon" in ending.inner_text()
    assert "C-soon" in ending.inner_text()
    page.click("text=30 days")
    assert "C-soon" not in ending.inner_text()
    page.click("text=365 days")
    assert ending.locator("tbody tr").count() == 5
    page.click("#main >> text=G-soon")
    text = window.text()
    for words in ("Mori Studio", "nobody-registered", "Europe, Japan", "France", "streaming", "Nightfall"):
        assert words in text
    assert "never opened here" in text
    page.click("text=Mori Studio")
    assert page.inner_text("h1") == "Mori Studio"
    page.click("text=W-1")
    assert "2 / 3" in window.text()
    assert window.audit() == []
    assert "Revoke it" not in text


def test_what_would_change_is_seen_before_it_is_signed(look: Open) -> None:
    window = look(Role.LEGAL)
    page = window.go(f"{RIGHTS}/grants/G-dataset-0")
    page.click("text=What if it were revoked?")
    assert "rest on it" in page.inner_text("[role=status]")
    page.fill("[name=from]", (midnight() - timedelta(days=30)).date().isoformat())
    page.click("button:text('Calculate')")
    expect(page.locator("[role=status]")).to_contain_text("would have another verdict")
    assert page.locator("svg.strip").count() == 2
    assert "The grant was revoked" in window.text()
    assert "rakkan grant revoke --effective" in page.inner_text("pre")
    assert window.audit() == []
    page.click("text=Revoke “G-dataset-0” in a form")
    expect(page).to_have_url(re.compile(r"/rights/decisions/revoke\?grant=G-dataset-0$"))
    assert "G-dataset-0" in page.inner_text("#main")


def test_a_command_holds_a_hostile_name_as_one_word(look: Open) -> None:
    name = f"{HOSTILE}-20"
    page = look(Role.PRODUCER).go(f"{RIGHTS}/impact?grant={quote(name, safe='')}&from=2026-02-01")
    command = page.inner_text("pre")
    assert shlex.split(command) == ["rakkan", "grant", "revoke", "--effective", "2026-02-01", "--", name]


@pytest.mark.slow
@pytest.mark.sample
def test_thousands_of_rows_and_hostile_names_stay_a_page(look: Open) -> None:
    window = look(Role.AUDITOR)
    part = quote(quote(HOSTILE, safe=""), safe="")
    for path in (
        "",
        "/all/grants",
        f"/models/{BASE}",
        f"/datasets/{CROWD}?known=2026-03-01",
        f"/grants/{part}-0",
        f"/all/parties/{part}",
        f"/all/titles/{part}",
        f"/impact?grant={CROWD}&from=2026-06-01",
    ):
        page = window.go(RIGHTS + path)
        assert len(page.content().encode()) < LIMIT, path
        assert page.locator("main img").count() == 0
        assert not window.overflows(), path
    assert window.complaints == []


@pytest.mark.parametrize("scheme", SCHEMES)
def test_nothing_keeps_anybody_out(look: Open, scheme: str) -> None:
    window = look(Role.LEGAL, color_scheme=scheme)
    for path in (f"/models/{CYCLE}", "/grants/G-crowd-8", "/all/services/vendor-1/video"):
        window.go(RIGHTS + path)
        assert window.audit() == [], path


def test_two_thousand_grants_are_gone_through_page_by_page(look: Open) -> None:
    window = look(Role.PRODUCER, java_script_enabled=False)
    page = window.go(f"{RIGHTS}/all/grants?q=crowd")
    assert f"{GRANTS * 9 // 10:,}" in page.inner_text("[role=status]")
    seen = set(page.locator("tbody th").all_inner_texts())
    page.click("text=Go on")
    assert seen.isdisjoint(page.locator("tbody th").all_inner_texts())
    page.goto(page.url + "x")
    assert "This was not understood" in page.inner_text("h1")


def test_a_family_is_a_picture_with_a_list_beside_it(look: Open) -> None:
    window = look(Role.PRODUCER)
    page = window.go(f"{RIGHTS}/models/{BASE}")
    assert "LoRA" in str(page.text_content("figure svg"))
    assert f"of {1 + FAMILY + FAMILY // 10}" in window.text()
    page.click("figure svg a[aria-label^='lora-0,']")
    assert page.inner_text("h1") == "lora-0"
    assert "base-of-many" in page.inner_text("#main")
    window.go(f"{RIGHTS}/models/{CYCLE}")
    assert "under itself" in page.inner_text(".alarm")
    assert "Not registered" in str(page.text_content("figure svg"))
    with page.expect_download() as download:
        page.click("text=CycloneDX")
    bill = json.loads(Path(download.value.path()).read_text())
    assert {"egg", "hen", HOSTILE} <= {each["name"] for each in bill["components"]}


def test_what_was_known_on_a_day_is_chosen_with_the_keyboard(look: Open) -> None:
    window = look(Role.LEGAL, java_script_enabled=False)
    page = window.go(f"{RIGHTS}/grants/G-crowd-8")
    assert "Revoked" in page.inner_text("#main")
    page.focus("[name=known]")
    page.keyboard.type("02012026")
    page.keyboard.press("Enter")
    assert "What it came to know later is left out." in page.inner_text("[role=status]")
    assert "Revoked" not in page.inner_text("#main")
    assert "In force" in page.inner_text("#main")
    window.go(f"{RIGHTS}/grants/G-crowd-8?known=2026-13-45", 400)


def test_it_is_read_on_a_telephone_in_japanese(look: Open) -> None:
    window = look(Role.PRODUCER, locale="ja-JP", viewport={"width": 320, "height": 640})
    for path in ("", f"/models/{lora(9)}", f"/datasets/{CROWD}", "/all/consents/C-soon"):
        page = window.go(RIGHTS + path)
        assert not window.overflows(), path
    assert window.audit() == []
    assert page.get_attribute("html", "lang") == "ja"
    window.go(f"{RIGHTS}/grants/G-soon")
    assert "フランス" in window.text()
    assert re.search(r"2026年\d+月\d+日", window.text())


def test_who_may_not_read_the_registry_is_told_nothing_of_it(look: Open) -> None:
    for role in (Role.ARTIST, Role.DISTRIBUTOR, Role.RIGHTS_HOLDER):
        window = look(role)
        for path in ("", f"/models/{BASE}", f"/models/{'0' * 64}", "/grants/none", "/impact?grant=G-soon"):
            page = window.go(RIGHTS + path, 403)
            assert "This is not for you" in page.inner_text("h1")
            assert "base-of-many" not in page.content()
    look().go(RIGHTS, 401)


def test_a_rights_holder_is_answered_about_their_works(
    browser: Browser, demo: Demo, site: Site, tmp_path: Path
) -> None:
    (inventory,) = (demo.untouched / "materials").rglob("*.csv")
    with inventory.open(newline="") as handle:
        listed = next(iter(csv.DictReader(handle)))["sha256"]
    table = tmp_path / "mine.csv"
    table.write_text(f"work,sha256\nmine.png,{listed}\nother.png,{sha256_hex(b'another')}\n")
    picture = tmp_path / "picture.png"
    picture.write_bytes(b"a picture that stays here")
    for scripts in (True, False):
        with visiting(browser, site, Role.RIGHTS_HOLDER, java_script_enabled=scripts) as window:
            page = window.go("/productions/moonrise/own-works")
            page.set_input_files("[name=list]", table)
            if scripts:
                page.set_input_files("#pictures", picture)
                expect(page.locator("#hashed")).to_have_text("1 / 1")
                assert sha256(picture.read_bytes()).hexdigest() in page.input_value("#works")
            page.click("button:text('Ask')")
            answer = page.inner_text("#answers")
            assert ("3 works" if scripts else "2 works") in answer
            assert "night-landscapes" in answer
            if scripts:
                assert window.audit() == []
            page.fill("#works", "no digest at all")
            page.click("button:text('Ask')")
            assert "No SHA-256 was found" in page.inner_text("[role=alert]")


def test_an_empty_registry_says_how_to_begin(browser: Browser, tmp_path: Path) -> None:
    from ledger.adapters.home import Home
    from ledger.adapters.settings import Settings
    from ledger.testing import FixedClock
    from ledger.wiring.enrolment import found_studio

    home = Home(tmp_path / "home", None)
    found_studio(
        home, Settings("Studio", "empty", "ledger.example/empty", "public"), "ws", FixedClock(midnight())
    )
    with serving(home.folder) as running, visiting(browser, running, Role.LEGAL) as window:
        page = window.go("/productions/empty/rights")
        assert "Nothing is registered yet" in page.inner_text("#main")
        assert page.locator("#main >> text=Import").count() >= 1
        assert window.audit() == []
        assert "None is here" in window.go("/productions/empty/rights/all/models").inner_text("#main")
