"""Why a file has its verdict: for each reason the way from the file, step by step, to what it is about.

* The way is the shortest one to a step that brought the thing in, by the records; from there the reason's own
  path leads on, through models to datasets.
* A thing that was used several times is followed to a use that the reason is about, not just to any.
* A reason about the delivery as a whole has no way: nothing under the file brought it in.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ledger.core.artifact import Artifact
from ledger.core.fields import format_time, present
from ledger.core.predicates import Step
from ledger.core.rights.basis import Item, ItemKind, is_lineage, own_items, unexplained
from ledger.core.rights.clearance import Clearance
from ledger.core.statement import Statement
from ledger.errors import UndecidedError
from ledger.service.archive import Archive
from ledger.service.clear.clear import EXIT_CODES, Cleared, Touching, clear, timeless
from ledger.service.clear.makers import makers
from ledger.service.clear.question import Clearer
from ledger.service.clear.recorded import File, Kind, Target
from ledger.service.studio import Studio

MAX_FILES = 10_000
"""How many files under one are looked at before a way is given up."""
_ABOUT_BYTES = (ItemKind.FINDING, ItemKind.FORK, ItemKind.CYCLE, ItemKind.INVALID)


@dataclass(frozen=True, slots=True)
class Stop:
    """One file on the way, and the step that wrote it. ``sealed``: this is the file before it was sealed."""

    name: str
    sha256: str
    index: int
    action: str
    tool: str
    task: str | None
    finished: datetime
    evidence: str

    def to_json(self) -> dict[str, Any]:
        """Return the object."""
        return present(
            name=self.name,
            sha256=self.sha256,
            entry=self.index,
            action=self.action,
            tool=self.tool,
            task=self.task,
            finished=format_time(self.finished),
            evidence=self.evidence,
        )


@dataclass(frozen=True, slots=True)
class Told:
    """A reason with its way; an empty one when it is about the whole, or longer than anybody looked."""

    touching: Touching
    way: tuple[Stop, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the object."""
        reason = self.touching.reason
        return {
            **reason.to_json(),
            "meaning": reason.meaning,
            "mend": reason.mend,
            "then": bool(self.touching.then),
            "now": bool(self.touching.now),
            "way": [stop.to_json() for stop in self.way],
        }


@dataclass(frozen=True, slots=True)
class Why:
    """One file with its answer. ``same`` counts the other files of the target that have the same one."""

    file: File
    cleared: Cleared
    told: tuple[Told, ...]
    same: int

    def to_json(self) -> dict[str, Any]:
        """Return the document: as of ``clear``, and each reason with its way."""
        document = self.cleared.to_json()
        document["reasons"] = [told.to_json() for told in self.told]
        return {"file": {"name": self.file.name, "sha256": self.file.sha256}, "same": self.same, **document}


def why(studio: Studio, clearer: Clearer, targets: Sequence[Target]) -> Why:
    """Return the reasons of a file of the targets: of those with the worst verdict, the first one.

    Raises ``UndecidedError("clear.unexplained")`` when no record says how any of them was made.
    """
    whole = clear(clearer, targets)
    if not whole.groups:
        names = ", ".join(item.name for item in whole.unknown)
        raise UndecidedError("clear.unexplained", f"No record says how {names} was made.")
    group = max(whole.groups, key=lambda item: _badness(item.clearance))
    file = group.files[0]
    cleared = clear(clearer, [Target(file.name, Kind.FILE, (file,))])
    by_label: dict[str, list[Item]] = defaultdict(list)
    for item in file.basis:
        by_label[f"{item.kind.value} {item.name}"].append(item)
    wanted = {item.reason: _bearers(clearer, by_label, item) for item in cleared.reasons}
    ways = _ways(studio, file, frozenset[Item]().union(*wanted.values()))
    told = tuple(Told(item, _shortest(ways, wanted[item.reason])) for item in cleared.reasons)
    return Why(file, cleared, told, len(group.files) - 1)


def _badness(clearance: Clearance) -> tuple[int, int]:
    return EXIT_CODES[clearance.now.verdict], EXIT_CODES[clearance.then.verdict]


def _bearers(clearer: Clearer, by_label: Mapping[str, Sequence[Item]], touching: Touching) -> frozenset[Item]:
    """Return the items that the reason is about: those that bring it about by themselves."""
    reason = timeless(touching.reason)
    found = set()
    for item in by_label.get(reason.path[0], ()) if reason.path else ():
        alone = clearer.engine.clear(frozenset((item,)))
        if any(timeless(each) == reason for side in (alone.then, alone.now) for each in side.reasons):
            found.add(item)
    return frozenset(found)


def _shortest(ways: Mapping[Item, tuple[Stop, ...]], items: frozenset[Item]) -> tuple[Stop, ...]:
    return min((ways[item] for item in sorted(items) if item in ways), key=len, default=())


def _ways(studio: Studio, file: File, wanted: frozenset[Item]) -> dict[Item, tuple[Stop, ...]]:
    """Return the shortest way from the file to each item."""
    archive, found = Archive(studio), dict[Item, tuple[Stop, ...]]()
    seen = {file.sha256}
    queue: deque[tuple[Artifact, tuple[Stop, ...]]] = deque(
        [(Artifact(file.name, file.sha256, pixels=file.pixels), ())]
    )
    while queue and len(found) < len(wanted) and len(seen) <= MAX_FILES:
        artifact, way = queue.popleft()
        for index, made, name in makers(archive, artifact):
            step = made.predicate
            if not isinstance(step, Step):
                continue
            here = (*way, _stop(index, name, artifact.sha256, step))
            for item in wanted & _brought(made, step, artifact.sha256, wanted):
                found.setdefault(item, here)
            for material in step.materials:
                if is_lineage(material) and material.sha256 not in seen:
                    seen.add(material.sha256)
                    queue.append((material, here))
    return found


def _brought(made: Statement, step: Step, sha256: str, wanted: frozenset[Item]) -> set[Item]:
    """Return what the step brought in by itself: its own items, and those about bytes that it names."""
    found = set(own_items(made.subjects, step))
    found |= {unexplained(material, step) for material in step.materials if is_lineage(material)}
    named = {sha256, *(subject.sha256 for subject in made.subjects)}
    named |= {material.sha256 for material in step.materials}
    return found | {item for item in wanted if item.kind in _ABOUT_BYTES and item.sha256 in named}


def _stop(index: int, name: str, sha256: str, step: Step) -> Stop:
    return Stop(
        name=name,
        sha256=sha256,
        index=index,
        action=step.action.value,
        tool=f"{step.tool.name} {step.tool.version}",
        task=step.place.task,
        finished=step.finished,
        evidence=step.evidence.value,
    )
