"""A file's way on a page: as a picture of linked cards, and as a list in which each thing stands once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ledger.render import svg
from ledger.render.pages.languages import N_, Language
from ledger.render.text import fitted
from ledger.service.reading.lineage import Direction
from ledger.service.reading.way import Stop, Way

DEEP = 8
"""Lists within lists. What is deeper stands below, in the same list."""
MOST = 24
"""Cards that are drawn one by one: of more, those that were made in the same way are one."""
NEAREST = 44
_MOST_BYTES = 50_000
"""A drawing that would be larger is one of the ``NEAREST`` stops: the list has every one."""
_LONG = 120
KINDS = {
    "generate": N_("Generated"),
    "edit": N_("Edited"),
    "composite": N_("Composited"),
    "draw": N_("Drawn"),
    "render": N_("Rendered"),
    "convert": N_("Converted"),
    "import": N_("Brought in"),
    "model": N_("Model"),
    "service": N_("Remote service"),
    "dataset": N_("Dataset"),
    "sealed": N_("Sealed"),
    "unknown": N_("Unknown origin"),
}
"""What was done to make a stop, or what it is."""
ROLES = {
    "parent": N_("its earlier version"),
    "component": N_("visible in it"),
    "reference": N_("guided it"),
    "control": N_("steered its composition"),
    "inpaint": N_("painted over in part"),
    "model": N_("the model that was used"),
    "dataset": N_("data that was used"),
    "sealed-from": N_("the same file before its seal"),
    "output of": N_("data made with it"),
    "foundation training": N_("trained from nothing on it"),
    "additional training": N_("trained further on it"),
    "focused training": N_("trained on these works"),
    "base parent": N_("the model it goes on from"),
    "merged parent": N_("a model that is part of it"),
    "adapter-base parent": N_("the model it works on top of"),
}
"""What a thing was to the one made from it."""
_ELSE = N_("used for it")
EVIDENCE = {
    "observed": N_("observed"),
    "inferred": N_("inferred"),
    "declared": N_("declared"),
}
_ICONS = {"import": "file"}


@dataclass(slots=True)
class Branch:
    """A stop in the list. ``again``: it stands above already, with what is under it."""

    stop: Stop
    role: str
    again: bool = False
    under: list[Branch] = field(default_factory=list)


def role_words(role: str) -> str:
    """Return the key of the words for a role."""
    return ROLES.get(role, _ELSE)


def listed(way: Way) -> list[Branch]:
    """Return the way as nested lists."""
    seen: set[str] = set()
    found: list[Branch] = []

    def add(stop: Stop, role: str, level: int, into: list[Branch]) -> None:
        branch = Branch(stop, role, stop.sha256 in seen)
        into.append(branch)
        if branch.again:
            return
        seen.add(stop.sha256)
        for other, its_role in way.beside(stop):
            add(other, its_role, level + 1, branch.under if level < DEEP else into)

    far = {link.parent if way.direction is Direction.UP else link.child for link in way.links}
    roots = [stop for stop in way.stops if stop.sha256 not in far]
    for stop in (*roots, *way.stops):  # of a circle, none is a root
        if stop.sha256 not in seen:
            add(stop, "", 1, found)
    return found


@dataclass(frozen=True, slots=True)
class Drawn:
    """A picture, as markup, and whether every stop of the way is in it."""

    svg: str
    whole: bool

    def __html__(self) -> str:
        """Return it as it stands in a page: ``svg`` escaped what it was given."""
        return self.svg


def picture(way: Way, spoken: Language, href: Callable[[Stop], str], small: Callable[[Stop], str]) -> Drawn:
    """Return the picture of a way: cards that lead to ``href``, with the picture at ``small`` where it is."""
    words = spoken.gettext
    title = str(words("The way from raw materials, on the left, to what was made of them"))
    said = str(words("The list beside it says the same in words."))
    edges = [svg.Edge(link.parent, link.child, str(words(role_words(link.role)))) for link in way.links]
    cards = [_card(stop, spoken, href(stop), small(stop)) for stop in way.stops]
    drawn = svg.draw(cards, edges, title, said, most=MOST)
    whole = len(cards) <= NEAREST or len(drawn) <= _MOST_BYTES
    if not whole:
        drawn = svg.draw(cards[:NEAREST], edges, title, said, most=MOST)
    return Drawn(drawn, whole)


def grouped(reasons: Iterable[Mapping[str, Any]]) -> list[tuple[str, str, list[str]]]:
    """Return code, severity and the things that it is said of, of reasons as answers have them; in order.

    Who does not see the registry does not see what a reason is about: then there are no things.
    """
    found: dict[tuple[str, str], dict[str, None]] = {}
    for reason in reasons:
        about = found.setdefault((reason["code"], reason["severity"]), {})
        if "subject" in reason:
            about[reason["subject"]["name"]] = None
    return [(code, severity, list(about)) for (code, severity), about in found.items()]


def _card(stop: Stop, spoken: Language, href: str, small: str) -> svg.Card:
    return svg.Card(
        stop.sha256,
        _ICONS.get(stop.kind, stop.kind),
        _group(stop),
        str(spoken.gettext(KINDS[stop.kind])),
        _lines(stop),
        *_mark(stop, spoken),
        small or None,
        href,
    )


def _group(stop: Stop) -> str:
    if stop.kind == "unknown":
        return "unknown"
    if stop.kind in ("model", "dataset", "service"):
        return "thing"
    return "sealed" if stop.seal is not None else "step"


def _lines(stop: Stop) -> tuple[str, ...]:
    tool = (f"{stop.step.tool.name} {stop.step.tool.version}",) if stop.step else ()
    task = (stop.step.place.task,) if stop.step and stop.step.place.task else ()
    return tuple(fitted(line, _LONG) for line in (stop.name, *tool, *task))


def _mark(stop: Stop, spoken: Language) -> tuple[str | None, bool | None]:
    if stop.kind == "unknown":
        return str(spoken.gettext("no record")), None
    if stop.step is None:
        return None, None
    said = stop.step.evidence.value
    return str(spoken.gettext(EVIDENCE[said])), True if said == "observed" else None
