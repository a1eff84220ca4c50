"""What holds for every page: found by following the links as each role, so that a new page is held too.

By default they are read as the server sends them, by one role, in both languages that are offered. The
browser goes through all of them with ``--slow``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from httpx2 import Client

from api.app import create_app
from ledger.core.access import Role
from ledger.render.pages.languages import COMPLETE, LANGUAGES, language
from tests.pages.conftest import Open
from tests.support.catalogs import said
from tests.support.crawling import Crawl, Document, crawled, page_routes
from tests.support.pages import Site, needs_chromium

ROUTES = page_routes(create_app())
STARTS = ("/", "/sign-in", "/verify")
UNLINKED: dict[str, str] = {}
"""Routes that no link leads to, each with where they are held instead."""
UNBUILT = ("/verify", "/productions")
"""Places that others are building: until they are there, links to them may lead nowhere."""
LIMIT = 150_000
ENGLISH = re.compile(r"\b[a-z']{2,}(?: [a-z']{2,}){2,}\b")
"""Three words in a row: a sentence of English, where a page should speak another language."""
PEOPLE = [None, *sorted(set(Role) - {Role.DEVICE})]


def reader(site: Site, role: Role | None, spoken: str) -> Client:
    """Return a client that reads as this role does, in this language."""
    cookies = {"rakkan": site.sessions[role]} if role else {}
    fields = {"accept": "text/html", "accept-language": spoken}
    return Client(base_url=site.url, headers=fields, cookies=cookies, timeout=60)


def seen_by(site: Site, role: Role | None, spoken: str) -> Crawl:
    with reader(site, role, spoken) as client:
        return crawled(client, ROUTES, *(start for start in STARTS if start in ROUTES))


def wrong_with(crawl: Crawl, spoken: str) -> Iterator[str]:
    """Return what is wrong with the pages of one reader."""
    for origin, address, status in crawl.dead:
        if not (status == 404 and address.startswith(UNBUILT)):
            yield f"{origin} leads to {address}: {status}"
    titles = Counter(
        page.title for page in {urlsplit(page.address).path: page for page in pages(crawl)}.values()
    )
    for page in pages(crawl):
        if page.headings != 1:
            yield f"{page.address}: {page.headings} first headings"
        if page.size > LIMIT:
            yield f"{page.address}: {page.size} bytes"
        if titles[page.title] > 1:
            yield f"{page.address}: the title {page.title!r} is another page's too"
        if (page.language, page.direction) != (spoken, language(spoken).direction):
            yield f"{page.address}: is {page.language} {page.direction}"


def pages(crawl: Crawl) -> list[Document]:
    return list(crawl.pages.values())


def english_in(page: Document) -> list[str]:
    """Return what a page in another language says in English: of the catalogue, or three words in a row."""
    known = {text for message in said() for text in message if not text.isupper()}
    return [words for words in page.words if words in known or ENGLISH.search(words)]


@pytest.mark.parametrize("spoken", COMPLETE)
def test_the_pages_are_whole_as_they_are_sent(site: Site, spoken: str) -> None:
    crawl = seen_by(site, Role.LEGAL, spoken)
    assert list(wrong_with(crawl, spoken)) == []
    if spoken != "en":
        assert {page.address: found for page in pages(crawl) if (found := english_in(page))} == {}


def test_every_page_is_come_to_by_links(site: Site) -> None:
    reached = {
        route for role in (None, Role.LEGAL, Role.OPERATOR) for route in seen_by(site, role, "en").routes
    }
    assert sorted(set(ROUTES) - reached - set(UNLINKED)) == []
    assert sorted(set(UNLINKED) - set(ROUTES)) == []


@pytest.mark.slow
@pytest.mark.parametrize("role", PEOPLE)
def test_the_pages_are_whole_for_every_role(site: Site, role: Role | None) -> None:
    for spoken in LANGUAGES:
        assert list(wrong_with(seen_by(site, role, spoken), spoken)) == []


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
    crawl = seen_by(site, role, spoken)
    window = visit(role, color_scheme=scheme, extra_http_headers={"accept-language": spoken})
    plain = visit(role, java_script_enabled=False, viewport={"width": 320, "height": 700})
    wrong = []
    for found in crawl.routes.values():
        for address in [each for each in found if each in crawl.pages][:1]:
            page = window.go(address)
            wrong += [f"{address}: {complaint}" for complaint in window.audit()]
            window.complaints.clear()
            page.emulate_media(media="print")
            if page.locator("nav:visible").count():
                wrong.append(f"{address}: prints its navigation")
            page.emulate_media(media="screen")
            if not plain.go(address).inner_text("main").strip():
                wrong.append(f"{address}: says nothing without scripts")
            if plain.page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                wrong.append(f"{address}: is wider than a small screen")
    assert wrong == []
