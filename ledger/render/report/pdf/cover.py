"""The first page: the verdict, what it is of, what fails, and what to look at first."""

from __future__ import annotations

from typing import Any

from ledger.core.audit import Hidden, Report, Row, Table
from ledger.render.report.ink import VERDICTS
from ledger.render.report.pdf import drawings
from ledger.render.report.pdf.cells import cell, cut, moment, ranges, share
from ledger.render.report.pdf.chapters import answers
from ledger.render.words import counted

_SAID = {"blocked": "blocked", "needs-review": "to review", "undecided": "undecided", "cleared": "cleared"}


def cover(report: Report) -> dict[str, Any]:
    """Return the first page."""
    head, figures = report.head, {figure.key: figure.value for figure in report.figures}
    return {
        "title": cut(head.title or head.production),
        "studio": cut(head.studio),
        "scope": cut(head.scope, 200),
        "state": report.verdict_now,
        "verdict": VERDICTS[report.verdict_now].word,
        "sentence": _sentence(report, figures),
        "then": VERDICTS[report.verdict_then].word.lower(),
        "strip": drawings.whole_strip(report),
        "verdicts": drawings.verdicts(figures),
        "figures": _figures(report, figures),
        "failed": _failed(report),
        "findings": _findings(report),
        "worst": _worst(report),
        "facts": _facts(report),
        "answers": answers([a for item in report.chapters for a in item.answers]),
        "opinion": [word for item in report.chapters if item.key == "opinion" for word in item.words],
        "verify": head.verify or "",
    }


def _sentence(report: Report, figures: dict[str, int]) -> str:
    whole = figures["frames"]
    if not whole:
        return "Nothing was asked for, or nothing of it is on record: there is nothing to judge."
    if report.verdict_now == "cleared":
        return f"All {whole:,} frames and files are cleared under the policy {report.head.policy}."
    keys = ("blocked", "needs-review", "undecided", "cleared")
    parts = [f"{figures[key]:,} {_SAID[key]}" for key in keys if figures[key]]
    return f"Of {counted(whole, 'frame or file', 'frames and files')}: {', '.join(parts)}."


def _figures(report: Report, figures: dict[str, int]) -> list[dict[str, str]]:
    whole = figures["frames"]
    return [
        {"value": f"{whole:,}", "title": f"frames and files in {counted(figures['shots'], 'shot')}"},
        {"value": share(figures["found"], whole), "title": "on record"},
        {"value": share(figures["ai"], whole), "title": "rest on a model"},
        {"value": report.grade_now or "–", "title": "grade of the whole, now"},
        {"value": f"{figures['findings-open']:,}", "title": "open findings"},
    ]


def _failed(report: Report) -> list[str]:
    """Return what failed a check, in sentences: it stands on the first page, whatever else there is."""
    table = report.tables["checks"]
    place = table.schema.place
    return [
        f"{row[place('check')]}: {row[place('failed')]:,} failed. {row[place('words')]} "
        f"Entries {ranges(row[place('entries')], 12) or 'not named'}."
        for row in table.shown
        if row[place("result")] == "failed"
    ]


def _findings(report: Report, most: int = 3) -> list[dict[str, Any]]:
    table = report.tables["findings"]
    place = table.schema.place
    rows = [row for row in table.shown if row[place("state")] == "open"]
    return [
        {
            "finding": row[place("finding")],
            "state": row[place("severity")],
            "about": _cell(table, row, "subject"),
            "files": counted(row[place("now")], "file"),
            "meaning": row[place("meaning")],
            "mend": row[place("mend")],
        }
        for row in rows[:most]
    ]


def _worst(report: Report) -> list[dict[str, Any]]:
    table = report.tables["shots"]
    by_number = {str(row[0]): row for row in table.shown}
    return [
        {
            "number": number,
            "name": _cell(table, by_number[number], "name"),
            "in": _cell(table, by_number[number], "in"),
            "strip": _cell(table, by_number[number], "strip"),
            "state": by_number[number][table.schema.place("now")],
        }
        for number in report.worst
        if number in by_number
    ]


def _cell(table: Table, row: Row, key: str) -> Any:
    place = table.schema.place(key)
    return cut(cell(table.schema.columns[place], row[place]), 60)


def _facts(report: Report) -> list[list[str]]:
    head = report.head
    delivery = "; ".join(
        f"{key}: {', '.join(held) if isinstance(held, (list, tuple)) else held}"
        for key, held in head.delivery.items()
        if held and not isinstance(held, Hidden)
    )
    return [
        ["Report", head.identifier],
        ["Policy", f"{head.policy} {head.policy_version}"],
        ["As of", moment(head.at)],
        ["Known by", moment(head.known) if head.known else "the moment of the report"],
        ["For", delivery or "no delivery stated"],
        ["Log", f"{head.size:,} entries, root {head.root[:12]}…"],
    ]
