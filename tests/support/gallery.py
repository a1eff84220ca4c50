"""Every page as a picture, for people to look at: ``python -m tests.support.gallery OUT HOME [ROLE]``.

The home is served from where it is: give it a copy. Of each route the first page is taken that its links lead
to: light, dark, small, printed, in Japanese, and in Arabic from right to left.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from httpx2 import Client

from ledger.core.access import Role
from tests.support.crawling import crawled, page_routes
from tests.support.pages import Site, chromium, serving, visiting

WAYS: dict[str, dict[str, Any]] = {
    "light": {},
    "dark": {"color_scheme": "dark"},
    "small": {"viewport": {"width": 320, "height": 700}},
    "ja": {"locale": "ja-JP"},
    "ar": {},
    "print": {},
}


def main(out: Path, home: Path, role: Role = Role.LEGAL) -> None:
    """Write the pictures: one file for each page and way."""
    out.mkdir(parents=True, exist_ok=True)
    with serving(home) as site, chromium() as browser:
        found = addresses(site, role)
        for way, options in WAYS.items():
            with visiting(browser, site, role, **options) as window:
                if way == "print":
                    window.page.emulate_media(media="print")
                for name, address in found.items():
                    asked = f"{address}{'&' if '?' in address else '?'}lang=ar" if way == "ar" else address
                    window.page.goto(site.url + asked)
                    window.page.screenshot(path=out / f"{name}.{way}.png", full_page=True)


def addresses(site: Site, role: Role) -> dict[str, str]:
    """Return the address of a page of each route, by a name that is fit for a file."""
    with Client(base_url=site.url, headers={"accept": "text/html"}, timeout=60) as client:
        client.cookies.set("rakkan", site.sessions[role])
        crawl = crawled(client, page_routes(), "/", "/sign-in", "/label/moonrise/moonrise-tv")
    pages = {route: [each for each in all_ if each in crawl.pages] for route, all_ in crawl.routes.items()}
    return {
        re.sub(r"\W+", "_", route).strip("_") or "start": some[0] for route, some in pages.items() if some
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), Role(sys.argv[3]) if len(sys.argv) > 3 else Role.LEGAL)
