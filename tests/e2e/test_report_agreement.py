"""One report, read back from each of its files by somebody else's reader: the same figures everywhere."""

from __future__ import annotations

import csv
import html
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from tests.e2e.conftest import Studio, copied
from tests.support.cleared import place, policy, revoke
from tests.support.pdfs import said
from tests.support.timelines import clip, images, span, timeline, written

PAINTED = ("--action", "generate", "--tool", "painter 1.0", "--model", "sky")
AT = ("--at", "2026-11-22T09:00:00Z")
VIEWS = ("studio", "distributor", "insurer", "public")


@pytest.fixture(scope="module")
def reports(shot_once: Studio, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Reports of one cut for several views: painted, drawn, blocked, changed, missing and unnamed frames."""
    folder = tmp_path_factory.mktemp("reports")
    studio = copied(shot_once, folder)
    for number in range(1001, 1007):
        studio.record(
            studio.png(f"sh040.{number}.png", number), *PAINTED, *place("sh040", f"{number}-{number}")
        )
    studio.record(studio.png("=SUM(A1)1001.png", 70), "--action", "draw", *place("sh050"))
    studio.ok("clear", ".", *policy(studio), "--record")
    revoke(studio)
    studio.png("sh040.1003.png", 99)
    made = timeline(
        [
            clip("sh030", images("", "sh030.", range(1001, 1002))),
            clip("sh040", images("", "sh040.", range(1001, 1009))),
            clip("=sh077", None, span(1001, 5)),
            clip("sh050", images("", "=SUM(A1)", range(1001, 1002))),
        ]
    )
    cut = written(made, studio.work / "final.otio")
    found = {}
    for view in VIEWS:
        found[view] = folder / view
        result = studio("report", "--cut", cut, *policy(studio), *AT, "--view", view, "--out", found[view])
        assert result.code == 4, result.err
    return found


@pytest.fixture(scope="module", params=VIEWS)
def folder(request: pytest.FixtureRequest, reports: dict[str, Path]) -> Path:
    """One of the reports."""
    return reports[request.param]


def document(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "report.json").read_bytes())
    return found


def figures(folder: Path) -> dict[str, int]:
    return {item["key"]: item["value"] for item in document(folder)["figures"]}


Rows = dict[str, list[dict[str, Any]]]


def counted(folder: Path, tables: Rows) -> dict[str, int]:
    """Count the figures again, as the document says that they are counted."""
    found = {}
    for item in document(folder)["figures"]:
        count = item["count"]
        rows = [row for row in tables[count["table"]] if all(row[k] == v for k, v in count["where"].items())]
        found[item["key"]] = sum(row[count["of"]] or 0 for row in rows) if "of" in count else len(rows)
    return found


def test_the_report_is_a_rich_one(reports: dict[str, Path]) -> None:
    numbers = figures(reports["studio"])
    for key in (
        "shots",
        "unknown",
        "absent",
        "cleared",
        "blocked",
        "undecided",
        "ai",
        "findings-open",
        "models",
    ):
        assert numbers[key] > 0, key


def test_every_figure_can_be_counted_again_in_the_document(folder: Path) -> None:
    tables = {
        key: [
            dict(zip([column["key"] for column in table["columns"]], row, strict=True))
            for row in table["rows"]
            if isinstance(row, list)
        ]
        for key, table in document(folder)["tables"].items()
    }
    assert counted(folder, tables) == figures(folder)


def typed(kind: str, field: str) -> Any:
    """Return a field of a CSV file as the value that it stands for."""
    if field == "" or field.startswith("hidden:"):
        return field or None
    if kind == "flag":
        return {"true": True, "false": False}[field]
    return int(field) if kind == "count" else field


def test_every_figure_can_be_counted_again_in_the_csv_files(folder: Path) -> None:
    tables: Rows = {}
    for key, table in document(folder)["tables"].items():
        kinds = [column["kind"] for column in table["columns"]]
        with (folder / "tables" / f"{key}.csv").open(encoding="utf-8-sig", newline="") as file:
            header, *rows = csv.reader(file)
        assert len(rows) == len(table["rows"])
        tables[key] = [dict(zip(header, map(typed, kinds, row), strict=True)) for row in rows]
    assert counted(folder, tables) == figures(folder)


def test_every_figure_stands_in_the_workbook_and_can_be_counted_again_there(folder: Path) -> None:
    book = load_workbook(folder / "report.xlsx", read_only=True)
    cover = dict(row[:2] for row in book["report"].iter_rows(values_only=True) if len(row) > 1)
    assert {item["title"]: cover[item["title"]] for item in document(folder)["figures"]} == {
        item["title"]: item["value"] for item in document(folder)["figures"]
    }
    tables: Rows = {}
    for key, table in document(folder)["tables"].items():
        columns = [(column["key"], column["kind"]) for column in table["columns"]]
        rows = list(book[key].iter_rows(min_row=2, values_only=True))
        assert len(rows) == len(table["rows"])
        tables[key] = [
            {
                name: cell.replace(" ", "_") if kind in ("verdict", "severity") and cell else cell
                for (name, kind), cell in zip(columns, row, strict=True)
            }
            for row in rows
        ]
    assert counted(folder, tables) == figures(folder)


def distinct(folder: Path, table: str, key: str, *wanted: str) -> set[str]:
    """Return the digests in a table; with ``wanted`` those of files that are known so."""
    found = document(folder)["tables"][table]
    names = [column["key"] for column in found["columns"]]
    rows = [dict(zip(names, row, strict=True)) for row in found["rows"]]
    return {row[key] for row in rows if not wanted or row["known"] in wanted}


def test_the_bills_list_the_files_models_datasets_and_grants_of_the_tables(folder: Path) -> None:
    numbers = figures(folder)
    files = distinct(folder, "frames", "sha256", "bytes", "pixels", "name")
    strangers = distinct(folder, "frames", "sha256", "unknown")
    linked = json.loads((folder / "report.spdx.json").read_bytes())["@graph"]
    by_kind: dict[str, list[Any]] = {}
    for item in linked:
        by_kind.setdefault(item["type"], []).append(item)
    hashes = {item["verifiedUsing"][0]["hashValue"] for item in by_kind["software_File"]}
    assert hashes == files | strangers
    assert len(by_kind["ai_AIPackage"]) == numbers["models"] + numbers["services"]
    assert len(by_kind["dataset_DatasetPackage"]) == numbers["datasets"]
    listed = json.loads((folder / "report.cdx.json").read_bytes())
    whole = listed["metadata"]["component"]
    assert {part["hashes"][0]["content"] for part in whole["components"]} == files
    assert whole["name"] == f"{len(files)} files"
    kinds = [item["type"] for item in listed["components"]]
    assert kinds.count("machine-learning-model") == numbers["models"]
    assert kinds.count("data") == numbers["datasets"]
    grants = [
        item for item in by_kind.get("simplelicensing_LicenseExpression", ()) if "grant-" in item["spdxId"]
    ]
    withheld = (
        int(re.findall(r"Withheld: (\d+) grants", json.dumps(linked))[0]) if "Withheld" in str(linked) else 0
    )
    assert len(grants) + withheld == numbers["grants"]


def test_every_figure_that_a_chapter_shows_stands_on_the_page(folder: Path) -> None:
    text = html.unescape(re.sub(r"<[^>]+>", " ", (folder / "report.html").read_text()))
    words = " ".join(text.split())
    shown = {key for chapter in document(folder)["chapters"] for key in chapter["figures"]}
    for item in document(folder)["figures"]:
        if item["key"] in shown:
            assert f"{item['value']:,} {item['title']}" in words, item["key"]


def test_every_figure_that_a_chapter_shows_stands_in_the_pdf(folder: Path) -> None:
    text = said("pdftotext", "-raw", folder / "report.pdf", "-")
    words = " ".join(text.replace("\u200b", "").split())
    shown = {key for chapter in document(folder)["chapters"] for key in chapter["figures"]}
    for item in document(folder)["figures"]:
        if item["key"] in shown:
            assert f"{item['value']:,} {item['title']}" in words, item["key"]


def markers(folder: Path) -> Iterator[dict[str, Any]]:
    made = json.loads((folder / "report.otio").read_bytes())
    for track in made["tracks"]["children"]:
        for child in track["children"]:
            yield from (marker["metadata"]["rakkan"] for marker in child["markers"])


@pytest.mark.parametrize("view", VIEWS[:3])
def test_the_markers_in_the_timeline_add_up(reports: dict[str, Path], view: str) -> None:
    numbers, found = figures(reports[view]), list(markers(reports[view]))
    assert len(found) == numbers["shots"]
    names = {"frames": "frames", "found": "found", "absent": "absent", "unknown": "unknown", "ai": "ai"}
    names |= {"cleared": "cleared", "needs_review": "needs-review", "blocked": "blocked"}
    assert {key: sum(item[key] for item in found) for key in names} == {
        key: numbers[name] for key, name in names.items()
    }


def test_the_views_have_the_same_figures(reports: dict[str, Path]) -> None:
    assert len({json.dumps(figures(folder)) for folder in reports.values()}) == 1


def test_a_name_that_is_a_formula_is_one_in_no_file(reports: dict[str, Path]) -> None:
    text = (reports["studio"] / "tables" / "frames.csv").read_text(encoding="utf-8-sig")
    assert ",'=SUM(A1)1001.png," in text
    assert ",=SUM" not in text
    book = load_workbook(reports["studio"] / "report.xlsx", read_only=True)
    assert "f" not in {cell.data_type for row in book["frames"].iter_rows() for cell in row}
