"""Whatever a name is, it comes back from a report's CSV and workbook as it was, and is never a formula."""

from __future__ import annotations

import csv
import io

from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook
from openpyxl.utils.escape import unescape

from ledger.adapters.workbook import write_workbook
from ledger.render.report.csv_table import to_csv
from tests.support.hostile_reports import HOSTILE, report, split, unguarded, with_table, with_text

LETTERS = st.characters(exclude_categories=["Cs"])
NASTY = st.lists(st.sampled_from([*HOSTILE, *"=+-@'; \t\r\n\\,\"", "_x0041_"]), max_size=6).map("".join)
TEXTS = st.text(LETTERS, max_size=30) | NASTY


@given(TEXTS)
def test_any_text_comes_back_from_csv_and_begins_no_formula(text: str) -> None:
    _, row, *_ = csv.reader(io.StringIO("".join(to_csv(with_text(text))), newline=""))
    assert unguarded(row[1]) == text
    assert split(unguarded(row[2])) == (text, text)
    assert not row[1].startswith(tuple("=+-@\t\r＝＋－＠"))


@settings(max_examples=60)
@given(TEXTS)
def test_any_text_comes_back_from_the_workbook(text: str) -> None:
    handle = io.BytesIO()
    write_workbook(with_table(report(1), with_text(text)), handle)
    row = next(load_workbook(handle)["t"].iter_rows(min_row=2, values_only=True))
    assert unescape(row[1] or "") == text
    assert split(unescape(row[2] or "")) == (text, text)
