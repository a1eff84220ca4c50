"""The example report in the documentation is readable by today's code, and drawn by it."""

import re
import runpy
from pathlib import Path
from typing import Any

import pytest

from ledger.core.audit import counted

FOLDER = Path(__file__).resolve().parents[2] / "docs/example-report"


@pytest.fixture(scope="module")
def script() -> dict[str, Any]:
    return runpy.run_path(str(FOLDER / "generate.py"))


def test_its_document_is_read_and_its_figures_are_those_of_its_tables(script: dict[str, Any]) -> None:
    report = script["document"]()
    assert report.verdict_now == "blocked"
    assert [report.figure(key).value for key in ("frames", "cleared", "blocked")] == [13, 12, 1]
    for figure in report.figures:
        assert counted(report.tables, figure.count) == figure.value


def test_its_page_is_the_one_that_today_s_code_draws(script: dict[str, Any]) -> None:
    kept = (FOLDER / "report.html").read_text(encoding="utf-8")
    assert kept == script["drawn"](), "run docs/example-report/generate.py --draw"


def test_every_file_that_its_page_leads_to_is_there() -> None:
    links = re.findall(r'<a href="([^"#]+)"', (FOLDER / "report.html").read_text(encoding="utf-8"))
    assert len(set(links)) > 10
    assert [link for link in set(links) if not (FOLDER / link).is_file()] == []


def test_it_is_small_and_says_nothing_of_the_machine_that_made_it() -> None:
    files = [path for path in FOLDER.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    assert sum(path.stat().st_size for path in files) < 400_000
    texts = [path.read_text(encoding="utf-8") for path in files if path.suffix in (".json", ".csv", ".html")]
    assert not [text for text in texts if re.search(r"/(home|tmp|work|root|Users)/", text)]
