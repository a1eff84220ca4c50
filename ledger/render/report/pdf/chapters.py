"""The chapters of a report as blocks that the template draws, in order."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from ledger.core.audit import Answer, Chapter, Hidden, Report, Row, Table
from ledger.core.audit.views import MEANINGS, View
from ledger.render.report.pdf import drawings
from ledger.render.report.pdf.cells import NAME, Ours, cell, cut
from ledger.render.report.pdf.plans import PLANS, Printed

Block = dict[str, Any]

MOST_OF = dict.fromkeys(("meaning", "mend", "words", "value", "detail", "path", "models", "datasets"), 300)
"""The columns with sentences and lists: more of them is shown than of a name."""
_HIDDEN = {"is": "hidden"}
_NOTHING: tuple[Any, ...] = ("", [], {"is": "strip", "runs": []})
WITHHELD = {
    "work": "Names of shots and files, timecodes, pictures, lineages",
    "rights": "Names of models, datasets, services and parties",
    "terms": "Dates and conditions of contracts and services",
    "crew": "Actors, devices, and persons who consented",
    "open": "Other cells",
}


def chapter(report: Report, asked: Chapter, pictures: Mapping[str, str]) -> Block:
    """Return a chapter. ``pictures`` are the file names of thumbnails by the SHA-256 of their file."""
    return {
        "key": asked.key,
        "title": asked.title,
        "words": list(asked.words),
        "empty": asked.empty or "",
        "blocks": list(_blocks(report, asked, pictures)),
    }


def _blocks(report: Report, asked: Chapter, pictures: Mapping[str, str]) -> Iterator[Block]:
    if asked.figures:
        yield _figures(report, asked.figures)
    if asked.answers:
        yield {"is": "answers", "rows": answers(asked.answers)}
    if asked.key == "summary":
        yield drawings.charts(report)
        yield from _top_findings(report)
    for key in asked.lineages:
        if key in report.lineages:
            yield drawings.lineage(report.lineages[key])
    if asked.key == "datasets" and (found := drawings.terms(report)):
        yield found
    for key in asked.tables:
        yield from _tables(report, key, pictures)
    match asked.key:
        case "exclusions":
            yield from _withheld(report)
        case "integrity":
            yield _tree(report)


def answers(asked: Iterable[Answer]) -> list[dict[str, Any]]:
    """Return the questions of a client, answered."""
    return [{"q": item.question, "holds": item.holds, "words": item.words} for item in asked]


def _figures(report: Report, keys: Collection[str]) -> Block:
    found = [figure for key in keys for figure in report.figures if figure.key == key]
    return {"is": "figures", "rows": [{"title": item.title, "value": f"{item.value:,}"} for item in found]}


def _tables(report: Report, key: str, pictures: Mapping[str, str]) -> Iterator[Block]:
    whole = report.tables[key]
    if not whole.rows:
        return
    if key in ("commands", "glossary"):
        yield {"is": key, "rows": [[Ours(cell) for cell in row] for row in whole.shown]}
        return
    if key == "shots" and report.worst and len(whole.rows) > 2 * len(report.worst):
        worst = [row for number in report.worst for row in whole.shown if str(row[0]) == number]
        yield table(Table(whole.schema, tuple(worst)), pictures, "Look at these first", "")
    yield table(whole, pictures, whole.schema.title, whole.schema.about)


def table(held: Table, pictures: Mapping[str, str], title: str, about: str) -> Block:
    """Return a table as it is printed. Rows that are hidden as a whole are counted below it."""
    plan = [printed for printed in PLANS[held.schema.key] if printed.keys != ("picture",) or pictures]
    hidden = sum(isinstance(row, Hidden) for row in held.rows)
    return {
        "is": "table",
        "title": title,
        "about": about,
        "columns": [{"title": item.title, "width": item.width, "number": item.number} for item in plan],
        "rows": [[_stack(held, row, item, pictures) for item in plan] for row in held.shown],
        "hidden": f"{hidden:,}" if hidden else "",
        "file": f"tables/{held.schema.key}.csv",
    }


def _stack(held: Table, row: Row, printed: Printed, pictures: Mapping[str, str]) -> list[Block]:
    """Return what stands in one column of a row: what is empty or nothing is left out, a mark stands once."""
    found: list[Block] = []
    for part in printed.keys:
        label, _, key = part.rpartition("|")
        value = _part(held, row, key.removeprefix("*"), pictures)
        if value in _NOTHING or (label and value == "0"):
            continue
        block = {"strong": key.startswith("*"), "label": label, "cell": value}
        if not (found and value == found[-1]["cell"] == _HIDDEN and not label):
            found.append(block)
    return found


def _part(held: Table, row: Row, key: str, pictures: Mapping[str, str]) -> Any:
    first, _, second = key.partition("+")
    place = held.schema.place(first)
    if first == "picture":
        return {"is": "picture", "path": Ours(pictures[row[place]])} if row[place] in pictures else ""
    value = cut(cell(held.schema.columns[place], row[place]), MOST_OF.get(first, NAME))
    if second and isinstance(value, str) and value:
        return f"{value}–{_part(held, row, second, pictures)}"
    return value


def _top_findings(report: Report) -> Iterator[Block]:
    held = report.tables["findings"]
    rows = [row for row in held.shown if row[held.schema.place("state")] == "open"][:10]
    if rows:
        yield table(Table(held.schema, tuple(rows)), {}, "The first findings, with what would mend them", "")


def _withheld(report: Report) -> Iterator[Block]:
    long = [
        {"title": item.schema.title, "file": f"tables/{key}.csv", "rows": f"{len(item.rows):,}"}
        for key, item in report.tables.items()
        if item.schema.long and item.rows
    ]
    yield {"is": "elsewhere", "rows": long}
    yield {
        "is": "withheld",
        "view": report.view,
        "meaning": MEANINGS[View(report.view)],
        "rows": [{"what": WITHHELD[key], "count": f"{count:,}"} for key, count in report.withheld.items()],
    }


def _tree(report: Report) -> Block:
    head = report.head
    return {
        "is": "facts",
        "rows": [
            ["Log", head.origin],
            ["Tree", f"{head.size:,} entries"],
            ["Root hash", Ours(head.root)],
            ["Policy", f"{head.policy} {head.policy_version}"],
            ["Policy (SHA-256)", Ours(head.policy_sha256)],
            ["Population (SHA-256)", Ours(head.population)],
            ["Engine", head.engine],
            *([["The report before this one", head.previous]] if head.previous else []),
        ],
    }
