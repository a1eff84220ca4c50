"""Which models and datasets the file names, and whether each has a grant on record.

This is not clearance: no policy is applied and no territory, title or use is weighed. It answers two plain
questions: is each named model and dataset registered in the log, and is there a grant about it whose term
covered the moment of use. Only registrars' entries count.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from ledger.core.artifact import Role
from ledger.core.fields import format_time
from ledger.core.predicates import Dataset, Grant, Model, Step
from ledger.core.predicates.step import Evidence
from ledger.core.report import Check, NamedGrant, NamedStep, NamedThing, Status
from ledger.core.verify.ledger_checks import Entry, Ledger


@dataclass(slots=True)
class _Named:
    kind: str
    name: str
    used: list[datetime]
    stages: list[str] = field(default_factory=list)


def named_steps(ledger: Ledger) -> tuple[NamedStep, ...]:
    """Return the recorded steps that the evidence holds, in the order of the log."""
    found = []
    for item in ledger.of(Step):
        step = item.entry.statement.predicate
        if isinstance(step, Step):
            tool = f"{step.tool.name} {step.tool.version}"
            named = NamedStep(
                index=item.entry.index,
                action=step.action.value,
                tool=tool,
                device=item.signer.device,
                finished=format_time(step.finished),
                evidence=step.evidence.value,
            )
            found.append(named)
    return tuple(found)


def named_things(ledger: Ledger, now: datetime) -> tuple[NamedThing, ...]:
    """Return every model and dataset under the file, each with its registration and its grants.

    The moments of use are those of the steps that used the thing; ``now`` for a model or dataset that is
    itself the file in question. A thing that is registered as the other kind counts as not registered.
    """
    registered = {item.entry.statement.subjects[0].sha256: item.entry for item in ledger.of(Model, Dataset)}
    if ledger.of(Step):
        found = _used_by_steps(ledger)
    else:
        found = {
            sha256: _Named(_kind(entry), entry.statement.subjects[0].name, [now])
            for sha256, entry in registered.items()
        }
    for sha256, thing in list(found.items()):
        model = registered[sha256].statement.predicate if sha256 in registered else None
        for training in model.training if isinstance(model, Model) else ():
            trained = found.setdefault(training.sha256, _Named("dataset", training.dataset, []))
            trained.used += thing.used
            trained.stages.append(training.stage.value)
    return tuple(_thing(ledger, sha256, thing, registered.get(sha256)) for sha256, thing in found.items())


def _thing(ledger: Ledger, sha256: str, thing: _Named, entry: Entry | None) -> NamedThing:
    about = _about(ledger, sha256)
    return NamedThing(
        kind=thing.kind,
        name=thing.name,
        sha256=sha256,
        index=entry.index if entry and _kind(entry) == thing.kind else None,
        grants=tuple(
            NamedGrant(
                grant.grant_id,
                tuple(use.value for use in grant.uses),
                index,
                any(_covers(grant, moment) for moment in thing.used),
            )
            for index, grant in about
        ),
        stages=tuple(dict.fromkeys(thing.stages)),
        covered=all(any(_covers(grant, moment) for _, grant in about) for moment in thing.used),
    )


def check_materials(things: tuple[NamedThing, ...], ledger: Ledger) -> Check:
    """Whether each named model and dataset is registered in the log."""
    title = "Its models and datasets are registered"
    if not ledger.of(Step, Model, Dataset):
        return Check("materials", title, Status.UNDECIDED, "No proven record says what was used.")
    missing = [thing for thing in things if thing.index is None]
    if missing:
        names = ", ".join(f"{thing.kind} “{thing.name}”" for thing in missing)
        return Check("materials", title, Status.UNDECIDED, f"No registration is at hand for {names}.")
    words = "The record names no model and no dataset."
    if things:
        names = ", ".join(f"{thing.kind} “{thing.name}”" for thing in things)
        words = f"It names {names}; each is registered in the log."
    if any(step.evidence == Evidence.DECLARED for step in named_steps(ledger)):
        words += " Part of the record was declared by a person, not observed by a tool."
    return Check("materials", title, Status.PASSED, words)


def check_grants(things: tuple[NamedThing, ...], ledger: Ledger) -> Check:
    """Whether each named model and dataset had a grant on record when it was used."""
    title = "Each has a grant on record"
    if not ledger.of(Step, Model, Dataset):
        return Check("grants", title, Status.UNDECIDED, "No proven record says what was used.")
    bare = [thing for thing in things if not thing.licensed]
    if bare:
        names = ", ".join(f"{thing.kind} “{thing.name}”" for thing in bare)
        return Check(
            "grants", title, Status.UNDECIDED, f"No grant is on record for {names}.", ("grant.missing",)
        )
    if not things:
        return Check("grants", title, Status.PASSED, "It names nothing that needs a grant.")
    names = ", ".join(
        dict.fromkeys(grant.grant_id for thing in things for grant in thing.grants if grant.in_term)
    )
    return Check("grants", title, Status.PASSED, f"Covered by {names}, in term when the work was done.")


def _kind(entry: Entry) -> str:
    return "model" if isinstance(entry.statement.predicate, Model) else "dataset"


def _used_by_steps(ledger: Ledger) -> dict[str, _Named]:
    found: dict[str, _Named] = {}
    for item in ledger.of(Step):
        step = item.entry.statement.predicate
        if not isinstance(step, Step):
            continue
        for material in step.materials:
            if material.role in (Role.MODEL, Role.DATASET):
                thing = found.setdefault(material.sha256, _Named(material.role.value, material.name, []))
                thing.used.append(step.finished)
    return found


def _about(ledger: Ledger, sha256: str) -> list[tuple[int, Grant]]:
    """Return the grants about a model or dataset, each with its entry's index."""
    found = []
    for item in ledger.of(Grant):
        grant = item.entry.statement.predicate
        about = {subject.sha256 for subject in item.entry.statement.subjects}
        if isinstance(grant, Grant) and sha256 in about:
            found.append((item.entry.index, grant))
    return found


def _covers(grant: Grant, moment: datetime) -> bool:
    return grant.valid_from <= moment and (grant.valid_until is None or moment < grant.valid_until)
