"""From a verified file onwards: beside its parent, an audit report, and what a link shows to its holder."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from ledger.adapters.service_settings import in_code
from ledger.core.access import Role
from ledger.service.access import links
from ledger.service.access.credentials import OWNER
from ledger.service.events.target import WebhookSettings
from ledger.service.log.publishing import PublishSettings
from ledger.wiring import home_at, open_studio
from ledger.wiring.access import open_credentials
from ledger.wiring.serving import PageSettings
from tests.pages.conftest import Open
from tests.support.demo import Demo
from tests.support.http import UNLIMITED
from tests.support.pages import Site, Visit, needs_chromium, serving, visiting

pytestmark = needs_chromium


def digest(demo: Demo, name: str) -> str:
    return hashlib.sha256((demo.untouched / "files" / name).read_bytes()).hexdigest()


def test_a_file_stands_beside_its_parent(visit: Open, demo: Demo) -> None:
    final, parent = digest(demo, "sh020.final.1001.png"), digest(demo, "sh020.bg.1001.png")
    path = f"/verify/sha256:{final}/beside/sha256:{parent}"
    crew = visit(Role.PRODUCER)
    page = crew.go(f"/verify/sha256:{final}")
    page.click(f".tree a[href='{path}']")
    rows = page.inner_text("main table")
    for words in ("rakkan-demo comp", "rakkan-demo painter", "moonlit-brush", "night-landscapes"):
        assert words in rows
    assert "so do their pictures" in page.inner_text(".lede")
    assert crew.audit() == []
    public = visit(viewport={"width": 320, "height": 700}, java_script_enabled=False)
    content = public.go(path).content()
    assert "on record" in content
    for words in ("rakkan-demo", "moonlit", "landscapes", "sh020", "farm-01"):
        assert words not in content
    public.go(f"/verify/{final}/beside/nonsense", 400)


@pytest.mark.parametrize("scripts", [True, False])
def test_two_pictures_are_slid_over_each_other_by_the_keyboard(
    site: Site, browser: Browser, demo: Demo, *, scripts: bool
) -> None:
    final, parent = digest(demo, "sh020.final.1001.png"), digest(demo, "sh020.bg.1001.png")
    own = PageSettings(pictures=(demo.untouched / "files",))
    quiet = (PublishSettings(enabled=False), WebhookSettings(enabled=False), UNLIMITED)
    with (
        serving(site.home, settings=in_code(own, *quiet)) as running,
        visiting(browser, running, Role.PRODUCER, java_script_enabled=scripts) as window,
    ):
        page = window.go(f"/verify/{final}/beside/{parent}")
        assert page.locator(".slides img").count() == 2
        if not scripts:
            assert not page.is_visible("#slide")
            return
        page.focus("#slide")
        before = page.locator(".picture .picture").get_attribute("style")
        page.keyboard.press("ArrowRight")
        assert page.locator(".picture .picture").get_attribute("style") != before
        assert window.audit() == []


def test_a_report_is_asked_for_by_who_may_and_seen_by_no_other(visit: Open, demo: Demo) -> None:
    window = visit(Role.PRODUCER)
    path = _asked(window, demo)
    assert window.page.locator("#live[data-open]").count() == 1
    assert window.audit() == []
    window.go("/productions/moonrise/reports")
    assert path in window.page.content()
    assert window.audit() == []
    visit().go(path, 401)
    visit(Role.ARTIST).go(path, 403)
    visit(Role.LEGAL).go(path)
    window.go("/productions/moonrise/reports/0", 404)


@pytest.mark.slow
@pytest.mark.parametrize("scripts", [True, False])
def test_a_report_is_looked_at_until_it_is_done_and_fetched(
    visit: Open, demo: Demo, *, scripts: bool
) -> None:
    window = visit(Role.PRODUCER, java_script_enabled=scripts)
    _asked(window, demo)
    page = window.page
    page.wait_for_selector("text=It is done.", timeout=120_000)
    names = page.locator("main table th a").all_inner_texts()
    assert {"bundle.zip", "report.html", "report.pdf"} <= set(names)
    with page.expect_download() as found:
        page.click("text=bundle.zip")
    assert found.value.path().read_bytes().startswith(b"PK")
    assert window.complaints == []


def test_another_site_asks_for_no_report(visit: Open) -> None:
    window = visit(Role.PRODUCER)
    form: dict[str, str | float | bool] = {"policy": "broadcast-jp", "view": "public"}
    answer = window.page.request.post(
        f"{window.site.url}/productions/moonrise/reports",
        form=form,
        headers={"origin": "https://elsewhere.example"},
    )
    assert answer.status == 403


@pytest.mark.parametrize("scripts", [True, False])
def test_a_link_is_a_page_for_whoever_holds_it(visit: Open, site: Site, demo: Demo, *, scripts: bool) -> None:
    path = _link(site.home, digest(demo, "sh020.final.1001.png"))
    window = visit(java_script_enabled=scripts)
    page = window.go(path)
    assert "on record" in page.inner_text("#verdict")
    assert "Cleared" in page.inner_text("main")
    assert "night-landscapes" not in page.content()
    assert not scripts or window.audit() == []
    told = page.request.get(site.url + path, headers={"accept": "application/json"})
    assert told.json()["verification"]["outcome"] == "recorded"
    assert "There is nothing here" in window.go("/s/rkn_wrong", 404).inner_text("h1")


def _asked(window: Visit, demo: Demo) -> str:
    """Ask for a report on a file, and return its address."""
    page = window.go(f"/verify/{digest(demo, 'sh020.final.1001.png')}")
    page.select_option("select[name=view]", "distributor")
    page.select_option("select[name=policy]", "broadcast-jp")
    page.click("text=Make a report on this file")
    page.wait_for_selector("#live")
    assert "/productions/moonrise/reports/" in page.url
    return page.url.removeprefix(window.site.url)


def _link(home: Path, sha256: str) -> str:
    with open_studio(home_at(home)) as studio, open_credentials(home_at(home)) as credentials:
        path, _ = links.make(credentials, studio, OWNER, sha256, 3, "for the reviewer")
    return path
