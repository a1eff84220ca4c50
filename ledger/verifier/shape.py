"""The document as this verifier knows it: every table with its columns, every cell of its kind.

What a later Rakkan adds at the end of a table, and tables that it adds, are looked at by their kinds alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from ledger.core.audit import Figure, Hidden, Kind, Report, Table
from ledger.core.audit.chapters import FIGURES
from ledger.core.audit.tables import TABLES
from ledger.core.digest import parse_sha256
from ledger.errors import MalformedError

_SHA256 = re.compile(r"[0-9a-f]{64}")


def _is_count(cell: Any) -> bool:
    return type(cell) is int and cell >= 0


def _is_text(cell: Any) -> bool:
    return isinstance(cell, str)


def _all(cell: Any, of: Callable[[Any], bool]) -> bool:
    return isinstance(cell, tuple) and all(map(of, cell))


_OF_KIND: Mapping[Kind, Callable[[Any], bool]] = {
    Kind.COUNT: _is_count,
    Kind.PER_MILLE: _is_count,
    Kind.FLAG: lambda cell: isinstance(cell, bool),
    Kind.DIGEST: lambda cell: _is_text(cell) and _SHA256.fullmatch(cell) is not None,
    Kind.TEXTS: lambda cell: _all(cell, _is_text),
    Kind.ENTRIES: lambda cell: _all(cell, _is_count),
    Kind.STRIP: lambda cell: _all(cell, lambda part: _is_text(part) or _is_count(part)),
}
"""What a cell of a kind is; all other kinds are texts."""


def check_shape(report: Report) -> None:
    """Return if the document is one that this verifier knows. Raises ``MalformedError``."""
    try:
        _check(report)
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        raise _malformed(repr(error)) from error


def _check(report: Report) -> None:
    head = report.head
    texts = (head.identifier, head.origin, head.scope, head.at, head.policy, head.policy_version, report.view)
    if not (all(map(_is_text, texts)) and _is_count(head.size)):
        raise _malformed("its head is not one of an audit report")
    parse_sha256(head.root)
    for key, schema in TABLES.items():
        found = report.tables.get(key)
        known = [(column.key, column.kind) for column in schema.columns]
        columns = [(column.key, column.kind) for column in found.schema.columns] if found else []
        if columns[: len(known)] != known:
            raise _malformed(f"its table {key} is missing, or has other columns")
    for table in report.tables.values():
        _check_cells(table)
    for figure in report.figures:
        _check_figure(figure, report.tables)


def _check_cells(table: Table) -> None:
    kinds = [_OF_KIND.get(column.kind, _is_text) for column in table.schema.columns]
    if not all(_is_text(row.digest) for row in table.rows if isinstance(row, Hidden)):
        raise _malformed(f"a hidden row of its table {table.schema.key} has no digest")
    for row in table.shown:
        for of_kind, cell in zip(kinds, row, strict=True):
            held = _is_text(cell.digest) if isinstance(cell, Hidden) else cell is None or of_kind(cell)
            if not held:
                raise _malformed(f"a cell of its table {table.schema.key} is of another kind")
        if isinstance(row[0], Hidden) or row[0] is None:
            raise _malformed(f"a row of its table {table.schema.key} has no number")


def _check_figure(figure: Figure, tables: Mapping[str, Table]) -> None:
    """Hold a figure's recipe against the one that this verifier knows."""
    known = {key: count for key, _, count in FIGURES}.get(figure.key, figure.count)
    table = tables.get(figure.count.table)
    keys = {column.key: column.kind for column in table.schema.columns} if table else {}
    of = figure.count.of
    counts = of is None or keys.get(of) in (Kind.COUNT, Kind.PER_MILLE)
    if figure.count != known or not counts or any(key not in keys for key, _ in figure.count.where):
        raise _malformed(f"its figure {figure.key} is counted in another way")
    if not _is_count(figure.value):
        raise _malformed(f"its figure {figure.key} is no number")


def _malformed(why: str) -> MalformedError:
    return MalformedError("report.malformed", f"This is not an audit report as it is known here: {why}.")
