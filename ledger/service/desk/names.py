"""Parties, titles, services, works and consents: what else the log says where one of these names stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ledger.core.predicates import Consent, Model, Party, Predicate, ServiceTerms, Title, TrainingRun, Work
from ledger.core.rights.facts import Facts, Known
from ledger.core.rights.terms import registered_service
from ledger.errors import UsageError
from ledger.service.desk.hanging import Hanging, Uses
from ledger.service.desk.shelves import Shelf
from ledger.service.rights.lineage import GrantGlance, glance
from ledger.service.rights.reading import facts_of, records_of
from ledger.service.rights.registry import UNKNOWN
from ledger.service.studio import Studio

_CODES = {
    Shelf.PARTIES: UNKNOWN["party"],
    Shelf.TITLES: UNKNOWN["title"],
    Shelf.SERVICES: "registry.unknown-service",
    Shelf.WORKS: UNKNOWN["work"],
    Shelf.CONSENTS: "registry.unknown-consent",
}


@dataclass(frozen=True, slots=True)
class NameSheet:
    """What stands under one name; what does not go with its kind is empty.

    ``versions`` are its statements, oldest first. ``given`` and ``held`` are the grants of a party, and with
    ``held`` those that speak of a title or a work. ``terms`` are a service's, ``uses`` a service's, a work's
    or a person's.
    """

    shelf: Shelf
    name: str
    versions: tuple[Known[Any], ...]
    given: tuple[GrantGlance, ...] = ()
    held: tuple[GrantGlance, ...] = ()
    works: tuple[Known[Work], ...] = ()
    runs: tuple[Known[TrainingRun], ...] = ()
    models: tuple[Known[Model], ...] = ()
    terms: tuple[Known[ServiceTerms], ...] = ()
    consents: tuple[Known[Consent], ...] = ()
    uses: Uses | None = None

    @property
    def newest(self) -> Known[Any]:
        """Return the statement that counts."""
        return self.versions[-1]


def name_sheet(studio: Studio, shelf: Shelf, name: str) -> NameSheet:
    """Return what stands under a name. Raises ``UsageError`` (``registry.unknown-…``)."""
    facts, now = facts_of(studio), studio.clock.now()
    makers = {
        Shelf.PARTIES: _party,
        Shelf.TITLES: _title,
        Shelf.SERVICES: _service,
        Shelf.WORKS: _work,
        Shelf.CONSENTS: _consent,
    }
    found = makers[shelf](studio, facts, name, now)
    if not found.versions:
        raise UsageError(_CODES[shelf], f"Nothing of this name is among the {shelf.value}.", name=name)
    return found


def _party(studio: Studio, facts: Facts, name: str, at: datetime) -> NameSheet:
    grants = [glance(item, at) for item in facts.grants]
    return NameSheet(
        Shelf.PARTIES,
        name,
        _stated(studio, Party, "party_id", name),
        tuple(item for item in grants if getattr(item.grant, "assigner", None) == name),
        tuple(item for item in grants if getattr(item.grant, "assignee", None) == name),
        tuple(
            known
            for known in facts.works.values()
            if any(share.party == name for share in known.predicate.shares)
        ),
        tuple(run for sha256 in facts.models for run in facts.runs(sha256) if run.predicate.trainer == name),
    )


def _title(studio: Studio, facts: Facts, name: str, at: datetime) -> NameSheet:
    names = facts.names_of(name)
    limited = (glance(item, at) for item in facts.grants if item.terms and names & {*item.terms.scope.titles})
    return NameSheet(Shelf.TITLES, name, _stated(studio, Title, "title_id", name), held=tuple(limited))


def _service(studio: Studio, facts: Facts, name: str, at: datetime) -> NameSheet:
    vendor, _, product = name.partition("/")
    models = [
        known
        for sha256, known in facts.models.items()
        if (service := registered_service(facts, sha256))
        and (service.vendor, service.product) == (vendor, product)
    ]
    terms = tuple(facts.service_terms(vendor, product))
    digests = [known.subjects[0].sha256 for known in models]
    return NameSheet(
        Shelf.SERVICES,
        name,
        terms or tuple(models),
        held=tuple(glance(item, at) for sha256 in digests for item in facts.grants_about(sha256)),
        models=tuple(models),
        terms=terms,
        uses=Hanging(studio, facts).uses(digests),
    )


def _work(studio: Studio, facts: Facts, name: str, at: datetime) -> NameSheet:
    stated = _stated(studio, Work, "work_id", name)
    sha256 = stated[-1].subjects[0].sha256 if stated else ""
    grants = tuple(glance(item, at) for item in facts.grants_about(sha256))
    uses = Hanging(studio, facts).uses([sha256]) if stated else None
    return NameSheet(Shelf.WORKS, name, stated, held=grants, uses=uses)


def _consent(studio: Studio, facts: Facts, name: str, _: datetime) -> NameSheet:
    stated = _stated(studio, Consent, "consent_id", name)
    person = stated[-1].subjects[0].sha256 if stated else ""
    ordered = tuple(sorted(stated, key=lambda item: (item.predicate.version, item.index)))
    others = tuple(item for item in facts.consents(person) if item.predicate.consent_id != name)
    uses = Hanging(studio, facts).uses([person]) if stated else None
    return NameSheet(Shelf.CONSENTS, name, ordered, consents=others, uses=uses)


def _stated(studio: Studio, kind: type[Predicate], member: str, name: str) -> tuple[Known[Any], ...]:
    """Return every statement of this kind under this identifier, in the order of the log."""
    return tuple(
        Known(record.index, record.statement.subjects, record.statement.predicate)
        for record in records_of(studio)
        if record.by_registrar
        and isinstance(record.statement.predicate, kind)
        and getattr(record.statement.predicate, member) == name
    )
