"""The keys of the tables of a file of facts, as docs/spec/rights-import.md lists them."""

from __future__ import annotations

import re
from pathlib import Path

_PAGE = Path(__file__).parents[2] / "docs" / "spec" / "rights-import.md"
_ROW = re.compile(r"^\| `([a-z_]+)` \| (.*) \|$", re.MULTILINE)
_REMARKS = re.compile(r"\(secret[^()]*\)|\b(?:or|with|and)\b")


def _documented() -> dict[str, list[str]]:
    rows = _ROW.findall(_PAGE.read_text(encoding="utf-8").partition("## Every key")[2])
    return {kind: sorted(set(re.findall(r"[a-z0-9_]+", _REMARKS.sub(" ", row)))) for kind, row in rows}


KEYS = _documented()
"""The documented keys by kind."""
