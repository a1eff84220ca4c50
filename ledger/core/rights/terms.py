"""Which terms of a remote service applied: by the plan of the account, at the moment of the use."""

from __future__ import annotations

from datetime import datetime

from ledger.core.predicates import ModelV2, ServiceTerms
from ledger.core.predicates.model_v2 import Service
from ledger.core.rights.facts import Facts, Known
from ledger.core.rights.side import in_force


def registered_service(facts: Facts, sha256: str) -> Service | None:
    """Return the remote service that is registered under this digest, if one is."""
    known = facts.model(sha256)
    return known.predicate.service if known and isinstance(known.predicate, ModelV2) else None


def service_of(facts: Facts, sha256: str, name: str) -> Service:
    """Return a service as it is registered, else as its name says: ``vendor/product/snapshot``."""
    vendor, product, snapshot = (*name.split("/", 2), "", "")[:3]
    return registered_service(facts, sha256) or Service(vendor, product, snapshot or None)


def terms_at(facts: Facts, service: Service, tier: str, moment: datetime) -> Known[ServiceTerms] | None:
    """Return the terms of the plan that were in force at the moment: the newest snapshot of them."""
    fitting = [
        stated
        for stated in facts.service_terms(service.vendor, service.product)
        if stated.predicate.plan_tier == tier
        and in_force(stated.predicate.effective_from, stated.predicate.effective_until, moment)
    ]
    return fitting[-1] if fitting else None
