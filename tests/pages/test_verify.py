"""Checking a file: what somebody reads who never saw a manifest; by mouse, by keyboard, without scripts."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from playwright.sync_api import Page

from ledger.core.access import Role
from tests.pages.conftest import Open
from tests.support.demo import Demo
from tests.support.pages import Site, needs_chromium

pytestmark = needs_chromium
SCREEN = {"width": 1280, "height": 800}
FOUND = {
    "files/sh020.final.1001.png": "exactly what was sealed",
    "attacked/flipped-pixel.png": "changed after it was sealed",
    "attacked/stripped-manifest.png": "lost its seal on the way",
    "attacked/unlicensed-model.png": "a licence is missing",
}
DROP = """([data, name]) => {
    const held = new DataTransfer();
    const bytes = Uint8Array.from(atob(data), (char) => char.charCodeAt(0));
    held.items.add(new File([bytes], name, {type: "image/png"}));
    for (const kind of ["dragover", "drop"]) document.querySelector("footer").dispatchEvent(
        new DragEvent(kind, {dataTransfer: held, bubbles: true, cancelable: true}));
}"""
CHECK = "form.drop button:not([type])"


def checked(page: Page, path: Path) -> None:
    """Choose a file and have it checked."""
    page.set_input_files("#file", path)
    page.click(CHECK)
    page.wait_for_selector("#verdict")


def on_first_screen(page: Page) -> bool:
    """Whether verdict, meaning and limits can be read without scrolling."""
    boxes = [page.locator(each).bounding_box() for each in ("#verdict", ".means", ".means + p")]
    return all(box is not None and 0 <= box["y"] <= 800 - box["height"] for box in boxes)


@pytest.mark.parametrize("locale", ["en-GB", "ja-JP"])
def test_the_first_screen_says_what_it_is_and_what_that_means(visit: Open, demo: Demo, locale: str) -> None:
    window = visit(viewport=SCREEN, locale=locale)
    for name, words in FOUND.items():
        page = window.go("/verify")
        checked(page, demo.untouched / name)
        assert page.evaluate("document.activeElement.id") == "verdict"
        assert locale != "en-GB" or words in page.inner_text("#verdict")
        assert page.inner_text("#verdict").strip("✓✕!? ") in page.title()
        page.wait_for_selector(".preview img")
        assert on_first_screen(page)
        assert "/verify/sha256:" in page.url
        assert window.audit() == []


def test_all_of_it_works_without_scripts(visit: Open, demo: Demo) -> None:
    window = visit(java_script_enabled=False, viewport={"width": 320, "height": 700})
    page = window.go("/verify")
    assert "2.1 GB" in page.inner_text("#limit")
    checked(page, demo.untouched / "files" / "sh020.final.1001.png")
    assert page.locator(".sheet tbody tr").count() == 12 + 5
    assert "moonlit-brush" in page.inner_text(".records")
    assert page.locator("svg.lineage").count() == 1
    assert "night-landscapes" in page.inner_text(".tree")
    light = demo.untouched / "files" / "sh020.light.exr"
    for sidecar, words in ((None, "is on record"), (light.with_name(f"{light.name}.c2pa"), "exactly what")):
        page = window.go("/verify")
        page.click("summary")
        page.set_input_files("#sidecar", sidecar or [])
        checked(page, light)
        assert words in page.inner_text("#verdict")


def test_a_file_is_dropped_anywhere_and_another_on_its_answer(visit: Open, demo: Demo) -> None:
    window = visit()
    page = window.go("/verify")
    for name in ("attacked/flipped-pixel.png", "attacked/unlicensed-model.png"):
        data = base64.b64encode((demo.untouched / name).read_bytes()).decode()
        page.evaluate(DROP, [data, name])
        page.wait_for_selector(f"#verdict:has-text('{FOUND[name]}')")
    page.go_back()
    page.wait_for_selector("text=a licence is missing", state="detached")
    assert window.complaints == []


def test_the_keyboard_is_enough(visit: Open, demo: Demo) -> None:
    window = visit()
    page = window.go("/verify")
    page.set_input_files("#file", demo.untouched / "files" / "sh020.final.1002.png")
    page.focus("#file")
    reached = []
    while "BUTTON" not in reached:
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.tagName"))
        assert len(reached) < 5
    page.keyboard.press("Enter")
    page.wait_for_selector("#verdict")
    assert page.evaluate("document.activeElement.id") == "verdict"
    width = page.get_attribute("[data-lineage] svg", "width")
    page.focus("[data-by='0.8']")
    page.keyboard.press("Enter")
    assert page.get_attribute("[data-lineage] svg", "width") != width, "scripts work on what came in"


def test_a_fingerprint_has_a_lasting_page(visit: Open, site: Site, demo: Demo) -> None:
    window = visit()
    page = window.go("/verify")
    checked(page, demo.untouched / "files" / "sh020.final.1001.png")
    address = page.url.removeprefix(site.url)
    assert "A file with this fingerprint is on record." in window.go(address).inner_text("#verdict")
    assert window.audit() == []
    page = window.go("/verify")
    page.fill("#digest", "nonsense <b>")
    page.click("text=Look it up")
    assert "no fingerprint" in page.inner_text("[role=alert]")
    assert page.input_value("#digest") == "nonsense <b>"
    page.fill("#digest", "pixels:" + "0" * 64)
    page.click("text=Look it up")
    assert "Nothing is on record" in page.inner_text("#verdict")
    told = page.request.get(site.url + address, headers={"accept": "application/json"})
    assert told.url == f"{site.url}/v1{address}"
    window.go("/verify/sha256:0", 400)


def test_who_knows_more_sees_more(visit: Open, demo: Demo) -> None:
    stripped = demo.untouched / "attacked" / "stripped-manifest.png"
    public, crew = visit(), visit(Role.PRODUCER)
    for window in (public, crew):
        checked(window.go("/verify"), stripped)
    assert "night-landscapes" not in public.page.content()
    assert "night-landscapes" in crew.page.inner_text(".tree")
    assert public.page.locator("form[action$='/reports']").count() == 0
    link = crew.page.locator(".tree a").first.get_attribute("href") or ""
    assert link.startswith("/productions/moonrise/frames/")
    assert crew.audit() == []


def test_what_is_kept_can_be_checked_elsewhere(visit: Open, demo: Demo) -> None:
    window = visit()
    page = window.go("/verify")
    checked(page, demo.untouched / "files" / "sh020.final.1001.png")
    for name in ("verification.json", "trust.json"):
        with page.expect_download() as found:
            page.click(f"a[download='{name}']")
        assert found.value.suggested_filename == name
        assert found.value.path().read_bytes().startswith(b"{")
    with page.expect_download() as found:
        page.click("a[download$='.tlog-proof']")
    assert found.value.path().read_bytes().startswith(b"c2sp.org/tlog-proof@v1\n")
