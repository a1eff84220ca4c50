"""What a model was made from, as a tree, and the grants at a glance.

* Parents and datasets that nobody registered are in the tree, and it says so.
* A model that comes a second time is not followed again, and one that is under itself ends its branch. The
  tree says so: nothing is left out silently.
* Whether a grant covers a use is not said here: that is for a clearance.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from ledger.core.artifact import Artifact
from ledger.core.fields import format_time, present
from ledger.core.predicates import Dataset, DatasetV2, Grant, Model, ModelV2
from ledger.core.predicates.model_v2 import ModelKind, Parent
from ledger.core.rights.facts import Facts, KnownGrant
from ledger.errors import UsageError

MAX_DEPTH = 100
"""How deep a tree is followed. No real model has so long a line."""

_DAYS = re.compile(r"([0-9]{1,5})d")


class InForce(StrEnum):
    """Where a grant stands at a moment."""

    YES = "in force"
    NOT_YET = "not begun"
    ENDED = "ended"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class GrantGlance:
    """A grant in its newest version. ``end`` is its last moment: the term's, or an earlier revocation's."""

    grant: Grant
    covers: tuple[Artifact, ...]
    state: InForce
    end: datetime | None
    index: int

    def to_json(self) -> dict[str, Any]:
        """Return the object."""
        return present(
            index=self.index,
            state=self.state.value,
            end=self.end and format_time(self.end),
            covers=[item.to_json() for item in self.covers],
            grant=self.grant.to_json(),
        )


@dataclass(frozen=True, slots=True)
class Branch:
    """A model or a dataset in the tree.

    ``relation`` says what it gave to what stands above it; ``what`` is its kind; ``notes`` say what is not
    known of it, or why it is not followed.
    """

    name: str
    sha256: str
    relation: str | None
    what: str
    licence: str | None = None
    evidence: str | None = None
    standing: str | None = None
    grants: tuple[GrantGlance, ...] = ()
    notes: tuple[str, ...] = ()
    children: tuple[Branch, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the object."""
        return present(
            name=self.name,
            sha256=self.sha256,
            relation=self.relation,
            what=self.what,
            licence=self.licence,
            evidence=self.evidence,
            standing=self.standing,
            grants=[item.to_json() for item in self.grants],
            notes=list(self.notes),
            children=[item.to_json() for item in self.children],
        )


def tree_of(facts: Facts, model: Artifact, moment: datetime) -> Branch:
    """Return what a registered model was made from, as known in ``facts``, with the grants at the moment."""
    return _Trees(facts, moment).model(model.name, model.sha256, None, ())


def grants_of(facts: Facts, moment: datetime, days: int | None = None) -> list[GrantGlance]:
    """Return all grants, oldest entry first; with ``days`` those in force that end within so many days."""
    found = [glance(item, moment) for item in facts.grants]
    if days is None:
        return found
    last = moment + timedelta(days=days)
    ending = [(item.end, item) for item in found if item.state is InForce.YES and item.end]
    return [item for end, item in sorted(ending, key=lambda pair: pair[0]) if end <= last]


def within_days(text: str | None) -> int | None:
    """Return the number of days that ``90d`` means. Raises ``UsageError("registry.day")``."""
    match = _DAYS.fullmatch(text) if text is not None else None
    if text is not None and match is None:
        raise UsageError("registry.day", f"{text!r} is not a number of days such as 90d.")
    return int(match[1]) if match else None


def glance(item: KnownGrant, moment: datetime) -> GrantGlance:
    """Return where a grant stands at a moment."""
    grant, end = item.grant, item.grant.valid_until
    revoked = item.revoked.predicate.effective if item.revoked else None
    if revoked is not None and (end is None or revoked < end):
        end = revoked
    if revoked is not None and revoked <= moment:
        state = InForce.REVOKED
    elif end is not None and end <= moment:
        state = InForce.ENDED
    else:
        state = InForce.YES if grant.valid_from <= moment else InForce.NOT_YET
    return GrantGlance(grant, item.stated.subjects, state, end, item.stated.index)


class _Trees:
    """Draws one tree: each model is followed once."""

    def __init__(self, facts: Facts, moment: datetime) -> None:
        self._facts = facts
        self._moment = moment
        self._followed: set[str] = set()

    def model(self, name: str, sha256: str, relation: str | None, above: tuple[str, ...]) -> Branch:
        """Return the branch of a model; ``above`` are the digests on the way to it."""
        known = self._facts.model(sha256)
        if known is None:
            return Branch(
                name, sha256, relation, "unknown model", notes=("not registered: of unknown origin",)
            )
        model, notes, children = known.predicate, list[str](), tuple[Branch, ...]()
        if sha256 in above:
            notes.append("under itself: the records contradict one another")
        elif sha256 in self._followed:
            notes.append("shown above")
        elif len(above) >= MAX_DEPTH:
            notes.append("not followed further")
        else:
            self._followed.add(sha256)
            children = tuple(self._children(model, (*above, sha256)))
            notes += _unexplained(model)
        return Branch(
            model.name,
            sha256,
            relation,
            model.kind.value if isinstance(model, ModelV2) else "model",
            model.licence.expression if isinstance(model, ModelV2) and model.licence else None,
            model.evidence.value if isinstance(model, ModelV2) else None,
            self._standing(sha256),
            self._grants(sha256),
            tuple(notes),
            children,
        )

    def _children(self, model: Model, above: tuple[str, ...]) -> Iterator[Branch]:
        for parent in model.parents if isinstance(model, ModelV2) else ():
            yield self.model(parent.name, parent.sha256, _relation(parent), above)
        for item in model.training:
            yield self._dataset(item.dataset, item.sha256, f"{item.stage.value} training")

    def _dataset(self, name: str, sha256: str, relation: str) -> Branch:
        known = self._facts.dataset(sha256)
        if known is None:
            return Branch(name, sha256, relation, "unknown dataset", notes=("not registered",))
        dataset: Dataset = known.predicate
        later = dataset if isinstance(dataset, DatasetV2) else None
        inventory = later.inventory if later else None
        notes = (f"{dataset.works:,} works of {dataset.rights_holders:,} rights holders",)
        return Branch(
            dataset.name,
            sha256,
            relation,
            "dataset",
            later.licence.expression if later and later.licence else None,
            later.evidence.value if later else None,
            self._standing(sha256),
            self._grants(sha256),
            notes if inventory else (*notes, "no inventory is committed to"),
        )

    def _standing(self, sha256: str) -> str | None:
        review = self._facts.review(sha256, self._moment)
        return review.predicate.standing.value if review else None

    def _grants(self, sha256: str) -> tuple[GrantGlance, ...]:
        return tuple(glance(item, self._moment) for item in self._facts.grants_about(sha256))


def _relation(parent: Parent) -> str:
    weight = f" × {parent.weight}" if parent.weight is not None else ""
    blocks = f", {len(parent.blocks)} blocks weighted" if parent.blocks else ""
    return f"{parent.role.value}{weight}{blocks}"


def _unexplained(model: Model) -> list[str]:
    if isinstance(model, ModelV2) and model.kind is ModelKind.SERVICE:
        return ["a remote service: nobody outside its vendor can look inside it"]
    if not model.training and not (isinstance(model, ModelV2) and model.parents):
        return ["what it was trained on is not known"]
    return []
