"""The schemas of the report's tables, and the page about them."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from ledger.adapters.profiles import load, shipped_names
from ledger.core.audit import Schema, Table
from ledger.core.audit.chapters import FIGURES
from ledger.core.audit.policy import policy_table
from ledger.core.audit.tables import TABLES
from ledger.core.predicates.reasons import Code

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_about_the_tables_is_current() -> None:
    folder = ROOT / "docs" / "reference"
    make = runpy.run_path(str(folder / "generate_tables.py"))["page"]
    assert (folder / "report-tables.md").read_text(encoding="utf-8") == make(), "run generate_tables.py"


@pytest.mark.parametrize("schema", TABLES.values(), ids=TABLES)
def test_a_schema_names_each_column_once_and_its_first_is_for_everybody(schema: Schema) -> None:
    keys = [column.key for column in schema.columns]
    assert len(set(keys)) == len(keys)
    assert schema.columns[0].sight.value == "open"
    assert schema.owner is None or schema.owner in keys


def test_every_figure_counts_columns_that_are_there() -> None:
    for key, _, count in FIGURES:
        columns = [name for name, _ in count.where] + ([count.of] if count.of else [])
        assert all(TABLES[count.table].place(name) >= 0 for name in columns), key


@pytest.mark.parametrize("name", shipped_names())
def test_the_table_of_the_policy_has_every_code_and_every_principle(name: str) -> None:
    profile = load(name)
    table: Table = policy_table(profile)
    rules = {(row[1], row[2]) for row in table.shown}
    assert {("severity", code.value) for code in Code} <= rules
    assert {("principle", principle.id) for principle in profile.principles} <= rules
    assert [row[0] for row in table.shown] == list(range(1, len(table.rows) + 1))
