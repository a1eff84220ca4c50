"""The demo's page in a real browser: nothing fails, nothing is fetched, and the verdict is there to read."""

import re
from pathlib import Path
from urllib.parse import unquote

import pytest

from ledger.core.predicates.reasons import EXPLAINED, Code
from tests.support.browser import CHROMIUM, Page, asked, browse, wide
from tests.support.demo import Demo, run_once

VERDICT = "Every one of the {} files of this cut is proven."

pytestmark = [
    pytest.mark.slow,
    pytest.mark.sample,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium"),
]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    return run_once(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("network") / "log.json"


@pytest.fixture(scope="module")
def page(demo: Demo, network: Path, tmp_path_factory: pytest.TempPathFactory) -> Page:
    index = demo.folder / "index.html"
    return browse(index, tmp_path_factory.mktemp("profile"), f"--log-net-log={network}")


def test_the_verdict_is_the_first_heading(page: Page, demo: Demo) -> None:
    assert VERDICT.format(len(demo.story["files"])) in page.text
    headings = [tag for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
    assert headings[0] == "h1"
    assert headings.count("h1") == 1


def test_the_console_stays_silent(page: Page) -> None:
    assert "CONSOLE" not in page.log


def test_nothing_is_asked_of_any_network(page: Page, network: Path) -> None:
    assert asked(network) == set()
    loaded = [
        attributes.get(name) or ""
        for tag, attributes in page.tags
        for name in ("src", "href", "srcset", "data")
        if tag != "a" and name in attributes
    ]
    assert loaded
    assert all(address.startswith("data:") for address in loaded)


def test_every_link_leads_to_something_that_is_there(page: Page, demo: Demo) -> None:
    links = {attributes.get("href") or "" for tag, attributes in page.tags if tag == "a"}
    ids = {attributes.get("id") for _, attributes in page.tags}
    assert [link for link in links if link.startswith("#") and link[1:] not in ids] == []
    files = [link for link in links if not link.startswith("#")]
    assert len(files) > 12
    assert [link for link in files if not (demo.folder / unquote(link)).is_file()] == []


def test_every_picture_has_a_text(page: Page) -> None:
    pictures = [attributes for tag, attributes in page.tags if tag == "img"]
    assert len(pictures) > 20
    assert all(attributes.get("alt") for attributes in pictures)


def test_it_has_landmarks_and_a_language(page: Page) -> None:
    tags = [tag for tag, _ in page.tags]
    assert [tags.count(tag) for tag in ("header", "main", "footer")] == [1, 1, 1]
    assert dict(page.tags)["html"]["lang"] == "en"


def test_it_names_every_attack_and_never_promises_too_much(page: Page, demo: Demo) -> None:
    assert [trial["title"] for trial in demo.story["trials"] if trial["title"] not in page.text] == []
    assert not re.search(r"ai.free|copyright.safe", page.text, re.IGNORECASE)


def test_it_shows_the_verdict_the_raw_materials_and_what_is_refused(page: Page) -> None:
    text = " ".join(page.text.split())
    for shown in (
        "May it be delivered?",
        "strict-authorised-only",
        "L4 Authorised and inventoried",
        "Rights holder Atelier Tsukikage",
        "Grant MR-2026-01 by Atelier Tsukikage and Ran Minazuki, a licence, permits training a model",
        "(days in Asia/Tokyo)",
        "✕ Blocked grade L1",
        EXPLAINED[Code.MODEL_OPAQUE].meaning,
        "To mend it: " + EXPLAINED[Code.NO_GRANT].mend.replace("`", ""),
        "Suppose MR-2026-01 were revoked",
        "No: the list commits to 6 works, and this is not one of them.",
        "evidence, not a legal opinion",
    ):
        assert shown in text


def test_it_is_small_enough_to_send(demo: Demo) -> None:
    page = (demo.folder / "index.html").read_text(encoding="utf-8")
    assert len(page) < 1_000_000
    assert len(re.sub(r'data:image/[^"]*', "", page)) < 150_000


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_nothing_sticks_out_at_any_width(width: int, demo: Demo, tmp_path: Path) -> None:
    page = (demo.folder / "index.html").read_text(encoding="utf-8")
    assert wide(page, width, tmp_path) <= width
