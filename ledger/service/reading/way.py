"""A file's way as people look at it: a page of its lineage, with what was done at each stop.

* A file before its seal and the sealed one are one stop: nothing of the picture changed between them.
* A stop that no record explains has no ``entry``: its origin is unknown, and nothing else is said of it.
* A page that goes on from a cursor begins with the files that it goes on from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from ledger.core.lineage import Record
from ledger.core.predicates import Dataset, Enrolment, Model, ModelV2, Seal, Step
from ledger.service.archive import Archive
from ledger.service.log.projection import SEALED_FROM
from ledger.service.reading.files import Makers
from ledger.service.reading.lineage import Direction, lineage
from ledger.service.reading.lineage import Way as Asked
from ledger.service.reading.pages import Page, size_of
from ledger.service.reading.sight import Sight
from ledger.service.studio import Studio

_OF_ROLES = {"model": "model", "dataset": "dataset"}


@dataclass(frozen=True, slots=True)
class Stop:
    """A file, or a model or dataset, ``depth`` links away; ``seal`` is the entry of its seal.

    ``kind`` is what was done (a step's action), or ``model``, ``service``, ``dataset``, ``sealed`` or
    ``unknown``. ``entry`` is the one that made it. ``registered`` is ``models`` or ``datasets`` for what the
    viewer may look up there. ``further``: there is more behind it than this walk follows.
    """

    sha256: str
    name: str
    kind: str
    depth: int
    entry: int | None = None
    seal: int | None = None
    step: Step | None = None
    device: str | None = None
    registered: str | None = None
    further: bool = False

    @property
    def attributed(self) -> bool:
        """Whether a record explains it."""
        return self.kind != "unknown"


class Link(NamedTuple):
    """``child`` was made from ``parent`` (digests of stops), as ``entry`` says; ``role`` is a material's."""

    child: str
    parent: str
    role: str
    entry: int


@dataclass(frozen=True, slots=True)
class Way:
    """A page of stops, nearest first, and the links between them; ``next`` is the cursor of the next page."""

    direction: Direction
    stops: tuple[Stop, ...]
    links: tuple[Link, ...]
    next: str | None = None

    def beside(self, stop: Stop) -> list[tuple[Stop, str]]:
        """Return the stops that this one leads to on this page, each with its role."""
        stops = {item.sha256: item for item in self.stops}
        if self.direction is Direction.UP:
            return [(stops[link.parent], link.role) for link in self.links if link.child == stop.sha256]
        return [(stops[link.child], link.role) for link in self.links if link.parent == stop.sha256]

    def part(self, number: int, size: int) -> tuple[Way, bool]:
        """Return the ``number``-th part (from 1) of ``size`` stops, and whether there are more parts.

        One entry may link hundreds of files. A part also has the stops that its links come from.
        """
        window = {stop.sha256 for stop in self.stops[(number - 1) * size : number * size]}
        up = self.direction is Direction.UP
        links = tuple(link for link in self.links if (link.parent if up else link.child) in window)
        shown = window | {link.child if up else link.parent for link in links}
        stops = tuple(stop for stop in self.stops if stop.sha256 in shown)
        return replace(self, stops=stops, links=links), number * size < len(self.stops)


def way(studio: Studio, digest: str, asked: Asked, page: Page, sight: Sight) -> Way:
    """Return a page of a file's way. Raises as ``lineage.lineage``."""
    listing = lineage(studio, digest, asked, page, sight)
    nodes = {node["sha256"]: node for node in listing.more["nodes"]}
    makers = Stops(studio, sight)
    for edge in listing.items:
        for here, there in ((edge["child"], edge["parent"]), (edge["parent"], edge["child"])):
            if here not in nodes:  # it was met on an earlier page
                depth = max(0, nodes[there]["depth"] - 1) if there in nodes else 0
                nodes[here] = {"sha256": here, "name": makers.name(here), "depth": depth}
    roles: dict[str, str] = {}
    for edge in listing.items:
        roles.setdefault(edge["parent"], edge["role"])
    stops = {sha256: makers.stop(node, roles.get(sha256)) for sha256, node in nodes.items()}
    return joined(asked.direction, stops, listing.items, listing.next)


def joined(
    direction: Direction, stops: dict[str, Stop], edges: Sequence[Mapping[str, Any]], following: str | None
) -> Way:
    """Return the way with each sealed file and the one before its seal as one stop.

    ``edges`` are those of ``lineage.lineage``.
    """
    stands: dict[str, str] = {}
    for edge in edges:
        sealed, source = edge["child"], edge["parent"]
        if edge["role"] == SEALED_FROM and sealed not in stands and source not in stands:
            stands[source] = sealed
            stops[sealed] = _as_one(stops[sealed], stops[source], edge["entry"])
    links = dict.fromkeys(
        Link(
            stands.get(edge["child"], edge["child"]),
            stands.get(edge["parent"], edge["parent"]),
            edge["role"],
            edge["entry"],
        )
        for edge in edges
    )
    shown = sorted((stop for sha256, stop in stops.items() if sha256 not in stands), key=lambda it: it.depth)
    return Way(direction, tuple(shown), tuple(item for item in links if item.child != item.parent), following)


def _as_one(sealed: Stop, source: Stop, entry: int) -> Stop:
    return Stop(
        sealed.sha256,
        sealed.name,
        source.kind if source.attributed else "sealed",
        min(sealed.depth, source.depth),
        source.entry,
        entry,
        source.step,
        source.device,
        source.registered,
        sealed.further or source.further,
    )


def _position(record: Record, sha256: str) -> int:
    return next(n for n, item in enumerate(record.statement.subjects) if item.sha256 == sha256)


class Stops:
    """What is known of files, each looked up once."""

    def __init__(self, studio: Studio, sight: Sight) -> None:
        self._studio = studio
        self._sight = sight
        self._makers = Makers(studio, size_of(studio))
        self._archive = Archive(studio)
        self._devices: dict[str, str] = {}

    def name(self, sha256: str) -> str:
        """Return a file's newest name."""
        rows = self._makers.rows(sha256) or self._studio.rows.uses(sha256, -1, self._makers.stop).rows
        return rows[0].name if rows else sha256

    def stop(self, node: Mapping[str, Any], role: str | None) -> Stop:
        """Return a stop. Of what is registered, who does not see the registry sees what it was used as."""
        sha256, name, depth = node["sha256"], node["name"], node["depth"]
        record = self._makers.record(sha256)
        further = bool(node.get("open"))
        if record is None:
            return Stop(sha256, name, _OF_ROLES.get(role or "", "unknown"), depth, further=further)
        said, index = record.statement.predicate, record.index
        match said:
            case Step():
                device = self._device(index)
                return Stop(sha256, name, said.action.value, depth, index, None, said, device, None, further)
            case Seal():
                source = said.manifests[_position(record, sha256)].source
                own = Stop(sha256, name, "sealed", depth, index, index, further=further)
                return own if source == sha256 else _as_one(own, self._before(node, source), index)
        kind = "dataset" if isinstance(said, Dataset) else "model"
        if not self._sight.registry:
            return Stop(sha256, name, kind, depth, further=further)
        if isinstance(said, ModelV2) and said.service is not None:
            kind = "service"
        shown = said.name if isinstance(said, Dataset | Model) else name
        place = "datasets" if kind == "dataset" else "models"
        return Stop(sha256, shown, kind, depth, index, registered=place, further=further)

    def _before(self, node: Mapping[str, Any], source: str) -> Stop:
        """Return the stop of the file before its seal, which no seal made."""
        record = self._makers.record(source)
        if record is None or isinstance(record.statement.predicate, Seal):
            return Stop(source, node["name"], "unknown", node["depth"])
        return self.stop({**node, "sha256": source}, None)

    def _device(self, index: int) -> str:
        """Return the name of the device that signed an entry, or the beginning of its key."""
        keyid = self._studio.envelope(index).signatures[0].keyid
        if keyid not in self._devices:
            said = (self._studio.statement(at) for at in self._archive.enrolments(index))
            own = [
                each.predicate.device
                for each in said
                if isinstance(each.predicate, Enrolment) and each.subjects[0].sha256 == keyid
            ]
            self._devices[keyid] = own[-1] if own else keyid[:12]
        return self._devices[keyid]
