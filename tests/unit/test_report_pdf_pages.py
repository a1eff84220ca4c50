"""What a page of the report shows of a value: shares, ranges, strips, cut texts, drawings."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ledger.core.audit import Column, Hidden, Kind, Table
from ledger.core.audit.tables import TABLES
from ledger.core.audit.views import View
from ledger.render.report.pdf import drawings
from ledger.render.report.pdf.cells import Ours, cell, characters, cut, moment, plain, ranges, share, strip
from ledger.render.report.pdf.chapters import table
from ledger.render.report.pdf.plans import PLANS
from tests.support.audit_reports import Size, as_seen, audit_report, digest


@pytest.mark.parametrize(
    ("part", "whole", "said"),
    [
        (0, 0, "–"),
        (0, 9, "0 %"),
        (9, 9, "100 %"),
        (1, 130_000, "0.1 %"),
        (129_999, 130_000, "99.9 %"),
        (1, 3, "33.3 %"),
    ],
)
def test_what_is_not_nothing_is_never_0_and_what_is_not_all_never_100(
    part: int, whole: int, said: str
) -> None:
    assert share(part, whole) == said


def test_neighbours_are_drawn_together_and_the_rest_is_counted() -> None:
    assert ranges((3,)) == "3"
    assert ranges((1, 2, 3, 7, 9, 10)) == "1–3, 7, 9–10"
    assert ranges(tuple(range(0, 40, 2)), most=2) == "0, 2 and 18 more"


@pytest.mark.parametrize(
    ("value", "said"),
    [("2026-11-22T09:00:00Z", "2026-11-22 09:00"), ("2026-11-22T09:00:07Z", "2026-11-22 09:00:07")],
)
def test_a_moment_is_said_to_the_second_where_it_matters(value: str, said: str) -> None:
    assert moment(value) == said


def test_one_blocked_frame_of_many_is_seen() -> None:
    runs = strip(("c", 60_000, "b", 1, "c", 69_999), 50)
    assert [letter for letter, _ in runs] == ["c", "b", "c"]
    assert sum(part for _, part in runs) == pytest.approx(1)
    assert strip((), 50) == []


@pytest.mark.parametrize(
    ("kind", "value", "shown"),
    [
        (Kind.COUNT, 1234, "1,234"),
        (Kind.FLAG, False, "no"),
        (Kind.TEXT, None, ""),
        (Kind.TEXTS, (), ""),
        (Kind.TEXTS, ("a", digest("x")), f"a, {digest('x')[:12]}…"),
        (Kind.VERDICT, "blocked", {"is": "state", "state": "blocked"}),
        (Kind.DIGEST, digest("x"), {"is": "code", "text": f"{digest('x')[:12]}…"}),
        (Kind.TEXT, Hidden("d"), {"is": "hidden"}),
    ],
)
def test_each_kind_of_cell_is_shown(kind: Kind, value: object, shown: object) -> None:
    assert cell(Column("key", "Key", kind), value) == shown


def test_a_check_that_nobody_could_decide_is_no_failure() -> None:
    column = TABLES["checks"].columns[TABLES["checks"].place("result")]
    assert cell(column, "undecided") == {"is": "state", "state": "undecided"}


def test_a_text_that_was_cut_says_how_long_it_was() -> None:
    assert cut("x" * 81) == f"{'x' * 80}… (81 characters)"
    assert cut("x" * 80) == "x" * 80


def test_what_joins_characters_goes_with_them() -> None:
    family = "👩\u200d👧"
    assert plain(family) == family
    assert plain(family, {"👩", "👧"}) == "[U+1F469][U+1F467]"
    assert characters({"a": [family, "x"]}) == {"👩", "👧"}


def test_a_command_can_be_copied_as_it_stands() -> None:
    command = "pdfdetach -saveall averyveryverylongname.pdf"
    assert plain(Ours(command)) == command
    assert plain(command) != command


def test_every_table_that_is_printed_has_a_plan_of_columns_that_it_has() -> None:
    bare = {"commands", "glossary"}
    assert {key for key, schema in TABLES.items() if not schema.long} - bare == set(PLANS)
    for key, plan in PLANS.items():
        for part in (part for printed in plan for part in printed.keys):
            for name in part.rpartition("|")[2].removeprefix("*").split("+"):
                assert TABLES[key].place(name) >= 0


def test_rows_that_are_hidden_as_a_whole_are_counted() -> None:
    report = as_seen(audit_report(Size(3, 4, 2, 4)), View.RIGHTS_HOLDER)
    block = table(report.tables["grants"], {}, "Grants", "")
    assert (len(block["rows"]), block["hidden"]) == (1, "3")


def test_a_lineage_that_would_be_too_small_to_read_is_a_list() -> None:
    found = audit_report().lineages["worst"]
    assert drawings.lineage(found)["drawn"]
    stops = tuple(replace(found.stops[0], sha256=digest(f"s{n}")) for n in range(30))
    links = tuple((digest(f"s{n}"), digest(f"s{n + 1}"), "made") for n in range(29))
    assert not drawings.lineage(replace(found, stops=stops, links=links))["drawn"]


def test_a_lineage_with_a_link_to_nowhere_and_a_circle_is_drawn() -> None:
    found = audit_report().lineages["worst"]
    first, second = found.stops[0].sha256, found.stops[2].sha256
    odd = replace(found, links=(*found.links, (second, first, "circle"), (digest("nowhere"), first, "")))
    shown = drawings.lineage(odd)
    assert len(shown["cards"]) == len(found.stops)
    assert len(shown["links"]) == len(found.links) + 1


def test_terms_stand_on_one_line_of_time() -> None:
    shown = drawings.terms(audit_report(Size(things=3)))
    assert shown is not None
    assert 0 < shown["now"] < 1
    assert all(0 <= row["from"] <= row["until"] <= 1 for row in shown["rows"])


def test_hidden_terms_are_not_drawn() -> None:
    assert drawings.terms(as_seen(audit_report(), View.PUBLIC)) is None
    empty = audit_report()
    bare = replace(empty, tables={**empty.tables, "grants": Table(TABLES["grants"], ())})
    assert drawings.terms(bare) is None


def test_a_revoked_grant_ends_when_it_was_revoked() -> None:
    whole = audit_report(Size(things=1))
    schema = TABLES["grants"]
    (row,) = whole.tables["grants"].shown
    cells = dict(zip((column.key for column in schema.columns), row, strict=True))
    cells |= {"from": "2026-01-01T00:00:00Z", "until": None, "revoked": "2026-07-01T00:00:00Z"}
    grants = Table(schema, (tuple(cells.values()),))
    shown = drawings.terms(replace(whole, tables={**whole.tables, "grants": grants}))
    assert shown is not None
    (term,) = shown["rows"]
    assert (term["open"], term["until"] < shown["now"]) == (False, True)
