"""The report as one page: for a producer, a lawyer, an underwriter, in any browser, in ten years.

* One file: no script, no address outside, and a policy that forbids both. Pictures are in it, as many as
  ``ROOM`` holds, what is worst first; tables that are long lead to their files beside the page.
* The first screen says the verdict, shows the whole cut, and names the worst shots with what would mend them.
* Every fact is in the report; names and texts are data (``text.visible``).
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from ledger.core.audit import Answer, Chapter, Hidden, Lineage, Report, Row, Table
from ledger.core.audit.views import MEANINGS, View
from ledger.render import svg
from ledger.render.report import drawings, ink, sheets
from ledger.render.report.cells import moment
from ledger.render.report.findings import Group, groups
from ledger.render.text import visible
from ledger.render.words import counted

ROOM = 900_000
"""Bytes of pictures, as they stand in the page."""
_DRAWN = {
    "summary": (drawings.verdicts, drawings.grades),
    "scope": (drawings.evidence,),
    "datasets": (lambda report: drawings.terms(report.tables["grants"], report.head.at),),
}
"""The drawings of each chapter, before its tables."""
SIGHTS = {
    "open": "other cells",
    "work": "names, timecodes and pictures of the work",
    "rights": "names of models, datasets, services and rights holders",
    "terms": "terms of contracts and services",
    "crew": "names of people and devices",
}


@dataclass(frozen=True, slots=True)
class Worst:
    """A shot to look at: its row, in words, and the findings that speak against it, the worst first."""

    number: str
    name: str
    when: str
    verdict: str
    touched: str
    grade: str
    picture: str | None
    strip: str | None
    groups: tuple[Group, ...]


@dataclass(frozen=True, slots=True)
class Way:
    """A lineage: the drawing, and the same as a list."""

    drawn: Lineage
    picture: str


def page(report: Report, pictures: Mapping[str, bytes]) -> str:
    """Return the page. ``pictures`` are JPEG files by the SHA-256 of what they show."""
    uris = _uris(report, pictures)
    style = _style()
    template = _environment().get_template("report/page.html.j2")
    shots = report.tables["shots"]
    return template.render(
        report=report,
        head=report.head,
        view=MEANINGS[View(report.view)],
        verdict=verdict(report),
        style=style,
        digest=base64.b64encode(sha256(style.encode()).digest()).decode(),
        strip=drawings.strip(shots, "shot-"),
        shares=drawings.shares(shots),
        looks=ink.VERDICTS,
        grades=ink.GRADES,
        pill=sheets.pill,
        code=sheets.code,
        moment=moment,
        worst=[_worst(report, key, uris) for key in report.worst],
        failing=_checks(report, "failed"),
        unsure=list(dict.fromkeys(row[4] for row in _checks(report, "undecided") if row[4])),
        crowded=drawings.is_crowded(shots),
        chapters=report.chapters,
        drawn={key: [draw(report) for draw in draws] for key, draws in _DRAWN.items()},
        sheets=lambda chapter: _sheets(report, chapter, uris),
        findings=groups(report.tables["findings"]),
        ways=lambda chapter: [_way(report.lineages[key], uris) for key in chapter.lineages],
        answered=_answered,
        sights=SIGHTS,
    )


def verdict(report: Report) -> str:
    """Return the verdict on the whole in one sentence: how many of how many."""
    figure = {item.key: item.value for item in report.figures}
    total, policy = figure["frames"], f"under {report.head.policy}"
    if report.verdict_now == "undecided" and not figure["undecided"]:
        failed = counted(figure["entries-failed"], "entry", "entries")
        return f"Undecided: {failed} under {counted(total, 'file')} cannot be believed."
    said = {
        "blocked": (figure["blocked"], f"blocked {policy}"),
        "needs_review": (figure["needs-review"], f"to be reviewed by a person {policy}"),
        "undecided": (figure["undecided"], "undecided: what is on record does not explain them"),
        "cleared": (figure["cleared"], f"cleared {policy}"),
    }
    count, word = said[report.verdict_now]
    if count == total:
        return f"All {total:,} files are {word}." if total != 1 else f"The file is {word}."
    one = word.removesuffix("them") + "it" if word.endswith("them") else word
    return f"{count:,} of {total:,} files {'is ' + one if count == 1 else 'are ' + word}."


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("ledger.render"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )


@cache
def _style() -> str:
    load = _environment().get_template
    parts = [load(name).render() for name in ("base.css", "report/report.css")]
    dark = f"@media screen and (prefers-color-scheme:dark){{{ink.DARK}}}"
    return "\n".join([*parts, svg.STYLE, dark])


def _shown(value: Any) -> Any:
    """Show the invisible in everything but what is markup already."""
    return visible(value) if isinstance(value, str) and not hasattr(value, "__html__") else value


def _uris(report: Report, pictures: Mapping[str, bytes]) -> dict[str, str]:
    """Return the pictures that the page has room for: worst shots, ways of files, then the other shots."""
    shots = report.tables["shots"]
    by_shot = dict(zip(map(str, shots.column("shot")), shots.column("picture"), strict=True))
    wanted = [by_shot[key] for key in report.worst]
    wanted += [stop.sha256 for way in report.lineages.values() for stop in way.stops]
    wanted += by_shot.values()
    found: dict[str, str] = {}
    room = ROOM
    for key in wanted:
        data = pictures.get(key) if isinstance(key, str) else None
        if data is None:
            continue
        uri = f"data:image/jpeg;base64,{base64.b64encode(data).decode()}"
        if key in found or len(uri) <= room:
            room -= len(uri)
            found[key] = uri
    return found


def _worst(report: Report, key: str, uris: Mapping[str, str]) -> Worst:
    table = report.tables["shots"]
    row = next(row for row in table.shown if str(row[0]) == key)

    def held(name: str) -> Any:
        return row[table.schema.place(name)]

    name, start, stop = (
        None if isinstance(held(key), Hidden) else held(key) for key in ("name", "in", "out")
    )
    counts = [
        f"{held(column):,} {word}"
        for column, word in (
            ("blocked", "blocked"),
            ("needs_review", "to be reviewed"),
            ("unknown", "unexplained"),
            ("absent", "absent"),
            ("versions", "in two versions"),
        )
        if held(column)
    ]
    picture = None if isinstance(held("picture"), Hidden) else held("picture")
    return Worst(
        key,
        name or f"Shot {key}",
        f"{start} to {stop}" if start and stop else "",
        held("now"),
        f"of {counted(held('frames'), 'frame')}: {', '.join(counts)}",
        f"{held('grade')} {ink.GRADES[held('grade')].word.lower()}",
        uris.get(picture or ""),
        drawings.strip(Table(table.schema, (row,)), name=f"strip-{key}"),
        groups(report.tables["findings"], held("findings") or ()),
    )


def _checks(report: Report, result: str) -> list[Row]:
    """Return the checks with this result: those that did not pass stand on the first screen."""
    table = report.tables["checks"]
    place = table.schema.place("result")
    return [row for row in table.shown if row[place] == result]


def _sheets(report: Report, chapter: Chapter, uris: Mapping[str, str]) -> list[sheets.Sheet]:
    found = []
    for key in chapter.tables:
        table = report.tables[key]
        if table.rows and key != "findings":
            found.append(sheets.shots(table, uris) if key == "shots" else sheets.sheet(table))
    return found


def _way(drawn: Lineage, uris: Mapping[str, str]) -> Way:
    return Way(drawn, drawings.lineage(drawn, f"way-{drawn.key}", uris))


def _answered(answer: Answer) -> tuple[str, str, str]:
    """Return class, mark and word of an answer."""
    return {
        True: ("passed", "✓", "Yes"),
        False: ("failed", "✕", "No"),
        None: ("open", "?", "Nobody can tell"),
    }[answer.holds]
