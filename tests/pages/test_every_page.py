"""What holds for every page: found by following the links as each role, so that a new page is held too.

By default they are read as the server sends them, by one role, in Japanese. The browser goes through all
of them with ``--slow``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

import pytest
from httpx2 import Client
from playwright.sync_api import Browser

from ledger.core.access import Role
from ledger.render.pages.languages import LANGUAGES, language
from tests.pages.conftest import Open
from tests.support.catalogs import said
from tests.support.crawling import Crawl, Document, crawled, page_routes
from tests.support.hostile_home import hostile_home
from tests.support.pages import Site, needs_chromium, serving, visiting
from tests.support.series import Series

ROUTES = page_routes()
LABEL = "/label/moonrise/moonrise-tv"
"""A page that people come to from outside, by its code."""
UNLINKED = {
    "/label/{production}/{identifier}/badge.svg": "other sites show it",
    "/productions/{production}/log/consistency": "a form leads there",
    "/productions/{production}/reports/{job}": "a report has to be asked for first",
    "/productions/{production}/rights/proposals/{name}": "somebody has to propose something first",
    "/productions/{production}/rights/decisions/{entry}/reason": "a decision has to be made first",
    "/productions/{production}/shots/{episode}/{sequence}/{name}": "the demo is a film: it has no episodes",
    "/s/{secret}": "a link has to be shared first",
}
"""Routes that no link of the demo's production leads to, and why."""
LIMIT = 150_000
ENGLISH = re.compile(r"\b[a-z']{2,}(?: [a-z']{2,}){2,}\b")
"""Three words in a row: a sentence of English, where a page should speak another language."""
COMMAND = re.compile(r"`[^`]*`")
PEOPLE = [None, *sorted(set(Role) - {Role.DEVICE})]


def reader(site: Site, role: Role | None, spoken: str) -> Client:
    """Return a client that reads as this role does, in this language."""
    cookies = {"rakkan": site.sessions[role]} if role else {}
    fields = {"accept": "text/html", "accept-language": spoken}
    return Client(base_url=site.url, headers=fields, cookies=cookies, timeout=60)


def seen_by(site: Site, role: Role | None, spoken: str, *outside: str) -> Crawl:
    """Follow every link from where people arrive, and from ``outside``."""
    with reader(site, role, spoken) as client:
        return crawled(client, ROUTES, "/", "/sign-in", *outside)


def wrong_with(crawl: Crawl, spoken: str) -> Iterator[str]:
    """Return what is wrong with the pages of one reader."""
    yield from (f"{origin} leads to {address}: {status}" for origin, address, status in crawl.dead)
    named = {crawl.pages[found[0]].title for found in crawl.routes.values() if found[0] in crawl.pages}
    if len(named) < sum(found[0] in crawl.pages for found in crawl.routes.values()):
        yield f"two kinds of pages have one title: {sorted(named)}"
    for page in pages(crawl):
        if page.headings != 1:
            yield f"{page.address}: {page.headings} first headings"
        if page.size > LIMIT:
            yield f"{page.address}: {page.size} bytes"
        yield from (f"{page.address}: would run {element}" for element in page.unsafe)
        if (page.language, page.direction) != (spoken, language(spoken).direction):
            yield f"{page.address}: is {page.language} {page.direction}"


def pages(crawl: Crawl) -> list[Document]:
    return list(crawl.pages.values())


@cache
def in_english() -> frozenset[str]:
    """Return what the pages say in English."""
    return frozenset(text for message in said() for text in message if not text.isupper())


def english_in(page: Document) -> list[str]:
    """Return what a page in another language says in English: of the catalogue, or three words in a row."""
    bare = [COMMAND.sub("", words) for words in page.words]
    return [words for words in bare if words in in_english() or ENGLISH.search(words)]


@pytest.fixture(scope="module")
def everything(site: Site) -> Crawl:
    """What somebody sees who may see nearly everything, in Japanese."""
    return seen_by(site, Role.LEGAL, "ja", LABEL)


def test_the_pages_are_whole_as_they_are_sent_and_speak_japanese(everything: Crawl) -> None:
    wrong = list(wrong_with(everything, "ja"))
    wrong += [f"{page.address}: says {words!r}" for page in pages(everything) for words in english_in(page)]
    assert not wrong, "\n".join(wrong)


def test_every_page_is_come_to_by_links(site: Site, everything: Crawl) -> None:
    reached = {*everything.routes, *seen_by(site, Role.RIGHTS_HOLDER, "en").routes}
    assert set(ROUTES) - reached == set(UNLINKED)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A small film whose every name is hostile, served."""
    home = hostile_home(tmp_path_factory.mktemp("hostile") / "home", Series(12, 120, 6))
    with serving(home.folder) as running:
        yield running


def test_hostile_names_are_text_and_lead_where_they_should(hostile: Site) -> None:
    crawl = seen_by(hostile, Role.LEGAL, "en")
    wrong = list(wrong_with(crawl, "en"))
    assert not wrong, "\n".join(wrong)


@needs_chromium
@pytest.mark.slow
@pytest.mark.parametrize("width", [320, 1280])
def test_hostile_names_do_nothing_and_fit(browser: Browser, hostile: Site, width: int) -> None:
    crawl = seen_by(hostile, Role.LEGAL, "en")
    with visiting(browser, hostile, Role.LEGAL, viewport={"width": width, "height": 800}) as window:
        wrong = []
        for address in crawl.pages:
            page = window.go(address)
            wrong += [f"{address}: {each}" for each in window.complaints]
            wrong += [f"{address}: is too wide"] * window.overflows()
            wrong += [f"{address}: was taken over"] * page.evaluate("'hacked' in window")
            window.complaints.clear()
    assert not wrong, "\n".join(wrong)


@pytest.mark.slow
@pytest.mark.parametrize("role", PEOPLE)
def test_the_pages_are_whole_for_every_role(site: Site, role: Role | None) -> None:
    wrong = [each for spoken in LANGUAGES for each in wrong_with(seen_by(site, role, spoken, LABEL), spoken)]
    assert not wrong, "\n".join(wrong)


@needs_chromium
@pytest.mark.slow
@pytest.mark.parametrize(
    ("role", "spoken", "scheme"),
    [
        pytest.param(None, "ja", "dark", marks=pytest.mark.sample),
        (Role.LEGAL, "en", "light"),
        (Role.LEGAL, "ja", "dark"),
        (Role.LEGAL, "ar", "light"),
        (Role.PRODUCER, "en", "dark"),
        (Role.DISTRIBUTOR, "en", "light"),
        (Role.RIGHTS_HOLDER, "ja", "light"),
    ],
)
def test_every_page_is_there_for_everybody(
    visit: Open, site: Site, role: Role | None, spoken: str, scheme: str
) -> None:
    crawl = seen_by(site, role, spoken, LABEL)
    window = visit(role, color_scheme=scheme, extra_http_headers={"accept-language": spoken})
    plain = visit(role, java_script_enabled=False, viewport={"width": 320, "height": 700})
    wrong = []
    for found in crawl.routes.values():
        for address in [each for each in found if each in crawl.pages][:1]:
            page = window.go(address)
            wrong += [f"{address}: {complaint}" for complaint in window.audit()]
            window.complaints.clear()
            page.emulate_media(media="print")
            if page.locator("nav a:visible").count():
                wrong.append(f"{address}: prints its navigation")
            page.emulate_media(media="screen")
            if not plain.go(address).inner_text("main").strip():
                wrong.append(f"{address}: says nothing without scripts")
            if plain.page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                wrong.append(f"{address}: is wider than a small screen")
    assert not wrong, "\n".join(wrong)
