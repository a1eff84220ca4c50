"""A table of the audit report as CSV (RFC 4180): one header row with the keys of the columns, then the rows.

* UTF-8 with a byte order mark: without one the commonest spreadsheet reads it in the encoding of its country,
  and the names in an evidence file turn into others.
* An apostrophe stands before whatever a spreadsheet would take for a formula: at the beginning of a text, and
  after each semicolon, tab and line break in it, since some spreadsheets split there. It stands before
  apostrophes that were there, too, so that taking one away gives the text again.
* Numbers are numbers, also negative ones; yes and no are ``true`` and ``false``; nothing is an empty field,
  and an empty text is an apostrophe.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from typing import Any

from ledger.core.audit import Hidden, Kind, Table
from ledger.core.audit.cells import HIDDEN, cell

BOM = "\ufeff"
_BLANK = r"[\x00-\x08\x0b\x0c\x0e-\x20\x7f-\xa0\xad\u1680\u2000-\u200f\u2028-\u202f\u205f-\u2064\u3000\ufeff]"
_FORMULA = rf"{_BLANK}*[=+\-@＝＋－＠]"
_GUARDED = re.compile(rf"\A(?='*(?:\Z|[\t\r\n]|{HIDDEN}|{_FORMULA}))|(?<=[;\t\r\n])(?='*{_FORMULA})")
_HARMLESS = re.compile(rf"(?!{HIDDEN})[A-Za-z0-9][^;\t\r\n]*\Z")
"""Most texts; no guard is looked for in these."""
_FLAGS = {True: "true", False: "false"}


def to_csv(table: Table) -> Iterator[str]:
    """Yield the lines, each with its end, to be written as UTF-8. The first begins with the mark."""
    columns = table.schema.columns
    kinds = [column.kind for column in columns]
    writer = csv.writer(_Lines(), lineterminator="\r\n")
    yield BOM + str(writer.writerow([column.key for column in columns]))
    empty = [None] * (len(columns) - 1)
    for row in table.rows:
        fields = [row, *empty] if isinstance(row, Hidden) else row
        yield str(writer.writerow(map(_field, kinds, fields)))


def _field(kind: Kind, value: Any) -> str | int | None:
    if isinstance(value, str) and value.isascii() and _HARMLESS.match(value):
        return value
    if isinstance(value, Hidden):
        return str(cell(kind, value))
    if isinstance(value, bool):
        return _FLAGS[value]
    found = cell(kind, value)
    return _GUARDED.sub("'", found) if isinstance(found, str) else found


class _Lines:
    """What ``csv.writer`` writes to: it hands each line back."""

    def write(self, line: str) -> str:
        return line
