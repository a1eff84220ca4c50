"""A browser, and the demo's production served to it: shared by the tests of one file."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from playwright.sync_api import Browser

from ledger.core.access import Role
from ledger.service.board.keeping import Boards
from ledger.wiring.serving import PageSettings
from tests.support.demo import Demo, run_once
from tests.support.here import quiet
from tests.support.pages import Site, Visit, chromium, serving, visiting

Open = Callable[..., Visit]


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    return run_once(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="module")
def site(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The demo's production, served: a copy, so that a test may add to its log."""
    root = tmp_path_factory.mktemp("site") / "demo"
    shutil.copytree(demo.untouched, root)
    with serving(root / "home", settings=quiet(PageSettings(pictures=(root / "files",)))) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture
def visit(browser: Browser, site: Site) -> Iterator[Open]:
    """Open windows: ``visit(role, **options)``. They are closed with the test."""
    with ExitStack() as windows:

        def open_window(role: Role | None = None, **options: Any) -> Visit:
            return windows.enter_context(visiting(browser, site, role, **options))

        yield open_window


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine computes slowly: the page that says so meanwhile has tests of its own."""
    monkeypatch.setattr(Boards.get, "__defaults__", (None, 60.0))
