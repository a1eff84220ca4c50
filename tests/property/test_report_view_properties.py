"""Whatever is in a report: a view shows no hidden value, commits to each, and is read back as it was."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ledger.core.audit import Column, Hidden, Kind, Report, Row, Schema, Sight, Table
from ledger.core.audit.document import read, to_json
from ledger.core.audit.tables import TABLES
from ledger.core.audit.views import SEES, Reader, View, openings, seen_by
from ledger.core.digest import sha256_hex
from ledger.core.disclosure import open_disclosure
from ledger.errors import MalformedError
from tests.support.reports import report as plain

SECRET = b"s" * 32
PARTIES = ("party:ours", "party:theirs")
FREE = {"delivery", "pictures", "withheld", "where", "tables", "lineages"}
"""Members whose own members have names that somebody else chose."""
readers = st.sampled_from([Reader(view, PARTIES[0] if view is View.RIGHTS_HOLDER else None) for view in View])


def value(kind: Kind, mark: str, number: int) -> Any:
    """Return a cell that no other cell is like."""
    large = 7_000_000_000 + number
    others: dict[Kind, Any] = {
        Kind.TEXTS: (f"{mark} one", f"{mark} two"),
        Kind.COUNT: large,
        Kind.PER_MILLE: large,
        Kind.ENTRIES: (large,),
        Kind.DIGEST: sha256_hex(mark.encode()),
        Kind.FLAG: bool(number % 2),
        Kind.STRIP: ("c", large),
    }
    return others.get(kind, mark)


@st.composite
def tables(draw: st.DrawFn) -> dict[str, Table]:
    """Draw rows for every table there is, with cells that are empty or like no other."""
    number, found = 0, {}
    for key, schema in TABLES.items():
        rows: list[Row] = []
        for _ in range(draw(st.integers(0, 2))):
            cells = []
            empty = draw(st.integers(0, 2 ** len(schema.columns) - 1))
            for place, column in enumerate(schema.columns):
                number += 1
                mark = f"\u00ab{key} {column.key} {number}\u00bb"
                held = value(column.kind, mark, number)
                if column.key == schema.owner:
                    held = tuple(draw(st.lists(st.sampled_from(PARTIES), unique=True)))
                elif place and empty >> place & 1:
                    held = None
                cells.append(held)
            rows.append(tuple(cells))
        found[key] = Table(schema, tuple(rows))
    return found


PLAIN = plain([])
reports = tables().map(lambda drawn: replace(PLAIN, tables=drawn))


def may_see(reader: Reader, schema: Schema, row: Row, column: Column) -> bool:
    """Whether a reader may see a cell: the rules of docs/spec/audit-report.md, once more."""
    if schema.sight not in SEES[reader.view]:
        return False
    if reader.view is not View.RIGHTS_HOLDER:
        return column is schema.columns[0] or column.sight in SEES[reader.view]
    if schema.owner is None:
        return column is schema.columns[0] or column.sight is Sight.OPEN
    parties = set(row[schema.place(schema.owner)] or ())
    if reader.party not in parties:
        return False
    terms = column.sight is Sight.TERMS and parties != {reader.party}
    return column is schema.columns[0] or (column.sight in SEES[reader.view] and not terms)


def cells(report: Report) -> Iterator[tuple[Table, int, Row, int, Column]]:
    for table in report.tables.values():
        for place, row in enumerate(table.shown):
            for n, column in enumerate(table.schema.columns):
                yield table, place, row, n, column


def marks(held: Any) -> list[str]:
    """Return the texts in which a cell would be found, none for what many cells are like."""
    parts = held if isinstance(held, tuple) else (held,)
    told = [str(part) for part in parts if part is not None and not isinstance(part, bool)]
    return [part for part in told if part.startswith(("\u00ab", "700")) or len(part) == 64]


@given(reports, readers)
def test_no_hidden_value_is_anywhere_in_the_document(report: Report, reader: Reader) -> None:
    text = json.dumps(to_json(seen_by(report, reader, SECRET)), ensure_ascii=False)
    for table, _, row, n, column in cells(report):
        shown = may_see(reader, table.schema, row, column)
        for mark in marks(row[n]):
            assert (mark in text) is shown, (mark, column)


@given(reports, readers)
def test_every_hidden_value_is_committed_to_and_counted(report: Report, reader: Reader) -> None:
    seen = seen_by(report, reader, SECRET)
    hidden = 0
    for table, place, row, n, column in cells(report):
        found = seen.tables[table.schema.key].rows[place]
        whole = isinstance(found, Hidden)
        cell = found if isinstance(found, Hidden) else found[n]
        if not isinstance(cell, Hidden):
            assert cell == row[n]
            continue
        hidden += not whole or n == 0
        name = "/".join([table.schema.key, str(row[0]), *([] if whole else [column.key])])
        (opening,) = openings(report, SECRET, [name])
        opened = json.loads(open_disclosure(opening, (cell.digest,)).value)
        assert opened == json.loads(json.dumps(row if whole else row[n]))
    work = 0 if Sight.WORK in SEES[reader.view] else len(report.lineages)
    assert sum(seen.withheld.values()) == hidden + work


@given(reports, readers, readers)
def test_all_views_commit_in_the_same_way(report: Report, one: Reader, other: Reader) -> None:
    first, second = (seen_by(report, reader, SECRET) for reader in (one, other))
    for table, place, _, n, _ in cells(report):
        rows = [seen.tables[table.schema.key].rows[place] for seen in (first, second)]
        found = [row if isinstance(row, Hidden) else row[n] for row in rows]
        if isinstance(rows[0], Hidden) is isinstance(rows[1], Hidden) and all(
            isinstance(cell, Hidden) for cell in found
        ):
            assert found[0] == found[1]


@given(reports, readers)
def test_another_secret_commits_in_another_way(report: Report, reader: Reader) -> None:
    first, second = (seen_by(report, reader, secret) for secret in (SECRET, b"t" * 32))
    pairs = zip(cells(first), cells(second), strict=True)
    hidden = [(a[2][a[3]], b[2][b[3]]) for a, b in pairs if isinstance(a[2][a[3]], Hidden)]
    assert all(one != other for one, other in hidden)


@given(reports, readers)
def test_a_document_is_read_back_as_it_was(report: Report, reader: Reader) -> None:
    seen = seen_by(report, reader, SECRET)
    assert read(to_json(seen)) == seen
    assert read(json.loads(json.dumps(to_json(seen)))) == seen


def places(value: Any, free: bool = False) -> Iterator[tuple[Any, Any, bool]]:
    """Yield every container in a document with each of its places, and whether its names are free."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield value, name, free
            yield from places(inner, name in FREE and not free)
    elif isinstance(value, list):
        for n, inner in enumerate(value):
            yield value, n, False
            yield from places(inner)


@given(reports, readers, st.data())
def test_a_member_more_or_a_number_with_a_fraction_is_refused(
    report: Report, reader: Reader, data: st.DataObject
) -> None:
    document = deepcopy(to_json(seen_by(report, reader, SECRET)))
    container, name, free = data.draw(st.sampled_from(list(places(document))))
    if isinstance(container, dict) and not free and data.draw(st.booleans()):
        container["surplus"] = 1
    else:
        container[name] = 0.5
    with pytest.raises(MalformedError):
        read(document)


@given(reports, readers, st.data())
def test_a_member_less_is_refused_or_was_one_that_may_be_missing(
    report: Report, reader: Reader, data: st.DataObject
) -> None:
    document = deepcopy(to_json(seen_by(report, reader, SECRET)))
    container, name, free = data.draw(st.sampled_from(list(places(document))))
    assume(isinstance(container, dict) and not free)
    del container[name]
    try:
        found = read(document)
    except MalformedError:
        return
    assert to_json(found) == document
