"""Lineage in pages: what a file was made from, or what was made from it, link by link.

* The picture is that of ``core.lineage``: a link for each file that a step read, each dataset and parent of a
  model, each file before its seal. *Down* are the same links, followed the other way.
* Nearest first. A request follows links until it has enough of them; the cursor holds the files that are
  still to be followed, and how far the first of them is. So a page costs the same wherever it stands, and one
  file that a million steps read is told page by page.
* A cursor holds ``OPEN`` files at most. What does not fit is marked ``open`` and is asked for by itself.
* Within a page a file is followed once. On a later one it may come again: who draws it knows it already.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from ledger.core.fields import present
from ledger.core.lineage import Record, parents
from ledger.core.predicates import Dataset, DatasetV2, Model, ModelV2
from ledger.errors import MalformedError
from ledger.ports import ArtifactRow
from ledger.service.clear.store import Link
from ledger.service.log.projection import SEALED_FROM
from ledger.service.reading.entries import STEPS, short
from ledger.service.reading.files import Makers, find
from ledger.service.reading.pages import Listing, Page, size_of
from ledger.service.reading.sight import Sight
from ledger.service.rights.reading import facts_of
from ledger.service.studio import Studio

OPEN = 32
DEPTH, DEEPEST = 10, 100_000


class Direction(StrEnum):
    """Which way links are followed."""

    UP = "up"
    DOWN = "down"


class Way(NamedTuple):
    """Which way, and how many links away at most."""

    direction: Direction = Direction.UP
    depth: int = DEPTH


class Open(NamedTuple):
    """A file that is still to be followed: how many links it is away, and behind which entry to go on."""

    sha256: str
    depth: int
    after: int = -1


class Found(NamedTuple):
    """A link: ``other`` is the file at its far end. ``index`` is the entry that states it."""

    other: str
    name: str
    role: str
    index: int  # type: ignore[assignment]  # nobody asks a link for tuple.index


@dataclass(slots=True)
class _Walk:
    """One page of a walk."""

    depth: int
    limit: int
    queue: deque[Open]
    waiting: set[str]
    met: dict[str, dict[str, Any]] = field(default_factory=dict)
    edges: list[dict[str, Any]] = field(default_factory=list)

    def meet(self, sha256: str, name: str, depth: int) -> None:
        """Take in the far end of a link, to be followed if there is room."""
        if sha256 in self.met:
            return
        node = self.met[sha256] = {"sha256": sha256, "name": name, "depth": depth}
        if sha256 in self.waiting:
            return  # met on an earlier page, and to be followed
        if depth < self.depth and len(self.queue) < OPEN:
            self.queue.append(Open(sha256, depth))
        else:
            node["open"] = True


def lineage(studio: Studio, digest: str, way: Way, page: Page, sight: Sight) -> Listing:
    """Return a page of links. Raises as ``files.find``, and ``MalformedError("page.cursor")``."""
    stop = size_of(studio)
    makers = Makers(studio, stop)
    queue = deque(_opened(page))
    root = ""
    if not queue:
        root, _ = find(studio, digest, stop, sight)
        queue.append(Open(root, 0))
    walk = _Walk(way.depth, page.limit, queue, {item.sha256 for item in queue})
    if root:
        walk.met[root] = {"sha256": root, "name": _name(makers, root), "depth": 0}
    links = _Up(makers, sight) if way.direction is Direction.UP else _Down(makers, sight)
    for _ in range(
        page.limit + OPEN
    ):  # a file without links, or a piece without any that count, is a look too
        if walk.queue and len(walk.edges) < page.limit:
            _follow(walk, links, way.direction)
    nodes = [_node(makers, node, sight) for node in walk.met.values()]
    following = page.cursor([list(item) for item in walk.queue]) if walk.queue else None
    return Listing("edges", walk.edges, following, {"direction": way.direction.value, "nodes": nodes})


def _opened(page: Page) -> Iterator[Open]:
    (places,) = page.place(list) or ([],)
    if len(places) > OPEN + 1:
        raise MalformedError("page.cursor", "This cursor is not of this question, or not whole.")
    for item in places:
        if not isinstance(item, list) or [type(part) for part in item] != [str, int, int]:
            raise MalformedError("page.cursor", "This cursor is not of this question, or not whole.")
        yield Open(*item)


def _follow(walk: _Walk, links: _Up | _Down, direction: Direction) -> None:
    """Follow the first open file; if it has more links than there is room for, it stays the first."""
    here = walk.queue.popleft()
    found, after = links.of(here.sha256, here.after, walk.limit - len(walk.edges))
    for link in found:
        ends = (here.sha256, link.other) if direction is Direction.UP else (link.other, here.sha256)
        walk.edges.append({"child": ends[0], "parent": ends[1], "role": link.role, "entry": link.index})
        walk.meet(link.other, link.name, here.depth + 1)
    if after is not None:
        walk.queue.appendleft(here._replace(after=after))


class _Up:
    """What a file was made from: what the newest record that made it says."""

    def __init__(self, makers: Makers, sight: Sight) -> None:
        self._makers = makers
        self._sight = sight

    def of(self, sha256: str, after: int, room: int) -> tuple[list[Found], int | None]:
        """Return all links: one entry states them, and an entry is never torn apart."""
        record = self._makers.record(sha256)
        if record is None or not _is_shown(record, self._sight):
            return [], None
        seen = dict.fromkeys(
            Found(other, name, role, record.index)
            for other, name, role in parents(sha256, record.statement)
            if other != sha256
        )
        return list(seen), None


class _Down:
    """What was made from a file: by the steps that read it, by its seals, and by the registry."""

    def __init__(self, makers: Makers, sight: Sight) -> None:
        self._studio = makers.studio
        self._stop = makers.stop
        self._sight = sight

    def of(self, sha256: str, after: int, room: int) -> tuple[list[Found], int | None]:
        """Return the links of the next entries, and behind which entry there are more.

        No entry is torn apart, so there may be more links than there was room for.
        """
        rows, more = self._studio.rows.uses(sha256, after, self._stop)
        types = self._studio.rows.types({row.index for row in rows})
        used: dict[int, list[ArtifactRow]] = {}
        for row in rows:
            if row.role == SEALED_FROM or types.get(row.index) in STEPS:
                used.setdefault(row.index, []).append(row)
        made = self._made(list(used)[:room])
        found = self._registered(sha256) if after < 0 and self._sight.registry else []
        for index, many in used.items():
            if len(found) >= room or index not in made:
                return found, index - 1
            found += [
                Found(link.sha256, link.name, row.role, index)
                for row in many
                for link in made[index]
                if link.sha256 != sha256 and (row.role != SEALED_FROM or link.position == row.position)
            ]
        return found, more

    def _made(self, indices: Sequence[int]) -> dict[int, list[Link]]:
        """Return the subjects of these entries, by the entry."""
        made: dict[int, list[Link]] = {index: [] for index in indices}
        for link in sorted(self._studio.bases.rows(indices), key=lambda link: link.position):
            if link.role == "subject":
                made[link.index].append(link)
        return made

    def _registered(self, sha256: str) -> list[Found]:
        """Return the models and datasets that the registry says were made from this one."""
        facts = facts_of(self._studio)
        found = [
            Found(other, stated.predicate.name, role, stated.index)
            for other, stated in facts.models.items()
            for above, role in _above_model(stated.predicate)
            if above == sha256
        ]
        found += [
            Found(other, stated.predicate.name, "output of", stated.index)
            for other, stated in facts.datasets.items()
            for above in _above_dataset(stated.predicate)
            if above == sha256
        ]
        return sorted(dict.fromkeys(found), key=lambda link: link.index)


def _above_model(model: Model) -> Iterator[tuple[str, str]]:
    for training in model.training:
        yield training.sha256, f"{training.stage.value} training"
    for parent in model.parents if isinstance(model, ModelV2) else ():
        yield parent.sha256, f"{parent.role.value} parent"


def _above_dataset(dataset: Dataset) -> Iterator[str]:
    return (item.sha256 for item in dataset.outputs_of) if isinstance(dataset, DatasetV2) else iter(())


def _is_shown(record: Record, sight: Sight) -> bool:
    return sight.registry or not isinstance(record.statement.predicate, Model | Dataset)


def _name(makers: Makers, sha256: str) -> str:
    rows = makers.rows(sha256)
    return rows[0].name if rows else makers.studio.rows.uses(sha256, -1, makers.stop).rows[0].name


def _node(makers: Makers, node: dict[str, Any], sight: Sight) -> dict[str, Any]:
    """Return a file of the page with the record that made it; without one it is unattributed."""
    record = makers.record(node["sha256"])
    if record is None:
        return {**node, "attributed": False}
    said = short(makers.studio, record.index)
    return {**node, "attributed": True, **present(made=said if _is_shown(record, sight) else None)}
