"""The bill of materials of one model: it, what it was made from, the datasets and the grants under it."""

from __future__ import annotations

from ledger.core.rights.basis import Item, ItemKind
from ledger.core.rights.bill import Bill
from ledger.core.rights.materials import materials
from ledger.errors import UsageError
from ledger.service.clear.question import see
from ledger.service.reading.pages import caught_up
from ledger.service.rights.registry import UNKNOWN
from ledger.service.studio import Studio


def bill_of_model(studio: Studio, sha256: str) -> Bill:
    """Return the bill. Raises ``UsageError("registry.unknown-model")``, and as ``see``."""
    caught_up(studio)
    seen = see(studio)
    known = seen.facts.model(sha256)
    if known is None:
        raise UsageError(UNKNOWN["model"], "No model of this digest is registered.", name=sha256)
    item = Item(ItemKind.MODEL, sha256, known.predicate.name)
    return Bill(
        studio=studio.trust.studio,
        origin=studio.log.origin,
        size=seen.size,
        root=seen.root,
        created=studio.clock.now().replace(microsecond=0),
        subjects=(),
        materials=materials(seen.facts, {item}),
        facts=seen.facts,
    )
