"""A series in the browser: the board by episode, and two shots of one name that are never each other's."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from ledger.adapters.home import Home
from ledger.core.access import Role
from tests.pages.conftest import Open
from tests.support.pages import SCHEMES, Site, needs_chromium, serving, visiting
from tests.support.series import EPISODES, SHOTS

pytestmark = needs_chromium
BOARD = "/productions/nightfall"


@pytest.fixture(scope="module")
def site(series: Home) -> Iterator[Site]:
    with serving(series.folder) as running:
        yield running


def test_from_an_episode_to_its_shot_and_not_to_its_namesake(visit: Open) -> None:
    window = visit(Role.PRODUCER)
    page = window.go(BOARD)
    rows = page.locator("#episodes ~ .scroll tbody tr")
    assert [row.split()[0] for row in rows.all_inner_texts()] == list(EPISODES)
    assert rows.locator("svg.strip").count() == len(EPISODES)
    rows.locator("a", has_text="ep02").click()
    assert "episode=ep02" in page.url
    shots = page.locator("#shots ~ .scroll tbody th a")
    assert shots.all_inner_texts() == [f"ep02 / sq000 / sh{shot:04}" for shot in range(SHOTS)]
    shots.nth(1).click()
    assert page.url.partition("?")[0].endswith("/shots/ep02/sq000/sh0001")
    assert "ep02 / sq000 / sh0001" in page.inner_text("h1")
    pictures = page.locator(".contact a")
    theirs = {pictures.nth(n).get_attribute("href") for n in range(pictures.count())}
    window.go(f"{BOARD}/shots/ep01/sq000/sh0001")
    assert theirs
    assert theirs.isdisjoint({pictures.nth(n).get_attribute("href") for n in range(pictures.count())})
    pictures.first.click()
    assert "ep01" in page.inner_text(".under")
    page.click(".under a")
    assert page.url.endswith("/shots/ep01/sq000/sh0001")
    assert window.complaints == []


def test_a_shot_without_its_episode_is_nowhere(visit: Open) -> None:
    window = visit(Role.PRODUCER, java_script_enabled=False)
    page = window.go(f"{BOARD}/shots/sq000/sh0001", 404)
    assert "shot.unknown" in page.content()


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_board_of_a_series_keeps_nobody_out(browser: Browser, site: Site, scheme: str) -> None:
    with visiting(browser, site, Role.LEGAL, color_scheme=scheme, locale="ja-JP") as window:
        for path in (BOARD, f"{BOARD}?episode=ep01", f"{BOARD}/shots/ep01/sq000/sh0001"):
            page = window.go(path)
            assert window.audit() == [], path
        assert "エピソードごと" in window.go(BOARD).inner_text("#episodes")
        page.set_viewport_size({"width": 320, "height": 700})
        assert not window.overflows()
