"""A verdict: in-toto's Simple Verification Result, with what Rakkan adds under its own name.

* Any reader of SVR v0.2 finds the verifier, the policy by digest, the time and the properties that passed.
* The properties name the class of deliverable: somebody who reads no further must not take the clearance of a
  storyboard for that of a film.
* ``rakkan_clearance`` holds the rest: what was delivered where, the basis and the tree that were judged, the
  answer at the time of use and now, each with its reasons.
* A verdict is never overwritten. One that follows an earlier one names it, and the entry that changed it.
* The subjects are files with the same basis: one judgement, many frames.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from ledger.core.fields import Fields, format_time, present
from ledger.core.predicates.answer import Answer, Grade, read_answer
from ledger.core.predicates.delivery import Delivery, read_delivery

CLEARANCE = "rakkan_clearance"
"""Our member of the predicate, named as in-toto asks of extensions: vendor, underscore, field."""
SPEC = "https://rakkan.org/clearance/v1"
VERIFIER = "https://rakkan.org/clearance-engine/"
_ENGINE = re.compile(r"[0-9]+(\.[0-9]+)*")


@dataclass(frozen=True, slots=True)
class Change:
    """``previous`` and ``cause`` are indices of entries: the verdict that this one follows, and why."""

    previous: int
    cause: int


@dataclass(frozen=True, slots=True)
class VerdictResult:
    """``policy`` names the profile, ``policy_sha256`` is its digest; ``size`` and ``root`` the tree judged.

    ``engine`` is the version of the engine's rules, such as ``1`` or ``1.2``.

    ``basis`` is the digest of the basis; ``valid_at`` the moment that *now* means. ``change`` is set for a
    verdict that differs from the one before it.
    """

    TYPE: ClassVar[str] = "https://in-toto.io/attestation/svr/v0.2"

    engine: str
    policy: str
    policy_sha256: str
    recorded: datetime
    valid_at: datetime
    size: int
    root: str
    basis: str
    delivery: Delivery
    then: Answer
    now: Answer
    change: Change | None = None

    @property
    def properties(self) -> list[str]:
        """Return what passed, each in words of our own scope, as SVR wants it: nothing that did not."""
        deliverable = self.delivery.deliverable.value.upper()
        passed = {
            f"RAKKAN_GRADE_{self.now.grade.name}": self.now.grade is not Grade.L0,
            f"RAKKAN_CLEARED_{deliverable}_AT_TIME_OF_USE": self.then.cleared,
            f"RAKKAN_CLEARED_{deliverable}": self.now.cleared,
        }
        return [name for name, holds in passed.items() if holds]

    def to_json(self) -> dict[str, Any]:
        """Return the predicate object."""
        policy = {"name": self.policy, "digest": {"sha256": self.policy_sha256}}
        change = self.change
        return {
            "verifier": {"id": f"{VERIFIER}{self.engine}", "policies": [policy]},
            "timeCreated": format_time(self.recorded),
            "properties": self.properties,
            CLEARANCE: present(
                spec=SPEC,
                event="verdict_changed" if change else "verdict",
                previous=change and change.previous,
                cause=change and change.cause,
                validAt=format_time(self.valid_at),
                tree={"size": self.size, "root": self.root},
                basis=self.basis,
                delivery=self.delivery.to_json(),
                then=self.then.to_json(),
                now=self.now.to_json(),
            ),
        }

    @classmethod
    def read(cls, fields: Fields) -> VerdictResult:
        """Take the predicate's fields."""
        engine, policy, digest = _read_verifier(fields.sub("verifier"))
        recorded = fields.time("timeCreated")
        properties = fields.take("properties", list)
        inner = fields.sub(CLEARANCE)
        if inner.text("spec") != SPEC:
            raise inner.error("spec", f"must be {SPEC}")
        tree = inner.sub("tree")
        found = cls(
            engine=engine,
            policy=policy,
            policy_sha256=digest,
            recorded=recorded,
            valid_at=inner.time("validAt"),
            size=tree.take("size", int),
            root=tree.sha256("root"),
            basis=inner.sha256("basis"),
            delivery=read_delivery(inner.sub("delivery")),
            then=read_answer(inner.sub("then")),
            now=read_answer(inner.sub("now")),
            change=_read_change(inner),
        )
        tree.end()
        inner.end()
        _check(fields, found)
        if properties != found.properties:
            raise fields.error("properties", "are not those that the answers lead to")
        return found


def _check(fields: Fields, found: VerdictResult) -> None:
    if not _ENGINE.fullmatch(found.engine):
        raise fields.error("verifier.id", "must end with the version of the engine")
    if found.size < 1:
        raise fields.error(f"{CLEARANCE}.tree.size", "must be at least 1")
    change = found.change
    if change is not None and not (change.previous >= 0 and 0 <= change.cause < found.size):
        raise fields.error(f"{CLEARANCE}.cause", "and previous must be entries, the cause one of the tree")


def _read_verifier(fields: Fields) -> tuple[str, str, str]:
    engine = fields.text("id")
    if not engine.startswith(VERIFIER):
        raise fields.error("id", f"must begin with {VERIFIER}")
    policies = fields.items("policies")
    if len(policies) != 1:
        raise fields.error("policies", "must hold one policy")
    policy = Fields(policies[0], "predicate.verifier.policies[0]")
    name, digest = policy.text("name"), policy.sub("digest")
    sha256 = digest.sha256("sha256")
    for item in (digest, policy, fields):
        item.end()
    return engine.removeprefix(VERIFIER), name, sha256


def _read_change(fields: Fields) -> Change | None:
    event = fields.text("event")
    if event == "verdict":
        return None
    if event != "verdict_changed":
        raise fields.error("event", f"cannot be {event!r}")
    return Change(fields.take("previous", int), fields.take("cause", int))
