"""The lineage of a verified file: as a picture, and as the list that says the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ledger.render import svg
from ledger.render.pages.languages import Language
from ledger.render.pages.verify_words import ACTIONS, PARTS
from ledger.service.ancestry import Ancestry, Node

_GROUPS = {"model": "thing", "dataset": "thing", "seal": "sealed", "unknown": "unknown"}
_ICONS = {"seal": "sealed", "import": "file"}
_LINES = 2


class Item(NamedTuple):
    """One line of the list: the thing, how it was made, and what it was to what was made from it."""

    node: Node
    made: str
    parts: tuple[str, ...]


def picture(found: Ancestry, spoken: Language) -> str:
    """Return the lineage as an ``<svg>`` element, in the reader's language."""
    say = spoken.gettext
    cards = [
        svg.Card(
            node.sha256,
            _ICONS.get(node.made, node.made),
            _GROUPS.get(node.made, "step"),
            node.name or str(say("This file")),
            tuple(filter(None, (str(say(ACTIONS[node.made])), node.tool)))[:_LINES],
        )
        for node in found.nodes
    ]
    edges = [svg.Edge(link.parent, link.child, str(say(_part(link.role)))) for link in found.links]
    title = str(say("How this file was made"))
    words = str(say("From raw materials on the left to the file on the right. The list below says the same."))
    return svg.draw(cards, edges, title, words, "lineage")


def items(found: Ancestry) -> Iterator[Item]:
    """Yield the lines of the list, the file first."""
    parts: dict[str, dict[str, None]] = {}
    for link in found.links:
        parts.setdefault(link.parent, {})[_part(link.role)] = None
    for node in found.nodes:
        yield Item(node, ACTIONS[node.made], tuple(parts.get(node.sha256, ())))


def _part(role: str) -> str:
    return PARTS.get(role) or PARTS.get(role.rpartition(" ")[2], PARTS["reference"])
