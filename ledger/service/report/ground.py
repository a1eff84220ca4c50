"""What the tables of things stand on: the things under the files, how many files rest on each, who decided.

A file rests on a model if a step under it used the model, or one that was made from it; on a dataset, if one
of these models was trained on it. Files are counted once each, by the groups of the clearance.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from ledger.core.artifact import named
from ledger.core.predicates import Approval
from ledger.core.predicates.answer import Grade
from ledger.core.predicates.approval import Decision
from ledger.core.rights.basis import Item, ItemKind
from ledger.core.rights.facts import Facts, Known, KnownGrant
from ledger.core.rights.materials import Materials, beneath, materials
from ledger.core.rights.side import in_force
from ledger.service.clear.clear import Cleared
from ledger.service.report.uses import MODELS, Used
from ledger.service.studio import Studio

_THINGS = (
    *MODELS,
    ItemKind.DATASET,
    ItemKind.REFERENCE,
    ItemKind.IMPORT,
    ItemKind.GAP,
    ItemKind.PERSON,
)


@dataclass(frozen=True)
class Ground:
    """A clearance, and what the steps under its files used."""

    studio: Studio
    cleared: Cleared
    used: Used

    @property
    def facts(self) -> Facts:
        """Return the registry."""
        return self.cleared.clearer.facts

    @property
    def at(self) -> datetime:
        """Return the moment that *now* means."""
        return self.cleared.question.at

    @cached_property
    def items(self) -> frozenset[Item]:
        """Return all that is under the files."""
        return frozenset[Item]().union(*(group.basis for group in self.cleared.groups))

    @cached_property
    def materials(self) -> Materials:
        """Return the bill of materials of all files together."""
        return materials(self.facts, self.items)

    @cached_property
    def grades(self) -> dict[str, Grade]:
        """Return the grade now of each thing under the files, by its SHA-256."""
        return self.cleared.clearer.engine.grades(self.items)

    @cached_property
    def things(self) -> tuple[frozenset[str], ...]:
        """Return the SHA-256 of the things under each group of the clearance, in the order of the groups."""
        known: dict[str, frozenset[str]] = {}
        found = []
        for group in self.cleared.groups:
            direct = {item.sha256 for item in group.basis if item.kind in _THINGS}
            for sha256 in direct - known.keys():
                known[sha256] = beneath(self.facts, sha256)
            found.append(frozenset[str]().union(*(known[sha256] for sha256 in direct)))
        return tuple(found)

    @cached_property
    def files(self) -> Counter[str]:
        """Return how many files rest on each thing, by its SHA-256."""
        counted: Counter[str] = Counter()
        for group, things in zip(self.cleared.groups, self.things, strict=True):
            counted.update(dict.fromkeys(things, len(group.files)))
        return counted

    @cached_property
    def files_by_plan(self) -> Counter[tuple[str, str]]:
        """Return how many files rest on each remote service under each plan, by its SHA-256 and the plan."""
        counted: Counter[tuple[str, str]] = Counter()
        for group in self.cleared.groups:
            plans = {(item.sha256, item.detail) for item in group.basis if item.kind in MODELS}
            counted.update(dict.fromkeys(plans, len(group.files)))
        return counted

    @cached_property
    def everything(self) -> frozenset[str]:
        """Return the SHA-256 of all that a fact about these files may be about, and of the title."""
        title = self.cleared.question.delivery.title
        return frozenset[str]().union(
            *self.things,
            self.cleared.by_file,
            (item.sha256 for item in self.items),
            (named("title", title).sha256,) if title is not None else (),
        )

    def standing(self, sha256: str) -> str | None:
        """Return what the newest review says of a thing now, if there is one."""
        review = self.facts.review(sha256, self.at)
        return review.predicate.standing.value if review else None

    def grade(self, sha256: str) -> str | None:
        """Return the lowest grade that anything about a thing has now."""
        grade = self.grades.get(sha256)
        return None if grade is None else grade.name

    def grants(self, sha256: str) -> tuple[str, ...]:
        """Return the identifiers of the grants about a thing."""
        return tuple(dict.fromkeys(item.grant.grant_id for item in self.facts.grants_about(sha256)))

    def approvals(self, about: Iterable[str]) -> Iterator[Known[Approval]]:
        """Yield the approvals of these things that stand now for this title."""
        title = self.cleared.question.delivery.title
        for sha256 in about:
            newest: dict[tuple[str, str], Known[Approval]] = {}
            for item in self.facts.approvals(sha256):
                said = item.predicate
                fits = not said.titles or title in said.titles
                if fits and in_force(said.valid_from, said.valid_until, self.at):
                    newest[said.kind, said.by] = item
            yield from (item for item in newest.values() if item.predicate.decision is Decision.APPROVED)

    def approved(self, *about: str) -> tuple[str, ...]:
        """Return who approved one of these things, and of what kind the approval is."""
        stand = self.approvals(about)
        return tuple(sorted({f"{item.predicate.by} ({item.predicate.kind.value})" for item in stand}))

    def stated_about(self, sha256: str) -> set[int]:
        """Return the entries with grants of a thing, their ends, and decisions about it."""
        found = {item.index for item in self.facts.reviews(sha256)}
        found |= {item.index for item in self.facts.approvals(sha256)}
        found |= {item.index for item in self.facts.overrides(sha256)}
        for grant in self.facts.grants_about(sha256):
            found |= set(entries_of(grant))
        return found


def entries_of(grant: KnownGrant) -> tuple[int, ...]:
    """Return where a grant is stated, and its revocation."""
    ends = (grant.revoked.index,) if grant.revoked else ()
    return tuple(sorted((grant.stated.index, *ends)))


def ascending(*some: Collection[int]) -> tuple[int, ...]:
    """Return the entries of all of these, each once."""
    return tuple(sorted(set[int]().union(*some)))
