"""What is drawn rather than set: the strip of the whole cut, bars, terms of grants, lineages; as numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from ledger.core.audit import STRIP_LETTERS, Hidden, Lineage, Report
from ledger.core.fields import parse_time
from ledger.render import layout
from ledger.render.report.pdf.cells import share, strip
from ledger.render.report.strips import columns

Drawing = dict[str, Any]
_VERDICTS = (
    ("cleared", "cleared"),
    ("needs_review", "needs-review"),
    ("blocked", "blocked"),
    ("undecided", "undecided"),
)
_LETTERS = {verdict: letter for letter, verdict in STRIP_LETTERS.items()}
_WIDE, _HIGH = 6, 9
"""The columns and rows of cards that fit on a page and can still be read."""


def whole_strip(report: Report, most: int = 180) -> dict[str, list[Any]]:
    """Return the strip of the whole cut: its frames as ``runs``, or more of them than fit as ``columns``."""
    coded = [part for held in report.tables["shots"].column("strip") for part in held]
    if sum(int(count) for count in coded[1::2]) <= most:
        return {"runs": strip(coded, most), "columns": []}
    return {"runs": [], "columns": columns(coded, most)}


def verdicts(figures: Mapping[str, int]) -> list[Drawing]:
    """Return how many frames have each verdict now, with their share."""
    whole = figures["frames"]
    return [
        {"state": state, "count": f"{figures[key]:,}", "share": share(figures[key], whole)}
        for state, key in _VERDICTS
    ]


def charts(report: Report) -> Drawing:
    """Return the charts of the summary: rows of bars, each over the number of what it is a part of."""
    figures = {figure.key: figure.value for figure in report.figures}
    whole = figures["frames"]
    then = {key: figures.get(f"{key}-then", 0) for _, key in _VERDICTS}
    then["undecided"] = max(whole - sum(then.values()), 0)
    shots = report.tables["shots"].column("now")
    return {
        "is": "charts",
        "charts": [
            _stacked("Verdicts by frame", [
                ("when made", [(state, then[key]) for state, key in _VERDICTS]),
                ("now", [(state, figures[key]) for state, key in _VERDICTS]),
            ]),
            _stacked("Verdicts by shot", [("now", [(state, shots.count(state)) for state, _ in _VERDICTS])]),
            _bars("Grade of each file", [(f"L{n}", figures[f"grade-{n}"]) for n in (4, 3, 2, 1, 0)], whole),
            _bars("Evidence, by the weakest step", [
                (word, figures[word]) for word in ("observed", "inferred", "declared")
            ], whole),
            _bars("Models under the picture", [("rest on one", figures["ai"])], whole),
        ],
    }  # fmt: skip


def _stacked(title: str, rows: Sequence[tuple[str, list[tuple[str, int]]]]) -> Drawing:
    found = []
    for label, parts in rows:
        total = sum(count for _, count in parts) or 1
        runs = [[_LETTERS[state], count / total] for state, count in parts if count]
        words = [{"state": state, "count": f"{count:,}"} for state, count in parts if count]
        found.append({"label": label, "runs": runs, "words": words})
    return {"title": title, "stacked": found}


def _bars(title: str, rows: Sequence[tuple[str, int]], whole: int) -> Drawing:
    return {
        "title": title,
        "bars": [
            {
                "label": label,
                "part": count / whole if whole else 0,
                "count": f"{count:,}",
                "share": share(count, whole),
            }
            for label, count in rows
        ],
    }


def terms(report: Report) -> Drawing | None:
    """Return the terms of the grants on one line of time, and the report's moment; ``None``: none."""
    table = report.tables["grants"]
    now = parse_time(report.head.at)
    rows = [_term(table.schema.place, row) for row in table.shown]
    known = [row for row in rows if row[1] is not None]
    if not known:
        return None
    first = min(now, *(start for _, start, _, _ in known if start is not None))
    last = max(now, *(end or now for _, _, end, _ in known))
    first, last = (
        datetime(first.year, 1, 1, tzinfo=now.tzinfo),
        datetime(last.year + 1, 1, 1, tzinfo=now.tzinfo),
    )

    def at(moment: datetime) -> float:
        return (moment - first) / (last - first)

    step = max(1, (last.year - first.year) // 8)
    years = [
        [str(year), at(datetime(year, 1, 1, tzinfo=now.tzinfo))]
        for year in range(first.year, last.year, step)
    ]
    return {
        "is": "terms",
        "now": at(now),
        "years": years,
        "rows": [
            {
                "label": label,
                "state": state,
                "from": at(start),
                "until": at(end) if end else 1.0,
                "open": end is None,
            }
            for label, start, end, state in known
            if start is not None
        ],
    }


def _term(place: Any, row: Any) -> tuple[str, datetime | None, datetime | None, str]:
    """Return label, start, end and state of a grant; it ends when it was revoked. No start: it is hidden."""
    start, end, label = row[place("from")], row[place("until")], row[place("grant")]
    if isinstance(start, Hidden) or isinstance(end, Hidden) or start is None:
        return "", None, None, ""
    ends = [parse_time(moment) for moment in (end, row[place("revoked")]) if moment]
    return str(label), parse_time(start), min(ends, default=None), str(row[place("state")])


def lineage(found: Lineage) -> Drawing:
    """Return a lineage as cards in columns and the lines between them; of one that is too large, a list."""
    stops = {stop.sha256: stop for stop in found.stops}
    edges = [(a, b) for a, b, _ in found.links if a in stops and b in stops]
    order = layout.columns(list(stops), edges)
    drawn = len(order) <= _WIDE and max(map(len, order), default=0) <= _HIGH
    places = {
        key: (x, y - (len(column) - 1) / 2) for x, column in enumerate(order) for y, key in enumerate(column)
    }
    cards = [
        {
            "kind": stop.kind,
            "title": stop.title,
            "lines": list(stop.lines),
            "mark": stop.mark,
            "good": stop.good,
            "entry": "" if stop.entry is None else f"entry {stop.entry:,}",
            "x": places[stop.sha256][0],
            "y": places[stop.sha256][1],
        }
        for stop in stops.values()
    ]
    return {
        "is": "lineage",
        "name": found.name,
        "why": found.why,
        "drawn": drawn,
        "wide": len(order),
        "high": max(map(len, order), default=0),
        "cards": cards,
        "links": [
            {"from": list(places[a]), "to": list(places[b]), "role": role}
            for a, b, role in found.links
            if a in places and b in places
        ],
    }  # fmt: skip
