"""What ends soon: grants, consents, approvals, overrides and terms of services that are in force."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from ledger.core.artifact import Artifact
from ledger.core.predicates import Approval, Consent, Override, ServiceTerms
from ledger.core.rights.facts import FactRecord, Facts, Known
from ledger.core.rights.side import in_force
from ledger.service.rights.lineage import InForce, glance


class What(StrEnum):
    """What it is that ends."""

    GRANT = "grant"
    CONSENT = "consent"
    APPROVAL = "approval"
    OVERRIDE = "override"
    TERMS = "terms"


@dataclass(frozen=True, slots=True)
class Ending:
    """One of them: ``name`` as people call it, ``about`` the things that it speaks of, ``index`` its entry.

    ``kind`` is the approval's kind, or the code of the finding that an override accepts.
    """

    what: What
    name: str
    end: datetime
    about: tuple[Artifact, ...]
    index: int
    kind: str | None = None


def endings(facts: Facts, records: Iterable[FactRecord], at: datetime, days: int) -> tuple[Ending, ...]:
    """Return what is in force at the moment and ends within so many days, the next one first."""
    last = at + timedelta(days=days)
    found = [*_grants(facts, at), *_others(facts, records, at)]
    return tuple(
        sorted((item for item in found if item.end <= last), key=lambda item: (item.end, item.index))
    )


def consents_of(facts: Facts, records: Iterable[FactRecord]) -> dict[str, Known[Consent]]:
    """Return every consent in its newest version, by its identifier."""
    people = {
        record.statement.subjects[0].sha256
        for record in records
        if isinstance(record.statement.predicate, Consent)
    }
    return {item.predicate.consent_id: item for each in people for item in facts.consents(each)}


def _grants(facts: Facts, at: datetime) -> Iterator[Ending]:
    for item in facts.grants:
        seen = glance(item, at)
        if seen.state is InForce.YES and seen.end is not None:
            yield Ending(What.GRANT, seen.grant.grant_id, seen.end, seen.covers, seen.index)


def _others(facts: Facts, records: Iterable[FactRecord], at: datetime) -> Iterator[Ending]:
    records = tuple(records)
    for consent in consents_of(facts, records).values():
        stated = consent.predicate
        if stated.valid_until and in_force(stated.valid_from, stated.valid_until, at):
            yield Ending(What.CONSENT, stated.consent_id, stated.valid_until, consent.subjects, consent.index)
    for snapshots in facts.services.values():
        yield from _terms(snapshots, at)
    for record in records:
        if record.by_registrar:
            yield from _decided(record, at)


def _terms(snapshots: Iterable[Known[ServiceTerms]], at: datetime) -> Iterator[Ending]:
    newest = {item.predicate.plan_tier: item for item in snapshots}
    for item in newest.values():
        terms = item.predicate
        if terms.effective_until and in_force(terms.effective_from, terms.effective_until, at):
            name = f"{terms.vendor}/{terms.product}"
            yield Ending(What.TERMS, name, terms.effective_until, item.subjects, item.index, terms.plan_tier)


def _decided(record: FactRecord, at: datetime) -> Iterator[Ending]:
    predicate, subjects = record.statement.predicate, record.statement.subjects
    if isinstance(predicate, Override) and in_force(predicate.recorded, predicate.expires, at):
        yield Ending(
            What.OVERRIDE, subjects[0].name, predicate.expires, subjects, record.index, predicate.code.value
        )
    if (
        isinstance(predicate, Approval)
        and predicate.valid_until
        and in_force(predicate.valid_from, predicate.valid_until, at)
    ):
        yield Ending(
            What.APPROVAL,
            subjects[0].name,
            predicate.valid_until,
            subjects,
            record.index,
            predicate.kind.value,
        )
