"""The registry, and what rights holders are told."""

from __future__ import annotations

from typing import Any, Literal

from api.shapes.base import Answered, Paged, Shape


class Thing(Shape):
    """A thing of the registry as its newest statement has it.

    ``state`` and ``end`` are of grants, ``standing`` of what was reviewed. ``states`` is the predicate.
    """

    id: str
    entry: int
    type: str
    subjects: list[dict[str, Any]]
    standing: str | None = None
    state: str | None = None
    end: str | None = None
    states: dict[str, Any]


class RegistryPage(Answered):
    """Things of one kind; they stand under the kind's own name. ``next`` is as everywhere."""

    next: str | None
    kind: str
    models: list[Thing] | None = None
    datasets: list[Thing] | None = None
    grants: list[Thing] | None = None
    parties: list[Thing] | None = None
    services: list[Thing] | None = None
    works: list[Thing] | None = None
    titles: list[Thing] | None = None


class Version(Shape):
    """A statement about a thing, and where its receipt is."""

    entry: int
    type: str
    recorded: str | None = None
    receipt: str
    states: dict[str, Any]


class RegistryThing(Answered, Thing):
    """A thing with all statements about it, oldest first; of a model also what it was made from."""

    kind: str
    tree: dict[str, Any] | None = None
    grants: list[dict[str, Any]] | None = None
    versions: list[Version]


class Root(Shape):
    """What a dataset commits to: how many works, and the root of their tree in hex."""

    size: int
    root: str


class WorkAnswer(Shape):
    """Whether a work is in a dataset, with the proof of docs/spec/inventory.md."""

    sha256: str
    answer: Literal["member", "absent"]
    proof: dict[str, Any]
    record: dict[str, Any] | None = None


class DatasetAnswer(Shape):
    """A dataset's answer. ``committed``: the index is not here, and the studio has to answer by the root."""

    name: str
    version: str
    entry: int
    inventory: Root
    answer: Literal["proven", "committed"]
    works: list[WorkAnswer]


class OwnWorks(Paged):
    """The answers of datasets with an inventory; ``withoutInventory`` counts those that can say nothing."""

    without_inventory: int
    datasets: list[DatasetAnswer]


class OwnLine(Shape):
    """What is on record of the caller's party: itself, a work of theirs, a grant to or by them."""

    kind: Literal["party", "work", "grant"]
    entry: int
    sha256: str | None = None
    states: dict[str, Any] | None = None
    grant: dict[str, Any] | None = None
    verdicts: list[dict[str, Any]] | None = None


class OwnLines(Paged):
    """A page of what is on record of the caller's party, in the order of entries."""

    lines: list[OwnLine]
