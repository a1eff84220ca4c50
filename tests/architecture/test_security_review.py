"""The security review names each threat of the threat model, and tests that are really there."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.architecture.project import ROOT

DOCS = ROOT / "docs"
THREATS = {"attempt", "mishap"}
NOTHING = "nothing stops it"


def rows(page: str, *headings: str) -> Iterator[tuple[str, str]]:
    """Yield the first cell and the rest of each row of the tables that begin with one of these headings."""
    inside = False
    for line in (DOCS / page).read_text(encoding="utf-8").splitlines():
        first, _, rest = line.removeprefix("| ").removesuffix(" |").partition(" | ")
        if not line.startswith("| "):
            inside = inside and line.startswith("|-")
        elif first in headings:
            inside = True
        elif inside:
            yield first, rest


def existing_tests() -> set[str]:
    """Return every test function as ``folder/file::test``."""
    return {
        f"{path.relative_to(ROOT / 'tests').with_suffix('')}::{name}"
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^(?:async )?def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    }


def test_each_threat_has_its_line_in_the_same_order() -> None:
    threats = [threat for threat, _ in rows("threat-model.md", *THREATS)]
    assert len(threats) > 60
    assert [threat for threat, _ in rows("security-review.md", "threat")] == threats


def test_each_test_that_is_named_is_there() -> None:
    named = {
        test for _, held in rows("security-review.md", "threat") for test in re.findall(r"`(.+?)`", held)
    }
    assert len(named) > 60
    assert not named - existing_tests()


def test_what_no_test_holds_says_so() -> None:
    for threat, held in rows("security-review.md", "threat"):
        assert held == NOTHING or "`" in held, threat
