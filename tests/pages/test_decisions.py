"""Deciding in the browser: what lawyers do at the rights desk, and what happens when it goes wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from ledger.core.access import EVERY, Role
from ledger.core.secret_text import Kind
from ledger.service.access.credentials import OWNER, Wanted
from ledger.wiring import home_at
from ledger.wiring.access import open_credentials
from tests.pages.conftest import Open
from tests.support.deciding import (
    DESK,
    FINDING,
    HOSTILE,
    entry_of,
    fill,
    override,
    site,
    size,
    whole,
)
from tests.support.pages import Site, needs_chromium

__all__ = ["site"]
pytestmark = needs_chromium


@pytest.mark.parametrize(
    "options",
    [
        {"color_scheme": "light"},
        {"color_scheme": "dark", "viewport": {"width": 320, "height": 700}},
    ],
)
def test_a_finding_is_accepted_with_a_reason_that_few_may_open(
    visit: Open, site: Site, options: dict[str, Any]
) -> None:
    window = visit(Role.LEGAL, **options)
    page = window.go(FINDING)
    said = window.text()
    assert "What the model was trained on is not on record." in said
    assert "1 finished file rests on it." in said
    assert "streamer" in said, "which policies ask for two"
    whole(window)
    before = size(site)
    page.check("input[value=one]")
    override(page, reason=options["color_scheme"] + HOSTILE)
    assert page.locator("time[datetime='2098-12-31T15:00:00Z']").count() == 1, "the moment, in UTC"
    assert size(site) == before, "nothing is signed yet"
    whole(window)
    page.click("text=Change something")
    assert page.is_checked("input[value=one]")
    assert page.input_value("#reason") == page.evaluate("document.querySelector('#reason').defaultValue")
    page.click("button[value=look]")
    page.click("text=Sign it")
    entry = entry_of(page)
    whole(window)
    assert "in force" in page.inner_text(f"#entry-{entry}")
    page.click(f"#entry-{entry} >> text=Open the reason")
    whole(window)
    page.fill("#purpose", "the insurer asks")
    page.click("main button")
    assert "<script>alert(1)</script> \ufffdtxt.exe & “quoted” \ufffd" in page.inner_text("blockquote")
    assert f"entry {entry + 2} of the log" in page.inner_text("[role=status]")
    whole(window)


def test_a_producer_sees_decisions_and_neither_reasons_nor_forms(visit: Open) -> None:
    window = visit(Role.PRODUCER, locale="ja-JP")
    page = window.go(f"{DESK}/decisions")
    assert "night-landscapes" in window.text()
    assert page.locator("main form").count() == 1, "the filters alone"
    assert page.locator("a[href*='/reason'], a[href*='/import']").count() == 0
    whole(window)
    for path in ("/decisions/override", "/import", "/decisions/14/reason"):
        window.go(DESK + path, 403)
    page = window.go(f"{DESK}/decisions?kind=revocation&thing=nobody")
    assert page.locator(".empty").count() == 1


def test_of_two_people_who_accept_one_finding_the_second_is_told(visit: Open, site: Site) -> None:
    about = FINDING.replace("MODEL_OPAQUE", "MODEL_UNREVIEWED")
    mine, yours = visit(Role.LEGAL), visit(Role.LEGAL, java_script_enabled=False)
    me, you = mine.go(about), yours.go(about)
    for page in (me, you):
        page.check("input[value=one]")
    override(me, reason="mine, and long to type")
    override(you, reason="yours")
    you.click("text=Sign it")
    entry = entry_of(you)
    before = size(site)
    me.click("text=Sign it")
    assert "Somebody decided meanwhile" in mine.text()
    assert me.locator(f"[role=alert] #entry-{entry}").count() == 1
    assert me.input_value("#reason") == "mine, and long to type"
    assert me.input_value("#zone") == "Asia/Tokyo"
    assert size(site) == before
    whole(mine)
    me.click("button[value=look]")
    me.click("text=Sign it")
    assert entry_of(me) == entry + 2


def test_a_form_that_is_sent_again_makes_one_entry(visit: Open, site: Site) -> None:
    window = visit(Role.LEGAL)
    page = window.go(f"{DESK}/decisions/review")
    fill(page, thing="moonlit-brush", since="2026-11-01", reason="looked at again")
    page.click("button[value=look]")
    form = page.evaluate("Object.fromEntries(new FormData(document.querySelector('main form')))")
    page.eval_on_selector("text=Sign it", "button => { button.click(); button.click(); }")
    page.wait_for_url("**done=*")
    entry, after = entry_of(page), size(site)
    fields = {"origin": site.url, "accept": "text/html"}
    again = page.request.post(
        f"{site.url}{DESK}/decisions/review", form={**form, "step": "sign"}, headers=fields, max_redirects=0
    )
    assert (again.status, again.headers["location"].split("=")[1]) == (303, str(entry))
    assert size(site) == after


def test_a_grant_ends_after_its_impact_was_seen_and_its_name_typed(visit: Open, site: Site) -> None:
    window = visit(Role.LEGAL, java_script_enabled=False)
    page = window.go(f"{DESK}/decisions/revoke?grant=MR-2026-01")
    assert "13 finished files rest on it." in window.text()
    fill(page, effective="2026-11-01", zone="Asia/Tokyo", reason="unpaid")
    page.press("#reason", "Tab")
    page.keyboard.press("Enter")  # the button has the focus
    page.wait_for_selector("#again")
    assert "13" in page.inner_text("table")
    before = size(site)
    page.fill("#again", "MR-2026-1")
    page.click("text=Sign it")
    assert "not the name of the grant" in page.inner_text("[role=alert]")
    assert size(site) == before
    page.fill("#again", "MR-2026-01")
    page.keyboard.press("Enter")
    page.wait_for_url("**done=*")
    assert entry_of(page) == before
    page = window.go(f"{DESK}/decisions/revoke?grant=MR-2026-01")
    fill(page, effective="2026-12-01")
    page.click("button[value=look]")
    assert "was revoked already" in page.inner_text("[role=alert]")


def test_what_cannot_be_is_said_beside_what_was_typed(visit: Open) -> None:
    window = visit(Role.LEGAL)
    page = window.go(f"{DESK}/decisions/approve")
    for typed, words in (
        ({"thing": "moonlit-brush", "by": "nobody", "from": "2026-11-01"}, "no party of this name"),
        ({"by": "studio-yoimachi", "thing": "/etc/passwd"}, "Nothing of this name is on record"),
        ({"thing": "moonlit-brush", "zone": "Tokyo"}, "no time zone of this name"),
        ({"zone": "UTC", "until": "2026-10-01"}, "end before it begins"),
    ):
        fill(page, **typed)
        page.click("button[value=look]")
        assert words in page.inner_text("[role=alert]")
        assert all(page.input_value(f"#{name}") == value for name, value in typed.items())
    whole(window)
    fill(page, until="")
    page.click("button[value=look]")
    page.click("text=Sign it")
    assert entry_of(page)


def test_a_session_that_ended_takes_nothing_that_was_typed(visit: Open, site: Site) -> None:
    with open_credentials(home_at(site.home)) as credentials:
        wanted = Wanted(Kind.TOKEN, "desk", {EVERY: frozenset({Role.LEGAL})})
        text, made = credentials.make(wanted, OWNER)
        again, _ = credentials.make(wanted, OWNER)

        def sign_in(page: Page, secret: str) -> None:
            page.goto(f"{site.url}/sign-in")
            page.fill("#token", secret)
            page.click("main form.fields button")
            page.wait_for_url(f"{site.url}/")

        window = visit(java_script_enabled=False)
        sign_in(window.page, text)
        page = window.go(f"{DESK}/decisions/review?thing=moonlit-brush")
        page.fill("#reason", "an hour of work & <b>more</b>")
        credentials.revoke(Kind.TOKEN, made.identifier)
        page.click("button[value=look]")
        assert "Your session has ended" in page.inner_text("h1")
        assert "What you typed is not lost" in window.text()
        with page.context.expect_page() as opened:
            page.click("main a.button")
        sign_in(opened.value, again)
        opened.value.close()
        page.click("main button")
        page.wait_for_selector("button[value=sign]")
        assert "an hour of work & <b>more</b>" in window.text()
        before = size(site)
        page.click("text=Sign it")
        page.wait_for_url("**done=*")
        assert entry_of(page) == before


GOOD = """
[[party]]
id = "kaze"
kind = "organisation"
name = "Kaze Pictures"
[[title]]
id = "moonrise"
name = "Moonrise"
productions = ["moonrise"]
[[grant]]
id = "{grant}"
covers = ["dreamweft-xl"]
uses = ["inference-run"]
from = 2026-10-23
assigner = "kaze"
contract = "{contract}"
"""


@pytest.mark.parametrize("scripts", [True, False])
def test_facts_are_looked_at_before_all_of_them_are_signed(
    visit: Open, site: Site, tmp_path: Path, *, scripts: bool
) -> None:
    facts, deal = tmp_path / "facts.toml", tmp_path / "deal.pdf"
    deal.write_bytes(b"%PDF the deal")
    window = visit(Role.LEGAL, java_script_enabled=scripts, viewport={"width": 320, "height": 700})
    page = window.go(f"{DESK}/import")
    before = size(site)

    def send(contract: str) -> None:
        facts.write_text(GOOD.format(grant=f"K-{scripts}", contract=contract))
        page.set_input_files("#facts", facts)
        page.set_input_files("#documents", deal)
        page.click("main button")

    send("/etc/passwd")
    assert "Files of the server are never read." in page.inner_text("table")
    assert page.locator("text=Sign all of it").count() == 0
    page.click("text=Other files")
    send("deal.pdf")
    assert page.inner_text(".stats li:nth-child(3)").startswith("0")
    if scripts:
        whole(window)
    assert size(site) == before
    page.click("text=Sign all of it")
    assert size(site) == entry_of(page) + 2
    assert "Signed" in page.inner_text("[role=status]")
    kept = [path for path in site.home.glob("imports/*") if any(path.glob("deal.pdf"))]
    assert len(kept) <= 1, "what was signed is kept no longer; what was refused waits for an hour"


def test_what_was_shown_and_came_to_something_else_is_shown_again(
    visit: Open, site: Site, tmp_path: Path
) -> None:
    facts, deal = tmp_path / "facts.toml", tmp_path / "deal.pdf"
    deal.write_bytes(b"%PDF another deal")
    facts.write_text(GOOD.format(grant="K-9", contract="deal.pdf"))
    windows = [visit(Role.LEGAL), visit(Role.LEGAL)]
    for window in windows:
        page = window.go(f"{DESK}/import")
        page.set_input_files("#facts", facts)
        page.set_input_files("#documents", deal)
        page.click("main button")
    first, second = (window.page for window in windows)
    first.click("text=Sign all of it")
    assert entry_of(first)
    second.click("text=Sign all of it")
    assert "not any more as it was shown" in second.inner_text("[role=alert]")
    assert "everything is on record already" in windows[1].text()
    assert second.locator("text=Sign all of it").count() == 0
    whole(windows[1])


def test_what_is_no_file_of_facts_is_refused(visit: Open, tmp_path: Path) -> None:
    window = visit(Role.LEGAL)
    for name, data in (
        ("a.toml", b"\xff\x00"),
        ("b.csv", b"a,b\n1"),
        ("c.bin", b"\x00" * 99),
        ("d.toml", b""),
    ):
        (tmp_path / name).write_bytes(data)
        page = window.go(f"{DESK}/import")
        page.set_input_files("#facts", tmp_path / name)
        page.click("main button")
        assert page.locator("[role=alert], .note").count() >= 1, name
        assert page.locator("text=Sign all of it").count() == 0
    whole(window)
