"""How far the making of a file is on record, and who brought it.

* ``unknown``: of it, or of something under it, no record says what made it; or its records cannot be relied
  on (a bad signature, two histories, a circle, a generation that names no model).
* ``imported``: it, or something under it, came in from outside, and out of no dataset on record.
* ``declared``: a step under it was typed by somebody. ``inferred``: read out of a file or a workflow.
* ``observed``: every step under it was seen when it happened. The worst of these is the file's.
* The vendor of a file that came in as it is: the party that granted the dataset which it came out of. Of any
  other: what stands before the first dot in the name of the device that recorded its making. The log knows
  no more of vendors: the names of devices are the registrar's.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

from ledger.core.predicates import GrantV2
from ledger.core.predicates.step import Evidence
from ledger.core.rights.basis import UNNAMED, Item, ItemKind
from ledger.core.rights.facts import Facts

OUTSIDE = "from outside, no party on record"
NOBODY = "no maker on record"


class Origin(StrEnum):
    """How far the making is on record, the best first."""

    OBSERVED = "observed"
    INFERRED = "inferred"
    DECLARED = "declared"
    IMPORTED = "imported"
    UNKNOWN = "unknown"


OPEN = (Origin.UNKNOWN, Origin.IMPORTED, Origin.DECLARED)
"""What somebody has to explain, the worst first."""
_BROKEN = (ItemKind.GAP, ItemKind.INVALID, ItemKind.FORK, ItemKind.CYCLE)
_CAME_IN = (ItemKind.IMPORT, ItemKind.WEAK)


def origin_of(basis: Collection[Item], facts: Facts) -> Origin:
    """Return how far the making of a file with this basis is on record."""
    if any(item.kind in _BROKEN or item.sha256 == UNNAMED.sha256 for item in basis):
        return Origin.UNKNOWN
    if any(_from_nowhere(item, facts) for item in basis):
        return Origin.IMPORTED
    weak = {item.evidence for item in basis if item.kind is ItemKind.WEAK}
    if Evidence.DECLARED in weak:
        return Origin.DECLARED
    return Origin.INFERRED if weak else Origin.OBSERVED


def brought_by(basis: Collection[Item], facts: Facts) -> str | None:
    """Return who a file came from that was brought in as it is; ``None`` for one that was made here."""
    arrivals = [item for item in basis if item.kind is ItemKind.IMPORT]
    if not arrivals or any(item.kind not in _CAME_IN for item in basis):
        return None
    parties = {
        known.grant.assigner
        for item in arrivals
        for known in facts.grants_about(item.sha256)
        if isinstance(known.grant, GrantV2) and known.grant.assigner
    }
    return ", ".join(sorted(parties)) or OUTSIDE


def vendor_of(device: str) -> str:
    """Return the vendor that a device's name stands for."""
    return device.partition(".")[0]


def _from_nowhere(item: Item, facts: Facts) -> bool:
    return item.kind is ItemKind.IMPORT and facts.dataset(item.sha256) is None
