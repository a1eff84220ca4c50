"""The register of findings: each reason that speaks against files once, numbered, the worst first.

* The order is that of ``Cleared.reasons``: what counts now, the worst, what touches most files. So the
  numbers are the same for the same report, and mean nothing in another one.
* An accepted finding (an override) is in the register, with who accepted it and until when.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ledger.core.audit import Row, Table
from ledger.core.audit.tables import FINDINGS
from ledger.core.fields import format_time
from ledger.core.predicates import Override
from ledger.core.predicates.answer import Reason
from ledger.core.predicates.reasons import Severity
from ledger.core.rights.basis import Item
from ledger.core.statement import Statement
from ledger.service.clear.clear import Cleared, Touching, timeless
from ledger.service.report.population import Shot
from ledger.service.studio import Studio


@dataclass(frozen=True, slots=True)
class Register:
    """``numbers`` are those of each reason without its moment; ``by_basis`` the findings of each basis."""

    table: Table
    numbers: Mapping[Reason, str]
    by_basis: Mapping[frozenset[Item], tuple[str, ...]]


def register(studio: Studio, cleared: Cleared, shots: Sequence[Shot]) -> Register:
    """Return the findings of a clearance, with the number of shots that each touches now."""
    numbers = {timeless(item.reason): f"F-{n:03}" for n, item in enumerate(cleared.reasons, 1)}
    by_basis = {
        group.basis: tuple(dict.fromkeys(numbers[timeless(reason)] for reason in group.clearance.now.reasons))
        for group in cleared.groups
    }
    touched: dict[str, int] = defaultdict(int)
    for shot in shots:
        bases = {frame.basis for frame in shot.frames if frame.basis is not None}
        for number in {number for basis in bases for number in by_basis.get(basis, ())}:
            touched[number] += 1
    rows = [
        _row(studio, item, (number := numbers[timeless(item.reason)]), touched[number])
        for item in cleared.reasons
    ]
    return Register(Table(FINDINGS, tuple(rows)), numbers, by_basis)


def _row(studio: Studio, item: Touching, number: str, shots: int) -> Row:
    reason = item.reason
    override = _override(studio, reason.override)
    entries = {reason.override} if reason.override is not None else set()
    return (
        number,
        reason.severity.name.lower(),
        _state(item),
        reason.code.value,
        reason.name,
        reason.sha256,
        reason.use.value if reason.use else None,
        reason.detail,
        reason.path,
        reason.meaning,
        reason.mend,
        item.then,
        item.now,
        shots,
        format_time(reason.at) if reason.at else None,
        format_time(reason.known_since) if reason.known_since else None,
        reason.grants,
        reason.evidence.value if reason.evidence else None,
        override.approvers if override else (),
        format_time(override.expires) if override else None,
        tuple(sorted(entries)),
    )


def _state(item: Touching) -> str:
    if item.reason.override is not None:
        return "accepted"
    if not item.now:
        return "closed"
    return "noted" if item.reason.severity is Severity.NOTED else "open"


def _override(studio: Studio, index: int | None) -> Override | None:
    statement: Statement | None = studio.statement(index) if index is not None else None
    found = statement.predicate if statement else None
    return found if isinstance(found, Override) else None
