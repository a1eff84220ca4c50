"""One side of the answer, put together from what was judged: reasons and levels as sets of bits.

* A basis has some twenty items, and under them hundreds of models, datasets and reasons, which the next basis
  has, too. Each of these is numbered once, and a set of them is an integer: a union costs what one does.
* Files are another matter: a feature imports a hundred thousand plates, each under one shot. What is said of
  them stays with the item (``own``), so that no integer grows with the number of files.
* Reasons that differ only in their moment are one, with the earliest moment.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from ledger.core.artifact import named
from ledger.core.predicates.answer import Answer, Grade, Reason
from ledger.core.predicates.reasons import CONSEQUENCES, Code, Severity, Verdict
from ledger.core.predicates.step import Evidence
from ledger.core.rights.basis import TIMELESS, Item, ItemKind, slot_start
from ledger.core.rights.items import ItemJudge
from ledger.core.rights.profile import Trigger
from ledger.core.rights.side import Found, Side, Thing

LEVELS = len(Grade)
REGISTERED = (ItemKind.MODEL, ItemKind.SERVICE, ItemKind.DATASET)
"""What is under these is of the registry, which many bases share."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What an item adds, as sets of numbers.

    ``used`` are the reasons whose moment is that of the use, ``fixed`` the others. ``levels`` has a bit for
    each grade of each thing: whether the thing has at most this grade. ``own`` and ``grades`` are the reasons
    and the grades of what is not numbered.
    """

    used: int
    fixed: int
    levels: int
    own: tuple[Reason, ...] = ()
    grades: tuple[tuple[str, Grade], ...] = ()


class Tally:
    """Judges items for one side and puts together the answer for any set of them."""

    def __init__(self, side: Side) -> None:
        self._side = side
        self._judge = ItemJudge(side)
        self._things: dict[str, int] = {}
        self._numbers: dict[Reason, int] = {}
        self._reasons: list[Reason] = []
        self._undated: list[tuple[int, datetime | None]] = []
        self._dated: dict[tuple[int, datetime], Reason] = {}
        self._order: list[tuple[object, ...]] = []
        found = Found()
        side.needs_approval(found, self._whole, (Trigger.ALWAYS,))
        self._always = self._numbered(found, None)
        self._below = {grade: self._grade_below(grade) for grade in Grade}

    def judge(self, item: Item) -> Judged:
        """Return what the item adds; the same for each use of an epoch."""
        found = self._judge.judge(item)
        if item.kind not in REGISTERED:
            return Judged(0, 0, 0, tuple(found.reasons), tuple(found.grades.items()))
        moment = slot_start(item.slot) if item.slot != TIMELESS else None
        return self._numbered(found, moment)

    def answer(self, judged: Iterable[tuple[int, Judged]]) -> Answer:
        """Return the answer for items that were judged so, each with the slot of its earliest use."""
        items = sorted(judged, key=lambda pair: pair[0])
        counts = self._counts([item for _, item in items])
        grade = next((grade for grade in Grade if counts[grade]), Grade.L4)
        whole = [self._always, *([self._below[grade]] if any(counts) else [])]
        reasons = self._merged([*items, *((TIMELESS, item) for item in whole)])
        own = [reason for _, item in items for reason in item.own]
        if own:
            reasons = tuple(sorted((*reasons, *_earliest(own)), key=_order))
        worst = max((reason.severity for reason in reasons), default=Severity.NOTED)
        return Answer(Verdict.of(worst), grade, reasons, counts)

    def grades(self, judged: Iterable[Judged]) -> dict[str, Grade]:
        """Return the lowest grade that any item gives to each thing, by the thing's SHA-256."""
        items = list(judged)
        levels = 0
        for item in items:
            levels |= item.levels
        found = {}
        for sha256, number in self._things.items():
            bits = levels >> LEVELS * number & (1 << LEVELS) - 1
            if bits:
                found[sha256] = Grade((bits & -bits).bit_length() - 1)
        for item in items:
            for sha256, grade in item.grades:
                found[sha256] = min(grade, found.get(sha256, grade))
        return found

    def _counts(self, items: list[Judged]) -> tuple[int, int, int, int, int]:
        """Return how many things have each grade: the lowest that any item gives them."""
        levels = 0
        grades: dict[str, Grade] = {}
        for item in items:
            levels |= item.levels
            for sha256, grade in item.grades:
                number = self._things.get(sha256)
                if number is None:
                    grades[sha256] = min(grade, grades.get(sha256, grade))
                else:
                    levels |= _at_most(grade, number)
        each = ((1 << LEVELS * len(self._things)) - 1) // ((1 << LEVELS) - 1)
        most = [(levels >> grade & each).bit_count() for grade in Grade]
        rest = Counter(grades.values())
        return (
            most[0] + rest[Grade.L0],
            most[1] - most[0] + rest[Grade.L1],
            most[2] - most[1] + rest[Grade.L2],
            most[3] - most[2] + rest[Grade.L3],
            most[4] - most[3] + rest[Grade.L4],
        )

    def _merged(self, items: Iterable[tuple[int, Judged]]) -> tuple[Reason, ...]:
        """Return the reasons, worst first, of items that stand in the order of their use."""
        moments: dict[int, datetime | None] = {}
        seen = fixed = 0
        for slot, item in items:
            new = item.used & ~seen
            if new:
                moments.update(dict.fromkeys(_bits(new), slot_start(slot)))
            seen |= item.used
            fixed |= item.fixed
        for number in _bits(fixed):
            undated, at = self._undated[number]
            known = moments.get(undated)
            moments[undated] = min(at, known) if at and known else at or known
        found = sorted(moments.items(), key=lambda pair: self._order[pair[0]])
        return tuple(self._at(*pair) for pair in found)

    def _at(self, number: int, moment: datetime | None) -> Reason:
        if moment is None:
            return self._reasons[number]
        found = self._dated.get((number, moment))
        if found is None:
            found = self._dated[number, moment] = _dated(self._reasons[number], moment)
        return found

    def _numbered(self, found: Found, moment: datetime | None) -> Judged:
        """Return it as numbers. ``moment``: of the use, which other uses of the epoch have another one of."""
        used = fixed = 0
        for reason in found.reasons:
            if reason.at is not None and reason.at == moment:
                used |= 1 << self._number(replace(reason, at=None))
            else:
                fixed |= 1 << self._number(reason)
        levels = 0
        for sha256, grade in found.grades.items():
            levels |= _at_most(grade, self._things.setdefault(sha256, len(self._things)))
        return Judged(used, fixed, levels)

    def _number(self, reason: Reason) -> int:
        known = self._numbers.get(reason)
        if known is not None:
            return known
        undated = self._number(replace(reason, at=None)) if reason.at else len(self._reasons)
        number = self._numbers[reason] = len(self._reasons)
        self._reasons.append(reason)
        self._undated.append((undated, reason.at))
        self._order.append(_order(reason))
        return number

    @property
    def _whole(self) -> Thing:
        """What a reason about the delivery as a whole is about."""
        title = self._side.delivery.title
        # No title has an empty identifier: what is said of one is never said of a delivery without any.
        sha256 = named("title", title or "").sha256
        return Thing(title or "untitled", sha256, (), TIMELESS, Evidence.OBSERVED)

    def _grade_below(self, grade: Grade) -> Judged:
        found, profile = Found(), self._side.profile
        required = profile.grades.get(self._side.delivery.deliverable, Grade.L0)
        if grade < required:
            words = f"{grade.name}, and {profile.name} asks {required.name}"
            self._side.add(found, self._whole, Code.GRADE_BELOW_POLICY, words)
        return self._numbered(found, None)


def _at_most(grade: Grade, number: int) -> int:
    """Return the bits of a thing with this grade."""
    return sum(1 << level for level in range(grade, LEVELS)) << LEVELS * number


def _earliest(reasons: Iterable[Reason]) -> Iterable[Reason]:
    """Return the reasons, those that differ only in their moment as one."""
    found: dict[Reason, Reason] = {}
    for reason in reasons:
        undated = _dated(reason, None) if reason.at else reason
        known = found.get(undated)
        if known is None or (reason.at and known.at and reason.at < known.at):
            found[undated] = reason
    return found.values()


def _bits(numbers: int) -> Iterator[int]:
    while numbers:
        lowest = numbers & -numbers
        yield lowest.bit_length() - 1
        numbers ^= lowest


def _dated(reason: Reason, at: datetime | None) -> Reason:
    # As dataclasses.replace, at a quarter of its price: nothing is done as often.
    return Reason(
        reason.code,
        reason.severity,
        reason.name,
        reason.sha256,
        reason.path,
        reason.detail,
        reason.use,
        at,
        reason.known_since,
        reason.grants,
        reason.evidence,
        reason.override,
    )


def _order(reason: Reason) -> tuple[object, ...]:
    rest = (reason.path, reason.detail, reason.use, reason.known_since, reason.grants, reason.evidence)
    follows = reason.code in CONSEQUENCES
    return (-reason.severity, follows, reason.code, reason.name, reason.sha256, str(rest))
