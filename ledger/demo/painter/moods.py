"""Which colours a landscape is painted with: those a painter chose, or those a model learnt."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ledger.demo.painter.brush import BANDS, Brush
from ledger.demo.painter.scene import HORIZON, Mood

_LUMA = np.asarray((0.30, 0.59, 0.11), np.float32)
_SKY_STOPS = 7


def chosen(sky: tuple[str, ...], ground: tuple[str, ...], light: str, stroke: float, grain: float) -> Mood:
    """Return a mood from colours as ``rrggbb``, the sky from the zenith down, the ground from far to near."""
    return Mood(_colours(sky), _colours(ground), _colours((light,))[0], stroke, grain)


def learnt(brush: Brush) -> Mood:
    """Return the mood that the weights hold."""
    horizon = int(BANDS * HORIZON)
    sky = _revived(_spread(brush.bands[: horizon - 1], _SKY_STOPS), brush.accents, 1.12)
    ground = _revived(_spread(brush.bands[horizon:], 5), brush.accents, 1.30)
    # The sun has just gone: the warmest colour of the palette lies along the horizon.
    warmest = brush.accents[np.argmax(brush.accents[:, 0] - brush.accents[:, 2] * 0.55)]
    for stop, amount in ((-1, 0.85), (-2, 0.45), (-3, 0.15)):
        sky[stop] += (warmest - sky[stop]) * amount
    ground[-1] = (ground[-1] + brush.accents[0] * 3) / 4 * 0.8
    return Mood(
        sky=sky,
        ground=ground,
        light=brush.light,
        stroke=float(np.clip(brush.stroke.mean(), 1, 6)),
        grain=float(np.clip(brush.grain.mean(), 0.006, 0.03)),
    )


def _colours(texts: tuple[str, ...]) -> NDArray[np.float32]:
    return np.asarray([[int(text[at : at + 2], 16) / 255 for at in (0, 2, 4)] for text in texts], np.float32)


def _spread(colours: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    at = np.linspace(0, len(colours) - 1, count)
    rows = np.arange(len(colours))
    return np.stack([np.interp(at, rows, colours[:, c]) for c in range(3)], axis=-1).astype(np.float32)


def _revived(colours: NDArray[np.float32], accents: NDArray[np.float32], depth: float) -> NDArray[np.float32]:
    """Return the colours as saturated as the palette is, and darker by the power ``depth``."""
    wanted = float(np.ptp(accents, axis=1).mean())
    have = max(float(np.ptp(colours, axis=1).mean()), 0.02)
    luma = (colours @ _LUMA)[:, None]
    strong = luma + (colours - luma) * min(max(wanted / have, 1.1), 1.6)
    return (np.clip(strong, 0, 1) ** depth).astype(np.float32)
