"""The findings of a board, as they are looked at: what means the same once, with the shots that it touches.

Who does not read the registry sees that a finding is there, of which kind and where, and not what it is
about: as with every other answer (``reading.sight``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ledger.core.audit import Table
from ledger.service.places import Place

OPEN, ACCEPTED, NOTED, CLOSED = "open", "accepted", "noted", "closed"
STATES = (OPEN, ACCEPTED, NOTED, CLOSED)


@dataclass(frozen=True, slots=True)
class Finding:
    """One reason. ``then`` and ``now`` count files, ``places`` are the shots that it touches now.

    What is about the registry is ``None`` and empty for who may not read that. Moments are RFC 3339, UTC.
    """

    number: str
    then: int
    now: int
    places: tuple[Place, ...]
    about: str | None = None
    sha256: str | None = None
    use: str | None = None
    detail: str | None = None
    path: tuple[str, ...] = ()
    since: str | None = None
    approvers: tuple[str, ...] = ()
    expires: str | None = None
    entry: int | None = None


@dataclass(frozen=True, slots=True)
class Kind:
    """The findings of one code, severity and state, in the order of the register."""

    code: str
    severity: str
    state: str
    findings: tuple[Finding, ...]

    @property
    def verdict(self) -> str:
        """Return the severity as a verdict is shown: what is noted clears."""
        return "cleared" if self.severity == "noted" else self.severity


def kinds(
    table: Table,
    touched: Iterable[tuple[Place, Collection[str]]] = (),
    *,
    registry: bool,
    only: Collection[str] | None = None,
) -> tuple[Kind, ...]:
    """Return the findings (``only`` these numbers) by code, severity and state; the worst that stand first.

    ``touched`` are the numbers that touch each shot.
    """
    places = _places(touched)
    found: dict[tuple[str, str, str], list[Finding]] = {}
    for cells in cells_of(table):
        if only is None or cells["finding"] in only:
            key = cells["code"], cells["severity"], cells["state"]
            found.setdefault(key, []).append(_finding(cells, places, registry=registry))
    ordered = sorted(found, key=lambda key: STATES.index(key[2]))
    return tuple(Kind(*key, tuple(found[key])) for key in ordered)


def cells_of(table: Table) -> list[Mapping[str, Any]]:
    """Return the rows of a table by the keys of their columns."""
    names = [column.key for column in table.schema.columns]
    return [dict(zip(names, row, strict=True)) for row in table.shown]


def _places(touched: Iterable[tuple[Place, Collection[str]]]) -> dict[str, list[Place]]:
    found: dict[str, list[Place]] = defaultdict(list)
    for place, numbers in touched:
        for number in numbers:
            found[number].append(place)
    return found


def _finding(cells: Mapping[str, Any], places: Mapping[str, list[Place]], *, registry: bool) -> Finding:
    number = cells["finding"]
    seen = number, cells["then"], cells["now"], tuple(places.get(number, ()))
    if not registry:
        return Finding(*seen)
    return Finding(
        *seen,
        cells["subject"],
        cells["sha256"],
        cells["use"],
        cells["detail"],
        cells["path"],
        cells["since"],
        cells["approvers"],
        cells["expires"],
        next(iter(cells["entries"]), None),
    )
