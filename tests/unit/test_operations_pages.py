"""Every alert has its page, every page the same four parts, and both speak of things that there are."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from api import metrics
from ledger.cli import COMMANDS
from ledger.codes import CODES

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs/operations"
DEPLOY = ROOT / "docs/deploy"
PARTS = ["What it means", "What is at risk", "What to do", "How to know that it is over"]
GUIDES = {"index.md", "backup.md", "deploy.md"}
PAGES = sorted(path for path in FOLDER.glob("*.md") if path.name not in GUIDES)


def rules() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"]
    found: list[dict[str, Any]] = group["rules"]
    return found


def exposed() -> set[str]:
    """Every name that /metrics can have."""
    own = {sample.name for family in metrics._OWN.collect() for sample in family.samples}
    # A labelled metric shows samples only once it was counted.
    made = (metrics.REQUESTS, metrics.PROBLEMS, metrics.ENTRIES)
    timed = (metrics.SECONDS, metrics.COMMITS, metrics.SIZES, metrics.WAITING)
    names = {*(f"{one._name}_total" for one in made), *(one._name for one in timed)}
    return {*own, *metrics.STATE, *names}


def test_every_alert_has_a_page_and_is_on_the_index() -> None:
    index = (FOLDER / "index.md").read_text()
    for rule in rules():
        page = ROOT / rule["annotations"]["runbook"]
        assert page in PAGES, rule["alert"]
        (row,) = [line for line in index.splitlines() if re.search(rf"\b{rule['alert']}\b", line)]
        assert f"({page.name})" in row
        assert rule["labels"]["severity"] in {"page", "ticket"}
    assert {f"({page.name})" for page in PAGES} <= set(re.findall(r"\([\w-]+\.md\)", index))


def test_every_metric_and_code_of_an_alert_exists() -> None:
    for rule in rules():
        assert set(re.findall(r"\brakkan_\w+", rule["expr"])) <= exposed(), rule["alert"]
        for codes in re.findall(r'problems_total\{code=~?"([^"]*)"', rule["expr"]):
            assert set(codes.split("|")) <= set(CODES), rule["alert"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_has_its_parts_steps_and_only_commands_that_exist(page: Path) -> None:
    text = page.read_text()
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == PARTS
    assert len(re.findall(r"^[0-9]+\. ", text, re.MULTILINE)) >= 3
    for metric in re.findall(r"\brakkan_\w+", text):
        assert metric in exposed(), metric
    for code in re.findall(r"`((?:log|server|verify|request|home|database)\.[a-z-]+)`", text):
        assert code in CODES, code
    blocks = re.findall(r"^ {3}```\n(.*?)^ {3}```", text, re.MULTILINE | re.DOTALL)
    commands = [line.strip() for block in blocks for line in block.splitlines()]
    assert commands
    for command in re.findall(r"\brakkan ([a-z]+)", "\n".join(commands)):
        assert command in COMMANDS, command


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
@pytest.mark.parametrize("unit", sorted(path.name for path in DEPLOY.glob("rakkan*")))
def test_systemd_finds_nothing_wrong_with_a_unit(unit: str) -> None:
    found = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", DEPLOY / unit],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (found.returncode, found.stderr) == (0, "")


def test_the_containerfile_is_hashed_unprivileged_and_names_no_registry() -> None:
    text = (DEPLOY / "Containerfile").read_text()
    assert "--require-hashes -r locks/run.txt" in text
    assert text.index("USER 10001") < text.index("ENTRYPOINT")
    for base in re.findall(r"^FROM (\S+)", text, re.MULTILINE):
        assert "/" not in base
        assert "." not in base.partition(":")[0]
    copied = re.findall(r"^COPY (?!--)(.*) \S+$", text, re.MULTILINE)
    for name in " ".join(copied).split():
        assert (ROOT / name).exists(), name
