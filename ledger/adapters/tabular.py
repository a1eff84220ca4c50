"""Lists of works as CSV and as NDJSON, read row by row in bounded memory.

* CSV is UTF-8, with or without a byte order mark, with a line of column names; cells may be quoted and hold
  line ends. A line end is CR, LF or both. Empty lines are passed over.
* NDJSON is one object on each line. Empty lines are passed over.
* Columns that nobody asked for are ignored. A column that is there must be text in every row.
* Rows are numbered as somebody who opens the file counts them: in CSV the column names are row 1.
* What is not UTF-8 arrives as half a surrogate pair: whoever checks the text refuses it, and names the row.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from itertools import groupby, islice
from pathlib import Path
from typing import Any, TypeVar

from ledger.core.rights.inventory import COLUMNS, GRANT, Rows, not_a_list

T = TypeVar("T")

AT_ONCE = 512
"""Rows in one piece: few enough that their texts stay in the processor's cache."""

_LONGEST = 1 << 20
"""Characters in a line. A longer one is no list, and would be read into memory whole."""


def read_csv(path: Path) -> Iterator[Rows]:
    """Yield the rows of a CSV file. Raises ``MalformedError("registry.inventory")`` with the row's number."""
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as handle:
        reader = csv.reader(_lines(handle.readline), strict=True)
        try:
            yield from _csv_rows(reader)
        except csv.Error as error:
            raise not_a_list(f"Line {reader.line_num} is not CSV: {error}.", line=reader.line_num) from error


def read_ndjson(path: Path) -> Iterator[Rows]:
    """Yield the rows of a file with one JSON object on each line. Raises as ``read_csv``."""
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="\n") as handle:
        for first, lines in _pieces(map(str.strip, _lines(handle.readline)), 1):
            objects = [_object(line, number) for number, line in enumerate(lines, first)]
            yield Rows(first, *([item.get(name) for item in objects] for name in (*COLUMNS, GRANT)))


def _csv_rows(reader: Iterator[list[str]]) -> Iterator[Rows]:
    head = next(reader, [])
    if missing := [name for name in COLUMNS if name not in head]:
        raise not_a_list(f"The list has no column {missing[0]!r}.")
    if len(set(head)) != len(head):
        raise not_a_list("Two columns of the list have one name.")
    for first, rows in _pieces(reader, 2):
        if {len(row) for row in rows} != {len(head)}:
            number = next(number for number, row in enumerate(rows, first) if len(row) != len(head))
            raise not_a_list(f"Row {number} has not {len(head)} cells, as the first one has.", row=number)
        columns = dict(zip(head, zip(*rows, strict=True), strict=True))
        yield Rows(first, *(columns.get(name, [None] * len(rows)) for name in (*COLUMNS, GRANT)))


def _pieces(items: Iterator[T], first: int) -> Iterator[tuple[int, list[T]]]:
    """Yield the number of the first and all items of each stretch without an empty one."""
    while piece := list(islice(items, AT_ONCE)):
        if all(piece):
            yield first, piece
        else:
            for full, found in groupby(enumerate(piece, first), lambda numbered: bool(numbered[1])):
                if full:
                    numbers, stretch = zip(*found, strict=True)
                    yield numbers[0], list(stretch)
        first += len(piece)


def _object(line: str, number: int) -> dict[str, Any]:
    try:
        value = json.loads(line, object_pairs_hook=_members)
    except (ValueError, RecursionError) as error:
        raise not_a_list(f"Row {number} is not JSON: {error}.", row=number) from error
    if not isinstance(value, dict):
        raise not_a_list(f"Row {number} is not a JSON object.", row=number)
    return value


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member occurs twice")
    return members


def _lines(read: Callable[[int], str]) -> Iterator[str]:
    while line := read(_LONGEST):
        if len(line) == _LONGEST:
            raise not_a_list("A line is longer than a million characters: this is no list of works.")
        yield line
