"""The pages as people meet them: a real server, a real Chromium, and everything that it complains of.

``serving`` runs the application on 127.0.0.1 in a thread; ``Visit`` is one browser window that remembers what
its console and its content security policy said.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from ledger.adapters.service_settings import ServiceSettings
from ledger.core.access import EVERY, Role
from ledger.core.secret_text import Kind
from ledger.service.access.credentials import OWNER, Wanted
from ledger.wiring import home_at
from ledger.wiring.access import open_credentials
from tests.support import here
from tests.support.browser import CHROMIUM
from tests.support.here import QUIET

needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
SCHEMES = ("light", pytest.param("dark", marks=pytest.mark.slow))
"""How a screen may be. The dark one has the same words in other colours."""
_PATIENCE = 90_000
"""Milliseconds: a busy machine is not a defect of the page."""
expect.set_options(timeout=_PATIENCE)
VIOLATED = re.compile(r"Content.Security.Policy|Refused to ", re.IGNORECASE)


@dataclass
class Site:
    """A server that runs, and a session for every role on it."""

    url: str
    home: Path
    sessions: dict[Role, str]


@dataclass
class Visit:
    """One window of the browser: its page, and what the console and the network said that should not be."""

    page: Page
    site: Site
    complaints: list[str] = field(default_factory=list)

    def go(self, path: str, status: int = 200) -> Page:
        """Open a page, which must answer with this status."""
        answer = self.page.goto(self.site.url + path)
        assert answer is not None
        assert answer.status == status, (path, answer.status, answer.text()[:2000])
        return self.page

    def text(self) -> str:
        """Return what a reader sees."""
        return self.page.inner_text("body")

    def audit(self) -> list[str]:
        """Return what axe-core finds wrong, each with where; and what the browser complained of."""
        from tests.support.node import axe_source

        # Its source is run by the test, not loaded by the page: the page's policy stays as it is.
        self.page.evaluate(axe_source())
        found: dict[str, Any] = self.page.evaluate("axe.run(document)")
        wrong = [
            f"{each['id']}: {node['target']} {node['failureSummary']}"
            for each in found["violations"]
            for node in each["nodes"][:3]
        ]
        return wrong + self.complaints

    def overflows(self) -> bool:
        """Whether the page is wider than its window."""
        wide: bool = self.page.evaluate("document.documentElement.scrollWidth > innerWidth")
        return wide


@contextmanager
def serving(*homes: Path, settings: ServiceSettings = QUIET) -> Iterator[Site]:
    """Serve these homes, with a session of each role for every production."""
    with here.serving(*homes, settings=settings) as url:
        yield Site(url, homes[0], sessions_in(homes[0]))


def sessions_in(home: Path, party: str = "mori") -> dict[Role, str]:
    """Return a session's text for each role that somebody can hold."""
    found = {}
    with open_credentials(home_at(home)) as credentials:
        for role in set(Role) - {Role.DEVICE}:
            own = party if role is Role.RIGHTS_HOLDER else None
            wanted = Wanted(Kind.SESSION, "session", {EVERY: frozenset({role})}, party=own)
            found[role], _ = credentials.make(wanted, OWNER)
    return found


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the browser."""
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def visiting(browser: Browser, site: Site, role: Role | None = None, **options: Any) -> Iterator[Visit]:
    """Open a window: with a new profile, as somebody with this role or as nobody known.

    ``options`` are those of Playwright's ``new_context``: ``java_script_enabled``, ``viewport``, ``locale``,
    ``color_scheme`` and others.
    """
    context: BrowserContext = browser.new_context(**options)
    context.set_default_timeout(_PATIENCE)
    try:
        if role is not None:
            context.add_cookies([{"name": "rakkan", "value": site.sessions[role], "url": site.url}])
        page = context.new_page()
        visit = Visit(page, site)
        page.on("pageerror", lambda error: visit.complaints.append(f"script: {error}"))
        page.on("console", lambda said: _heard(visit, said.type, said.text))
        yield visit
    finally:
        context.close()


def _heard(visit: Visit, kind: str, text: str) -> None:
    if VIOLATED.search(text) or (kind == "error" and "status of" not in text):
        visit.complaints.append(f"{kind}: {text}")
