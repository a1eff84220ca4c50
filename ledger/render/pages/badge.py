"""The seal of a label, and the badge that other sites show.

* The seal is whole where the label stands, and broken where it does not: by its shape, its mark and a word.
* A badge is one picture without script, style or address. It carries its own ground, light or dark.
"""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from ledger.render.pages.label import SHORT, STATES
from ledger.render.pages.languages import N_, Language
from ledger.render.report.ink import GRADES
from ledger.render.text import drawing, fitted, markup
from ledger.service.labels.shown import Shown
from ledger.service.labels.since import Holds

WIDTH, HEIGHT = 320, 76
_GROUNDS = {
    "light": ("#ffffff", "#1d1b26", "#57546a", "#cfccd8"),
    "dark": ("#1b1a25", "#f1eff7", "#b4b0c4", "#3d3b4d"),
}
"""By the look: ground, ink, soft ink, line."""
_RED, _GREY, _WHITE = "#b0301f", "#6f6c80", "#ffffff"
_SANS = "system-ui,-apple-system,'Segoe UI',sans-serif"
_LINES = ((25, 15, 29), (44, 13, 35), (61, 12, 37))
"""Of each line: where it stands, how high its letters are, and how many narrow ones it holds."""
_ALL = N_("Provenance label: %(said)s. %(title)s, by %(studio)s.")


@dataclass(frozen=True, slots=True)
class Face:
    """What is on a badge: a mark in the seal, its lines, and all of it as one text."""

    mark: str
    whole: bool
    lines: tuple[str, str, str]
    text: str


def face_of(label: Shown, language: Language) -> Face:
    """Return what the badge of a label says now, in a language."""
    claims, holds = label.claims, label.since.holds
    stands = holds is Holds.STANDS
    values = {"title": claims.title, "studio": label.issuer}
    headline = language.gettext(GRADES[claims.grade_now.name].word if stands else SHORT[holds]).unescape()
    text = language.gettext(_ALL, said=headline, **values).unescape()
    return Face(
        claims.grade_now.name if stands else STATES[holds].mark,
        stands,
        (headline, claims.title, label.issuer),
        text,
    )


def badge(face: Face, look: str, direction: str = "ltr") -> str:
    """Return the badge as a whole SVG document. ``look`` is ``light`` or ``dark``."""
    ground, ink, soft, line = _GROUNDS[look]
    text, inner = markup(face.text), f'width="{WIDTH - 1}" height="{HEIGHT - 1}"'
    stamp, start = (12, 66) if direction == "ltr" else (WIDTH - 52, WIDTH - 66)
    weights, inks = (600, 600, 400), (ink, ink, soft)
    lines = "".join(
        f'<text x="{start}" y="{y}" font-size="{size}" font-weight="{weight}" fill="{colour}">'
        f"{markup(fitted(line, room))}</text>"
        for line, (y, size, room), weight, colour in zip(face.lines, _LINES, weights, inks, strict=True)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{text}"><title>{text}</title>'
        f'<rect x=".5" y=".5" {inner} rx="8" fill="{ground}" stroke="{line}"/>'
        f'<g transform="translate({stamp} 18)">{_stamp(face, 40)}</g>'
        f'<g font-family="{_SANS}" direction="{direction}">{lines}</g></svg>'
    )


def seal(face: Face) -> Markup:
    """Return the big seal of a page: a drawing whose words stand beside it."""
    start = '<svg class="stamp" viewBox="0 0 160 160" width="160" height="160" aria-hidden="true">'
    return drawing(f"{start}{_stamp(face, 160)}</svg>")


def snippet(label: Shown, site: str, look: str, language: Language) -> str:
    """Return the HTML that shows the badge on another site, to be copied."""
    address, alt = markup(site + label.place), markup(face_of(label, language).text)
    source = f"{address}/badge.svg?lang={language.code}&amp;look={look}"
    size = f'width="{WIDTH}" height="{HEIGHT}"'
    return f'<a href="{address}"><img src="{source}" {size} alt="{alt}"></a>'


def _stamp(face: Face, size: int) -> str:
    """Return the seal itself: full and red where the label stands, else an empty frame with a mark."""
    gap = size / 16
    if face.whole:
        drawn = _square(size, gap / 4, gap, f'fill="{_RED}"')
        drawn += _square(size, gap, gap / 2, f'fill="none" stroke="{_WHITE}" stroke-width="{gap / 3:g}"')
    else:
        dashes = f'stroke-width="{gap / 2:g}" stroke-dasharray="{gap:g} {gap:g}"'
        drawn = _square(size, gap / 2, gap, f'fill="none" stroke="{_GREY}" {dashes}')
    colour = _WHITE if face.whole else _GREY
    place = f'x="{size / 2:g}" y="{size * 0.645:g}" text-anchor="middle" fill="{colour}"'
    font = f'font-family="Georgia,serif" font-weight="600" font-size="{size * 0.42:g}"'
    return f"{drawn}<text {place} {font}>{markup(face.mark)}</text>"


def _square(size: int, inset: float, radius: float, look: str) -> str:
    side = size - 2 * inset
    place = f'x="{inset:g}" y="{inset:g}" width="{side:g}" height="{side:g}" rx="{radius:g}"'
    return f"<rect {place} {look}/>"
