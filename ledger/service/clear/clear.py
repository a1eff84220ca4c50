"""Clear files: the policy's answer for each distinct basis, and what that comes to for each target.

* Files with the same basis have the same answer, so it is computed once for all of them.
* A file that the log does not know is *undecided*: neither its rights nor a forgery are shown by that.
* Every reason stands once, with the number of files that it touches.
* The answer for the whole is the one for everything under all of it together: the worst verdict, the lowest
  grade, each dependency counted once.
* The verdict that counts for a delivery is the one *now*. The one at the time of use says what changed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from ledger.core.predicates.answer import Answer, Grade, Reason
from ledger.core.predicates.reasons import CONSEQUENCES, Severity, Verdict
from ledger.core.predicates.step import Evidence
from ledger.core.rights.basis import Item, ItemKind
from ledger.core.rights.clearance import Clearance
from ledger.core.rights.profile import Principle, answers
from ledger.service.clear.question import Clearer, Question
from ledger.service.clear.recorded import File, Target, Unknown

EXIT_CODES = {Verdict.CLEARED: 0, Verdict.NEEDS_REVIEW: 3, Verdict.BLOCKED: 4}
"""What a script sees (docs/rights/verdicts.md): a person has to decide, or the policy forbids it."""
SAYS = (
    "Cleared means that this policy found a grant for every recorded use, or only notes that it found none. "
    "It says nothing of what nobody recorded, nor whether a picture resembles somebody else's work: it is "
    "evidence, not a legal opinion."
)


@dataclass(frozen=True, slots=True)
class Group:
    """Files that rest on the same basis, and the one answer for them."""

    basis: frozenset[Item]
    clearance: Clearance
    files: tuple[File, ...]


@dataclass(frozen=True, slots=True)
class Touching:
    """A reason, without its moment, and how many files it touches: at the time of use, and now."""

    reason: Reason
    then: int
    now: int


@dataclass(frozen=True, slots=True)
class Coverage:
    """How the files are evidenced. ``complete``: every step under the file was observed, and none is missing.

    ``declared`` and ``inferred`` count steps, ``gaps`` files that no record explains.
    """

    files: int
    complete: int
    declared: int
    inferred: int
    gaps: int

    def to_json(self) -> dict[str, int]:
        """Return the object."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True)
class Cleared:
    """The answer for some targets. ``whole`` is the one for everything under all of them together."""

    clearer: Clearer
    targets: tuple[Target, ...]
    groups: tuple[Group, ...]
    whole: Clearance

    @property
    def question(self) -> Question:
        """Return what was asked."""
        return self.clearer.question

    @cached_property
    def by_file(self) -> Mapping[str, Clearance]:
        """Return the answer for each file, by its digest."""
        return {file.sha256: group.clearance for group in self.groups for file in group.files}

    @property
    def unknown(self) -> tuple[Unknown, ...]:
        """Return the files that the log does not know."""
        return tuple({file.sha256: file for target in self.targets for file in target.unknown}.values())

    @property
    def absent(self) -> int:
        """Return how many frames were asked for by number and are not on record."""
        return sum(target.absent for target in self.targets)

    @property
    def exit_code(self) -> int:
        """Return the code of the verdict now; what was asked for and is not on record needs a person."""
        undecided = EXIT_CODES[Verdict.NEEDS_REVIEW] if self.unknown or self.absent else 0
        return max(EXIT_CODES[self.whole.now.verdict], undecided)

    @cached_property
    def reasons(self) -> tuple[Touching, ...]:
        """Return every reason once: what counts now first, the worst first, then what touches most files."""
        then, now = Counter[Reason](), Counter[Reason]()
        for group in self.groups:
            for counted, answer in ((then, group.clearance.then), (now, group.clearance.now)):
                for reason in dict.fromkeys(map(timeless, answer.reasons)):
                    counted[reason] += len(group.files)
        shown = {
            timeless(reason): reason for side in (self.whole.now, self.whole.then) for reason in side.reasons
        }
        found = [Touching(shown.get(key, key), then[key], now[key]) for key in dict.fromkeys((*now, *then))]
        return tuple(sorted(found, key=_order))

    @cached_property
    def lowest(self) -> tuple[str, ...]:
        """Return the names of the things with the lowest grade, which is the grade of the whole."""
        facts = self.clearer.facts
        everything = frozenset[Item]().union(*(group.basis for group in self.groups))
        names = {item.sha256: item.name for item in everything}
        known = (facts.models, facts.datasets)
        names |= {sha256: stated.predicate.name for things in known for sha256, stated in things.items()}
        return tuple(sorted(names.get(sha256, sha256) for sha256 in self.clearer.engine.lowest(everything)))

    @property
    def changed(self) -> tuple[Touching, ...]:
        """Return what speaks against files now and did not at the time of use."""
        return tuple(
            item
            for item in self.reasons
            if item.reason.severity is not Severity.NOTED and item.now > item.then
        )

    @property
    def learned(self) -> tuple[Touching, ...]:
        """Return what the studio came to know only after the moment that is judged by it."""
        return tuple(
            item
            for item in self.reasons
            if item.reason.severity is not Severity.NOTED
            and item.reason.at is not None
            and item.reason.known_since is not None
            and item.reason.known_since > item.reason.at
        )

    @cached_property
    def coverage(self) -> Coverage:
        """Return how the files are evidenced."""
        return coverage_of({group.basis: len(group.files) for group in self.groups}, len(self.unknown))

    @property
    def incomplete(self) -> bool:
        """Whether a file was asked for that no record explains, or that no record has."""
        return bool(self.unknown) or any(target.absent for target in self.targets)

    def _verdict(self, answer: Answer) -> str | None:
        """Return the verdict on the whole: none where all that is known is cleared, and not all is known."""
        return None if self.incomplete and answer.verdict is Verdict.CLEARED else answer.verdict.value

    @property
    def principles(self) -> tuple[tuple[Principle, bool], ...]:
        """Return the profile's principles, and whether each holds for all of it now.

        Empty when there is a file that no record explains: nobody can say.
        """
        return () if self.unknown or not self.groups else answers(self.question.profile, self.whole.now)

    def to_json(self) -> dict[str, Any]:
        """Return the document."""
        coverage = self.coverage
        return {
            **self.question.to_json(),
            "tree": {"size": self.clearer.size, "root": self.clearer.root},
            "verdict": _pair(self.whole, self._verdict),
            "grade": _pair(self.whole, lambda answer: None if self.incomplete else answer.grade.name),
            "dependencyLevels": _pair(self.whole, levels),
            "targets": [self._target(target) for target in self.targets],
            "unknown": [{"name": file.name, "sha256": file.sha256} for file in self.unknown],
            "bases": len(self.groups),
            "reasons": [_touching(item) for item in self.reasons],
            "changed": [_touching(item) for item in self.changed],
            "learned": [_touching(item) for item in self.learned],
            "coverage": coverage.to_json(),
            "principles": [
                {"id": principle.id, "text": principle.text, "holds": holds}
                for principle, holds in self.principles
            ],
            "lowest": list(self.lowest),
            "says": SAYS,
        }

    def of(self, target: Target) -> tuple[Clearance, ...]:
        """Return the answers for a target's files, in their order."""
        return tuple(self.by_file[file.sha256] for file in target.files)

    def _target(self, target: Target) -> dict[str, Any]:
        found = self.of(target)
        return {
            "target": target.text,
            "kind": target.kind.value,
            "files": len(target.files),
            "unknown": len(target.unknown),
            "absent": target.absent,
            "byName": target.by_name,
            "byPixels": any(file.pixels for file in target.files),
            "verdict": {
                "then": worst(item.then for item in found),
                "now": worst(item.now for item in found),
            },
            "grade": min((item.now.grade for item in found), default=Grade.L0).name,
            "counts": {
                "then": tally(item.then for item in found),
                "now": tally(item.now for item in found),
            },
        }


def clear(clearer: Clearer, targets: Sequence[Target]) -> Cleared:
    """Return the answer for these targets."""
    files = {file.sha256: file for target in targets for file in target.files}
    by_basis: dict[frozenset[Item], list[File]] = {}
    for file in files.values():
        by_basis.setdefault(file.basis, []).append(file)
    groups = [Group(basis, clearer.engine.clear(basis), tuple(held)) for basis, held in by_basis.items()]
    everything = frozenset[Item]().union(*(group.basis for group in groups))
    whole = clearer.engine.clear(everything)
    return Cleared(clearer, tuple(targets), tuple(groups), whole)


def coverage_of(bases: Mapping[frozenset[Item], int], unknown: int = 0) -> Coverage:
    """Return how files are evidenced, given how many rest on each basis, and how many are unknown."""
    items = frozenset[Item]().union(*bases)
    weak = {item for item in items if item.kind is ItemKind.WEAK}
    declared = sum(item.evidence is Evidence.DECLARED for item in weak)
    gaps = {item.sha256 for item in items if item.kind is ItemKind.GAP}
    incomplete = (ItemKind.WEAK, ItemKind.GAP, ItemKind.INVALID, ItemKind.FORK, ItemKind.CYCLE)
    complete = sum(
        files for basis, files in bases.items() if not any(item.kind in incomplete for item in basis)
    )
    return Coverage(sum(bases.values()) + unknown, complete, declared, len(weak) - declared, len(gaps))


def timeless(reason: Reason) -> Reason:
    """Return the reason without its moment: what two answers can be compared by."""
    return replace(reason, at=None)


def worst(answered: Iterable[Answer]) -> Verdict | None:
    """Return the worst verdict; ``None`` where there is none."""
    return max((item.verdict for item in answered), key=lambda verdict: EXIT_CODES[verdict], default=None)


def tally(answered: Iterable[Answer]) -> dict[str, Any]:
    """Return how many files have each verdict and each grade."""
    verdicts, grades = Counter[Verdict](), Counter[Grade]()
    for answer in answered:
        verdicts[answer.verdict] += 1
        grades[answer.grade] += 1
    return {
        "verdicts": {verdict.value: verdicts[verdict] for verdict in Verdict},
        "grades": {grade.name: grades[grade] for grade in Grade if grades[grade]},
    }


def levels(answer: Answer) -> dict[str, int]:
    """Return how many dependencies have each grade, those that there are."""
    return {f"L{level}": count for level, count in enumerate(answer.levels) if count}


def _pair(clearance: Clearance, of: Any) -> dict[str, Any]:
    return {"then": of(clearance.then), "now": of(clearance.now)}


def _touching(item: Touching) -> dict[str, Any]:
    reason = item.reason
    return {
        **reason.to_json(),
        "meaning": reason.meaning,
        "mend": reason.mend,
        "files": {"then": item.then, "now": item.now},
    }


def _order(item: Touching) -> tuple[object, ...]:
    reason = item.reason
    return (
        not item.now,
        -reason.severity,
        reason.code in CONSEQUENCES,
        -item.now,
        -item.then,
        reason.code,
        reason.path,
        str(reason.detail),
    )
