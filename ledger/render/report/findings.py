"""The register of findings as it is read: what means the same is told once, with each thing it is said of."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from ledger.core.audit import Hidden, Row, Table
from ledger.render.report.cells import HIDDEN, moment
from ledger.render.report.ink import VERDICTS
from ledger.render.words import USES


@dataclass(frozen=True, slots=True)
class Told:
    """One finding: its number, what it is about, the way there, whom it touches, and what is said of it."""

    number: str
    about: str
    way: str
    now: int
    then: int
    shots: int
    rest: str


@dataclass(frozen=True, slots=True)
class Group:
    """The findings of one code and state. ``verdict`` is the severity as a verdict, ``noted`` else."""

    code: str
    verdict: str
    state: str
    meaning: str
    mend: str
    told: tuple[Told, ...]


def groups(table: Table, only: Collection[str] | None = None) -> tuple[Group, ...]:
    """Return the findings (``only`` these numbers) by code and state, in the order of the register."""
    place = table.schema.place
    found: dict[tuple[str, str, str], list[Row]] = {}
    for row in table.shown:
        if only is None or row[0] in only:
            key = row[place("code")], row[place("severity")], row[place("state")]
            found.setdefault(key, []).append(row)
    return tuple(
        Group(
            code,
            severity if severity in VERDICTS else "noted",
            state,
            rows[0][place("meaning")],
            rows[0][place("mend")],
            tuple(_told(table, row) for row in rows),
        )
        for (code, severity, state), rows in found.items()
    )


def _told(table: Table, row: Row) -> Told:
    def text(key: str) -> str:
        value = row[table.schema.place(key)]
        if isinstance(value, Hidden):
            return HIDDEN
        return " ← ".join(map(str, value)) if isinstance(value, tuple) else str(value or "")

    use = f", for {USES.get(text('use'), text('use'))}" if text("use") else ""
    subject, said, way = text("subject"), text("detail"), text("path")
    if subject == HIDDEN:  # once is enough
        said, way = said if said != HIDDEN else "", way if way != HIDDEN else ""
    detail = f": {said}" if said else ""
    rest = [
        f"at {moment(text('at'))}" if text("at") else "",
        f"known since {moment(text('since'))}" if text("since") else "",
        f"accepted by {text('approvers')}" if text("approvers") else "",
        f"until {moment(text('expires'))}" if text("expires") else "",
    ]
    now, then, shots = (row[table.schema.place(key)] or 0 for key in ("now", "then", "shots"))
    number, about = str(row[0]), f"{subject}{use}{detail}"
    return Told(number, about, way, now, then, shots, ", ".join(filter(None, rest)))
