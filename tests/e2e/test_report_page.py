"""The page of a report in a real browser: quiet, alone, of any width, light and dark, for screen readers."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ledger.core.audit import Report
from ledger.render.report.html import page
from tests.support.browser import CHROMIUM, POLICY, Page, asked, browse, wide
from tests.support.node import node_modules
from tests.support.reports import finding, shot
from tests.support.reports import report as made
from tests.unit.test_report_html import full, jpeg

pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="no Chromium")]

DARK = "--blink-settings=preferredColorScheme=0"
RUN = """
<script>
axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "best-practice"]}).then((found) => {
  const told = found.violations.map((item) => [item.id, item.nodes.map((node) => node.html.slice(0, 120))]);
  document.body.innerHTML = "<pre>AXE " + btoa(JSON.stringify([found.passes.length, told])) + "</pre>";
});
</script></body>
"""


def long_names() -> Report:
    """Return a report whose names are as long as they get, with a lineage as wide as they get."""
    name = "sq010_sh020_hero-comp_final_v0042_" * 3 + "落款" * 30
    return full(name)


def many_shots() -> Report:
    shots = [
        shot(n, "c" * 40 + ("b" if n % 9 == 0 else "r" if n % 7 == 0 else "u") * 2) for n in range(1, 301)
    ]
    found = made(shots, {"findings": [finding(n, subject=f"model-{n}") for n in range(1, 61)]})
    return replace(found, worst=("9", "18", "7"))


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("network") / "log.json"


@pytest.fixture(scope="module")
def seen(network: Path, tmp_path_factory: pytest.TempPathFactory) -> Page:
    folder = tmp_path_factory.mktemp("page")
    (folder / "report.html").write_text(page(full(), {"d" * 64: jpeg()}), encoding="utf-8")
    return browse(folder / "report.html", folder / "profile", f"--log-net-log={network}")


def test_the_console_stays_silent_under_its_own_policy(seen: Page) -> None:
    assert "CONSOLE" not in seen.log
    assert "2 of 6 files are blocked" in seen.text


def test_nothing_is_asked_of_any_network(seen: Page, network: Path) -> None:
    assert asked(network) == set()


def test_it_needs_no_script(seen: Page) -> None:
    assert "script" not in {tag for tag, _ in seen.tags}


@pytest.mark.parametrize("width", [360, 768, 1280])
@pytest.mark.parametrize("build", [full, long_names, many_shots])
def test_nothing_sticks_out_at_any_width(build: Callable[[], Report], width: int, tmp_path: Path) -> None:
    assert wide(page(build(), {"d" * 64: jpeg()}), width, tmp_path) <= width


@pytest.mark.parametrize("options", [(), (DARK,)], ids=["light", "dark"])
@pytest.mark.parametrize("build", [full, many_shots])
def test_axe_finds_nothing(build: Callable[[], Report], options: tuple[str, ...], tmp_path: Path) -> None:
    axe = (node_modules() / "axe-core/axe.min.js").read_text(encoding="utf-8")
    text = POLICY.sub("", page(build(), {"d" * 64: jpeg()}))
    path = tmp_path / "report.html"
    path.write_text(text.replace("</body>", f"<script>{axe}</script>{RUN}"), encoding="utf-8")
    read = browse(path, tmp_path / "profile", "--virtual-time-budget=60000", *options)
    found = re.search(r"AXE ([A-Za-z0-9+/=]+)", read.text)
    assert found, read.text[-300:]
    passes, violations = json.loads(base64.b64decode(found.group(1)))
    assert passes > 20
    assert violations == []
