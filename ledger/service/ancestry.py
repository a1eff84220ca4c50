"""What a verified file was made from, as far as whoever asks may know it.

* Who reads the work sees what the log knows: the files nearest first, ``MOST`` links of them.
* Everybody else sees what the file itself tells: the entries that its manifests bring. Of these only such as
  the log holds count: whatever examined a stranger's file may be in the stranger's hands, and cannot name
  an entry that it does not have.
* A file whose bytes and picture the ledger does not know has no ancestry here, nor has one that it only knows
  to have been sealed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from ledger.core import envelope as dsse
from ledger.core import statement as statements
from ledger.core.access import Action, Viewer
from ledger.core.fields import format_time
from ledger.core.lineage import MAKES, Lineage, Link, Record, trace
from ledger.core.merkle import leaf_hash
from ledger.core.predicates import Seal, Step
from ledger.core.predicates.step import StepAction
from ledger.errors import UsageError
from ledger.service.reading.lineage import DEPTH, Direction, Way, lineage
from ledger.service.reading.pages import Page
from ledger.service.reading.sight import sight_of
from ledger.service.studio import Studio
from ledger.service.verifying import Answer

MOST = 120
"""Links that are shown: the page of the file itself shows all of them."""


class Node(NamedTuple):
    """A file, model or dataset: what made it (an action, ``model``, ``dataset``, ``seal``), else ``unknown``.

    ``depth`` is how many links it is away from the file.
    """

    sha256: str
    name: str
    made: str
    depth: int
    tool: str = ""
    finished: str = ""


class Ancestry(NamedTuple):
    """The file first, then what it was made from. ``more``: not all of it is here."""

    nodes: tuple[Node, ...]
    links: tuple[Link, ...]
    more: bool


def ancestry(answer: Answer, viewer: Viewer) -> Ancestry | None:
    """Return what the file was made from; ``None`` where there is nothing to tell this viewer."""
    studio, by = answer.studio, answer.asked.sightings[0].by if answer.asked.sightings else ""
    recorded = answer.asked.subject
    if studio is None or recorded is None or by == "manifest":
        return None
    if viewer.may(Action.READ_WORK, studio.production):
        return _known(studio, answer.full.sha256 if by == "bytes" else recorded, viewer)
    found = _brought(answer, studio, recorded)
    return _shown(found) if found.records else None


def _known(studio: Studio, root: str, viewer: Viewer) -> Ancestry | None:
    way, page = Way(Direction.UP, DEPTH), Page(("ancestry", root), MOST)
    try:
        found = lineage(studio, root, way, page, sight_of(viewer, studio.production))
    except UsageError:
        return None  # it is a model or a dataset, and the registry is not this viewer's
    links = tuple(Link(item["child"], item["parent"], item["role"]) for item in found.items)
    roles = {link.parent: link.role for link in links}
    nodes = []
    for item in found.more["nodes"]:
        made = item.get("made", {})
        tool = made.get("tool", {})
        kind = made.get("action") or made.get("kind") or roles.get(item["sha256"], "")
        words = f"{tool['name']} {tool['version']}" if tool else ""
        nodes.append(
            Node(item["sha256"], item["name"], _kind(kind), item["depth"], words, made.get("finished", ""))
        )
    return Ancestry(tuple(nodes), links, found.next is not None)


def _brought(answer: Answer, studio: Studio, root: str) -> Lineage:
    """Return the lineage that the file's own entries tell: those of them that the log holds."""
    made: dict[str, Record] = {}
    for record in _records(_held(studio, answer.brought)):
        made |= {subject.sha256: record for subject in record.statement.subjects}
    # A file brings no entry of its seals. Of those there is only told that they lead to what it brings.
    for record in _records(_held(studio, (item.envelope for item in answer.asked.evidence))):
        for subject, source in _sealed(record):
            if source in made:
                made.setdefault(subject, record)
    return trace(root, answer.public.file, made.get)


def _sealed(record: Record) -> Iterator[tuple[str, str]]:
    """Yield the digest of each file that the entry sealed, and that of before."""
    seal = record.statement.predicate
    if isinstance(seal, Seal):
        for subject, item in zip(record.statement.subjects, seal.manifests, strict=True):
            yield subject.sha256, item.source


def _records(held: Iterable[tuple[int, bytes]]) -> Iterator[Record]:
    """Yield the entries that made something, in the order of the log."""
    for index, envelope in sorted(held):
        statement = statements.decode(dsse.decode(envelope).payload)
        if isinstance(statement.predicate, MAKES):
            yield Record(index, statement)


def _held(studio: Studio, envelopes: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """Yield those that are entries of the log, with their indices: the others may be made up."""
    for envelope in envelopes:
        index = studio.entries.index(leaf_hash(envelope))
        if index is not None:
            yield index, envelope


def _shown(found: Lineage) -> Ancestry:
    depths = {found.root: 0}
    for link in found.links:  # nearest first
        depths.setdefault(link.parent, depths.get(link.child, 0) + 1)
    roles = {link.parent: link.role for link in found.links}
    nodes = tuple(_node(found.records, *item, depths, roles) for item in found.names.items())
    return Ancestry(nodes, tuple(found.links), bool(found.unvisited))


def _node(
    records: Mapping[str, Record], sha256: str, name: str, depths: Mapping[str, int], roles: Mapping[str, str]
) -> Node:
    record, depth = records.get(sha256), depths.get(sha256, 0)
    if record is None:
        return Node(sha256, name, _kind(roles.get(sha256, "")), depth)
    predicate = record.statement.predicate
    if isinstance(predicate, Step):
        tool = f"{predicate.tool.name} {predicate.tool.version}"
        return Node(sha256, name, predicate.action.value, depth, tool, format_time(predicate.finished))
    return Node(sha256, name, predicate.TYPE.rstrip("/").split("/")[-2], depth)


def _kind(word: str) -> str:
    """Return what something without a record that may be shown is, by its part in what used it."""
    if word in _MADE:
        return word
    last = word.rpartition(" ")[2] if " " in word else ""
    return {"training": "dataset", "parent": "model"}.get(last, "unknown")


_MADE = frozenset((*(action.value for action in StepAction), "model", "dataset", "seal"))
