"""What a page costs: its weight, and its rendering in Japanese beside English and beside bare Jinja.

`python -m pytest -m bench -s tests/bench/test_bench_pages.py` prints it.
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import pytest
from httpx2 import Client
from jinja2 import Environment

from api.pages.assets import addresses
from ledger.core.access import Role
from ledger.render.pages.languages import language
from ledger.render.pages.shell import Place, Shell, page
from tests.bench.table import best_ms, print_table
from tests.support.crawling import crawled, page_routes
from tests.support.demo import run_once
from tests.support.pages import serving

pytestmark = [pytest.mark.bench, pytest.mark.timeout(600)]
ROWS, TIMES = 500, 1.5
BARE = Environment(autoescape=True).from_string(
    "<table>{% for name in names %}<tr><td>{{ name }}</td><td>{{ name|length }}</td></tr>{% endfor %}</table>"
)


def start(code: str, names: list[str]) -> str:
    places = (Place("/verify", "Verify"), Place("/productions", "Productions"))
    shell = Shell(language(code), "/", (), "Studio", addresses(), places, viewer="token:x")
    return page("start.html.j2", shell, productions=[(name, True) for name in names])


def test_a_page_in_another_language_costs_no_more() -> None:
    names = [f"production {number}" for number in range(ROWS)]
    bare = best_ms(lambda: BARE.render(names=names))
    english, japanese = (best_ms(partial(start, code, names)) for code in ("en", "ja"))
    print_table(
        f"the start page with {ROWS} productions",
        [
            ("in English, beside bare Jinja with as many rows", english, bare, None),
            ("in Japanese, beside English", japanese, english, TIMES),
        ],
    )
    assert japanese < TIMES * english


def test_what_each_page_weighs(tmp_path_factory: pytest.TempPathFactory) -> None:
    home: Path = run_once(tmp_path_factory.getbasetemp()).folder / "home"
    with (
        serving(home) as site,
        Client(base_url=site.url, headers={"accept": "text/html"}, timeout=60) as client,
    ):
        client.cookies.set("rakkan", site.sessions[Role.LEGAL])
        routes = page_routes()
        crawl = crawled(client, routes, "/", "/sign-in")
        lines = [f"\n{'':60} {'bytes':>8} {'ms':>8}"]
        for route, found in crawl.routes.items():
            for address in [each for each in found if each in crawl.pages][:1]:
                taken = best_ms(partial(client.get, address), runs=3)
                lines.append(f"{route:60} {crawl.pages[address].size:8,} {taken:8.1f}")
        for name, address in addresses().items():
            lines.append(f"{name:60} {len(client.get(address).content):8,}")
    sys.stdout.write("\n".join(lines) + "\n")
    assert max(document.size for document in crawl.pages.values()) <= 150_000
