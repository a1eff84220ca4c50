"""The AI usage register: remote services by plan tier, with the terms at their uses and now.

* Of several terms at the uses of a service, the row shows one snapshot: the one that is worst for the studio.
  Every cell about terms is read from it, but for the indemnity, which is the weakest of all uses.
* A use without terms on record makes the indemnity of that use ``unknown``; nothing is weaker.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from ledger.core.audit import Row, Table
from ledger.core.audit.tables_of_things import SERVICES
from ledger.core.fields import format_time
from ledger.core.predicates import ServiceTerms
from ledger.core.predicates.model_v2 import Service
from ledger.core.predicates.service_terms import InputTraining, Ownership
from ledger.core.rights.basis import Item, ItemKind, slot_start
from ledger.core.rights.facts import Known
from ledger.core.rights.terms import registered_service, service_of, terms_at
from ledger.service.report.ground import Ground, ascending
from ledger.service.report.uses import Uses

_WEAKEST = ("unknown", "none", "conditional", "offered")
_WORST_TRAINING = (InputTraining.ENABLED, InputTraining.DISABLED, InputTraining.NEVER)
_WORST_OWNER = (Ownership.VENDOR, Ownership.UNCLEAR, Ownership.SHARED, Ownership.USER)

Snapshot = Known[ServiceTerms]


def services_table(ground: Ground) -> Table:
    """Return the services."""
    found: dict[tuple[str, str], list[Item]] = {}
    for item in sorted(ground.items):
        registered = item.kind is ItemKind.MODEL and registered_service(ground.facts, item.sha256)
        if item.kind is ItemKind.SERVICE or registered:
            found.setdefault((item.sha256, item.detail), []).append(item)
    rows = [_row(ground, items) for items in found.values()]
    return Table(SERVICES, tuple((n, *row) for n, row in enumerate(sorted(rows, key=_order), 1)))


def indemnity(terms: ServiceTerms | None) -> str:
    """Return ``none``, ``conditional``, ``offered``, or ``unknown`` where no terms are on record."""
    if terms is None:
        return "unknown"
    if terms.indemnity is None:
        return "none"
    return "conditional" if _unmet((terms,)) else "offered"


def _order(row: Row) -> tuple[str, ...]:
    return tuple(cell or "" for cell in row[:4])


def _row(ground: Ground, items: list[Item]) -> Row:
    """Return the row of a service under one plan; ``items`` are its uses."""
    sha256, name, tier = items[0].sha256, items[0].name, items[0].detail
    service = service_of(ground.facts, sha256, name)
    then = [_terms(ground, service, tier, slot_start(slot)) for slot in {item.slot for item in items}]
    now = _terms(ground, service, tier, ground.at)
    held = sorted({item.index: item for item in then if item}.values(), key=_worst)
    shown = held[0].predicate if held else None
    uses = _uses(ground, sha256, tier)
    spoken = {item.index for item in (*held, now) if item}
    return (
        service.vendor,
        service.product,
        service.snapshot,
        tier or None,
        ground.files_by_plan[sha256, tier],
        uses.steps,
        uses.first,
        uses.last,
        held[0].subjects[0].sha256 if held else None,
        format_time(shown.fetched) if shown else None,
        shown.ownership.value if shown else None,
        shown.input_training.value if shown else None,
        shown.retention if shown else None,
        min((indemnity(item.predicate if item else None) for item in then), key=_WEAKEST.index),
        indemnity(now.predicate if now else None),
        _unmet(item.predicate for item in (*held, now) if item),
        ground.standing(sha256),
        ground.approved(sha256),
        ascending(_registered(ground, sha256), ground.stated_about(sha256), spoken, uses.entries),
    )


def _terms(ground: Ground, service: Service, tier: str, moment: datetime) -> Snapshot | None:
    return terms_at(ground.facts, service, tier, moment) if tier else None


def _worst(known: Snapshot) -> tuple[int, ...]:
    terms = known.predicate
    return (
        _WORST_TRAINING.index(terms.input_training),
        _WORST_OWNER.index(terms.ownership),
        _WEAKEST.index(indemnity(terms)),
        known.index,
    )


def _unmet(terms: Iterable[ServiceTerms]) -> tuple[str, ...]:
    """Return the conditions of the indemnities that the studio does not meet."""
    offered = [item.indemnity for item in terms if item.indemnity]
    return tuple(sorted({each for item in offered for each in item.conditions if each not in item.met}))


def _uses(ground: Ground, sha256: str, tier: str) -> Uses:
    """Return the uses; of a step that names it as any model, no plan is known."""
    uses = ground.used.services.get((sha256, tier), Uses())
    return uses.merged(ground.used.models.get(sha256, Uses())) if not tier else uses


def _registered(ground: Ground, sha256: str) -> tuple[int, ...]:
    known = ground.facts.model(sha256)
    return (known.index,) if known else ()
