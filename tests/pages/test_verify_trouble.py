"""Checking a file when something is wrong: with the file, its name, its size, the network or the server."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page

from ledger.adapters.service_settings import in_code
from ledger.service.events.target import WebhookSettings
from ledger.service.log.publishing import PublishSettings
from ledger.wiring.apart import VerifySettings
from tests.pages.conftest import Open
from tests.pages.test_verify import CHECK
from tests.support.http import UNLIMITED
from tests.support.pages import Site, needs_chromium, serving, visiting

pytestmark = needs_chromium
NAMES = [
    "\u202egnp.\u2066exe",
    "<img src=x onerror=alert(1)>.png",
    "n" * 5_000 + ".png",
    "../../etc/passwd",
    "夜の絵 ✓ Proven.png",
]
LIMIT = 300_000


@pytest.fixture(scope="module")
def narrow(site: Site) -> Iterator[Site]:
    """The same studio behind a server that takes little, and one file at a time."""
    own = VerifySettings(max_file_bytes=LIMIT, uploads=1, wait_seconds=0.05)
    quiet = (PublishSettings(enabled=False), WebhookSettings(enabled=False), UNLIMITED)
    with serving(site.home, settings=in_code(own, *quiet)) as running:
        yield running


def chosen(page: Page, data: bytes, name: str = "a.png") -> None:
    page.set_input_files("#file", {"name": name, "mimeType": "image/png", "buffer": data})


def test_hostile_names_are_text(visit: Open) -> None:
    window = visit(viewport={"width": 320, "height": 700})
    for name in NAMES:
        page = window.go("/verify")
        chosen(page, b"no picture at all", name)
        page.click(CHECK)
        page.wait_for_selector("#verdict")
        assert page.locator(".judged.u").count() == 1
        assert not window.overflows(), name
        assert page.locator("main img").count() == page.locator(".preview img").count()
        assert "\u202e" not in page.inner_text(".kind")
    assert window.audit() == []


@pytest.mark.parametrize("scripts", [True, False])
def test_an_empty_file_and_one_too_large_are_said(narrow: Site, browser: Browser, *, scripts: bool) -> None:
    with visiting(browser, narrow, java_script_enabled=scripts) as window:
        page = window.go("/verify")
        chosen(page, b"")
        page.click(CHECK)
        page.wait_for_selector("text=file.empty", state="attached")
        page = window.go("/verify")
        assert "300.0 KB" in page.inner_text("#limit")
        chosen(page, bytes(LIMIT * 12))
        page.click(CHECK)
        words = "larger than is taken here" if scripts else "This is too large"
        page.wait_for_selector(f"text={words}")
        assert window.complaints == []


def test_a_slow_line_and_a_broken_one_lose_nothing(visit: Open) -> None:
    window = visit()
    page = window.go("/verify")
    line = page.context.new_cdp_session(page)

    def throttle(rate: int, *, offline: bool = False) -> None:
        speed = {"latency": 5, "downloadThroughput": -1, "uploadThroughput": rate, "offline": offline}
        line.send("Network.emulateNetworkConditions", speed)

    chosen(page, bytes(2_000_000))
    throttle(100_000)
    page.click(CHECK)
    page.wait_for_selector(".sending progress")
    page.wait_for_selector("progress:not([value='0'])")
    page.click(".sending button")
    page.wait_for_selector("text=Stopped. Nothing was kept.")
    throttle(-1, offline=True)
    page.click(CHECK)
    page.wait_for_selector("text=The connection broke")
    throttle(-1)
    page.click(CHECK)
    page.wait_for_selector("#verdict")


def test_a_server_without_room_says_so(narrow: Site, browser: Browser) -> None:
    with visiting(browser, narrow) as window, _held(narrow):
        page = window.go("/verify")
        chosen(page, b"x")
        page.click(CHECK)
        page.wait_for_selector("text=Just now there is no room")


@contextmanager
def _held(site: Site) -> Iterator[None]:
    """Send a file that never ends, for as long as the block runs: it holds the one place."""
    host, _, port = site.url.removeprefix("http://").partition(":")
    head = f"POST /v1/verify HTTP/1.1\r\nHost: {host}\r\nContent-Length: 1000\r\n\r\n"
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(head.encode() + b"a")
        threading.Event().wait(0.3)
        yield
