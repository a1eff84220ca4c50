"""The stories of the pages in Firefox and in WebKit, as in Safari: clicked, typed, and nothing complained of.

What Chromium says is in `tests/pages`. Here is whether it holds where others look: scripts, forms, a file
that is chosen, right to left, a telephone, and the report that lies in a folder.
"""

from __future__ import annotations

import base64
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from hashlib import sha256
from pathlib import Path

import pytest

from ledger.core.access import EVERY, Role
from ledger.core.predicates.disclosure_access import SERVER
from ledger.core.secret_text import Kind
from ledger.demo import cast
from ledger.service.access.credentials import OWNER, Wanted
from ledger.wiring import home_at
from ledger.wiring.access import open_credentials
from ledger.wiring.enrolment import enrol_device
from ledger.wiring.serving import PageSettings
from tests.pages.conftest import demo, patient
from tests.support.demo import Demo
from tests.support.here import quiet
from tests.support.judging_browsers import FIREFOX, WEBKIT, RefusedError, Window, Wish, firefox, webkit
from tests.support.pages import Site, serving

__all__ = ["demo", "patient"]
pytestmark = pytest.mark.tools
Engine = Callable[[Path, Wish], AbstractContextManager[Window]]
BASE = f"/productions/{cast.PRODUCTION}"
LABEL = f"/label/{cast.PRODUCTION}/{cast.LABEL}"
FINAL = "files/sh020.final.1006.png"
LOADED = (
    "const image = document.querySelector(arguments[0]); return image?.complete && image.naturalWidth > 0"
)
DIGIT = """const node = document.querySelector(arguments[0]);
node.textContent = node.textContent.replace(/[0-9a-f]/, (digit) => digit === "0" ? "1" : "0")"""
CUT_OFF = """return [...document.querySelectorAll("main *")].filter((each) => {
    const box = each.getBoundingClientRect();
    if (!box.width || each.closest(".scroll, svg, pre, .skip")) return false;
    return box.right > innerWidth + 1 || box.left < -1;
}).map((each) => each.outerHTML.slice(0, 120))"""
"""What sticks out of the window, where nothing scrolls: in a page from right to left no width tells it."""


@pytest.fixture
def site(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    root = tmp_path_factory.mktemp("site") / "demo"
    shutil.copytree(demo.untouched, root)
    enrol_device(home_at(root / "home"), SERVER)
    settings = quiet(PageSettings(pictures=(root / "files",), decisions=True))
    with serving(root / "home", settings=settings) as running:
        yield running


@pytest.fixture(
    params=[
        pytest.param(firefox, marks=pytest.mark.skipif(FIREFOX is None, reason="firefox is not installed")),
        pytest.param(
            webkit,
            marks=pytest.mark.skipif(
                not WEBKIT,
                reason="webkit2gtk-driver, gir1.2-webkit2-4.1, python3-gi or xvfb is not installed",
            ),
        ),
    ]
)
def engine(request: pytest.FixtureRequest) -> Engine:
    found: Engine = request.param
    return found


def sign_in(window: Window, site: Site, role: Role) -> None:
    """Sign in as anybody does: with a token, in the form."""
    with open_credentials(home_at(site.home)) as credentials:
        token, _ = credentials.make(Wanted(Kind.TOKEN, "judge", {EVERY: frozenset({role})}), OWNER)
    window.go(f"{site.url}/sign-in?to={BASE}")
    window.type("#token", token)
    window.follow("form.fields button")
    assert window.run("return location.pathname") == BASE


def said(window: Window) -> str:
    """Press the first button that does a proof again, and return what it says."""
    window.click("[data-proof] button")
    window.until("return document.querySelector('[data-proof] [role=status]').textContent")
    return window.text("[data-proof] [role=status]")


def test_a_stranger_checks_a_file_a_proof_and_a_label(
    engine: Engine, site: Site, demo: Demo, tmp_path: Path
) -> None:
    with engine(tmp_path, Wish()) as window:
        for name, words in {
            FINAL: "exactly what was sealed",
            "attacked/flipped-pixel.png": "changed",
        }.items():
            window.go(f"{site.url}/verify")
            window.type("#file", str(demo.untouched / name))
            window.click("form.drop button:not([type])")
            window.until("return document.querySelector('#verdict')")
            assert words in window.text("#verdict")
            assert "/verify/sha256:" in window.run("return location.href")
            assert window.run("return document.activeElement.id") == "verdict"
            window.until(LOADED, ".preview img")
        entry = f"{site.url}{BASE}/log/entries/40"
        window.go(entry)
        assert said(window).startswith("✓")
        window.run(DIGIT, "[data-step=join]:nth-child(3) [data-left] code")
        assert said(window).startswith("✕")
        window.go(f"{site.url}{BASE}/log/consistency?old=23&new=60")
        assert said(window).startswith("✓")
        window.go(site.url + LABEL)
        assert window.text("h1") == cast.TITLE
        window.until(LOADED, "img[src$='qr.svg'], img[src*='qr']")
        assert window.heard() == []


def test_the_crew_goes_from_the_board_to_a_frames_way_and_a_lawyer_decides(
    engine: Engine, site: Site, tmp_path: Path
) -> None:
    with engine(tmp_path, Wish(scheme="dark")) as window:
        sign_in(window, site, Role.LEGAL)
        window.follow("main a[href*='/shots/'][href*='sh020']")
        window.follow(".contact a")
        assert window.text("h1").startswith("sh020.")
        window.until(LOADED, ".pair img")
        before = window.run("return document.querySelector('svg.lineage').getBoundingClientRect().width")
        window.click("[data-zoom] button")
        after = window.run("return document.querySelector('svg.lineage').getBoundingClientRect().width")
        assert before != after
        window.follow(".tree a[href*='/frames/']")
        window.go(f"{site.url}{BASE}/activity")
        window.until("return document.querySelector('.livebar [role=status]')?.textContent")
        window.go(f"{site.url}{BASE}/rights/decisions/override?code=MODEL_OPAQUE&thing=dreamweft-xl")
        window.run("document.querySelector('#expires').value = '2099-01-01'; zone.value = ''")
        window.type("#zone", "Asia/Tokyo")
        window.type("#second", "actor:producer-3")
        window.type("#reason", "accepted for the trailer; 予告編のため")
        window.follow("button[value=look]")
        assert window.text("h1") == "What will be signed"
        assert "予告編のため" in window.text("main")
        window.follow("main form button[value=sign]")
        assert re.search(r"done=\d+", window.run("return location.search"))
        assert window.heard() == []


@pytest.mark.parametrize("language", ["ja", "ar"])
def test_a_telephone_shows_every_page_whole(
    engine: Engine, site: Site, demo: Demo, tmp_path: Path, language: str
) -> None:
    digest = sha256((demo.untouched / FINAL).read_bytes()).hexdigest()
    places = [
        *(
            "",
            "/shots",
            "/findings",
            "/changes",
            "/activity",
            "/rights",
            "/rights/models",
            "/rights/decisions",
        ),
        *("/log", "/log/entries/40", "/log/keys", "/reports", f"/frames/{digest}"),
    ]
    pages = ["/", "/verify", "/sign-in", LABEL, *(BASE + place for place in places)]
    with engine(tmp_path, Wish(320, 700, language, "dark")) as window:
        sign_in(window, site, Role.AUDITOR)
        wrong = {}
        for page in pages:
            window.go(f"{site.url}{page}?lang={language}")
            direction = window.run("return getComputedStyle(document.body).direction")
            assert direction == ("rtl" if language == "ar" else "ltr")
            if (cut_off := window.run(CUT_OFF)) or window.overflows():
                wrong[page] = cut_off
        assert wrong == {}
        assert window.heard() == []


def test_all_of_it_works_without_scripts(engine: Engine, site: Site, demo: Demo, tmp_path: Path) -> None:
    with engine(tmp_path, Wish(scripts=False)) as window:
        window.go(f"{site.url}/verify")
        window.type("#file", str(demo.untouched / FINAL))
        window.click("form.drop button:not([type])")
        window.until("return document.querySelector('#verdict')")
        assert "exactly what was sealed" in window.text("#verdict")
        window.go(f"{site.url}{BASE}/log/entries/40")
        with pytest.raises(RefusedError):
            window.click("[data-proof] button")
        assert window.heard() == []


def test_the_report_is_a_page_that_needs_nothing(engine: Engine, demo: Demo, tmp_path: Path) -> None:
    with engine(tmp_path, Wish(320, 700)) as window:
        window.go((demo.untouched / "report" / "report.html").as_uri())
        assert cast.TITLE in window.text()
        assert not window.overflows()
        assert window.run(CUT_OFF) == []
        assert window.heard() == []


@pytest.mark.skipif(FIREFOX is None, reason="firefox is not installed")
@pytest.mark.skipif(not shutil.which("pdftotext"), reason="poppler-utils is not installed")
def test_a_page_prints_as_it_reads(site: Site, tmp_path: Path) -> None:
    with firefox(tmp_path, Wish(scheme="dark")) as window:
        window.go(site.url + LABEL)
        printed = tmp_path / "label.pdf"
        printed.write_bytes(base64.b64decode(window.ask("Print")["value"]))
    text = subprocess.run(["pdftotext", printed, "-"], capture_output=True, text=True, check=True).stdout
    assert cast.TITLE in text
