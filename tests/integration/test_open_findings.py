"""A name in a prompt becomes one question on record, and nothing of the prompt enters the log."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.adapters.home import Home
from ledger.adapters.said import read_said
from ledger.core.artifact import Artifact
from ledger.core.predicates import Finding
from ledger.core.predicates.finding import FindingKind, FindingState
from ledger.core.predicates.step import Evidence
from ledger.core.watch import WatchList, find_in
from ledger.service.files import identify
from ledger.service.said.watching import open_findings, registered_terms
from ledger.wiring import open_device, open_studio
from tests.e2e.conftest import Studio, copied, founded
from tests.support import said
from tests.support.cleared import FACTS, clear, license_production, place

__all__ = ["founded"]
PEOPLE = """
[[party]]
id = "kumo"
kind = "person"
name = "Kumo Tarou"

[[consent]]
id = "C-1"
person = "performer-7"
name = "Hana Sato"
covers = "face in crowd shots"
from = 2025-01-01
until = 2025-02-01
"""
PROMPT = "a very secret lamp, by kumo tarou, hana sato, kumo tarou style"


@pytest.fixture
def studio(founded: Studio, tmp_path: Path) -> Studio:
    own = copied(founded, tmp_path / "studio")
    license_production(own, FACTS + PEOPLE)
    return own


def shot(studio: Studio) -> Path:
    path = said.png(studio.work / "sh010.1001.png", {"parameters": f"{PROMPT}\nSteps: 2, Seed: 1, Size: 8x8"})
    painted = ("--action", "generate", "--tool", "painter 1.0", "--model", "sky")
    return studio.record(path, *painted, *place("sh010"))


def ask(studio: Studio, path: Path) -> list[Finding]:
    """Open the findings of a file, and return the statements that were made."""
    with open_studio(Home(studio.home, None)) as opened:
        device = open_device(Home(studio.home, None), "workstation")
        hits = find_in(WatchList(registered_terms(opened)), read_said(path))
        done = open_findings(opened, device, Artifact(path.name, identify(path).sha256), hits)
        found = [opened.statement(item.index).predicate for item in done]
    assert all(isinstance(item, Finding) for item in found)
    return [item for item in found if isinstance(item, Finding)]


def test_each_name_is_one_question_by_the_device_that_found_it(studio: Studio) -> None:
    found = ask(studio, shot(studio))
    assert {(item.kind, item.person) for item in found} == {
        (FindingKind.STYLE_REFERENCE, None),
        (FindingKind.PERFORMER_NAME, "performer-7"),
    }
    assert {item.state for item in found} == {FindingState.OPEN}
    assert {item.evidence for item in found} == {Evidence.DECLARED}


def test_a_file_is_asked_about_a_name_once(studio: Studio) -> None:
    path = shot(studio)
    assert len(ask(studio, path)) == 2
    assert ask(studio, path) == []


def test_neither_the_prompt_nor_the_name_is_in_the_log(studio: Studio) -> None:
    path = shot(studio)
    ask(studio, path)
    statements = [studio.ok("show", index).json["statement"] for index in range(studio.size())]
    findings = [item for item in statements if "finding/v1" in item["predicateType"]]
    assert len(findings) == 2
    assert not any(name in repr(statements).lower() for name in ("kumo tarou", "hana", "secret lamp"))


def test_clearing_sees_the_questions_and_blocks_nothing_by_itself(studio: Studio) -> None:
    path = shot(studio)
    before = clear(studio, path)
    ask(studio, path)
    after = studio("clear", path, "--policy", studio.work / "house.toml", "--json")
    codes = {word for word in ("STYLE_REFERENCE", "PERFORMER_NAME_IN_PROMPT") if word in after.out}
    assert codes == {"STYLE_REFERENCE", "PERFORMER_NAME_IN_PROMPT"}
    assert not any(code in repr(before) for code in codes)
    assert after.json["verdict"]["now"] == "needs_review"


def test_a_name_whose_opening_was_erased_is_found_no_more(studio: Studio) -> None:
    with open_studio(Home(studio.home, None)) as opened:
        terms = registered_terms(opened)
        assert {term.term for term in terms} == {"Mori Studio", "Kumo Tarou", "Hana Sato"}
        for record in opened.facts.records:
            opened.openings.erase(getattr(record.statement.predicate, "commitments", ()))
        assert {term.term for term in registered_terms(opened)} == {"Mori Studio"}
