"""Two strips, one under the other: the frames that rest on a thing, as they are and as they would be.

The shapes are those of the reports: the worse a frame, the taller its sliver. The table beside them has the
numbers.
"""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from ledger.core.predicates.reasons import Verdict
from ledger.render.report.ink import VERDICTS

_WIDE, _HIGH = 1200, 64
_LEAST = 2.0
"""No run is narrower than this, however many frames there are."""
_TOPS = {"cleared": 40, "needs_review": 22, "blocked": 0}


def strip(runs: Sequence[tuple[Verdict, int]]) -> Markup:
    """Return the paths of a strip on a canvas of 1200 by 64."""
    total, at = sum(count for _, count in runs) or 1, 0
    shapes: dict[str, list[str]] = {verdict.value: [] for verdict in Verdict}
    for verdict, count in runs:
        x, wide = at * _WIDE / total, max(count * _WIDE / total, _LEAST)
        top = _TOPS[verdict.value]
        shapes[verdict.value].append(f"M{x:.1f} {top}h{wide:.1f}V{_HIGH}h-{wide:.1f}z")
        at += count
    looks = ((VERDICTS[name], "".join(held)) for name, held in shapes.items() if held)
    drawn = (f'<path class="{look.key}" fill="{look.colour}" d="{shape}"/>' for look, shape in looks)
    return Markup("".join(drawn))  # noqa: S704 - numbers and our own names alone
