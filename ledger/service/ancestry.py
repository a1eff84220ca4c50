"""What a verified file was made from, as far as whoever asks may know it.

* Who reads the work sees what the log knows: ``MOST`` links of it, nearest first.
* Everybody else sees what the file itself tells: the entries that its manifests bring. Of these only such as
  the log holds count: whatever examined a stranger's file may be in the stranger's hands, and cannot name
  an entry that it does not have.
* A file whose bytes and picture the ledger does not know has no ancestry here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ledger.core import envelope as dsse
from ledger.core import statement as statements
from ledger.core.access import Action, Viewer
from ledger.core.lineage import MAKES, Lineage, Record, trace
from ledger.core.merkle import leaf_hash
from ledger.core.predicates import Dataset, Model, Seal, Step
from ledger.errors import UsageError
from ledger.service.reading.lineage import DEEPEST, Direction
from ledger.service.reading.lineage import Way as Asked
from ledger.service.reading.pages import Page
from ledger.service.reading.sight import sight_of
from ledger.service.reading.way import Stop, Way, joined, way
from ledger.service.studio import Studio
from ledger.service.verifying import Answer

MOST = 120
"""Links that are shown: the page of the file itself shows all of them."""


def ancestry(answer: Answer, viewer: Viewer) -> Way | None:
    """Return what the file was made from; ``None`` where there is nothing to tell this viewer."""
    studio, by = answer.studio, answer.asked.sightings[0].by if answer.asked.sightings else ""
    recorded = answer.asked.subject
    if studio is None or recorded is None or by == "manifest":
        return None
    root = answer.full.sha256 if by == "bytes" else recorded
    if not viewer.may(Action.READ_WORK, studio.production):
        return _told(answer, studio, root)
    asked, page = Asked(Direction.UP, DEEPEST), Page(("ancestry", root), MOST)
    try:
        return way(studio, root, asked, page, sight_of(viewer, studio.production))
    except UsageError:
        return None  # it is a model or a dataset, and the registry is not this viewer's


def _told(answer: Answer, studio: Studio, root: str) -> Way | None:
    """Return the way that the file's own entries tell; ``None`` where it brings none of its making."""
    brought = list(_records(_held(studio, answer.brought)))
    asked = _records(_held(studio, (item.envelope for item in answer.asked.evidence)))
    made: dict[str, Record] = {}
    for record in brought:
        if not isinstance(record.statement.predicate, Seal):
            made |= {subject.sha256: record for subject in record.statement.subjects}
    # A file brings no entry of its own seal. Of seals there is only told that they lead to what it brings.
    for record in (*brought, *asked):
        for subject, source in _sealed(record):
            if source in made:
                made.setdefault(subject, record)
    found = trace(root, answer.public.file, made.get)
    return _way(found) if found.records else None


def _way(found: Lineage) -> Way:
    depths, roles = {found.root: 0}, dict[str, str]()
    edges: list[dict[str, Any]] = []
    for link in found.links:  # nearest first
        depths.setdefault(link.parent, depths[link.child] + 1)
        roles.setdefault(link.parent, link.role)
        entry = found.records[link.child].index
        edges.append({"child": link.child, "parent": link.parent, "role": link.role, "entry": entry})
    stops = {
        sha256: _stop(sha256, name, depths[sha256], found.records.get(sha256), roles.get(sha256, ""))
        for sha256, name in found.names.items()
    }
    return joined(Direction.UP, stops, edges, None)


def _stop(sha256: str, name: str, depth: int, record: Record | None, role: str) -> Stop:
    said = record.statement.predicate if record else None
    index = record.index if record else None
    match said:
        case Step():
            return Stop(sha256, name, said.action.value, depth, index, step=said)
        case Seal():
            return Stop(sha256, name, "sealed", depth, index, index)
        case Dataset():
            return Stop(sha256, said.name, "dataset", depth, index)
        case Model():
            return Stop(sha256, said.name, "model", depth, index)
    last = role.rpartition(" ")[2]
    kind = {"training": "dataset", "dataset": "dataset", "model": "model"}.get(last, "unknown")
    return Stop(sha256, name, "model" if role.endswith(" parent") else kind, depth)


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
