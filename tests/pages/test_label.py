"""The public label as a stranger meets it: read, checked, shown elsewhere, withdrawn; and nothing private."""

from __future__ import annotations

import json
import re
import threading
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from ledger.adapters import qr
from ledger.core.access import Role
from ledger.core.audit import Sight
from ledger.core.audit.document import read
from ledger.demo import cast
from ledger.service.files import identify
from ledger.service.labels.giving import give, of_file, of_report, withdraw
from ledger.service.labels.stated import claims_of, stated
from ledger.wiring import REGISTRAR, home_at, open_device, open_studio
from ledger.wiring.reports.standing import kept_reports
from tests.e2e.test_howto_check import SCRIPT, run
from tests.pages.conftest import Open
from tests.support.codes import codes
from tests.support.demo import Demo
from tests.support.pages import SCHEMES, Site, needs_chromium
from tests.support.pdfs import said

pytestmark = needs_chromium

LABEL = f"/label/{cast.PRODUCTION}/{cast.LABEL}"
HOSTILE = "<b onmouseover=alert(1)>Moon</b>\"'&amp; جزيرة القمر " + "長" * 120
PAGE_BYTES = 150_000


def told(site: Site, identifier: str, title: str | None = None, why: str = "") -> None:
    """Give a label of the demo's report a name and a title; with ``why`` take it back."""
    home = home_at(site.home)
    with open_studio(home) as studio:
        registrar, kept = open_device(home, REGISTRAR), kept_reports(home)
        if title is not None:
            _, claims = claims_of(stated(studio).of(cast.LABEL))
            give(studio, kept, registrar, identifier, of_report(studio, kept, claims.entry, title))
        if why:
            withdraw(studio, registrar, identifier, why)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_stranger_reads_what_it_says_and_what_it_does_not(visit: Open, site: Site, scheme: str) -> None:
    page = visit(java_script_enabled=False).go(LABEL)
    text = page.inner_text("main")
    assert page.inner_text("h1") == cast.TITLE
    files = page.request.get(f"{site.url}{LABEL}.json").json()["claims"]["counts"]["files"]
    counted = (f"Files: {files}, in one shot", f"{files} of {files} files")
    for words in (cast.STUDIO, "This label stands", "Authorised and inventoried", "Japan", *counted):
        assert words in text
    assert "It does not say that AI was not used." in text
    assert "log/entries/" in (page.get_attribute("table a", "href") or "")
    assert len(page.content()) < PAGE_BYTES
    code = page.request.get(site.url + LABEL + "/qr.svg")
    assert code.body() == qr.svg(site.url + LABEL, qr.QUIET)
    page.click("main >> text=http")
    assert page.url == site.url + LABEL
    page.goto(f"{site.url}/label/{cast.PRODUCTION}")
    page.click(f"main >> text={cast.TITLE}")
    assert page.url == site.url + LABEL
    window = visit(color_scheme=scheme)
    for path in (LABEL, f"/label/{cast.PRODUCTION}"):
        window.go(path)
        assert window.audit() == []


def test_a_telephone_reads_the_code_on_a_dark_screen_and_on_paper(
    visit: Open, site: Site, tmp_path: Path
) -> None:
    page = visit(color_scheme="dark").go(LABEL)
    page.wait_for_function("document.querySelector('.qr').complete")
    assert codes(page.screenshot(full_page=True)) == [site.url + LABEL]
    printed = tmp_path / "label.pdf"
    page.pdf(path=printed)
    said("pdftoppm", "-r", 150, "-png", printed, tmp_path / "sheet")
    assert [
        found for sheet in sorted(tmp_path.glob("sheet-*.png")) for found in codes(sheet.read_bytes())
    ] == [site.url + LABEL]


def test_whoever_does_not_believe_the_page_checks_it_without_us(
    visit: Open, site: Site, demo: Demo, tmp_path: Path
) -> None:
    page = visit().go(LABEL)
    links = page.eval_on_selector_all("a[download]", "all => all.map(each => each.href)")
    for link in links:
        got = page.request.get(link)
        named = re.search(r'filename="([a-z.-]+)"', got.headers["content-disposition"])
        assert named
        (tmp_path / named[1]).write_bytes(got.body())
    (vkey,) = json.loads((demo.untouched / "trust.json").read_text())["logs"]
    done = run(SCRIPT, tmp_path, cast.LABEL, vkey)
    assert (done.returncode, done.stderr) == (0, "")
    stated = json.loads(done.stdout.split("\n", 1)[1])
    assert stated["predicate"]["claims"]["grade"] == {"now": "L4", "then": "L4"}
    report = (demo.untouched / "report-for-everybody" / "report.json").read_bytes()
    assert read(json.loads(report)).verdict_now == stated["predicate"]["claims"]["verdict"]["now"]
    answer = page.request.get(f"{site.url}{LABEL}.json").json()
    assert (answer["claims"], answer["holds"]) == (stated["predicate"]["claims"], "stands")


def private(demo: Demo) -> set[str]:
    """Return every text of the whole report that the public may not see, and what the story adds to it."""
    whole = read(json.loads((demo.untouched / "report" / "report.json").read_text()))
    found: set[str] = {cast.PROMPT, cast.LICENSOR, cast.WORKSTATION, cast.FARM, cast.HOLDERS_PARTY}
    for table in whole.tables.values():
        for place, column in enumerate(table.schema.columns):
            if {column.sight, table.schema.sight} == {Sight.OPEN}:
                continue
            cells = [row[place] for row in table.shown]
            flat = [item for cell in cells for item in (cell if isinstance(cell, tuple) else [cell])]
            found |= {item for item in flat if isinstance(item, str)}
    found |= {file["path"].rpartition("/")[2] for file in demo.story["files"]}
    found |= {file["report"]["sha256"] for file in demo.story["files"]}
    return {item for item in found if len(item) > 3}


def test_nothing_private_of_the_production_is_in_any_of_its_answers(
    visit: Open, site: Site, demo: Demo
) -> None:
    page = visit().page
    names = private(demo)
    assert {"moonlit-brush", "night-landscapes", cast.GRANT, "sh020.final.1006.png"} <= names
    # What the studio says in public on purpose: its name, the title, its own moments, who signs; its log.
    said = page.request.get(f"{site.url}{LABEL}.json").json()
    moments = {said["claims"]["at"], *(item["recorded"] for item in said["history"])}
    public = {cast.TITLE, cast.PRODUCTION, cast.STUDIO, cast.STUDIO_PARTY, "registrar", *moments}
    parts = ["", ".json", "/badge.svg", "/qr.svg", "/evidence.dsse.json", "/evidence.tlog-proof"]
    for address in (f"/label/{cast.PRODUCTION}", *(LABEL + part for part in parts)):
        got = page.request.get(site.url + address)
        assert got.status == 200
        text = got.text()
        if address.endswith("dsse.json"):
            text = b64decode(json.loads(text)["payload"]).decode()
        shown = [name for name in names - public if re.search(rf"\b{re.escape(name)}\b", text)]
        assert shown == [], address


@contextmanager
def elsewhere(folder: Path) -> Iterator[str]:
    """Serve a folder as another site, which takes in only what says that it may be taken in."""

    class Handler(SimpleHTTPRequestHandler):
        def end_headers(self) -> None:
            self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
            super().end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://localhost:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def test_a_badge_on_another_site_leads_here_and_says_so_when_the_label_is_withdrawn(
    visit: Open, site: Site, tmp_path: Path
) -> None:
    told(site, "shown", title="Shown elsewhere")
    place = f"/label/{cast.PRODUCTION}/shown"
    window = visit()
    snippet = window.go(place).input_value("#badge-dark")
    (tmp_path / "index.html").write_text(f"<!doctype html><title>Elsewhere</title>{snippet}")
    with elsewhere(tmp_path) as other:
        page = visit().page
        page.goto(other)
        assert page.evaluate("document.images[0].decode().then(() => document.images[0].naturalWidth)") == 320
        assert page.get_attribute("img", "alt") == (
            "Provenance label: Authorised and inventoried. Shown elsewhere, by Studio Yoimachi."
        )
        page.click("a")
        assert page.url == site.url + place
    first = page.request.get(site.url + place + "/badge.svg")
    assert first.headers["cache-control"] == "public, max-age=300"
    tag = {"if-none-match": first.headers["etag"]}
    assert page.request.get(site.url + place + "/badge.svg", headers=tag).status == 304
    told(site, "shown", why="A contract was read again.")
    second = page.request.get(site.url + place + "/badge.svg", headers=tag)
    assert second.status == 200
    assert "Withdrawn" in second.text()
    assert "L4" not in second.text()
    text = window.go(place).inner_text("main")
    assert "This label was withdrawn" in text
    assert text.count("A contract was read again.") == 2
    assert window.audit() == []


def test_a_title_from_a_strange_place_is_text_and_fits(visit: Open, site: Site) -> None:
    told(site, "strange", title=HOSTILE)
    place = f"/label/{cast.PRODUCTION}/strange"
    for path in (place, f"{place}?lang=ja", f"/label/{cast.PRODUCTION}"):
        window = visit(viewport={"width": 320, "height": 700})
        page = window.go(path)
        assert not window.overflows(), path
        assert HOSTILE in window.text()
        assert page.locator("main b[onmouseover]").count() == 0
        assert window.audit() == []
    page.goto(f"{site.url}{place}/badge.svg?lang=ar")
    assert HOSTILE in (page.locator("title").text_content() or "")
    assert page.locator("[onmouseover], b").count() == 0


def test_the_page_about_a_labelled_file_leads_to_its_label(visit: Open, site: Site) -> None:
    home, file = home_at(site.home), site.home.parent / "files" / f"{cast.SHOT}.final.{cast.HERO}.png"
    sha256 = identify(file).sha256
    with open_studio(home) as studio:
        about = sha256, of_file(studio, sha256, None)
        give(studio, kept_reports(home), open_device(home, REGISTRAR), "poster", about)
    page = visit().go(f"/verify/sha256:{sha256}")
    assert "This file carries a public label:" in page.inner_text("main")
    page.click("main a[href^='/label/']")
    assert page.url == f"{site.url}/label/{cast.PRODUCTION}/poster"
    text = page.inner_text("main")
    assert "One delivered file." in text
    assert file.name not in page.content()


def test_only_who_reads_of_a_titles_files_gets_from_a_frame_to_its_label(visit: Open, site: Site) -> None:
    frame = identify(site.home.parent / "files" / f"{cast.SHOT}.final.1003.png").sha256
    told(site, "taken-back", title="Taken back", why="It was given too early.")
    places = (f"frames/{frame}", f"shots/{cast.SEQUENCE}/{cast.SHOT}")
    base = f"/productions/{cast.PRODUCTION}"
    for path in (f"/verify/sha256:{frame}", *(f"{base}/{place}" for place in places)):
        window = visit(Role.ARTIST)
        page = window.go(path)
        lines = page.locator("main p:has(a[href^='/label/'])").all_inner_texts()
        assert any("This label stands" in line and cast.TITLE in line for line in lines), path
        assert any("This label was withdrawn" in line and "Taken back" in line for line in lines), path
        assert window.audit() == []
        page.click(f"main a[href='{LABEL}']")
        assert page.url == site.url + LABEL
    for role in (None, Role.RIGHTS_HOLDER):
        assert "/label/" not in visit(role).go(f"/verify/sha256:{frame}").inner_html("main"), role


@pytest.mark.parametrize("size", ["A4", "A6"])
def test_it_prints_on_one_page(visit: Open, size: str) -> None:
    page = visit().go(LABEL)
    assert page.pdf(format=size).count(b"/Type /Page\n") == 1


def test_what_is_not_there_and_what_nobody_may_know_of_are_the_same(visit: Open, site: Site) -> None:
    page = visit().page
    known = f"/label/{cast.PRODUCTION}/nothing"
    answers = set()
    for path in (
        known,
        f"{known}.json",
        f"{known}/badge.svg",
        "/label/secret",
        "/label/secret/nothing/qr.svg",
    ):
        got = page.request.get(site.url + path, headers={"accept": "application/json"})
        problem = got.json()
        del problem["requestId"]
        answers.add((got.status, json.dumps(problem)))
    assert len(answers) == 1
    assert next(iter(answers))[0] == 404
