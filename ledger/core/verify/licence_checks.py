"""Which models and datasets the file names, and whether each has a grant on record.

This is not clearance: no policy is applied and no territory, title or use is weighed. It answers two plain
questions: is each named model and dataset registered in the log, and is there a grant about it that held at
the moment of use: in its term, and not revoked from an earlier moment on. Only registrars' entries count.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from ledger.core.artifact import Role
from ledger.core.fields import format_time
from ledger.core.predicates import Dataset, Grant, GrantRevocation, Model, ModelV2, Step
from ledger.core.predicates.model import Training
from ledger.core.predicates.model_v2 import Parent
from ledger.core.predicates.step import Evidence
from ledger.core.report import Check, NamedGrant, NamedStep, NamedThing, Status
from ledger.core.rights.facts import FactRecord, Facts, KnownGrant
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
        _add_what_is_under(found, registered, sha256, tuple(thing.used))
    facts = _facts(ledger)
    return tuple(_thing(facts, sha256, thing, registered.get(sha256)) for sha256, thing in found.items())


def _thing(facts: Facts, sha256: str, thing: _Named, entry: Entry | None) -> NamedThing:
    about = facts.grants_about(sha256)
    return NamedThing(
        kind=thing.kind,
        name=thing.name,
        sha256=sha256,
        index=entry.index if entry and _kind(entry) == thing.kind else None,
        grants=tuple(
            NamedGrant(
                known.grant.grant_id,
                tuple(use.value for use in known.grant.uses),
                known.stated.index,
                any(_covers(known, moment) for moment in thing.used),
            )
            for known in about
        ),
        stages=tuple(dict.fromkeys(thing.stages)),
        covered=all(any(_covers(known, moment) for known in about) for moment in thing.used),
    )


def check_materials(things: tuple[NamedThing, ...], ledger: Ledger) -> Check:
    """Whether each named model and dataset is registered in the log."""
    title = "Its models and datasets are registered"
    if not ledger.of(Step, Model, Dataset):
        return Check("materials", title, Status.UNDECIDED, "No proven record says what was used.")
    missing = [thing for thing in things if thing.index is None]
    if missing:
        names = ", ".join(f"{thing.kind} “{thing.name}”" for thing in missing)
        words = f"No registration is at hand for {names}."
        plain = "A model or dataset that it names is not registered, as far as at hand."
        return Check("materials", title, Status.UNDECIDED, words, plain=plain)
    words = plain = "The record names no model and no dataset."
    if things:
        names = ", ".join(f"{thing.kind} “{thing.name}”" for thing in things)
        words = f"It names {names}; each is registered in the log."
        plain = "Each model and dataset that it names is registered in the log."
    if any(step.evidence == Evidence.DECLARED for step in named_steps(ledger)):
        declared = " Part of the record was declared by a person, not observed by a tool."
        words, plain = words + declared, plain + declared
    return Check("materials", title, Status.PASSED, words, plain=plain)


def check_grants(things: tuple[NamedThing, ...], ledger: Ledger) -> Check:
    """Whether each named model and dataset had a grant on record when it was used."""
    title = "Each has a grant on record"
    if not ledger.of(Step, Model, Dataset):
        return Check("grants", title, Status.UNDECIDED, "No proven record says what was used.")
    bare = [thing for thing in things if not thing.licensed]
    if bare:
        names = ", ".join(f"{thing.kind} “{thing.name}”" for thing in bare)
        words = f"No grant is on record for {names}."
        plain = "No grant is on record for a model or dataset that it names."
        return Check("grants", title, Status.UNDECIDED, words, ("grant.missing",), plain)
    if not things:
        return Check("grants", title, Status.PASSED, "It names nothing that needs a grant.")
    names = ", ".join(
        dict.fromkeys(grant.grant_id for thing in things for grant in thing.grants if grant.in_term)
    )
    words = f"Covered by {names}, in term when the work was done."
    plain = "Covered by grants on record, in term when the work was done."
    return Check("grants", title, Status.PASSED, words, plain=plain)


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


def _add_what_is_under(
    found: dict[str, _Named], registered: dict[str, Entry], used: str, moments: tuple[datetime, ...]
) -> None:
    """Add the models and datasets under a thing that was used at these moments, each with the moments."""
    seen, left = {used}, [used]
    while left:
        model = registered.get(left.pop())
        for parent in _parents(model):
            if parent.sha256 not in seen:
                seen.add(parent.sha256)
                left.append(parent.sha256)
                found.setdefault(parent.sha256, _Named("model", parent.name, [])).used += moments
        for training in _trainings(model):
            trained = found.setdefault(training.sha256, _Named("dataset", training.dataset, []))
            trained.used += moments
            trained.stages.append(training.stage.value)


def _parents(entry: Entry | None) -> tuple[Parent, ...]:
    model = entry.statement.predicate if entry else None
    return model.parents if isinstance(model, ModelV2) else ()


def _trainings(entry: Entry | None) -> tuple[Training, ...]:
    model = entry.statement.predicate if entry else None
    return model.training if isinstance(model, Model) else ()


def _facts(ledger: Ledger) -> Facts:
    """Return the grants at hand, in their newest versions. Only a registrar can have signed one."""
    entries = [item.entry for item in ledger.of(Grant, GrantRevocation)]
    return Facts([FactRecord(entry.index, entry.statement) for entry in entries], len(entries))


def _covers(known: KnownGrant, moment: datetime) -> bool:
    grant, revoked = known.grant, known.revoked
    ends = (grant.valid_until, revoked and revoked.predicate.effective)
    return grant.valid_from <= moment and all(moment < end for end in ends if end)
