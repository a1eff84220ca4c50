"""The drawings of the log's pages: how it grew, and from which entry to which each key counts.

What a drawing shows stands in a table beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from markupsafe import Markup

from ledger.render.pages.proof import picture
from ledger.render.text import fitted, markup
from ledger.service.log.key_spans import KeySpan
from ledger.service.log.standing import Growth

_WIDE, _HIGH, _WIDEST = 640, 120, 28
_ROW, _LABELS, _ROOM = 30, 190, 26


def bars(grown: Growth, title: str, description: str) -> Markup:
    """Return how the log grew, a bar for each piece of time. The tallest one fills the height."""
    most = max(bar.entries for bar in grown.bars)
    step = min(_WIDE / len(grown.bars), _WIDEST)
    path = "".join(
        f"M{n * step + 1:.1f} {_HIGH}h{max(step - 2, 1):.1f}v-{max(2, bar.entries * (_HIGH - 8) / most):.1f}"
        f"h-{max(step - 2, 1):.1f}z"
        for n, bar in enumerate(grown.bars)
        if bar.entries
    )
    rule = f'<path class="rule" d="M0 {_HIGH + 1}H{_WIDE}"/>'
    return picture(
        "growth", (_WIDE, _HIGH + 3), title, description, [f'<path class="bar" d="{path}"/>', rule]
    )


def spans(keys: Sequence[KeySpan], size: int, title: str, description: str) -> Markup:
    """Return a row for each key, over the entries for which it counts; a broken line where it is suspect."""
    parts = [part for row, key in enumerate(keys) for part in _span(key, row * _ROW, size)]
    return picture("spans", (_LABELS + _WIDE, max(len(keys), 1) * _ROW), title, description, parts)


def _span(key: KeySpan, y: int, size: int) -> Iterator[str]:
    scale = _WIDE / max(size, 1)
    start, stop = (key.since or 0), (size if key.ended is None else key.ended)
    suspect = stop if key.suspect_from is None else min(max(key.suspect_from, start), stop)
    name = f"{key.device} {key.keyid[:8]}"
    yield f'<text x="0" y="{y + 19}">{markup(fitted(name, _ROOM))}</text>'
    yield f'<path class="rule" d="M{_LABELS} {y + 15}h{_WIDE}"/>'
    x, wide = _LABELS + start * scale, max((suspect - start) * scale, 3)
    yield f'<rect class="{key.role}" x="{x:.1f}" y="{y + 8}" width="{wide:.1f}" height="14"/>'
    if suspect < stop:
        x = _LABELS + suspect * scale
        yield f'<path class="suspect" d="M{x:.1f} {y + 15}H{_LABELS + stop * scale:.1f}"/>'
    if key.ended is not None:
        yield f'<path class="end" d="M{_LABELS + stop * scale:.1f} {y + 3}v24"/>'
