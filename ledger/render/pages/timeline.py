"""The grants about a thing on a timeline: when each holds, and when the studio came to know of it.

* Across is the time in which a grant is valid. A diamond stands where the grant became known, a cross where
  its revocation did: after the bar's end, the studio used in good faith what it no longer might.
* What a revocation cut off stays as a broken outline. The table beside the drawing says the same in words.
* Time runs from left to right in every language. What lies more than ``REACH`` from now is drawn at the edge.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from babel.dates import format_skeleton
from markupsafe import Markup

from ledger.core.rights.facts import KnownGrant
from ledger.render.pages.languages import Language
from ledger.render.report.ink import INK, LINE, SOFT, VERDICTS
from ledger.render.text import drawing, fitted, markup

DRAWN = 24
"""Grants in one drawing: the newest. The table has all."""
REACH = timedelta(days=20 * 366)
_WIDE, _LEFT, _ROW, _TOP = 960, 210, 34, 34
_MONTHS = (1, 2, 3, 6, 12, 24, 60, 120)
_TICKS = 8
_HELD, _CUT = VERDICTS["cleared"], VERDICTS["blocked"]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is drawn: grants, oldest entry first, and moments of use; ``known``: as of which knowledge."""

    grants: Sequence[KnownGrant]
    at: datetime
    known: datetime | None = None
    trained: Sequence[datetime] = ()
    used: Sequence[datetime] = ()

    @property
    def drawn(self) -> Sequence[KnownGrant]:
        """Return the grants that have room."""
        return self.grants[-DRAWN:]


def timeline(plan: Plan, spoken: Language) -> Markup:
    """Return the drawing as one SVG element, with its words in the reader's language."""
    scale = _scale(plan)
    rows = len(plan.drawn) + bool(plan.trained) + bool(plan.used)
    height = _TOP + rows * _ROW + 26
    parts = [*_axis(scale, height, spoken), *_bars(plan, scale, spoken), *_uses(plan, scale, spoken)]
    parts += _now(plan, scale, height, spoken)
    title = markup(spoken.gettext("When each grant holds, and when the studio knew of it"))
    words = markup(spoken.gettext("The table after the picture says the same in words."))
    return drawing(
        f'<svg class="drawing" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDE} {height}" '
        f'width="{_WIDE}" height="{height}" font-family="sans-serif" font-size="13" direction="ltr" '
        'role="img" aria-labelledby="timeline-title timeline-words">'
        f'<title id="timeline-title">{title}</title>'
        f'<desc id="timeline-words">{words}</desc>{"".join(parts)}</svg>'
    )


@dataclass(frozen=True, slots=True)
class _Scale:
    first: datetime
    last: datetime

    def x(self, moment: datetime) -> float:
        """Return where a moment stands, at the edge for what lies outside."""
        share = (moment - self.first) / (self.last - self.first)
        return round(_LEFT + min(max(share, 0.0), 1.0) * (_WIDE - _LEFT - 24), 1)


def _scale(plan: Plan) -> _Scale:
    moments = [*_moments(plan), plan.at, *([plan.known] if plan.known else [])]
    near = [moment for moment in moments if abs(moment - plan.at) <= REACH]
    first, last = min(near), max(near)
    margin = max((last - first) / 12, timedelta(days=20))
    return _Scale(first - margin / 2, last + margin)


def _moments(plan: Plan) -> Iterator[datetime]:
    yield from (*plan.trained, *plan.used)
    for item in plan.drawn:
        yield item.grant.valid_from
        if item.grant.valid_until:
            yield item.grant.valid_until
        if item.terms:
            yield item.terms.recorded
        if item.revoked:
            yield from (item.revoked.predicate.effective, item.revoked.predicate.recorded)


def _axis(scale: _Scale, height: int, spoken: Language) -> Iterator[str]:
    """Yield a fine line and its day for at most ``_TICKS`` months."""
    months = (scale.last - scale.first).days / 30.4
    step = next((step for step in _MONTHS if months / step <= _TICKS), _MONTHS[-1])
    number = scale.first.year * 12 + scale.first.month
    number += -number % step
    while (moment := datetime(number // 12, number % 12 + 1, 1, tzinfo=UTC)) < scale.last:
        words = format_skeleton("y" if step % 12 == 0 else "yMMM", moment, locale=spoken.locale)
        x = scale.x(moment)
        yield f'<path class="line" stroke="{LINE}" d="M{x} {_TOP - 8}V{height - 20}"/>'
        yield _text(x, height - 4, str(words), "soft", SOFT, "middle")
        number += step


def _bars(plan: Plan, scale: _Scale, spoken: Language) -> Iterator[str]:
    for number, item in enumerate(plan.drawn):
        yield f"<g>{''.join(_bar(item, _TOP + number * _ROW, scale, spoken))}</g>"


def _bar(item: KnownGrant, y: int, scale: _Scale, spoken: Language) -> Iterator[str]:
    grant, revoked = item.grant, item.revoked.predicate if item.revoked else None
    end = scale.x(grant.valid_until) if grant.valid_until else _WIDE - 12.0
    start = scale.x(grant.valid_from)
    cut = min(max(scale.x(revoked.effective), start), end) if revoked else end
    yield f"<title>{markup(grant.grant_id)}</title>"
    yield _text(0, y + 15, fitted(grant.grant_id, 28), "ink", INK)
    tip = f"M{cut} {y + 3}l9 8-9 8z" if revoked is None and grant.valid_until is None else ""
    yield _path(_HELD.key, _HELD.colour, f"M{start} {y + 6}H{cut}V{y + 16}H{start}z{tip}")
    if revoked is not None:
        if cut < end:
            yield (
                f'<path class="rule" fill="none" stroke="{INK}" stroke-dasharray="3 3" '
                f'd="M{cut} {y + 6}H{end}V{y + 16}H{cut}"/>'
            )
        yield _path(_CUT.key, _CUT.colour, f"M{cut - 1.5} {y + 1}h3v20h-3z")
        x = scale.x(revoked.recorded)
        cross = f"M{x - 5} {y + 6}l10 10M{x + 5} {y + 6}l-10 10"
        words = markup(spoken.gettext("The revocation became known"))
        yield (
            f'<g><title>{words}</title><path class="rule" fill="none" stroke="{INK}" stroke-width="2" '
            f'd="{cross}"/></g>'
        )
    if item.terms is not None:
        x = scale.x(item.terms.recorded)
        words = markup(spoken.gettext("The grant became known"))
        yield f"<g><title>{words}</title>{_path('ink', INK, f'M{x} {y + 4}l6 7-6 7-6-7z')}</g>"


def _uses(plan: Plan, scale: _Scale, spoken: Language) -> Iterator[str]:
    y = _TOP + len(plan.drawn) * _ROW
    for words, moments in (
        (spoken.gettext("Trained on it"), plan.trained),
        (spoken.gettext("Used in the work"), plan.used),
    ):
        if moments:
            places = sorted({scale.x(moment) for moment in moments})
            ticks = "".join(f"M{x} {y + 4}v14" for x in places)
            yield _text(0, y + 15, str(words), "soft", SOFT)
            yield f'<path class="rule" fill="none" stroke="{INK}" stroke-width="1.5" d="{ticks}"/>'
            y += _ROW


def _now(plan: Plan, scale: _Scale, height: int, spoken: Language) -> Iterator[str]:
    """Yield the line of today, and that of the day whose knowledge is asked for."""
    lines = [(plan.at, spoken.gettext("Today"))]
    if plan.known is not None:
        lines.append((plan.known, spoken.gettext("What was known then")))
    for number, (moment, words) in enumerate(lines):
        x = scale.x(moment)
        dashes = ' stroke-dasharray="6 3"' if number else ""
        yield f'<path class="rule" stroke="{INK}"{dashes} d="M{x} {_TOP - 8}V{height - 20}"/>'
        yield _text(x, 12 + 13 * number, str(words), "ink", INK, "middle")


def _path(kind: str, colour: str, shape: str) -> str:
    return f'<path class="{kind}" fill="{colour}" d="{shape}"/>'


def _text(x: float, y: float, words: str, kind: str, colour: str, anchor: str = "start") -> str:
    return (
        f'<text class="{kind}" fill="{colour}" x="{x}" y="{y}" text-anchor="{anchor}">{markup(words)}</text>'
    )
