"""One file as the crew meets it: its picture, its verdict, and its way as a picture and as a list."""

from __future__ import annotations

import time
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path

import pytest
from playwright.sync_api import Locator

from ledger.core.access import Role
from ledger.service.reading.clearances import AT_A_TIME, one_of_few
from tests.pages.conftest import Open
from tests.support.pages import Site, Visit, needs_chromium
from tests.support.ways import long_way, strange_way, wide_way

pytestmark = needs_chromium
FRAMES = "/productions/moonrise/frames"


def address(site: Site, name: str) -> str:
    """Return the page of one of the demo's files."""
    digest = sha256(Path(site.home.parent, "files", name).read_bytes()).hexdigest()
    return f"{FRAMES}/{digest}"


def heading(window: Visit) -> str:
    return window.page.inner_text("h1")


def test_a_reader_comes_from_a_frame_to_its_raw_materials_with_the_keyboard(visit: Open, site: Site) -> None:
    window = visit(Role.PRODUCER)
    page = window.go(address(site, "sh020.final.1006.png"))
    assert heading(window) == "sh020.final.1006.png"
    assert "Cleared" in page.inner_text(".verdict")
    shown = page.locator(".pair img")
    assert shown.evaluate("async (image) => { await image.decode(); return image.naturalWidth; }") == 960
    cards = page.locator("svg.lineage a")
    assert cards.count() == 7
    last = page.locator("svg.lineage a", has_text="Composited")
    last.focus()
    for _ in range(2):  # to the left stands what it was made from
        page.keyboard.press("ArrowLeft")
    assert page.evaluate("document.activeElement.ariaLabel").startswith("Generated, sh020.bg.1006.png")
    page.keyboard.press("Enter")
    page.wait_for_url("**/frames/*")
    assert heading(window) == "sh020.bg.1006.png"
    assert window.audit() == []
    model = page.locator(".tree a", has_text="moonlit-brush")
    assert "/productions/moonrise/rights/models/" in str(model.get_attribute("href"))


def width(element: Locator) -> float:
    found: float = element.evaluate("(element) => element.getBoundingClientRect().width")
    return found


def test_the_picture_of_a_way_grows_and_shrinks(visit: Open, site: Site) -> None:
    page = visit(Role.PRODUCER).go(address(site, "sh020.cut.mp4"))
    picture = page.locator("svg.lineage")
    # Twelve frames that were made in the same way are one card; the list has each of them.
    assert "12 × Composited" in (picture.text_content() or "")
    assert page.locator(".tree a", has_text="sh020.final.").count() == 12
    before = width(picture)
    page.click("text=Larger")
    assert width(picture) > before
    page.click("text=All of it")
    assert width(picture) <= width(page.locator("[data-lineage]"))


def test_without_scripts_all_of_it_is_there(visit: Open, site: Site) -> None:
    window = visit(Role.SUPERVISOR, java_script_enabled=False, viewport={"width": 320, "height": 700})
    page = window.go(address(site, "sh020.light.exr"))
    assert page.locator("[data-zoom]").is_hidden()
    page.click("text=What was made from it")
    assert page.locator(".tree a", has_text="sh020.final.1006.png").count() == 1
    page.click(".tree a >> text=sh020.final.1006.png")
    page.select_option("select[name=policy]", "streamer")
    page.click("text=Show the answer")
    assert "Blocked" in page.inner_text(".verdict")
    assert "approval that is not on record" in page.inner_text(".reasons")


def test_a_busy_server_shows_what_is_on_record(visit: Open, site: Site) -> None:
    with ExitStack() as others:
        for _ in range(AT_A_TIME):
            others.enter_context(one_of_few())
        page = visit(Role.PRODUCER).go(address(site, "sh020.final.1006.png"))
    assert "cannot be computed just now" in page.inner_text("[role=status]")
    assert "Cleared" in page.inner_text(".verdict")


def test_an_artist_does_not_see_the_registry(visit: Open, site: Site) -> None:
    page = visit(Role.ARTIST, color_scheme="dark").go(address(site, "sh020.bg.1006.png"))
    assert "moonlit-brush" in page.inner_text(".tree")  # the step names what it used
    assert "night-landscapes" not in page.inner_text("main")
    assert not page.locator("a[href*='/rights/']").count()


def test_whoever_may_not_is_told_nothing(visit: Open, site: Site) -> None:
    here = address(site, "sh020.final.1006.png")
    unknown = f"{FRAMES}/{'0' * 64}"
    distributor = visit(Role.DISTRIBUTOR)
    assert [heading_of(distributor, path, 403) for path in (here, unknown)] == ["This is not for you"] * 2
    assert heading_of(visit(Role.ARTIST), unknown, 404) == "There is nothing here"
    assert heading_of(visit(Role.ARTIST), f"{here}?direction=sideways", 400) == "This was not understood"


def heading_of(window: Visit, path: str, status: int) -> str:
    window.go(path, status)
    return heading(window)


def test_hostile_names_are_text_and_unknown_origins_are_said_plainly(visit: Open, site: Site) -> None:
    digest = strange_way(site.home, "workstation")
    window = visit(Role.LEGAL, color_scheme="dark", viewport={"width": 320, "height": 700})
    window.page.on("dialog", lambda dialog: window.complaints.append(dialog.message))
    page = window.go(f"{FRAMES}/{digest}")
    assert "The origin of 5 things here is unknown" in page.inner_text(".alarm")
    assert page.locator(".tree >> text=Unknown origin").count() == 5
    assert not window.overflows()
    assert window.audit() == []
    page = window.go(f"{FRAMES}/{digest}?lang=ar")
    assert not window.overflows()


def told(window: Visit, path: str) -> set[str]:
    """Return the words of a whole way: every part is small, comes soon, and leads to the next."""
    page = window.go(path)
    seen = set(page.inner_text("main").split())
    assert len(page.content()) < 150_000
    while page.locator("a[rel=next]").count():
        began = time.monotonic()
        page.click("a[rel=next]")
        assert time.monotonic() - began < 5
        assert len(page.content()) < 150_000
        seen |= set(page.inner_text("main").split())
    return seen


@pytest.mark.slow
def test_a_way_of_five_hundred_steps_is_told_part_by_part(visit: Open, site: Site) -> None:
    digest = long_way(site.home, "workstation", 500)
    seen = told(visit(Role.AUDITOR, java_script_enabled=False), f"{FRAMES}/{digest}")
    assert {f"way.{number:04}.exr" for number in range(500)} <= seen


@pytest.mark.slow
def test_a_film_of_three_hundred_frames_is_told_part_by_part(visit: Open, site: Site) -> None:
    digest = wide_way(site.home, "workstation", 300)
    seen = told(visit(Role.AUDITOR, java_script_enabled=False), f"{FRAMES}/{digest}")
    assert {f"film.{number:04}.exr" for number in range(300)} <= seen
