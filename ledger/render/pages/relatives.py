"""A model's family as a picture: parents and datasets on the left, what was made from it on the right."""

from __future__ import annotations

from collections.abc import Mapping

from markupsafe import Markup

from ledger.render import svg, text
from ledger.render.pages.languages import Language
from ledger.render.pages.rights_words import KINDS, STANDINGS, TIES
from ledger.service.desk.family import Family, Relative, Side

DRAWN = 24
"""Relatives in the picture: the nearest. The list beside it has the others."""


def drawing(family: Family, standings: Mapping[str, str | None], spoken: Language, desk: str) -> Markup:
    """Return the picture as one SVG element, whose cards lead to their pages at the address ``desk``.

    ``standings`` are those of the newest reviews, by SHA-256.
    """
    near = family.nearest(DRAWN)
    cards = [_card(item, standings.get(item.sha256), spoken, desk) for item in near.relatives]
    edges = [svg.Edge(tie.parent, tie.child, str(spoken.gettext(TIES[tie.role]))) for tie in near.ties]
    title = str(spoken.gettext("The family of the model"))
    words = str(spoken.gettext("The list after the picture says the same in words."))
    return text.drawing(svg.draw(cards, edges, title, words, "family"))


def _card(item: Relative, standing: str | None, spoken: Language, desk: str) -> svg.Card:
    what = str(spoken.gettext(KINDS[item.kind]))
    icon = item.kind if item.kind in ("dataset", "service") else "model"
    if not item.registered:
        mark = str(spoken.gettext("Not registered"))
        return svg.Card(item.sha256, "unknown", "unknown", item.name, (what,), mark, good=False)
    group = "sealed" if item.side is Side.SELF else "thing"
    good = {"accepted": True, None: None}.get(standing, False)
    mark = str(spoken.gettext(STANDINGS[standing][2]))
    shelf = "datasets" if item.kind == "dataset" else "models"
    href = None if item.side is Side.SELF else f"{desk}/{shelf}/{item.sha256}"
    return svg.Card(item.sha256, icon, group, item.name, (what,), mark, good=good, href=href)
