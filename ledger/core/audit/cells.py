"""Cells as text, for the formats that know no lists: tables as CSV and as sheets of a workbook.

* A list is its items with ``; `` between them. In an item a backslash stands before each semicolon and each
  backslash. An empty list is an empty cell.
* A strip is a list of runs, each a letter and a number: ``c13; b1``.
* What is hidden is ``hidden:`` and its commitment.
* Half of a surrogate pair, which a file's name can hold and no encoding can, is written as its escape.

The rules for readers: docs/spec/report-files.md.
"""

from __future__ import annotations

from typing import Any

from ledger.core.audit import Hidden, Kind, Scalar

HIDDEN = "hidden:"
BETWEEN = "; "


def cell(kind: Kind, value: Any) -> Scalar:
    """Return a cell of a column of this kind: a list and what is hidden as text, all else as it is."""
    if isinstance(value, Hidden):
        return f"{HIDDEN}{value.digest}"
    if isinstance(value, tuple):
        return _listed(kind, value)
    if isinstance(value, str) and not value.isascii():
        return value.encode("utf-8", "backslashreplace").decode()
    scalar: Scalar = value
    return scalar


def _listed(kind: Kind, items: tuple[Any, ...]) -> str | None:
    if not items:
        return None
    if kind is Kind.STRIP:
        return BETWEEN.join(f"{letter}{run}" for letter, run in zip(items[::2], items[1::2], strict=True))
    return BETWEEN.join(_item(item) for item in items)


def _item(value: Any) -> str:
    text = str(cell(Kind.TEXT, value))
    return text.replace("\\", "\\\\").replace(";", "\\;")
