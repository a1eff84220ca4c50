"""What recording and rechecking verdicts came to, in plain lines; see ``clearance``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ledger.core.predicates import GrantRevocation
from ledger.core.predicates.grant import Grant
from ledger.core.predicates.verdict import VerdictResult
from ledger.core.statement import Statement
from ledger.render.reasons import TONES, WORDS, Line
from ledger.render.words import counted
from ledger.service.clear.recheck import Rechecked
from ledger.service.clear.verdicts import Plan, Planned

Read = Callable[[int], Statement]


def recorded(plan: Plan, indices: Sequence[int]) -> Iterator[Line]:
    """Yield what recording came to: new entries, and entries that stand."""
    for planned, index in zip(plan.planned, indices, strict=True):
        event = f", changes entry {planned.previous.index}" if planned.previous else ""
        yield f"Entry {index}: {pair(planned.verdict)}, {counted(len(planned.subjects), 'file')}{event}", ""
    for index, files in plan.unchanged.items():
        yield f"Unchanged since entry {index}: {counted(files, 'file')}", "dim"


def rechecked(found: Rechecked, indices: Sequence[int], read: Read) -> Iterator[Line]:
    """Yield what has changed under one policy; ``indices`` are the new entries, none for a dry run."""
    delivery = found.question.delivery
    title = f" of {delivery.title}" if delivery.title else ""
    yield f"{found.profile.name} {found.profile.version}, {delivery.deliverable.value}{title}", "head"
    bases = counted(found.bases, "distinct basis", "distinct bases")
    yield f"  {counted(found.files, 'file')}, {bases}, of which {found.judged:,} judged anew", "dim"
    if not found.plan.planned:
        yield "  Nothing has changed.", ""
    for number, planned in enumerate(found.plan.planned):
        entry = f"entry {indices[number]}: " if indices else ""
        yield f"  {entry}{_change(planned)}", TONES[planned.verdict.now.verdict]
        cause = cause_of(planned, read)
        if cause:
            yield f"    because of {cause}", ""


def changes(found: Rechecked, indices: Sequence[int], read: Read) -> dict[str, Any]:
    """Return the same as a document."""
    return {
        **found.question.to_json(),
        "files": found.files,
        "bases": found.bases,
        "judged": found.judged,
        "changed": [
            {
                "entry": indices[number] if indices else None,
                "previous": planned.previous.index if planned.previous else None,
                "cause": planned.verdict.change.cause if planned.verdict.change else None,
                "because": cause_of(planned, read) or None,
                "files": [item.to_json() for item in planned.subjects],
                "then": planned.verdict.then.to_json(),
                "now": planned.verdict.now.to_json(),
            }
            for number, planned in enumerate(found.plan.planned)
        ],
    }


def cause_of(planned: Planned, read: Read) -> str:
    """Return the entry that made the difference, in words; empty where none is named."""
    change = planned.verdict.change
    return "" if change is None else f"{described(read(change.cause))}, entry {change.cause}"


def described(statement: Statement) -> str:
    """Return what an entry is, in a few words: ``grant-revocation of G-1``."""
    predicate = statement.predicate
    kind = predicate.TYPE.rstrip("/").split("/")[-2]
    if isinstance(predicate, Grant | GrantRevocation):
        return f"{kind} {predicate.grant_id}"
    return f"{kind} about {statement.subjects[0].name}"


def pair(verdict: VerdictResult) -> str:
    """Return the verdicts of an entry: ``cleared when made, blocked now``; one word where they agree."""
    then, now = WORDS[verdict.then.verdict], WORDS[verdict.now.verdict]
    return now if then == now else f"{then} when made, {now} now"


def _change(planned: Planned) -> str:
    files = counted(len(planned.subjects), "file")
    before = f", was: {pair(planned.previous.verdict)}" if planned.previous else ""
    return f"{files}: {pair(planned.verdict)}{before}"
