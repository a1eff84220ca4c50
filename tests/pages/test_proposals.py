"""Two people sign off in the browser: one proposes, the other reads what will be signed and confirms."""

from __future__ import annotations

import re
from typing import Any

import pytest

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
    override,
    site,
    size,
    whole,
)
from tests.support.pages import Site, Visit, needs_chromium

__all__ = ["site"]
pytestmark = needs_chromium


def colleague(visit: Open, site: Site, **options: Any) -> Visit:
    """Open a window of somebody else who may decide."""
    with open_credentials(home_at(site.home)) as credentials:
        wanted = Wanted(Kind.SESSION, "partner", {EVERY: frozenset({Role.LEGAL})}, 600)
        text, _ = credentials.make(wanted, OWNER)
    window = visit(**options)
    window.page.context.add_cookies([{"name": "rakkan", "value": text, "url": site.url}])
    return window


def propose(window: Visit, code: str, **typed: str) -> str:
    """Propose that a finding about the demo's opaque model is accepted; return the proposal's address."""
    page = window.go(FINDING.replace("MODEL_OPAQUE", code))
    override(page, **typed)
    page.click("button[value=sign]")
    page.wait_for_url("**/proposals/*")
    return page.url.removeprefix(window.site.url)


@pytest.mark.parametrize(
    "options",
    [
        {"java_script_enabled": False},
        {"locale": "ja-JP", "viewport": {"width": 320, "height": 700}, "color_scheme": "dark"},
    ],
)
def test_two_people_accept_a_finding_and_only_then_it_is_signed(
    visit: Open, site: Site, options: dict[str, Any]
) -> None:
    scripts = options.get("java_script_enabled", True)
    mine, theirs = visit(Role.LEGAL), colleague(visit, site, **options)
    before, words = size(site), f"for the trailer {scripts}" + HOSTILE
    where = propose(mine, "WEAK_EVIDENCE", reason=words)
    assert "Somebody else who may decide has to confirm it." in mine.text()
    assert mine.page.locator("button[value=confirm]").count() == 0
    whole(mine)
    page = theirs.go(DESK)
    page.click("p.note a[href$='#waiting']")
    page.click("#waiting + ul a")
    assert page.url == site.url + where
    assert "for the trailer" in page.inner_text("dl.said q")
    assert page.locator("dl.said >> text=session:").count() == 3, "both who accept it, and who proposed it"
    assert size(site) == before
    if scripts:
        whole(theirs)
    page.click("button[value=confirm]")
    page.wait_for_url("**done=*")
    entry = entry_of(page)
    assert (entry, size(site)) == (before, before + 2)
    both = re.findall(r"session:[0-9a-f]{16}", page.inner_text(f"#entry-{entry}"))
    assert len(both) == 4, "who accept it, who proposed and who confirmed"
    assert len(set(both)) == 2
    assert page.locator("#waiting").count() == 0
    mine.go(where, 404)


def test_a_second_person_declines_and_the_first_reads_why(visit: Open, site: Site) -> None:
    mine, theirs = visit(Role.LEGAL), colleague(visit, site)
    where, before = propose(mine, "TRAINING_ATTESTATION_MISSING"), size(site)
    page = theirs.go(where)
    page.fill("#why", "only with the licensor's letter" + HOSTILE[:60])
    page.click("button[value=decline]")
    whole(theirs)
    page = mine.go(where)
    assert "only with the licensor's letter" in page.inner_text("blockquote")
    assert page.locator("button[value=confirm]").count() == 0
    whole(mine)
    page.click("button[value=withdraw]")
    assert page.url.endswith("/decisions")
    mine.go(where, 404)
    theirs.go(where, 404)
    assert size(site) == before


def test_a_proposal_that_was_overtaken_cannot_be_confirmed(visit: Open, site: Site) -> None:
    mine, theirs = visit(Role.LEGAL), colleague(visit, site)
    where = propose(mine, "GRADE_BELOW_POLICY")
    page = theirs.go(where)
    other = mine.go(FINDING.replace("MODEL_OPAQUE", "GRADE_BELOW_POLICY"))
    assert other.locator(f"#waiting + ul a[href='{where}']").count() == 1, "at the finding, too"
    other.check("input[value=one]")
    override(other, reason="alone after all")
    other.click("button[value=sign]")
    entry, before = entry_of(other), size(site)
    page.click("button[value=confirm]")
    assert "nothing was signed" in page.inner_text("[role=alert]")
    assert page.locator(f"#entry-{entry}").count() == 1
    assert page.locator("button[value=confirm]").count() == 0
    whole(theirs)
    assert size(site) == before
