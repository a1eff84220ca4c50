"""The registry as people look things up in it: each thing as it stands, and all that was ever stated of it.

* What counts is what ``Facts`` says counts; ``known`` leaves out what the studio came to know later, and
  ``at`` is the moment at which a grant is in force or not, and a model accepted or not.
* A thing is named by its identifier, else by its SHA-256, else by its name: then the newest is meant.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from urllib.parse import quote

from ledger.core.artifact import Artifact
from ledger.core.fields import format_time, present
from ledger.core.predicates import (
    Dataset,
    Grant,
    GrantRevocation,
    Model,
    Party,
    Predicate,
    ServiceTerms,
    Title,
    Work,
)
from ledger.core.rights.facts import FactRecord, Facts, Known
from ledger.errors import UsageError
from ledger.service.reading.pages import Listing, Page
from ledger.service.rights.lineage import GrantGlance, glance, tree_of
from ledger.service.rights.reading import facts_of, records_of
from ledger.service.rights.registry import UNKNOWN
from ledger.service.studio import Studio


class Kind(StrEnum):
    """What the registry holds, as addresses call it."""

    MODELS = "models"
    DATASETS = "datasets"
    GRANTS = "grants"
    PARTIES = "parties"
    SERVICES = "services"
    WORKS = "works"
    TITLES = "titles"


_PREDICATES: dict[Kind, tuple[type[Predicate], ...]] = {
    Kind.MODELS: (Model,),
    Kind.DATASETS: (Dataset,),
    Kind.GRANTS: (Grant, GrantRevocation),
    Kind.PARTIES: (Party,),
    Kind.SERVICES: (ServiceTerms,),
    Kind.WORKS: (Work,),
    Kind.TITLES: (Title,),
}
_CODES = {
    Kind.MODELS: UNKNOWN["model"],
    Kind.DATASETS: UNKNOWN["dataset"],
    Kind.GRANTS: UNKNOWN["grant"],
    Kind.PARTIES: UNKNOWN["party"],
    Kind.SERVICES: "registry.unknown-service",
    Kind.WORKS: UNKNOWN["work"],
    Kind.TITLES: UNKNOWN["title"],
}


@dataclass(frozen=True, slots=True)
class Moments:
    """``at`` is when a thing is to stand; ``known`` what the studio knew, ``None`` for all that it knows."""

    at: datetime
    known: datetime | None = None


@dataclass(frozen=True, slots=True)
class Thing:
    """A thing under its identifier, in its newest statement."""

    id: str
    stated: Known[Any]


def listing(studio: Studio, kind: Kind, moments: Moments, page: Page) -> Listing:
    """Return a page of the things of one kind, in the order of their identifiers. Raises ``page.cursor``."""
    facts = facts_of(studio, moments.known)
    (after,) = page.place(str) or ("",)
    left = sorted((thing for thing in things(facts, kind) if thing.id > after), key=lambda thing: thing.id)
    shown = left[: page.limit]
    items = [_item(facts, kind, thing, moments.at) for thing in shown]
    return Listing(kind.value, items, page.cursor(shown[-1].id) if len(left) > len(shown) else None)


def one(studio: Studio, kind: Kind, name: str, moments: Moments) -> dict[str, Any]:
    """Return a thing with every statement about it, oldest first; of a model also what it was made from.

    Raises ``UsageError`` with the kind's code, such as ``registry.unknown-grant``.
    """
    facts = facts_of(studio, moments.known)
    thing = _find(facts, kind, name)
    sha256 = thing.stated.subjects[0].sha256
    about = [] if kind is Kind.GRANTS else facts.grants_about(sha256)
    return {
        "kind": kind.value,
        **_item(facts, kind, thing, moments.at),
        **present(
            tree=_tree(facts, thing, moments.at) if kind is Kind.MODELS else None,
            grants=[glance(item, moments.at).to_json() for item in about],
        ),
        "versions": [_version(studio, record) for record in _versions(studio, kind, thing, moments.known)],
    }


def identifier(kind: Kind, subject: Artifact, predicate: Any) -> str:
    """Return what a thing is called in addresses: the studio's own identifier, else the SHA-256."""
    match kind:
        case Kind.GRANTS:
            found: str = predicate.grant_id
        case Kind.PARTIES:
            found = predicate.party_id
        case Kind.SERVICES:
            found = f"{predicate.vendor}/{predicate.product}"
        case Kind.WORKS:
            found = predicate.work_id
        case Kind.TITLES:
            found = predicate.title_id
        case _:
            found = subject.sha256
    return found


def things(facts: Facts, kind: Kind) -> Iterator[Thing]:
    """Yield what is registered of one kind, in its newest statement; in no order."""
    stated: Sequence[Known[Any]]
    match kind:
        case Kind.MODELS:
            stated = list(facts.models.values())
        case Kind.DATASETS:
            stated = list(facts.datasets.values())
        case Kind.GRANTS:
            stated = [item.stated for item in facts.grants]
        case Kind.PARTIES:
            stated = list(facts.parties.values())
        case Kind.SERVICES:
            stated = [terms[-1] for terms in facts.services.values()]
        case Kind.WORKS:
            stated = list(facts.works.values())
        case Kind.TITLES:
            stated = list(facts.titles.values())
    # The newest of what is called the same: grant/v1 could say one identifier several times.
    found = {identifier(kind, item.subjects[0], item.predicate): item for item in stated}
    return (Thing(name, item) for name, item in found.items())


def _find(facts: Facts, kind: Kind, name: str) -> Thing:
    known = list(things(facts, kind))
    for thing in known:
        if name in (thing.id, thing.stated.subjects[0].sha256):
            return thing
    named = [thing for thing in known if name == getattr(thing.stated.predicate, "name", None)]
    if not named:
        raise UsageError(_CODES[kind], f"Nothing of this name is among the {kind.value}.", name=name)
    return max(named, key=lambda thing: thing.stated.index)


def _item(facts: Facts, kind: Kind, thing: Thing, at: datetime) -> dict[str, Any]:
    stated = thing.stated
    review = facts.review(stated.subjects[0].sha256, at)
    state = _grant(facts, thing, at) if kind is Kind.GRANTS else None
    return present(
        id=thing.id,
        entry=stated.index,
        type=stated.predicate.TYPE,
        subjects=[item.to_json() for item in stated.subjects],
        standing=review.predicate.standing.value if review else None,
        state=state and state.state.value,
        end=state and state.end and format_time(state.end),
        states=stated.predicate.to_json(),
    )


def _grant(facts: Facts, thing: Thing, at: datetime) -> GrantGlance:
    return next(glance(item, at) for item in facts.grants_named(thing.id) if item.stated == thing.stated)


def _tree(facts: Facts, thing: Thing, at: datetime) -> dict[str, Any]:
    return tree_of(facts, thing.stated.subjects[0], at).to_json()


def _versions(studio: Studio, kind: Kind, thing: Thing, known: datetime | None) -> Iterator[FactRecord]:
    for record in records_of(studio):
        predicate = record.statement.predicate
        if not record.by_registrar or not isinstance(predicate, _PREDICATES[kind]):
            continue
        recorded: datetime | None = getattr(predicate, "recorded", None)
        if known is not None and recorded is not None and recorded > known:
            continue
        if identifier(kind, record.statement.subjects[0], predicate) == thing.id:
            yield record


def _version(studio: Studio, record: FactRecord) -> dict[str, Any]:
    predicate = record.statement.predicate
    recorded: datetime | None = getattr(predicate, "recorded", None)
    return present(
        entry=record.index,
        type=predicate.TYPE,
        recorded=recorded and format_time(recorded),
        receipt=f"/v1/productions/{quote(studio.production, '')}/log/entries/{record.index}/receipt",
        states=predicate.to_json(),
    )
