"""The bill of materials: every model, dataset, service and outside picture under a basis, with its grants.

A thing that a record names and that nobody registered is listed, too: a bill that leaves out what it cannot
explain is not one.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from ledger.core.predicates import Dataset, Model, ModelV2
from ledger.core.rights.basis import Item, ItemKind
from ledger.core.rights.facts import Facts, Known, KnownGrant

_OUTSIDE = (ItemKind.REFERENCE, ItemKind.IMPORT, ItemKind.GAP)


@dataclass(frozen=True, slots=True)
class Unregistered:
    """A thing that is named and not registered. ``kind`` is ``model``, ``service`` or ``dataset``."""

    kind: str
    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Materials:
    """What is under a basis, each list by name. ``used`` are the digests of what steps used themselves.

    ``outside`` are pictures that came from outside, ``plans`` the plan tiers of each service by digest.
    """

    models: tuple[Known[Model], ...]
    datasets: tuple[Known[Dataset], ...]
    unregistered: tuple[Unregistered, ...]
    outside: tuple[Item, ...]
    plans: dict[str, tuple[str, ...]]
    used: frozenset[str]
    grants: tuple[KnownGrant, ...]


def materials(facts: Facts, basis: Collection[Item]) -> Materials:
    """Return the bill of materials of whatever rests on this basis."""
    direct = [item for item in sorted(basis) if item.kind in (ItemKind.MODEL, ItemKind.SERVICE)]
    datasets = {item.sha256: item.name for item in sorted(basis) if item.kind is ItemKind.DATASET}
    named = {item.sha256: (item.kind.value, item.name) for item in direct}
    models = _ancestry(facts, named)
    for model in models.values():
        datasets.update({item.sha256: item.dataset for item in model.predicate.training})
    outside = tuple(item for item in sorted(basis) if item.kind in _OUTSIDE)
    missing = [
        Unregistered(kind, name, sha256)
        for sha256, (kind, name) in named.items()
        if facts.model(sha256) is None
    ]
    missing += [
        Unregistered("dataset", name, sha256)
        for sha256, name in datasets.items()
        if facts.dataset(sha256) is None
    ]
    things = [*models, *datasets, *(item.sha256 for item in outside)]
    grants = {id(grant): grant for sha256 in things for grant in facts.grants_about(sha256)}
    return Materials(
        models=tuple(sorted(models.values(), key=_name)),
        datasets=tuple(sorted((known for item in datasets if (known := facts.dataset(item))), key=_name)),
        unregistered=tuple(sorted(missing, key=lambda item: (item.kind, item.name, item.sha256))),
        outside=outside,
        plans=_plans(direct),
        used=frozenset(item.sha256 for item in direct),
        grants=tuple(sorted(grants.values(), key=lambda item: item.stated.index)),
    )


def beneath(facts: Facts, sha256: str) -> frozenset[str]:
    """Return the SHA-256 of a thing, of the models under it, and of what those were trained on."""
    named = {sha256: ("thing", sha256)}
    models = _ancestry(facts, named)
    return frozenset(named) | {item.sha256 for model in models.values() for item in model.predicate.training}


def _ancestry(facts: Facts, named: dict[str, tuple[str, str]]) -> dict[str, Known[Model]]:
    """Return the registered models under these; every model that a registration names joins ``named``."""
    found: dict[str, Known[Model]] = {}
    left = list(named)
    while left:
        sha256 = left.pop()
        known = facts.model(sha256)
        if known is None or sha256 in found:
            continue
        found[sha256] = known
        for parent in known.predicate.parents if isinstance(known.predicate, ModelV2) else ():
            named.setdefault(parent.sha256, ("model", parent.name))
            left.append(parent.sha256)
    return found


def _plans(items: Collection[Item]) -> dict[str, tuple[str, ...]]:
    services = [item for item in items if item.kind is ItemKind.SERVICE]
    return {
        item.sha256: tuple(sorted({other.detail for other in services if other.sha256 == item.sha256}))
        for item in services
    }


def _name(known: Known[Model] | Known[Dataset]) -> tuple[str, str]:
    return known.predicate.name, known.subjects[0].sha256
