"""What people decided: approvals, overrides, reviews and revocations on record, and how each stands now."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from ledger.core.digest import sha256_hex
from ledger.core.predicates import Approval, GrantRevocation, Override, Review
from ledger.core.predicates.decided import Decided
from ledger.core.rights.facts import FactRecord
from ledger.service.rights.deciding import deciders_of, matters_of
from ledger.service.rights.reading import records_of
from ledger.service.rights.registry import kind_of
from ledger.service.studio import Studio

PAGE = 50
KINDS = ("approval", "override", "review", "revocation")


class State(StrEnum):
    """How a decision stands."""

    IN_FORCE = "in-force"
    NOT_YET = "not-yet"
    ENDED = "ended"
    REPLACED = "replaced"
    """A later one about the same counts in its place."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which decisions: of one kind, in one state, about things of this name or this code, before an entry."""

    kind: str | None = None
    state: State | None = None
    thing: str = ""
    code: str = ""
    before: int | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision. ``said`` are its members but for commitments; ``decided`` is who decided it in a page.

    ``reasons`` counts its commitments: what is behind them, only some may see.
    """

    index: int
    kind: str
    things: tuple[str, ...]
    said: dict[str, Any]
    state: State
    recorded: datetime
    decided: Decided | None
    reasons: int


def decisions_of(studio: Studio, asked: Asked, now: datetime) -> tuple[list[Decision], int | None]:
    """Return a page of decisions, the newest first, and the entry before which the next page begins."""
    records = [item for item in records_of(studio) if item.by_registrar and _is_one(item)]
    stands = _standing(records, now)
    found = list[FactRecord]()
    wanted = (item for item in reversed(records) if _wanted(item, stands[item.index], asked))
    for item in wanted:
        if len(found) == PAGE:
            return _shown(studio, found, stands), found[-1].index
        found.append(item)
    return _shown(studio, found, stands), None


def decisions_at(studio: Studio, indices: Iterable[int], now: datetime) -> list[Decision]:
    """Return these decisions, in the order of the log; what is none is left out."""
    wanted = set(indices)
    records = [item for item in records_of(studio) if item.by_registrar and _is_one(item)]
    return _shown(studio, [item for item in records if item.index in wanted], _standing(records, now))


def _is_one(record: FactRecord) -> bool:
    return isinstance(record.statement.predicate, Approval | Override | Review | GrantRevocation)


def _wanted(record: FactRecord, state: State, asked: Asked) -> bool:
    return (
        (asked.before is None or record.index < asked.before)
        and asked.kind in (None, kind_of(record.statement.predicate))
        and asked.state in (None, state)
        and asked.code in ("", getattr(record.statement.predicate, "code", ""))
        and any(asked.thing.casefold() in each.name.casefold() for each in record.statement.subjects)
    )


def _shown(studio: Studio, records: Sequence[FactRecord], stands: dict[int, State]) -> list[Decision]:
    deciders = deciders_of(studio) if records else {}
    return [_decision(studio, item, stands[item.index], deciders) for item in records]


def _decision(studio: Studio, record: FactRecord, state: State, deciders: dict[str, Decided]) -> Decision:
    predicate = record.statement.predicate
    said = predicate.to_json()
    committed = said.pop("_sd", [])
    said.pop("recorded")
    return Decision(
        record.index,
        str(kind_of(predicate)),
        tuple(subject.name for subject in record.statement.subjects),
        said,
        state,
        _recorded(record),
        deciders.get(sha256_hex(studio.entries.envelope(record.index))),
        len(committed),
    )


def _recorded(record: FactRecord) -> datetime:
    predicate: Any = record.statement.predicate  # each of these kinds says when
    found: datetime = predicate.recorded
    return found


def _standing(records: Sequence[FactRecord], now: datetime) -> dict[int, State]:
    """Return how each decision stands: of reviews and approvals, the newest that has come counts."""
    found = dict[int, State]()
    decided = set[tuple[object, ...]]()
    for record in reversed(records):
        state = _by_time(record, now)
        matters = set(_replaceable(record))
        if state is not State.NOT_YET and matters and matters <= decided:
            state = State.REPLACED
        if state is State.IN_FORCE:
            decided |= matters
        found[record.index] = state
    return found


def _replaceable(record: FactRecord) -> Iterable[tuple[object, ...]]:
    predicate = record.statement.predicate
    if isinstance(predicate, Approval):
        return ((*each, predicate.by, predicate.titles) for each in matters_of(record.statement))
    return matters_of(record.statement) if isinstance(predicate, Review) else ()


def _by_time(record: FactRecord, now: datetime) -> State:
    match record.statement.predicate:
        case Override() as override:
            return State.ENDED if override.expires <= now else State.IN_FORCE
        case Review() as review:
            return State.NOT_YET if review.since > now else State.IN_FORCE
        case GrantRevocation() as revocation:
            return State.NOT_YET if revocation.effective > now else State.IN_FORCE
        case Approval() as approval:
            if approval.valid_from > now:
                return State.NOT_YET
            ended = approval.valid_until is not None and approval.valid_until <= now
            return State.ENDED if ended else State.IN_FORCE
    return State.IN_FORCE
