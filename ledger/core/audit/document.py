"""The audit report as a JSON document, and back. docs/spec/audit-report.md describes each member.

* Tables are written as columns and rows of cells, so that a reader needs no knowledge of ours.
* A hidden cell or row is ``{"_sd": digest}``.
* ``read`` takes what ``to_json`` gives and nothing else: what does not come out the same again is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from ledger.core import canonical
from ledger.core.audit import (
    SPEC,
    Answer,
    Chapter,
    Column,
    Count,
    Figure,
    Head,
    Hidden,
    Kind,
    Lineage,
    Report,
    Row,
    Schema,
    Sight,
    Stop,
    Table,
)
from ledger.errors import MalformedError

CODE = "report.malformed"


def to_json(report: Report) -> dict[str, Any]:
    """Return the document."""
    return {
        "spec": SPEC,
        "view": report.view,
        "head": _plain(report.head),
        "verdict": {"then": report.verdict_then, "now": report.verdict_now},
        "grade": {"then": report.grade_then, "now": report.grade_now},
        "figures": [_figure(figure) for figure in report.figures],
        "chapters": [_chapter(chapter) for chapter in report.chapters],
        "tables": {key: _table(table) for key, table in report.tables.items()},
        "lineages": {key: _lineage(lineage) for key, lineage in report.lineages.items()},
        "pictures": dict(report.pictures),
        "withheld": dict(report.withheld),
        "worst": list(report.worst),
    }


def cell_to_json(value: Any) -> Any:
    """Return a cell, or a whole row."""
    if isinstance(value, Hidden):
        return {"_sd": value.digest}
    if isinstance(value, (tuple, list)):
        return [cell_to_json(item) for item in value]
    return value


def read(document: object) -> Report:
    """Return the report of a document. Raises ``MalformedError("report.malformed")``."""
    if not isinstance(document, dict) or document.get("spec") != SPEC:
        raise MalformedError(CODE, f"This is no audit report: its spec is not {SPEC}.")
    try:
        found = _read(document)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise MalformedError(CODE, f"The audit report is not complete: {error!r}.") from error
    if to_json(found) != document:
        raise MalformedError(CODE, "The audit report holds more than this reader knows.")
    canonical.encode(document)
    return found


def _plain(value: Any) -> dict[str, Any]:
    """Return a dataclass of scalars as JSON; what is ``None`` is left out."""
    pairs = ((_camel(item.name), getattr(value, item.name)) for item in fields(value))
    return {name: cell_to_json(held) for name, held in pairs if held is not None}


def _figure(figure: Figure) -> dict[str, Any]:
    count = figure.count
    of = {"of": count.of} if count.of is not None else {}
    return {
        "key": figure.key,
        "title": figure.title,
        "value": figure.value,
        "count": {"table": count.table, "where": dict(count.where), **of},
    }


def _chapter(chapter: Chapter) -> dict[str, Any]:
    answers = [
        {"question": item.question, "holds": item.holds, "words": item.words} for item in chapter.answers
    ]
    return _plain(chapter) | {"answers": answers}


def _table(table: Table) -> dict[str, Any]:
    schema = table.schema
    owner = {"owner": schema.owner} if schema.owner else {}
    return {
        "title": schema.title,
        "about": schema.about,
        "sight": schema.sight.value,
        **owner,
        "long": schema.long,
        "columns": [
            {"key": item.key, "title": item.title, "kind": item.kind.value, "sight": item.sight.value}
            for item in schema.columns
        ],
        "rows": [cell_to_json(row) for row in table.rows],
    }


def _lineage(lineage: Lineage) -> dict[str, Any]:
    return {
        "name": lineage.name,
        "sha256": lineage.sha256,
        "why": lineage.why,
        "stops": [_plain(stop) for stop in lineage.stops],
        "links": [list(link) for link in lineage.links],
    }


def _read(document: Mapping[str, Any]) -> Report:
    return Report(
        head=Head(
            **{_snake(name): value for name, value in document["head"].items()} | _absent(document["head"])
        ),
        view=document["view"],
        verdict_then=document["verdict"]["then"],
        verdict_now=document["verdict"]["now"],
        grade_then=document["grade"]["then"],
        grade_now=document["grade"]["now"],
        figures=tuple(map(_read_figure, document["figures"])),
        chapters=tuple(map(_read_chapter, document["chapters"])),
        tables={key: _read_table(key, item) for key, item in document["tables"].items()},
        lineages={key: _read_lineage(key, item) for key, item in document["lineages"].items()},
        pictures=document["pictures"],
        withheld=document["withheld"],
        worst=tuple(document["worst"]),
    )


def _absent(head: Mapping[str, Any]) -> dict[str, None]:
    return {name: None for name in ("title", "known") if name not in head}


def _read_figure(item: Mapping[str, Any]) -> Figure:
    count = item["count"]
    where = tuple(count["where"].items())
    return Figure(item["key"], item["title"], item["value"], Count(count["table"], where, count.get("of")))


def _read_chapter(item: Mapping[str, Any]) -> Chapter:
    lists = {name: tuple(item[name]) for name in ("words", "figures", "tables", "lineages")}
    answers = tuple(Answer(each["question"], each["holds"], each["words"]) for each in item["answers"])
    return Chapter(item["key"], item["title"], **lists, answers=answers, empty=item.get("empty"))


def _read_table(key: str, item: Mapping[str, Any]) -> Table:
    columns = tuple(
        Column(each["key"], each["title"], Kind(each["kind"]), Sight(each["sight"]))
        for each in item["columns"]
    )
    schema = Schema(
        key, item["title"], item["about"], columns, Sight(item["sight"]), item.get("owner"), item["long"]
    )
    return Table(schema, tuple(_read_row(row, len(columns)) for row in item["rows"]))


def _read_row(row: Any, width: int) -> Row | Hidden:
    if isinstance(row, dict):
        return Hidden(row["_sd"])
    if len(row) != width:
        raise ValueError("a row has another number of cells than the table has columns")
    return tuple(map(_read_cell, row))


def _read_cell(cell: Any) -> Any:
    if isinstance(cell, dict):
        return Hidden(cell["_sd"])
    return tuple(cell) if isinstance(cell, list) else cell


def _read_lineage(key: str, item: Mapping[str, Any]) -> Lineage:
    stops = tuple(
        Stop(
            stop["sha256"],
            stop["kind"],
            stop["title"],
            tuple(stop["lines"]),
            stop["mark"],
            stop.get("good"),
            stop.get("entry"),
        )
        for stop in item["stops"]
    )
    links = tuple((link[0], link[1], link[2]) for link in item["links"])
    return Lineage(key, item["name"], item["sha256"], item["why"], stops, links)


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
