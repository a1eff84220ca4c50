"""Text that comes from files and logs, made fit for a page."""

from __future__ import annotations

import unicodedata
from html import escape

from markupsafe import Markup

_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def visible(value: str) -> str:
    """Return the value with every invisible character shown as U+FFFD, line feeds apart.

    Control characters may end a page's text early; bidirectional ones turn it around, so that a name reads as
    another.
    """
    if value.isprintable():  # nearly everything is, and this is the quicker question
        return value
    return "".join(
        "\ufffd" if char != "\n" and unicodedata.category(char) in _UNSAFE else char for char in value
    )


def markup(value: str) -> str:
    """Return the value as text or attribute value of HTML and SVG."""
    return escape(visible(value), quote=True)


def drawing(svg: str) -> Markup:
    """Return an SVG of ours as a page shows it: whoever drew it put every text in it through ``markup``."""
    return Markup(svg)  # noqa: S704 - the one place for drawings; tests draw hostile names with each of them


def fitted(value: str, room: int) -> str:
    """Return the value cut to ``room`` narrow characters; East Asian wide ones count for two."""
    widths = [2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in value]
    if sum(widths) <= room:
        return value
    kept, used = [], 1
    for char, width in zip(value, widths, strict=True):
        used += width
        if used > room:
            break
        kept.append(char)
    return "".join(kept).rstrip() + "…"
