"""The drawings of a report, each one SVG element that needs nothing around it: pages and PDFs hold the same.

* What a drawing shows is in a table as well; its ``<title>`` and ``<desc>`` say the gist of it in words.
* Shape tells the state, colour repeats it: in the strip of the cut the worse a frame, the taller its sliver.
* Colours are attributes, made for paper; classes let a page repaint them (``ink.DARK``). No script, no style,
  no address outside; ``prefix`` keeps the identifiers of two drawings on one page apart.
* A drawing of which there is nothing to draw is ``None``. A hidden cell is never guessed at.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import pairwise

from ledger.core.audit import STRIP_LETTERS, Hidden, Lineage, Report, Row, Table
from ledger.render import svg
from ledger.render.report.ink import EVIDENCE, GRADES, INK, LINE, PAPER, SOFT, VERDICTS, Look
from ledger.render.report.strips import SLIVERS, columns
from ledger.render.text import fitted, markup
from ledger.render.words import counted

WIDE, HALF = 1200, 480
"""Widths of a canvas: the whole cut, and a chart beside another."""
_STRIP_HEIGHT, _SHARE_HEIGHT = 64, 44
_LEAST = 3.0
"""Nothing that is not cleared is narrower than this on the strip, however long the cut."""
_LINKED = 250
"""As many shots of the strip are links; of more, those that are not cleared are, the worst first."""
_TERMS = 30
_Span = tuple[float, float]


def strip(shots: Table, link: str | None = None, name: str = "strip") -> str | None:
    """Return the whole cut, each frame a sliver. ``link``: shot 7 leads to ``#<link>7``."""
    total, runs, edges = _laid_out(shots)
    if not total:
        return None
    parts = list(_columns(shots) if total > WIDE else _slivers(runs, total))
    if len(edges) <= _LINKED:
        ticks = "".join(f"M{_n(edge * WIDE / total)} 66v6" for edge, _ in edges[1:])
        parts.append(f'<path class="line" fill="none" stroke="{LINE}" stroke-width="1" d="{ticks}"/>')
    if link is not None:
        parts += _links(shots, edges, total, link)
    counts = [f"{_sum(runs[look.key]):,} {look.word.lower()}" for look in VERDICTS.values() if runs[look.key]]
    words = f"{counted(total, 'frame')} of {counted(len(edges), 'shot')} in their order: {', '.join(counts)}."
    title = "The whole cut" if name == "strip" else "The frames of the shot"
    return _svg(name, (WIDE, 72), title, words, parts, stretch=True, linked=link is not None)


def is_crowded(shots: Table) -> bool:
    """Whether the strip has more frames than places, so that a column of it stands for many."""
    return _laid_out(shots)[0] > WIDE


def _slivers(runs: Mapping[str, list[_Span]], total: int) -> Iterator[str]:
    """Yield every frame, by its state."""
    for look in (VERDICTS[key] for key in ("cleared", "undecided", "needs_review", "blocked")):
        least = _LEAST if look.key != "c" else 0.5
        spans = _merged(runs[look.key], WIDE / total, least)
        path = "".join(_box(x, y, x2 - x, high) for x, x2 in spans for y, high in SLIVERS[look.key])
        if path:
            yield f'<path class="{look.key}" fill="{look.colour}" d="{path}"/>'


def _columns(shots: Table) -> Iterator[str]:
    """Yield columns of many frames each, the worst from the ground up."""
    coded = [part for held in shots.column("strip") for part in held or ()]
    boxes: dict[str, list[str]] = {}
    for n, parts in enumerate(columns(coded, int(WIDE / _LEAST))):
        ground = 64.0
        for letter, share in parts:
            ground -= 64 * share
            boxes.setdefault(letter, []).append(_box(n * _LEAST, ground, _LEAST, 64 * share))
    for look in VERDICTS.values():
        if look.key in boxes:
            yield f'<path class="{look.key}" fill="{look.colour}" d="{"".join(boxes[look.key])}"/>'


def shares(shots: Table) -> str | None:
    """Return, under the strip and as wide, which share of each shot's frames rests on a model."""
    place = shots.schema.place
    rows = [(row[place("frames")], row[place("ai")]) for row in shots.shown]
    total = sum(frames for frames, _ in rows)
    if not total or not any(ai for _, ai in rows):
        return None
    held: dict[int, tuple[float, float]] = {}
    at = 0
    for frames, ai in rows:
        start = min(at * WIDE // (2 * total), WIDE // 2 - 1)
        places = range(start, max(start + 1, (at + frames) * WIDE // (2 * total)))
        for column in places:
            all_so_far, ai_so_far = held.get(column, (0.0, 0.0))
            held[column] = all_so_far + frames / len(places), ai_so_far + ai / len(places)
        at += frames
    columns = {
        column: max(1 if ai else 0, round(ai * _SHARE_HEIGHT / frames)) if frames else 0
        for column, (frames, ai) in held.items()
    }
    path = "".join(_box(x, _SHARE_HEIGHT - high, x2 - x, high) for x, x2, high in _steps(columns) if high)
    rules = "".join(f"M0 {y}H{WIDE}" for y in (0.5, _SHARE_HEIGHT / 2, _SHARE_HEIGHT - 0.5))
    parts = [
        f'<path class="line" stroke="{LINE}" d="{rules}"/>',
        f'<path class="g3" fill="{GRADES["L3"].colour}" d="{path}"/>',
    ]
    frames, shown = sum(ai for _, ai in rows), sum(ai > 0 for _, ai in rows)
    words = (
        f"{frames:,} of {total:,} frames in {shown:,} of {len(rows):,} shots rest on a model. "
        "The line in the middle is one half of a shot."
    )
    return _svg("shares", (WIDE, _SHARE_HEIGHT), "Frames that rest on a model", words, parts, stretch=True)


def grades(report: Report) -> str | None:
    """Return how many files have which grade now."""
    rows = [
        (f"{key}  {look.word}", report.figure(f"grade-{key[1]}").value, look) for key, look in GRADES.items()
    ]
    return _bars("grades", "Files by grade", rows)


def evidence(report: Report) -> str | None:
    """Return how well what was asked for is known."""
    rows = [(look.word, report.figure(key).value, look) for key, look in EVIDENCE.items()]
    return _bars("evidence", "How well it is known", rows)


def verdicts(report: Report) -> str | None:
    """Return how many frames have which verdict now."""
    keys = {
        "blocked": "blocked",
        "needs_review": "needs-review",
        "undecided": "undecided",
        "cleared": "cleared",
    }
    rows = [
        (f"{look.mark}  {look.word}", report.figure(keys[name]).value, look)
        for name, look in VERDICTS.items()
    ]
    return _bars("verdicts", "Frames by verdict", rows)


def terms(grants: Table, at: str) -> str | None:
    """Return when each grant holds, and the moment of the report; one whose term is hidden is left out."""
    rows = [row for row in grants.shown if _day(_cell(grants, row, "from")) is not None]
    if not rows:
        return None
    now = _day(at) or 0
    ends = [end for row in rows if (end := _end(grants, row)) is not None]
    first = min([now, *(_day(_cell(grants, row, "from")) or now for row in rows)])
    last = max([now, *ends]) + 180
    scale = (HALF * 2 - 260) / max(1, last - first)
    height = 26 * min(len(rows), _TERMS) + 34
    x = 250 + (now - first) * scale
    parts = [
        f'<path class="rule" stroke="{INK}" stroke-dasharray="3 3" d="M{_n(x)} 18V{height - 4}"/>',
        _text(x, 12, f"{at[:10]}", "ink", INK, "middle"),
    ]
    for number, row in enumerate(rows[:_TERMS]):
        parts.append(_term(grants, row, 26 * number + 24, first, scale))
    more = f" {len(rows) - _TERMS} more are in the table." if len(rows) > _TERMS else ""
    words = f"{counted(len(rows), 'grant')}, from the first day to the last of each.{more}"
    return _svg("terms", (HALF * 2, height), "The terms of the grants", words, parts)


def lineage(drawn: Lineage, prefix: str, pictures: Mapping[str, str] | None = None) -> str:
    """Return the way of one file. ``pictures`` are data URIs by SHA-256; ``prefix`` is one per page."""
    cards = [
        svg.Card(
            stop.sha256,
            stop.kind,
            {"file": "step", "unknown": "unknown"}.get(stop.kind, "thing"),
            stop.title,
            stop.lines,
            stop.mark or None,
            stop.good,
            (pictures or {}).get(stop.sha256),
        )
        for stop in drawn.stops
    ]
    edges = [svg.Edge(source, target, role) for source, target, role in drawn.links]
    words = f"{len(cards)} things, from raw materials on the left to the file on the right. {drawn.why}"
    return svg.draw(cards, edges, f"How {drawn.name} was made", words, prefix)


def _laid_out(shots: Table) -> tuple[int, dict[str, list[_Span]], list[tuple[int, Row]]]:
    """Return the number of frames, the runs of each letter, and where each shot begins."""
    runs: dict[str, list[_Span]] = {letter: [] for letter in STRIP_LETTERS}
    edges, at = [], 0
    place = shots.schema.place("strip")
    for row in shots.shown:
        edges.append((at, row))
        cells = row[place] or ()
        for letter, count in zip(cells[::2], cells[1::2], strict=True):
            runs[letter].append((at, at + count))
            at += count
    return at, runs, edges


def _merged(runs: Iterable[_Span], scale: float, least: float) -> list[_Span]:
    """Return the runs on the canvas, none narrower than ``least``; those that touch are one."""
    found: list[_Span] = []
    for start, stop in runs:
        x, x2 = start * scale, max(stop * scale, start * scale + least)
        if found and x - found[-1][1] < 0.5:
            found[-1] = found[-1][0], max(found[-1][1], x2)
        else:
            found.append((x, x2))
    return found


def _links(shots: Table, edges: Sequence[tuple[int, Row]], total: int, link: str) -> Iterator[str]:
    """Yield a link over each shot, or over those that matter. For a pointer only: a table lists them too."""
    ends = [*(edge for edge, _ in edges[1:]), total]
    order = list(VERDICTS)
    ranked = [
        (order.index(str(_cell(shots, row, "now"))), at, end, row)
        for (at, row), end in zip(edges, ends, strict=True)
    ]
    if len(ranked) > _LINKED:
        ranked = sorted((item for item in ranked if order[item[0]] != "cleared"), key=lambda item: item[:2])
    for rank, at, end, row in ranked[:_LINKED]:
        name = _cell(shots, row, "name")
        words = (
            f"Shot {row[0]}{'' if isinstance(name, Hidden) else f', {name}'}: {VERDICTS[order[rank]].word}"
        )
        x, width = at * WIDE / total, max(_LEAST, (end - at) * WIDE / total)
        yield (
            f'<a href="#{markup(link)}{row[0]}" tabindex="-1"><title>{markup(words)}</title>'
            f'<path fill="{PAPER}" fill-opacity="0" d="{_box(x, 0, width, 72)}"/></a>'
        )


def _steps(columns: Mapping[int, int]) -> Iterator[tuple[float, float, int]]:
    """Yield start, end and height of each run of columns (of two units) of one height."""
    numbers = sorted(columns)
    starts = [n for before, n in pairwise([-2, *numbers]) if before != n - 1 or columns[before] != columns[n]]
    for start, following in pairwise([*starts, len(columns)]):
        yield 2 * start, 2 * following, columns[start]


def _bars(name: str, title: str, rows: Sequence[tuple[str, int, Look]]) -> str | None:
    total = sum(value for _, value, _ in rows)
    if not total:
        return None
    parts = []
    for number, (words, value, look) in enumerate(rows):
        y = 30 * number
        width = max(2.0, value * 190 / total) if value else 0
        parts.append(_text(0, y + 18, words, "ink", INK))
        parts.append(
            f'<rect class="{look.key}" fill="{look.colour}" stroke="{SOFT if look.key == "n" else "none"}" '
            f'x="215" y="{y + 4}" width="{_n(width)}" height="19"/>'
        )
        parts.append(_text(215 + width + 8, y + 18, f"{value:,}", "soft", SOFT))
    said = "; ".join(f"{words}: {value:,}" for words, value, _ in rows)
    return _svg(name, (HALF, 30 * len(rows)), title, said, parts)


def _term(grants: Table, row: Row, y: int, first: int, scale: float) -> str:
    """Return one row of the grants' terms: its name, its bar, what it is now."""
    start, end = _day(_cell(grants, row, "from")) or first, _end(grants, row)
    state = str(_cell(grants, row, "state"))
    name = _cell(grants, row, "grant")
    label = f"No. {row[0]}" if isinstance(name, Hidden) else str(name)
    look = VERDICTS["cleared"] if state == "in force" else VERDICTS["undecided"]
    x = 250 + (start - first) * scale
    x2 = 250 + (end - first) * scale if end is not None else HALF * 2 - 10
    tip = f"M{_n(x2)} {y + 1}l8 7-8 7z" if end is None else _box(x2 - 2, y - 2, 2, 18)
    title = markup(
        f"{label}: {state}, from {_cell(grants, row, 'from')} to {_cell(grants, row, 'until') or 'no end'}"
    )
    return (
        f"<g><title>{title}</title>"
        f"{_text(0, y + 12, fitted(f'{label}, {state}', 36), 'ink', INK)}"
        f'<path class="{look.key}" fill="{look.colour}" d="{_box(x, y + 3, max(2.0, x2 - x), 10)}{tip}"/></g>'
    )


def _end(grants: Table, row: Row) -> int | None:
    """Return the last day of a grant: that of its revocation, if that is earlier."""
    days = [day for key in ("until", "revoked") if (day := _day(_cell(grants, row, key))) is not None]
    return min(days, default=None)


def _cell(table: Table, row: Row, key: str) -> str | int | Hidden | None:
    found: str | int | Hidden | None = row[table.schema.place(key)]
    return found


def _day(moment: object) -> int | None:
    """Return the number of a moment's day; ``None`` where there is none, or it is not shown."""
    if not isinstance(moment, str):
        return None
    return date.fromisoformat(moment[:10]).toordinal()


def _svg(
    name: str,
    size: tuple[int, int],
    title: str,
    words: str,
    parts: Iterable[str],
    *,
    stretch: bool = False,
    linked: bool = False,
) -> str:
    width, height = size
    fit = ' preserveAspectRatio="none"' if stretch else ""
    return (
        f'<svg class="drawing {name.partition("-")[0]}" xmlns="http://www.w3.org/2000/svg" '
        f'viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}"{fit} font-family="sans-serif" font-size="13" '
        f'role="{"group" if linked else "img"}" aria-labelledby="{name}-title {name}-words">'
        f'<title id="{name}-title">{markup(title)}</title><desc id="{name}-words">{markup(words)}</desc>'
        f"{''.join(parts)}</svg>"
    )


def _text(x: float, y: float, words: str, kind: str, colour: str, anchor: str = "start") -> str:
    where = f' text-anchor="{anchor}"' if anchor != "start" else ""
    return f'<text class="{kind}" fill="{colour}" x="{_n(x)}" y="{_n(y)}"{where}>{markup(words)}</text>'


def _box(x: float, y: float, width: float, height: float) -> str:
    return f"M{_n(x)} {_n(y)}h{_n(width)}v{_n(height)}h-{_n(width)}z"


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _sum(runs: Iterable[_Span]) -> int:
    return int(sum(stop - start for start, stop in runs))
