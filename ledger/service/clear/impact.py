"""What rests on a grant, a dataset, a model, a service or a file; and what would change without a grant.

* From a dataset the way leads to the models that were trained on it and to those made from them, by the
  registry; from there to the bases that hold one of them, and to the steps and final files on these.
* From a file it leads, by the records, to whatever was made from it.
* The question "and if it were revoked?" is answered with a revocation that nobody signs or appends.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ledger.core.artifact import named
from ledger.core.fields import format_time
from ledger.core.predicates import GrantRevocation, ModelV2
from ledger.core.predicates.reasons import Verdict
from ledger.core.rights.basis import ItemKind
from ledger.core.rights.clearance import Engine
from ledger.core.rights.facts import FactRecord, Facts
from ledger.core.statement import Statement
from ledger.errors import UsageError
from ledger.service.clear.clear import Touching, timeless
from ledger.service.clear.projecting import affected, items_of
from ledger.service.clear.question import Question, Seen
from ledger.service.clear.recorded import on_disk
from ledger.service.clear.store import Final
from ledger.service.clear.touched import resting_on, service_of
from ledger.service.files import identify
from ledger.service.rights.reading import records_of
from ledger.service.rights.registry import Registry
from ledger.service.studio import Studio

LINEAGE = ("parent", "component", "reference", "control", "inpaint")
SEALED_FROM = "sealed-from"
_THINGS = (
    ItemKind.MODEL,
    ItemKind.SERVICE,
    ItemKind.DATASET,
    ItemKind.REFERENCE,
    ItemKind.IMPORT,
    ItemKind.GAP,
)


@dataclass(frozen=True, slots=True)
class Thing:
    """What is asked about: ``digests`` are what it is or covers, ``grants`` those that speak of it."""

    kind: str
    name: str
    digests: frozenset[str]
    grants: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Impact:
    """What rests on a thing. ``through`` are the things on the way: (kind, name), the asked one left out."""

    thing: Thing
    size: int
    through: tuple[tuple[str, str], ...]
    bases: int
    steps: int
    finals: tuple[Final, ...]

    @property
    def shots(self) -> Mapping[str, int]:
        """Return how many final files of each shot rest on it, in the order of names."""
        counted = Counter(item.place.words or "no place on record" for item in self.finals)
        return dict(sorted(counted.items()))

    def to_json(self) -> dict[str, Any]:
        """Return the document."""
        return {
            "thing": {
                "kind": self.thing.kind,
                "name": self.thing.name,
                "sha256": sorted(self.thing.digests),
                "grants": list(self.thing.grants),
            },
            "tree": {"size": self.size},
            "through": [{"kind": kind, "name": name} for kind, name in self.through],
            "bases": self.bases,
            "entries": self.steps,
            "finals": len(self.finals),
            "shots": self.shots,
        }


@dataclass(frozen=True, slots=True)
class WhatIf:
    """What a revocation would change. ``moves`` counts final files by the verdict now and the one then.

    ``judged`` are the files that rest on the thing, each with both, in the order of the log.
    """

    question: Question
    effective: datetime
    grants: tuple[str, ...]
    moves: Mapping[tuple[Verdict, Verdict], int]
    shots: Mapping[str, int]
    reasons: tuple[Touching, ...]
    judged: tuple[tuple[Final, Verdict, Verdict], ...] = ()

    @property
    def moved(self) -> tuple[tuple[Final, Verdict, Verdict], ...]:
        """Return the files that would have another verdict, in the order of the log."""
        return tuple(item for item in self.judged if item[1] is not item[2])

    @property
    def changed(self) -> int:
        """Return how many final files would have another verdict."""
        return sum(count for (before, after), count in self.moves.items() if before is not after)

    def to_json(self) -> dict[str, Any]:
        """Return the document."""
        return {
            **self.question.to_json(),
            "effective": format_time(self.effective),
            "grants": list(self.grants),
            "changed": self.changed,
            "moves": [
                {"from": before.value, "to": after.value, "finals": count}
                for (before, after), count in self.moves.items()
            ],
            "shots": dict(self.shots),
            "reasons": [
                {**item.reason.to_json(), "meaning": item.reason.meaning, "finals": item.now}
                for item in self.reasons
            ],
        }


def find_thing(studio: Studio, facts: Facts, text: str) -> Thing:
    """Return the thing that somebody names: a file on disk, or what ``thing_on_record`` returns.

    Raises as that does, and ``file.…``.
    """
    path = on_disk(text)
    if path is not None:
        return _thing("file", path.name, {identify(path).sha256}, facts)
    return thing_on_record(studio, facts, text)


def thing_on_record(studio: Studio, facts: Facts, text: str) -> Thing:
    """Return the grant, dataset, model, service or recorded file that a name or SHA-256 means.

    Raises ``UsageError("clear.unknown-thing")`` with names that are like it.
    """
    grants = facts.grants_named(text)
    if grants:
        about = {subject.sha256 for grant in grants for subject in grant.stated.subjects}
        return Thing("grant", text, frozenset(about), (text,))
    registry = Registry(records_of(studio))
    for kind in ("dataset", "model"):
        found = registry.look(kind, text)
        if found is not None:
            return _thing(kind, text, {found.sha256}, facts)
    services = _services(studio, facts, text)
    if services:
        return _thing("service", text, services, facts)
    rows = studio.entries.artifacts(sha256=text)
    if rows:
        return _thing("file", rows[-1].name, {text}, facts)
    raise UsageError(
        "clear.unknown-thing",
        f"{text!r} is no file here, no grant, dataset, model or service, and no SHA-256 of the log."
        f"{registry.near(text)}",
        name=text,
    )


def impact(studio: Studio, seen: Seen, thing: Thing) -> Impact:
    """Return what rests on a thing. The bases must have been caught up."""
    digests = resting_on(seen.facts, thing.digests)
    found = affected(studio, [(kind, sha256) for kind in _THINGS for sha256 in sorted(digests)])
    steps, finals = {row.index for row in found.steps}, set(found.finals)
    if thing.kind == "file":
        made = _downstream(studio, thing.digests)
        steps |= made
        finals |= set(studio.bases.finals_of(made))
    through = sorted({_named(seen.facts, sha256) for sha256 in digests - thing.digests})
    bases = {item.basis for item in finals} | set(found.bases)
    ordered = tuple(sorted(finals, key=lambda item: (item.index, item.position)))
    return Impact(thing, seen.size, tuple(through), len(bases), len(steps), ordered)


def what_if(studio: Studio, seen: Seen, question: Question, found: Impact, effective: datetime) -> WhatIf:
    """Return what would change if the grants about the thing were revoked with effect from ``effective``.

    Raises ``UsageError("clear.no-grant")`` where there is none that could be.
    """
    records, revoked = _hypothetical(studio, seen, found.thing, effective)
    facts = Facts(records, seen.size + len(revoked), question.known)
    engines = [Engine(each, question.profile, question.delivery, question.at) for each in (seen.facts, facts)]
    bases = items_of(studio.bases, {item.basis for item in found.finals})
    moves, reasons = Counter[tuple[Verdict, Verdict]](), Counter[Any]()
    judged = list[tuple[Final, Verdict, Verdict]]()
    for number, finals in _by_basis(found.finals).items():
        before, after = (engine.clear(bases[number]) for engine in engines)
        verdicts = before.now.verdict, after.now.verdict
        moves[verdicts] += len(finals)
        judged += [(final, *verdicts) for final in finals]
        held = set(map(timeless, before.now.reasons))
        for reason in {timeless(item) for item in after.now.reasons} - held:
            reasons[reason] += len(finals)
    told = [Touching(reason, count, count) for reason, count in reasons.items()]
    told.sort(key=lambda item: (-item.reason.severity, -item.now, item.reason.code, str(item.reason)))
    judged.sort()
    shots = Counter(
        final.place.words or "no place on record" for final, before, after in judged if before is not after
    )
    return WhatIf(
        question, effective, revoked, dict(moves), dict(sorted(shots.items())), tuple(told), tuple(judged)
    )


def _hypothetical(
    studio: Studio, seen: Seen, thing: Thing, effective: datetime
) -> tuple[list[FactRecord], tuple[str, ...]]:
    grants = {
        grant.grant.grant_id: grant
        for grant_id in thing.grants
        for grant in seen.facts.grants_named(grant_id)
        if grant.revoked is None
    }
    if not grants:
        raise UsageError(
            "clear.no-grant",
            f"No grant that could be revoked speaks of {thing.name!r}.",
            name=thing.name,
        )
    records = [record for record in records_of(studio) if record.index < seen.size]
    moment = studio.clock.now().replace(microsecond=0)
    for offset, (grant_id, grant) in enumerate(grants.items()):
        predicate = GrantRevocation(grant_id, effective, moment)
        records.append(FactRecord(seen.size + offset, Statement(grant.stated.subjects, predicate)))
    return records, tuple(grants)


def _thing(kind: str, name: str, digests: Iterable[str], facts: Facts) -> Thing:
    held = frozenset(digests)
    grants = dict.fromkeys(
        grant.grant.grant_id for sha256 in sorted(held) for grant in facts.grants_about(sha256)
    )
    return Thing(kind, name, held, tuple(grants))


def _services(studio: Studio, facts: Facts, text: str) -> set[str]:
    """Return the digests of a service: of the one that is named, and of its snapshots in the registry."""
    found = {
        sha256
        for sha256, known in facts.models.items()
        if isinstance(known.predicate, ModelV2)
        and known.predicate.service is not None
        and text in (known.predicate.service.name, "/".join(service_of(known.predicate.service.name)))
    }
    own = named("service", text).sha256
    if "/" in text and (facts.service_terms(*service_of(text)) or studio.entries.artifacts(sha256=own)):
        found.add(own)
    return found


def _downstream(studio: Studio, digests: Collection[str]) -> set[int]:
    """Return the steps that made something from these bytes, in any number of steps."""
    store, stop = studio.bases, studio.bases.mark().size
    steps, seen, left = set[int](), set(digests), set(digests)
    while left:
        links = store.links(left, stop, made=False)
        used = {link.index for link in links if link.role in LINEAGE} - steps
        sealed = {(link.index, link.position) for link in links if link.role == SEALED_FROM}
        steps |= used
        rows = store.rows(used | {index for index, _ in sealed})
        made = {
            row.sha256
            for row in rows
            if row.role == "subject" and (row.index in used or (row.index, row.position) in sealed)
        }
        left = made - seen
        seen |= made
    return steps


def _named(facts: Facts, sha256: str) -> tuple[str, str]:
    model, dataset = facts.model(sha256), facts.dataset(sha256)
    if model is not None:
        return "model", model.predicate.name
    return ("dataset", dataset.predicate.name) if dataset else ("thing", sha256)


def _by_basis(finals: Sequence[Final]) -> dict[int, list[Final]]:
    found: dict[int, list[Final]] = {}
    for final in finals:
        found.setdefault(final.basis, []).append(final)
    return found
