"""A model's family: what it was made from, what was made from it, and the datasets between them.

* Upwards: parents, the datasets of their training, and the models whose output these hold. Downwards:
  whatever is made from it in any number of steps.
* Whoever comes up twice stands in it once. A model that is under itself is a contradiction of the records:
  the family says so, and is finite all the same.
* What nobody registered is in it, under the name that its child gives it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from ledger.core.predicates import Dataset, DatasetV2, Model, ModelV2
from ledger.core.rights.facts import Facts

MOST = 300
"""Relatives that a family lists: the nearest ones."""
OUTPUT_OF = "output-of"
"""The role of a model whose output a dataset holds. The others: ``ParentRole``, and ``TrainingStage``."""


class Side(StrEnum):
    """Where a relative stands."""

    SELF = "self"
    ABOVE = "above"
    BELOW = "below"


class Tie(NamedTuple):
    """``child`` was made from ``parent`` (SHA-256). ``weight`` is that of a merge, as it was stated."""

    parent: str
    child: str
    role: str
    weight: str | None = None


@dataclass(frozen=True, slots=True)
class Relative:
    """One of the family. ``kind``: ``ModelKind``, ``model`` (of the first version), ``dataset``.

    ``tie`` leads one step towards the model that the family is of; ``steps`` is how many there are.
    """

    sha256: str
    name: str
    kind: str
    registered: bool
    side: Side
    steps: int = 0
    tie: Tie | None = None


@dataclass(frozen=True, slots=True)
class Family:
    """The nearest first. ``ties`` are between these; ``others`` counts the relatives that are left out."""

    relatives: tuple[Relative, ...]
    ties: tuple[Tie, ...]
    others: int
    contradicts: bool

    def nearest(self, most: int) -> Family:
        """Return the family with so many relatives at most."""
        kept = self.relatives[:most]
        known = {item.sha256 for item in kept}
        ties = tuple(tie for tie in self.ties if tie.parent in known and tie.child in known)
        left = len(self.relatives) - len(kept)
        return Family(kept, ties, self.others + left, self.contradicts)


class _Named(NamedTuple):
    """A tie with the names that the child's statement gives."""

    tie: Tie
    parent_name: str
    parent_kind: str


_Links = Mapping[str, list[_Named]]


def family_of(facts: Facts, sha256: str) -> Family:
    """Return the family of a registered model or dataset."""
    links = _links(facts)
    found = {sha256: _relative(facts, sha256, Side.SELF)}
    contradicts = False
    for side in (Side.ABOVE, Side.BELOW):
        for steps, named in _walk(links[side], sha256, side):
            other = named.tie.parent if side is Side.ABOVE else named.tie.child
            contradicts |= other == sha256
            found.setdefault(other, _relative(facts, other, side, steps, named))
    ordered = sorted(found.values(), key=lambda item: (item.steps, item.side != Side.ABOVE, item.name))
    kept = {item.sha256 for item in ordered[:MOST]}
    above = (named.tie for each in kept for named in links[Side.ABOVE].get(each, ()))
    ties = sorted(tie for tie in above if tie.parent in kept)
    return Family(tuple(ordered[:MOST]), tuple(ties), len(ordered) - len(kept), contradicts)


def _walk(links: _Links, start: str, side: Side) -> Iterator[tuple[int, _Named]]:
    """Yield the ties that lead away from a thing, each with its distance; also those that lead back to it."""
    left, seen, steps = [start], {start}, 0
    while left:
        steps += 1
        ties = [named for each in left for named in links.get(each, ())]
        yield from ((steps, named) for named in ties)
        ends = dict.fromkeys(named.tie.parent if side is Side.ABOVE else named.tie.child for named in ties)
        left = [end for end in ends if end not in seen]
        seen.update(left)


def _links(facts: Facts) -> Mapping[Side, _Links]:
    """Return every tie by the child that it leads up from, and by the parent that it leads down from."""
    above: dict[str, list[_Named]] = defaultdict(list)
    below: dict[str, list[_Named]] = defaultdict(list)
    for named in _ties(facts):
        above[named.tie.child].append(named)
        below[named.tie.parent].append(named)
    return {Side.ABOVE: above, Side.BELOW: below}


def _ties(facts: Facts) -> Iterator[_Named]:
    for sha256, known in facts.models.items():
        model = known.predicate
        for parent in model.parents if isinstance(model, ModelV2) else ():
            tie = Tie(parent.sha256, sha256, parent.role.value, parent.weight)
            yield _Named(tie, parent.name, "model")
        for item in model.training:
            yield _Named(Tie(item.sha256, sha256, item.stage.value), item.dataset, "dataset")
    for sha256, listed in facts.datasets.items():
        dataset = listed.predicate
        for source in dataset.outputs_of if isinstance(dataset, DatasetV2) else ():
            yield _Named(Tie(source.sha256, sha256, OUTPUT_OF), source.name, "model")


def _relative(facts: Facts, sha256: str, side: Side, steps: int = 0, named: _Named | None = None) -> Relative:
    known = facts.model(sha256) or facts.dataset(sha256)
    tie = named.tie if named else None
    if known is None:
        # Only a parent can be unregistered: its child's statement names it.
        name, kind = (named.parent_name, named.parent_kind) if named else (sha256, "model")
        return Relative(sha256, name, kind, False, side, steps, tie)
    return Relative(sha256, known.predicate.name, _kind(known.predicate), True, side, steps, tie)


def _kind(stated: Model | Dataset) -> str:
    if isinstance(stated, Dataset):
        return "dataset"
    return stated.kind.value if isinstance(stated, ModelV2) else "model"
