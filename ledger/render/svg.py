"""The lineage as a picture: cards with real text, joined by curves, in one SVG.

* Kind and state are told by icon, shape and word; colour only repeats them.
* No script, no style, no address outside; a card may be a link. The colours are attributes, made for paper;
  ``STYLE`` is what a page adds for a dark screen.
* Whatever comes in is text (``text.markup``); a picture is shown only from a data URI, or from this site.
* More cards than are wanted are folded: those of one kind in one column become one, which leads nowhere.
* The same cards give the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ledger.render.layout import columns
from ledger.render.text import fitted, markup

MAX_CARDS = 60
WIDTH, PICTURE_HEIGHT = 148, 83
_GAP_X, _GAP_Y, _PAD, _LINE = 36, 26, 10, 16
_TITLE_LINE = 19
_PICTURES = ("data:image/jpeg;base64,", "data:image/png;base64,", "/productions/")
_WITHIN = re.compile(r"#|/(?![/\\])")
"""How an address within the site begins. A browser takes ``/\\`` for ``//``: another host."""

ICONS = {
    "dataset": "M1 1h5v5H1zM8 1h5v5H8zM1 8h5v5H1zM8 8h5v5H8z",
    "model": "M7 0l6 3.5v7L7 14 1 10.5v-7zM7 3.2L3.8 5v4L7 10.8 10.2 9V5z",
    "generate": "M7 0l1.6 5.4L14 7 8.6 8.6 7 14 5.4 8.6 0 7l5.4-1.6z",
    "edit": "M0 2h8v2H0zM11 2h3v2h-3zM8.5 0H10v6H8.500zM0 10h3v2H0zM6 10h8v2H6zM3.500 8H5v6H3.500z",
    "draw": "M10 0l4 4-9 9-5 1 1-5zM9.500 3l1.500 1.500",
    "composite": "M7 0l7 4-7 4-7-4zM1.500 6.500L7 9.700l5.500-3.200L14 8l-7 4-7-4z",
    "render": "M7 3a4 4 0 110 8 4 4 0 010-8zM6 0h2v2H6zM6 12h2v2H6zM0 6h2v2H0zM12 6h2v2h-2z",
    "convert": "M0 1h14v12H0zM2 3v2h2V3zM2 6v2h2V6zM2 9v2h2V9zM10 3v2h2V3zM10 6v2h2V6zM10 9v2h2V9z",
    "service": "M4 12a3.500 3.500 0 01-.5-7 4 4 0 017.500 0A3.500 3.500 0 0111 12z",
    "sealed": "M0 0h14v14H0zM2 2v10h10V2zM4 4h6v1.500H7.800V10H6.200V5.500H4z",
    "file": "M2 0h7l3 3v11H2zM8 1.500V4h2.500z",
    "unknown": "M4 4a3 3 0 116 0c0 2-2 2.400-2 4H6c0-2.400 2-2.600 2-4a1 1 0 10-2 0zM6 10h2v2H6z",
}
"""Paths on a canvas of 14 by 14."""

_CARD, _EDGE, _LINE_COLOUR, _INK, _SOFT, _THING = (
    "#fff",
    "#8d8a99",
    "#cfccd8",
    "#1d1b26",
    "#5b5868",
    "#f3f0fa",
)
_GOOD, _BAD, _SEAL = "#17633b", "#8a4b00", "#a8281c"
_FRAMES = {
    "thing": f'fill="{_THING}" stroke="{_LINE_COLOUR}" stroke-width="1.2"',
    "step": f'fill="{_CARD}" stroke="{_LINE_COLOUR}" stroke-width="1.2"',
    "sealed": f'fill="{_CARD}" stroke="{_SEAL}" stroke-width="2.4"',
    "unknown": f'fill="{_CARD}" stroke="{_LINE_COLOUR}" stroke-width="1.6" stroke-dasharray="5 4"',
}
_TEXTS = {
    "": f'fill="{_SOFT}"',
    "head": f'fill="{_INK}" font-size="12.5" font-weight="600"',
    "good": f'fill="{_GOOD}" font-weight="600"',
    "bad": f'fill="{_BAD}" font-weight="600"',
}

STYLE = """
@media screen and (prefers-color-scheme:dark){.lineage .card{fill:#1d1c27;stroke:#3d3b4d}
.lineage .thing .card{fill:#262334}.lineage .sealed .card{stroke:#ff8b7a}.lineage .edge{stroke:#77748a}
.lineage .tip{fill:#77748a}.lineage .none{fill:#262334}
.lineage .icon,.lineage .head{fill:#f1eff7}.lineage .sealed .icon{fill:#ff8b7a}
.lineage text{fill:#b7b3c6}.lineage .good{fill:#7fd6a2}.lineage .bad{fill:#f0b266}}
""".strip()
"""The colours of a dark screen, for the page that the picture stands in."""


@dataclass(frozen=True, slots=True)
class Card:
    """One node. ``kind`` is a key of ``ICONS``; ``group`` is ``thing``, ``step``, ``sealed`` or ``unknown``.

    ``lines`` are short texts under the title; ``mark`` a last line that is ``good``, not, or neither
    (``None``); ``picture`` is shown above the text: a data URI of JPEG or PNG, or a production's picture.
    ``href`` is a path or a fragment that the card leads to.
    """

    key: str
    kind: str
    group: str
    title: str
    lines: tuple[str, ...] = ()
    mark: str | None = None
    good: bool | None = True
    picture: str | None = None
    href: str | None = None

    @property
    def height(self) -> int:
        """The height of the drawn card."""
        rows = len(self.lines) + (self.mark is not None)
        return (PICTURE_HEIGHT if self.picture else 0) + 2 * _PAD + _TITLE_LINE - 4 + rows * _LINE


@dataclass(frozen=True, slots=True)
class Edge:
    """``target`` was made from ``source`` (keys of cards); ``words`` say how."""

    source: str
    target: str
    words: str


@dataclass(frozen=True, slots=True)
class _Placed:
    card: Card
    x: int
    y: int


def draw(
    cards: Sequence[Card],
    edges: Sequence[Edge],
    title: str,
    description: str,
    prefix: str = "lineage",
    most: int = MAX_CARDS,
) -> str:
    """Return the picture as an ``<svg>`` element. ``prefix`` begins its identifiers: one for each on a page.

    More than ``most`` cards are folded.

    ``title`` and ``description`` are what a screen reader says for it. Edges to cards that are not there are
    left out.
    """
    cards, edges = _folded(list({card.key: card for card in cards}.values()), edges, most)
    pairs = [(edge.source, edge.target) for edge in edges]
    order = columns([card.key for card in cards], pairs)
    placed, width, height = _place(order, {card.key: card for card in cards})
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    role = "group" if any(card.href for card in cards) else "img"  # what is in a picture is not reached
    named = f'role="{role}" aria-labelledby="{prefix}-title {prefix}-words" font-family="sans-serif"'
    parts = [
        f'<svg class="lineage" xmlns="http://www.w3.org/2000/svg" {size} {named} font-size="11">',
        f'<title id="{prefix}-title">{markup(title)}</title>',
        f'<desc id="{prefix}-words">{markup(description)}</desc>',
        *(_edge(edge, placed) for edge in edges),
        *(_card(item) for item in placed.values()),
        "</svg>",
    ]
    return "\n".join(parts)


def _folded(cards: list[Card], edges: Sequence[Edge], most: int) -> tuple[list[Card], list[Edge]]:
    """Return the cards as they can be drawn: at most one of each kind in a column when there are too many."""
    known = {card.key for card in cards}
    edges = [edge for edge in edges if edge.source in known and edge.target in known]
    if len(cards) <= most:
        return cards, edges
    order = columns([card.key for card in cards], [(edge.source, edge.target) for edge in edges])
    column = {key: number for number, keys in enumerate(order) for key in keys}
    groups: dict[tuple[int, str, str], list[Card]] = {}
    for card in cards:
        groups.setdefault((column[card.key], card.kind, card.title), []).append(card)
    merged, stands_for = _merge(list(groups.values()))
    pairs = dict.fromkeys(
        Edge(stands_for[edge.source], stands_for[edge.target], edge.words) for edge in edges
    )
    return merged, [edge for edge in pairs if edge.source != edge.target]


def _merge(groups: Sequence[Sequence[Card]]) -> tuple[list[Card], dict[str, str]]:
    merged: list[Card] = []
    stands_for: dict[str, str] = {}
    for group in groups:
        first = group[0]
        stands_for |= {card.key: first.key for card in group}
        if len(group) > 1:
            ends = tuple(card.lines[0] for card in (first, group[-1]) if card.lines)
            good = all(card.good is not False for card in group)
            title = f"{len(group)} × {first.title}"
            first = replace(first, title=title, lines=ends, good=good, href=None)
        merged.append(first)
    return merged, stands_for


def _place(order: Sequence[Sequence[str]], cards: dict[str, Card]) -> tuple[dict[str, _Placed], int, int]:
    """Return each card's place, and the picture's width and height."""
    heights = [sum(cards[key].height + _GAP_Y for key in keys) - _GAP_Y for keys in order]
    tallest = max(heights, default=0)
    placed = {}
    for number, keys in enumerate(order):
        y = (tallest - heights[number]) // 2 + 2
        for key in keys:
            placed[key] = _Placed(cards[key], number * (WIDTH + _GAP_X) + 2, y)
            y += cards[key].height + _GAP_Y
    width = len(order) * (WIDTH + _GAP_X) - _GAP_X + 4
    return placed, width, tallest + 4


def _edge(edge: Edge, placed: dict[str, _Placed]) -> str:
    source, target = placed[edge.source], placed[edge.target]
    x1, y1 = source.x + WIDTH, source.y + source.card.height // 2
    x2, y2 = target.x - 6, target.y + target.card.height // 2
    bend = max(14, abs(x2 - x1) // 2)
    words = markup(f"{source.card.title} → {target.card.title}: {edge.words}")
    curve = f"M{x1} {y1}C{x1 + bend} {y1} {x2 - bend} {y2} {x2} {y2}"
    tip = f'<path class="tip" fill="{_EDGE}" d="M{x2 + 5} {y2}l-7-4v8z"/>'
    line = f'<path class="edge" fill="none" stroke="{_EDGE}" stroke-width="1.5" d="{curve}"/>'
    return f"<g><title>{words}</title>{line}{tip}</g>"


def _card(item: _Placed) -> str:
    card, x, y = item.card, item.x, item.y
    radius = {"thing": 16, "sealed": 2}.get(card.group, 7)
    label = markup(", ".join([card.title, *card.lines, *([card.mark] if card.mark else [])]))
    group = card.group if card.group in ("thing", "step", "sealed") else "unknown"
    size = f'width="{WIDTH}" height="{card.height}"'
    parts = [
        f'<g class="node {group}"><title>{label}</title>',
        f'<rect class="card" {_FRAMES[group]} x="{x}" y="{y}" {size} rx="{radius}"/>',
    ]
    if card.picture and card.picture.startswith(_PICTURES):
        place = f'x="{x + 6}" y="{y + 6}" width="{WIDTH - 12}" height="{PICTURE_HEIGHT - 6}"'
        source = f'preserveAspectRatio="xMidYMid slice" href="{markup(card.picture)}"'
        if not card.picture.startswith("data:"):  # there may be none at that address
            parts.append(f'<rect class="none" fill="{_THING}" {place}/>')
        parts.append(f"<image {place} {source}/>")
        y += PICTURE_HEIGHT
    top = y + _PAD
    icon = ICONS.get(card.kind, ICONS["unknown"])
    colour = _SEAL if group == "sealed" else _INK
    placed = f'fill="{colour}" fill-rule="evenodd" transform="translate({x + _PAD} {top})"'
    parts.append(f'<path class="icon" {placed} d="{icon}"/>')
    parts.append(_text_line(x + _PAD + 20, top + 11, "head", card.title, 15))
    base = top + 11 + _TITLE_LINE
    for row, line in enumerate(card.lines):
        parts.append(_text_line(x + _PAD, base + row * _LINE, "", line, 21))
    if card.mark:
        sign, words = {True: ("✓ ", "good"), False: ("! ", "bad"), None: ("", "")}[card.good]
        mark = f"{sign}{card.mark}"
        parts.append(_text_line(x + _PAD, base + len(card.lines) * _LINE, words, mark, 20))
    drawn = "".join([*parts, "</g>"])
    is_ours = card.href is not None and _WITHIN.match(card.href)
    return f'<a href="{markup(str(card.href))}" aria-label="{label}">{drawn}</a>' if is_ours else drawn


def _text_line(x: int, y: int, kind: str, value: str, room: int) -> str:
    attributes = f' class="{kind}"' if kind else ""
    return f'<text x="{x}" y="{y}" {_TEXTS[kind]}{attributes}>{markup(fitted(value, room))}</text>'
