"""Which events there are, what one may ask for, and who may be told of which.

* One event for each entry. Its type is made from the entry's predicate: ``entry.step``, ``entry.grant``; a
  verdict is ``verdict``, and ``verdict.changed`` when it follows an earlier one.
* An issued report and a label are told to whoever is told of verdicts: a receiver learns that another is out.
* Who asks for ``entry`` gets every type that begins so, with a full stop; the same holds for ``verdict``.
* Nobody is told of an entry that the table of ``core.access`` would not let them read about.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from ledger.core.access import Action, Viewer
from ledger.core.predicates import (
    PREDICATES,
    AuditReport,
    Label,
    LogKey,
    LostRecord,
    Seal,
    ServiceCall,
    Step,
    TrainingRun,
    VerdictResult,
    types_of,
)
from ledger.errors import UsageError

VERDICT, CHANGED = "verdict", "verdict.changed"
_NAME = re.compile(r"https://rakkan\.org/([a-z-]+)/v[0-9]+")
_WORK = (Step, Seal, ServiceCall, TrainingRun, LostRecord, LogKey)


def event_type(predicate_type: str) -> str:
    """Return the type of the events of this predicate; ``verdict`` for verdicts of either kind."""
    found = _NAME.fullmatch(predicate_type)
    return f"entry.{found[1].replace('-', '_')}" if found else VERDICT


TYPES: Sequence[str] = tuple(sorted({*map(event_type, PREDICATES), CHANGED}))
"""Every type of event."""


def _action(kind: type) -> Action:
    if issubclass(kind, VerdictResult | AuditReport | Label):
        return Action.READ_VERDICTS
    return Action.READ_WORK if issubclass(kind, _WORK) else Action.READ_REGISTRY


NEEDED: Mapping[str, Action] = {name: _action(kind) for name, kind in PREDICATES.items()}
"""By predicate type, what one must be allowed to do to be told of its entries."""


def check_types(wanted: Collection[str]) -> tuple[str, ...]:
    """Return what was asked for, sorted, each once. Raises ``UsageError("events.type")``."""
    for word in wanted:
        if not any(_covers(word, name) for name in TYPES):
            raise UsageError("events.type", f"There are no events {word[:60]!r}.", known=list(TYPES))
    return tuple(sorted(set(wanted)))


def wants(wanted: Collection[str], name: str) -> bool:
    """Whether events of this type were asked for; everything is, where nothing was named."""
    return not wanted or any(_covers(word, name) for word in wanted)


def predicates_for(wanted: Collection[str], viewer: Viewer, production: str) -> tuple[str, ...]:
    """Return the predicate types whose events are wanted and may be shown, sorted; perhaps none."""
    allowed = (name for name, action in NEEDED.items() if viewer.may(action, production))
    return tuple(sorted(name for name in allowed if _may_want(wanted, name)))


def _may_want(wanted: Collection[str], predicate_type: str) -> bool:
    if predicate_type in types_of(VerdictResult):
        return wants(wanted, VERDICT) or wants(wanted, CHANGED)
    return wants(wanted, event_type(predicate_type))


def _covers(word: str, name: str) -> bool:
    return name == word or name.startswith(f"{word}.")
