"""Pages in a real browser: headless Chromium, with a new profile each time."""

from __future__ import annotations

import re
import shutil
import subprocess
from html import escape
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--enable-logging=stderr"),
]
BROWSERS_OWN = re.compile(r"(.+\.)?(google|googleapis|gvt1)\.com")
POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')


class Page(HTMLParser):
    """The page as the browser holds it after loading."""

    def __init__(self, dom: str, log: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.log = log
        self.feed(dom)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def browse(path: Path, scratch: Path, *options: str) -> Page:
    """Load a page in headless Chromium with a new profile."""
    assert CHROMIUM is not None
    done = subprocess.run(
        [CHROMIUM, *QUIET, *options, f"--user-data-dir={scratch}", "--dump-dom", path.as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return Page(done.stdout, done.stderr)


def wide(page: str, width: int, scratch: Path) -> int:
    """Return how wide a page gets on a screen of this width. What it forbids to scripts is lifted for that.

    A frame, because a headless window is never narrower than the browser likes.
    """
    measure = "<script>document.title=document.documentElement.scrollWidth</script></body>"
    page = POLICY.sub("", page).replace("</body>", measure)
    frame = f'<iframe width={width} height=900 style="border:0" srcdoc="{escape(page)}"></iframe>'
    read = (
        "<script>onload=()=>{document.title=document.querySelector('iframe').contentDocument.title}</script>"
    )
    path = scratch / "measured.html"
    path.write_text(f"<title></title>{frame}{read}", encoding="utf-8")
    found = re.match(r"\s*(\d+)", browse(path, scratch / "profile").text)
    assert found is not None
    return int(found.group(1))


def asked(log: Path) -> set[str]:
    """Return the hosts that a page asked (``--log-net-log``), but for those that the browser asks itself."""
    addresses = re.findall(r'"url":"((?:https?|wss?):[^"]+)"', log.read_text(encoding="utf-8"))
    hosts = {urlsplit(address).hostname or "" for address in addresses}
    return {host for host in hosts if not BROWSERS_OWN.fullmatch(host)}
