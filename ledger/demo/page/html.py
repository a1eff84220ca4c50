"""The story as one page that a producer can read: no script, no address outside, one file.

* Every fact on the page is in the ``Story``; pictures are brought as data URIs by SHA-256.
* Names and texts are data: escaped, and shown as ``text.visible`` does; a link leads only into the story's
  folder.
* State is always a mark and a word; colour repeats it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import quote

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from ledger.core.lineage import Link
from ledger.core.report import Outcome
from ledger.demo.page import words
from ledger.demo.page.rights import Rights, RightsView
from ledger.demo.page.story import Node, Story, StoryFile, StoryGrant, StoryThing
from ledger.render import svg
from ledger.render.text import visible
from ledger.render.words import counted, listed


@dataclass(frozen=True, slots=True)
class Pictures:
    """Data URIs: ``small`` by SHA-256 (of a delivered file, or of a thing), ``large`` of the story's file."""

    small: Mapping[str, str]
    large: str


@dataclass(frozen=True, slots=True)
class _Kind:
    """Files of one task and format."""

    task: str
    format: str
    files: tuple[StoryFile, ...]
    proven: int


@dataclass(frozen=True, slots=True)
class _Chapter:
    """One part of the story: what happened to one node, who did it, under which licence."""

    title: str
    sentence: str
    facts: tuple[tuple[str, str], ...]


def page(story: Story, path: str, pictures: Pictures, asked: Rights | None = None) -> str:
    """Return the page. ``path`` is that of the file whose way is told; ``KeyError`` without it.

    ``asked`` is what was asked about rights: it adds a part of its own.
    """
    hero = {file.path: file for file in story.files}[path]
    rights = RightsView(asked, story, hero) if asked else None
    kinds = _kinds(story)
    cut = next(kind for kind in kinds if hero in kind.files)
    nodes, links = story.under(hero.node)
    granted = rights.granted if rights else words.grant
    told = _Way(story, hero, granted)
    cards, edges = told.cards(nodes, links, pictures.small)
    lineage = svg.draw(
        cards,
        edges,
        f"How {hero.path} was made",
        f"{len(nodes)} things, from raw materials on the left to the sealed file on the right; "
        "the list below the picture says the same.",
    )
    template = _environment().get_template("story.html.j2")
    return template.render(
        story=story,
        words=words,
        hero=hero,
        cut=cut,
        kinds=kinds,
        chapters=[told.chapter(node, links) for node in nodes],
        lineage=lineage,
        lineage_style=svg.STYLE,
        pictures=pictures,
        steps=sum(node.kind == "file" for node in story.nodes),
        rights=rights,
        granted=granted,
        grants_of=lambda thing: [grant for grant in story.grants if thing.sha256 in grant.covers],
        things={thing.sha256: thing for thing in story.things},
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=ChoiceLoader([PackageLoader("ledger.demo.page"), PackageLoader("ledger.render")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    environment.filters["path"] = quote
    return environment


def _shown(value: Any) -> Any:
    """Show the invisible in everything but what is markup already."""
    return visible(value) if isinstance(value, str) and not hasattr(value, "__html__") else value


def _kinds(story: Story) -> list[_Kind]:
    """Return the files grouped by task and format, in the order in which each group first appears."""
    nodes = {node.sha256: node for node in story.nodes}
    groups: dict[tuple[str, str], list[StoryFile]] = {}
    for file in story.files:
        node = nodes.get(file.node)
        task = (node.task or node.action or node.kind) if node else "unknown"
        media_type = file.report.facts.get("mediaType", "application/octet-stream")
        groups.setdefault((task, words.format_of(media_type)), []).append(file)
    return [
        _Kind(
            task,
            name,
            tuple(sorted(files, key=lambda file: file.path)),
            sum(file.report.outcome is Outcome.PROVEN for file in files),
        )
        for (task, name), files in groups.items()
    ]


class _Way:
    """Tells the way of one file: as cards for the picture, and as chapters for the list beside it."""

    def __init__(self, story: Story, hero: StoryFile, granted: Callable[[StoryGrant], str]) -> None:
        self._hero = hero
        self._granted = granted
        self._nodes = {node.sha256: node for node in story.nodes}
        self._things = {thing.sha256: thing for thing in story.things}
        self._grants = story.grants
        self._devices = {step.index: step.device for file in story.files for step in file.report.steps}

    def cards(
        self, nodes: Sequence[Node], links: Sequence[Link], pictures: Mapping[str, str]
    ) -> tuple[list[svg.Card], list[svg.Edge]]:
        """Return the picture's cards and edges; the sealed file itself comes last."""
        cards = [self._card(node, pictures) for node in nodes]
        edges = [svg.Edge(link.parent, link.child, link.role) for link in links]
        signer = words.signer(self._hero.report)
        name = self._hero.path.rpartition("/")[2]
        cards.append(
            svg.Card(
                "sealed",
                "sealed",
                "sealed",
                "Sealed file",
                (name, *signer.split(", ", 1)),
                words.ANSWERS[self._hero.report.outcome][2].lower(),
                good=self._hero.report.outcome is Outcome.PROVEN,
            )
        )
        return cards, [*edges, svg.Edge(self._hero.node, "sealed", "sealed")]

    def chapter(self, node: Node, links: Sequence[Link]) -> _Chapter:
        """Return one node's part of the story."""
        thing = self._things.get(node.sha256)
        if thing is not None:
            return self._thing_chapter(thing)
        materials = [
            (link.role, self._nodes[link.parent].name) for link in links if link.child == node.sha256
        ]
        facts = [
            ("Who", f"{self._devices.get(node.index or -1, 'an enrolled device')}, with {node.tool}"),
            ("When", f"{node.finished:%Y-%m-%d %H:%M:%S} UTC" if node.finished else "not known"),
            (
                "How we know",
                f"{words.EVIDENCE.get(node.evidence or '', 'Not known')}; log entry {node.index}",
            ),
        ]
        if node.committed:
            facts.append(
                (
                    "Kept private",
                    "The prompt. The log holds a sealed commitment to it, which only its owner can open.",
                )
            )
        if node.parameters:
            facts.append(
                ("Settings", ", ".join(f"{name} {value}" for name, value in node.parameters.items()))
            )
        if node.kind == "unknown":
            return _Chapter(node.name, "No record says how this came to be.", ())
        title = (
            f"{(node.task or 'file').capitalize()}: {words.ACTIONS.get(node.action or '', 'Made').lower()}"
        )
        return _Chapter(title, words.made(node, materials), tuple(facts))

    def _thing_chapter(self, thing: StoryThing) -> _Chapter:
        grants = self._grants_of(thing)
        licence = " ".join(map(self._granted, grants)) or "No grant is on record."
        if thing.kind == "dataset":
            sentence = f"A dataset of {counted(thing.works or 0, 'work')} was registered."
            facts = [("Rights holders", words.holders(thing))]
        else:
            trained = [
                f"“{self._things[item.sha256].name}” ({item.stage} training)"
                for item in thing.training
                if item.sha256 in self._things
            ]
            rest = (
                f"It was trained on {listed(trained)}." if trained else "What it was trained on is not known."
            )
            sentence = f"A model was registered. {rest}"
            facts = [("Version", thing.version)]
        facts += [
            ("Licence", licence),
            ("How we know", f"Log entry {thing.index}, signed by the studio's registrar"),
        ]
        return _Chapter(f"{thing.kind.capitalize()} “{thing.name}”", sentence, tuple(facts))

    def _card(self, node: Node, pictures: Mapping[str, str]) -> svg.Card:
        thing = self._things.get(node.sha256)
        picture = pictures.get(node.sealed or "") or pictures.get(node.sha256)
        if thing is not None:
            grants = self._grants_of(thing)
            mark = f"grant {grants[0].grant_id}" if thing.licensed else "grant out of term"
            mark = mark if grants else "no grant on record"
            about = (
                f"{counted(thing.works or 0, 'work')}, {counted(thing.rights_holders or 0, 'holder')}"
                if thing.kind == "dataset"
                else f"version {thing.version}"
            )
            title = thing.kind.capitalize()
            return svg.Card(
                node.sha256, thing.kind, "thing", title, (thing.name, about), mark, thing.licensed, picture
            )
        if node.kind == "unknown":
            return svg.Card(
                node.sha256, "unknown", "unknown", "Not explained", (node.name,), "no record", good=False
            )
        action = node.action or "file"
        tool = (node.tool or "").rpartition(" ")[0] or (node.tool or "")
        return svg.Card(
            node.sha256, action, "step", words.ACTIONS.get(action, "Made"), (node.name, tool), picture=picture
        )

    def _grants_of(self, thing: StoryThing) -> list[StoryGrant]:
        return [item for item in self._grants if thing.sha256 in item.covers]
