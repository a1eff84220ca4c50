"""What a fact, or a day that passed, can change: the things that it is about, and all that rests on them.

* What is said of a dataset is said of every model that was trained on it, and of every model made from those.
* A statement about the title is about every file that is delivered under it; the end of a key, which may
  take back what a device attested, about everything.
* Rather too much than too little: what is named here is judged anew, what is not keeps its verdict.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from ledger.core.artifact import named
from ledger.core.predicates import (
    Approval,
    Consent,
    DatasetV2,
    Grant,
    GrantRevocation,
    ModelV2,
    Override,
    Party,
    PolicyProfile,
    Review,
    Revocation,
    ServiceTerms,
    VerdictResult,
    Work,
)
from ledger.core.rights.basis import Item, ItemKind
from ledger.core.rights.facts import FactRecord, Facts

IRRELEVANT = (Party, Work, PolicyProfile, VerdictResult)
"""What no answer depends on: a verdict names its own policy."""
_GRAIN = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Touched:
    """Digests of things, and services by vendor and product; ``everything``: whatever is delivered."""

    digests: frozenset[str] = frozenset()
    services: frozenset[tuple[str, str]] = frozenset()
    everything: bool = False

    def holds(self, item: Item, facts: Facts) -> bool:
        """Whether what is said of this item may be another thing now."""
        if self.everything or item.sha256 in self.digests:
            return True
        if item.kind is ItemKind.SERVICE:
            return service_of(item.name) in self.services
        findings = facts.findings(item.detail, item.sha256) if item.kind is ItemKind.FINDING else ()
        people = (stated.predicate.person for stated in findings)
        return any(named("person", person).sha256 in self.digests for person in people if person)


@dataclass(frozen=True, slots=True)
class Boundary:
    """A moment from which on an entry says something else: a term begins or ends, an override expires."""

    moment: datetime
    index: int


def service_of(name: str) -> tuple[str, str]:
    """Return vendor and product of a service's name; the snapshot is left out."""
    vendor, product = (*name.split("/"), "", "")[:2]
    return vendor, product


def resting_on(facts: Facts, digests: Iterable[str]) -> frozenset[str]:
    """Return the things, and every model that descends from one of them or was trained on one."""
    return descending(made_from(facts), digests)


def made_from(facts: Facts) -> Mapping[str, Collection[str]]:
    """Return the models and datasets that each thing went into, in one step, by the registry."""
    children: dict[str, set[str]] = defaultdict(set)
    for sha256, known in facts.models.items():
        model = known.predicate
        parents = model.parents if isinstance(model, ModelV2) else ()
        for above in (*(item.sha256 for item in parents), *(item.sha256 for item in model.training)):
            children[above].add(sha256)
    for sha256, known_set in facts.datasets.items():
        dataset = known_set.predicate
        for source in dataset.outputs_of if isinstance(dataset, DatasetV2) else ():
            children[source.sha256].add(sha256)
    return children


def descending(children: Mapping[str, Collection[str]], digests: Iterable[str]) -> frozenset[str]:
    """Return the things, and whatever they went into, in any number of steps."""
    found = set(digests)
    left = list(found)
    while left:
        fresh = set(children.get(left.pop(), ())) - found
        found |= fresh
        left += fresh
    return frozenset(found)


def touched_by(
    records: Iterable[FactRecord], indices: frozenset[int], facts: Facts, title: str | None
) -> Touched:
    """Return what the entries of these indices can change of a delivery under ``title``."""
    by_grant: dict[str, set[str]] = defaultdict(set)
    chosen: list[FactRecord] = []
    for record in records:
        predicate = record.statement.predicate
        if isinstance(predicate, Grant):
            by_grant[predicate.grant_id] |= {subject.sha256 for subject in record.statement.subjects}
        if record.index in indices:
            chosen.append(record)
    digests, services = set[str](), set[tuple[str, str]]()
    for record in chosen:
        predicate = record.statement.predicate
        digests |= {subject.sha256 for subject in record.statement.subjects}
        if isinstance(predicate, Grant | GrantRevocation):
            digests |= by_grant[predicate.grant_id]
        elif isinstance(predicate, ServiceTerms):
            services.add((predicate.vendor, predicate.product))
    digests |= set(_offering(facts, services))
    everything = named("title", title or "untitled").sha256 in digests or any(
        isinstance(record.statement.predicate, Revocation) for record in chosen
    )
    return Touched(resting_on(facts, digests), frozenset(services), everything)


def newer(records: Iterable[FactRecord], size: int) -> frozenset[int]:
    """Return the indices of the facts that a tree of this size did not hold yet."""
    return frozenset(
        record.index
        for record in records
        if record.index >= size and not isinstance(record.statement.predicate, IRRELEVANT)
    )


def passed(records: Iterable[FactRecord], since: datetime, until: datetime) -> list[Boundary]:
    """Return the boundaries that have been passed between two moments, earliest first."""
    first, last = min(since, until) - _GRAIN, max(since, until) + _GRAIN
    found = {
        Boundary(moment, record.index)
        for record in records
        for moment in _moments(record)
        if moment is not None and first <= moment <= last
    }
    return sorted(found, key=lambda item: (item.moment, item.index))


def _moments(record: FactRecord) -> tuple[datetime | None, ...]:
    match record.statement.predicate:
        case Grant() | Consent() | Approval() as held:
            return held.valid_from, held.valid_until
        case GrantRevocation() as revocation:
            return (revocation.effective,)
        case Override() as override:
            return (override.expires,)
        case Review() as review:
            return (review.since,)
        case _:
            return ()


def _offering(facts: Facts, services: set[tuple[str, str]]) -> Iterator[str]:
    models: Mapping[str, object] = facts.models
    for sha256 in models:
        known = facts.model(sha256)
        service = known.predicate.service if known and isinstance(known.predicate, ModelV2) else None
        if service and (service.vendor, service.product) in services:
            yield sha256
