"""docs/promises.md names only tests that there are."""

import re

from tests.architecture.project import ROOT

NAMED = re.compile(r"`(test_[a-z0-9_]+)`")
DEFINED = re.compile(r"^(?:async )?def (test_[a-z0-9_]+)\(", re.MULTILINE)


def test_every_promise_is_backed_by_a_test() -> None:
    rows = (ROOT / "docs" / "promises.md").read_text(encoding="utf-8").split("|---|---|---|---|---|---|\n")[1]
    lines = [line for line in rows.splitlines() if line.startswith("|")]
    there = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in DEFINED.findall(path.read_text(encoding="utf-8"))
    }
    assert len(lines) > 15
    assert [line for line in lines if not set(NAMED.findall(line)) & there] == []
    assert {name for line in lines for name in NAMED.findall(line)} - there == set()
