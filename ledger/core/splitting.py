"""One step with more files than an entry can hold, as several steps that say the same.

* Too many materials: stretches of them are gathered in *lists*. A list is an artifact whose SHA-256 is that
  of the canonical JSON array of the digests of what it holds. A step of its own makes it from them, each in
  its role; the step that used them has the list, in the same role. So lineage and clearance flow through.
* Too many lists are gathered in lists again.
* Models and datasets are never in a list: what used them must say so itself.
* Too many subjects: several steps, each with some of them and with all of the materials.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import NamedTuple, TypeVar

from ledger.core import canonical
from ledger.core.artifact import Artifact, Role
from ledger.core.digest import sha256_hex
from ledger.core.predicates import StepV2
from ledger.core.predicates.step import Evidence, StepAction, Tool
from ledger.core.statement import Statement
from ledger.errors import MalformedError

PAYLOAD_BYTES = 48_000
"""Of a statement: base64 in its envelope makes 64,000 of these, and an entry holds 65,535."""
T = TypeVar("T")
LISTER = Tool("rakkan list", "1")
"""What makes a list."""
_FRAME_BYTES = 200
"""Of a statement, around its subjects and its predicate."""
_NEVER_LISTED = (Role.MODEL, Role.DATASET)


class Part(NamedTuple):
    """One of the steps. ``is_list``: it gathers its materials in the one list that is its subject."""

    subjects: tuple[Artifact, ...]
    materials: tuple[Artifact, ...]
    is_list: bool


@dataclass(frozen=True, slots=True)
class _Held:
    """A material, or a list, and the positions of the first and the last material in it."""

    artifact: Artifact
    first: int
    last: int


Name = Callable[[int, int], str]
"""The name of the list that holds the materials from one position to another, both counted from 0."""


def weight(artifact: Artifact) -> int:
    """Return the bytes that an artifact takes in a statement, with the comma after it."""
    return len(canonical.encode(artifact.to_json())) + 1


def room_beside(step: StepV2) -> int:
    """Return how many bytes are left for the subjects and the materials of a step."""
    return PAYLOAD_BYTES - _FRAME_BYTES - len(canonical.encode(replace(step, materials=()).to_json()))


def statements(
    subjects: Sequence[Artifact], step: StepV2, name: Name, new_id: Callable[[], str]
) -> list[Statement]:
    """Return what is to be signed for a step, in order: the step alone, where an entry holds it.

    A list is made at the place and the time of the step that needs it. It is observed: whoever records it has
    made it. ``new_id`` gives the further steps their identifiers. Raises as ``split`` does.
    """
    found: list[Statement] = []
    ids = chain((step.step_id,), iter(new_id, None))
    for part in split(subjects, step.materials, room_beside(step), name):
        if part.is_list:
            made = _list_step(step, new_id(), part.materials)
        else:
            made = replace(step, step_id=next(ids), materials=part.materials)
        found.append(Statement(part.subjects, made))
    return found


def split(
    subjects: Sequence[Artifact], materials: Sequence[Artifact], room: int, name: Name
) -> tuple[Part, ...]:
    """Return the steps in the order in which they are to be recorded; one, where everything fits.

    ``room`` is how many bytes subjects and materials of a step may take together: ``PAYLOAD_BYTES`` without
    those of the same statement with neither. Raises ``MalformedError("envelope.too-large")`` where not even
    one subject has room beside the models and the lists.
    """
    lists: list[Part] = []
    held = [_Held(artifact, at, at) for at, artifact in enumerate(materials)]
    made = sum(map(weight, subjects))
    allowed = max(room - made, room // 2)
    while (taken := _weight(held)) > allowed:
        held = list(_gathered(held, room, name, lists))
        if _weight(held) >= taken:
            raise _too_large(room)
    shared = tuple(item.artifact for item in held)
    groups = _packed(subjects, room - _weight(held), weight)
    return (*lists, *(Part(tuple(group), shared, is_list=False) for group in groups))


def _list_step(step: StepV2, step_id: str, materials: tuple[Artifact, ...]) -> StepV2:
    return StepV2(
        step_id=step_id,
        action=StepAction.CONVERT,
        evidence=Evidence.OBSERVED,
        place=step.place,
        started=step.started,
        finished=step.finished,
        actor=step.actor,
        tool=LISTER,
        materials=materials,
    )


def digest_of_list(artifacts: Sequence[Artifact]) -> str:
    """Return the SHA-256 (hex) of a list of these."""
    return sha256_hex(canonical.encode([artifact.sha256 for artifact in artifacts]))


def _gathered(held: Sequence[_Held], room: int, name: Name, lists: list[Part]) -> Iterator[_Held]:
    """Yield what is left when every stretch of one role has become a list; ``lists`` gets their steps."""
    for role in dict.fromkeys(item.artifact.role for item in held):
        alike = [item for item in held if item.artifact.role is role]
        if role in _NEVER_LISTED:
            yield from alike
            continue
        whole = _listed(alike, name)
        for group in _packed(alike, room - weight(whole.artifact), lambda item: weight(item.artifact)):
            if len(group) == 1:
                yield group[0]
                continue
            made = _listed(group, name)
            subject = Artifact(made.artifact.name, made.artifact.sha256)
            lists.append(Part((subject,), tuple(item.artifact for item in group), is_list=True))
            yield made


def _listed(group: Sequence[_Held], name: Name) -> _Held:
    first, last = min(item.first for item in group), max(item.last for item in group)
    artifacts = [item.artifact for item in group]
    return _Held(Artifact(name(first, last), digest_of_list(artifacts), role=artifacts[0].role), first, last)


def _packed(items: Sequence[T], room: int, weigh: Callable[[T], int]) -> Iterator[list[T]]:
    """Yield the items in stretches that have room. Raises ``MalformedError("envelope.too-large")``."""
    group: list[T] = []
    taken = 0
    for item in items:
        needs = weigh(item)
        if needs > room:
            raise _too_large(room)
        if group and taken + needs > room:
            yield group
            group, taken = [], 0
        group.append(item)
        taken += needs
    if group:
        yield group


def _weight(held: Sequence[_Held]) -> int:
    return sum(weight(item.artifact) for item in held)


def _too_large(room: int) -> MalformedError:
    return MalformedError(
        "envelope.too-large", f"No {room:,} bytes hold even one file of the step and what it was made from."
    )
