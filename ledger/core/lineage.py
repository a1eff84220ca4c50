"""Where a file came from: the graph of entries linked by the digests of what they used and made.

Pure walk over a look-up function. The graph is acyclic even when hostile records are not: a digest is
expanded once, so a cycle ends where it began.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from ledger.core.artifact import Role
from ledger.core.predicates import Dataset, Model, ModelV2, Seal, Step
from ledger.core.statement import Statement

MAX_NODES = 10_000


@dataclass(frozen=True, slots=True)
class Record:
    """One entry of the log: its index and what it states."""

    index: int
    statement: Statement


@dataclass(frozen=True, slots=True)
class Link:
    """``child`` was made from ``parent`` (hex digests).

    ``role`` is a material's role, a training stage, or a model's part in another one.
    """

    child: str
    parent: str
    role: str


@dataclass(slots=True)
class Lineage:
    """Digests with their names and the records that made them, and the links between them.

    ``records`` has no item for a digest that the log does not explain: such an ancestor is *unattributed*.
    """

    root: str
    names: dict[str, str] = field(default_factory=dict)
    records: dict[str, Record] = field(default_factory=dict)
    links: list[Link] = field(default_factory=list)
    unvisited: tuple[str, ...] = ()
    """Digests that were met but not looked up, because there were more than ``MAX_NODES``."""

    def unattributed(self) -> list[str]:
        """Return the digests that no record explains, in the order they were met."""
        known = self.records.keys() | set(self.unvisited)
        return [sha256 for sha256 in self.names if sha256 not in known]


def trace(sha256: str, name: str, made: Callable[[str], Record | None]) -> Lineage:
    """Return everything under ``sha256``. ``made`` gives the record that made a digest, or ``None``.

    A sealed file leads to the file it was sealed from (role ``sealed-from``).
    """
    lineage = Lineage(sha256)
    lineage.names[sha256] = name
    queue = deque([sha256])
    while queue and len(lineage.names) <= MAX_NODES:
        child = queue.popleft()
        record = made(child)
        if record is None:
            continue
        lineage.records[child] = record
        for parent, parent_name, role in parents(child, record.statement):
            if parent == child:
                continue
            lineage.links.append(Link(child, parent, role))
            if parent not in lineage.names:
                lineage.names[parent] = parent_name
                queue.append(parent)
    lineage.unvisited = tuple(queue)
    return lineage


def parents(child: str, statement: Statement) -> Iterator[tuple[str, str, str]]:
    """Yield digest, name and role of what these bytes were made from, by the statement that made them."""
    predicate = statement.predicate
    if isinstance(predicate, Step):
        for material in predicate.materials:
            yield material.sha256, material.name, (material.role or Role.REFERENCE).value
    elif isinstance(predicate, Model):
        for training in predicate.training:
            yield training.sha256, training.dataset, f"{training.stage.value} training"
        for parent in predicate.parents if isinstance(predicate, ModelV2) else ():
            yield parent.sha256, parent.name, f"{parent.role.value} parent"
    elif isinstance(predicate, Seal):
        for subject, manifest in zip(statement.subjects, predicate.manifests, strict=True):
            if subject.sha256 == child:
                yield manifest.source, subject.name, "sealed-from"


MAKES = (Step, Model, Dataset, Seal)
"""The predicates whose subjects the entry brought into being, as opposed to a grant, which is about them."""
