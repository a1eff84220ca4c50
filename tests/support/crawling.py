"""Every page that somebody with a role comes to by its links, as the server sends it: no browser is needed.

A page is known by the route that answers it. Of each route a few addresses are visited and a few more are
asked whether they answer: a production has thousands of frames, and one page for all of them.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

from fastapi.routing import APIRoute
from httpx2 import Client
from starlette.routing import compile_path

from api.pages import ROUTERS

VISITED, ASKED = 2, 2
"""How many addresses of one route are visited, and how many others are asked."""
_APART = frozenset({"script", "style", "code", "bdi", "pre", "kbd", "samp", "time", "svg", "template"})
"""Elements whose text is data, or no text."""
_SAID = ("aria-label", "title", "placeholder", "alt")
_EMPTY = frozenset({"meta", "link", "input", "br", "img", "hr", "wbr", "source", "col", "base"})


@dataclass
class Document(HTMLParser):
    """What stands in a page: links, headings, and its own words (no data, nothing marked as English).

    ``unsafe`` are elements that would run something.
    """

    address: str
    size: int
    links: list[str] = field(default_factory=list)
    headings: int = 0
    title: str = ""
    language: str = ""
    direction: str = ""
    words: list[str] = field(default_factory=list)
    unsafe: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._open: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        had = {name: value or "" for name, value in attrs}
        apart = bool(self._open and self._open[-1][1]) or tag in _APART or "data-copy" in had
        apart |= "lang" in had and tag != "html"
        if tag == "html":
            self.language, self.direction = had["lang"], had["dir"]
        self.headings += tag == "h1"
        script = tag == "script" and not had.get("src", "").startswith("/static/")
        if script or any(_acts(name, value) for name, value in had.items()):
            self.unsafe.append(self.get_starttag_text() or tag)
        if tag in {"a", "img", "source", "script", "link"}:
            self.links += [had[name] for name in ("href", "src", "srcset") if name in had]
        if not apart:
            self.words += [had[name] for name in _SAID if had.get(name, "").strip()]
        if tag not in _EMPTY:
            self._open.append((tag, apart))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if [tag for tag, _ in self._open[-1:]] == ["title"]:
            self.title += data
        elif self._open and not self._open[-1][1] and data.strip():
            self.words.append(" ".join(data.split()))


def _acts(name: str, value: str) -> bool:
    """Whether an attribute would run something, or a style that the policy forbids."""
    return name.startswith("on") or name == "style" or value.strip().lower().startswith("javascript:")


@dataclass
class Crawl:
    """What a crawl found: pages by address, addresses visited by route, and links that lead nowhere."""

    pages: dict[str, Document] = field(default_factory=dict)
    routes: dict[str, list[str]] = field(default_factory=dict)
    dead: list[tuple[str, str, int]] = field(default_factory=list)


def page_routes() -> dict[str, re.Pattern[str]]:
    """Return the addresses of the pages, as their routers declare them, each with its pattern."""
    routes = [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]
    return {route.path: compile_path(route.path)[0] for route in routes if "GET" in (route.methods or ())}


def crawled(client: Client, routes: Mapping[str, re.Pattern[str]], *starts: str) -> Crawl:
    """Follow the links from ``starts``, which must answer."""
    crawl, seen = Crawl(), Counter[str]()
    queue = deque((to, "the test") for to in starts)
    known = set(starts)
    while queue:
        address, origin = queue.popleft()
        route = _route_of(address, routes)
        seen[route] += 1
        if seen[route] > VISITED + ASKED:
            continue
        answer = client.get(address, follow_redirects=False)
        media = answer.headers.get("content-type", "")
        if answer.status_code >= 400 and not media.startswith("image/"):  # a page has room for no picture
            crawl.dead.append((origin, address, answer.status_code))
            continue
        crawl.routes.setdefault(route, []).append(address)
        if media.startswith("text/html") and seen[route] <= VISITED:
            crawl.pages[address] = document = Document(address, len(answer.content))
            document.feed(answer.text)
            fresh = [link for link in dict.fromkeys(_inner(address, document.links)) if link not in known]
            known.update(fresh)
            queue.extend((link, address) for link in fresh)
    return crawl


def _route_of(address: str, routes: Mapping[str, re.Pattern[str]]) -> str:
    """Return the route that answers; of those that could, the one that names most of it."""
    path = urlsplit(address).path
    fitting = [name for name, pattern in routes.items() if pattern.fullmatch(path)]
    return min(fitting, key=lambda name: name.count("{"), default=re.sub(r"[0-9a-f]{16,}|\d+", "…", path))


def _inner(address: str, links: list[str]) -> Iterator[str]:
    """Return the links to pages here. Other languages are other crawls."""
    for link in links:
        where = urlsplit(urljoin(f"http://here{address}", link))
        if where.netloc == "here" and "lang=" not in where.query:
            yield where.path + (f"?{where.query}" if where.query else "")
