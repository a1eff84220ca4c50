"""Look again at the verdicts on record: what a newer fact, a newer record or a passed day has changed.

* Only what could be another answer is judged anew: bases that a newer fact or a passed term touches, and
  files that now rest on something else. The others keep their verdict, and nothing is appended for them.
* A verdict for a day to come is looked at for that day; every other one for the present moment.
* Doing it twice appends nothing the second time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ledger.core.rights import basis as bases
from ledger.core.rights.basis import Item
from ledger.core.rights.clearance import VERSION
from ledger.core.rights.facts import FactRecord, Facts
from ledger.core.rights.profile import Profile
from ledger.service.clear.clear import Group
from ledger.service.clear.projecting import basis_of_file
from ledger.service.clear.question import Clearer, Question, Seen, clearer_over, see
from ledger.service.clear.recorded import File, files_of
from ledger.service.clear.store import Where
from ledger.service.clear.touched import Touched, newer, passed, touched_by
from ledger.service.clear.verdicts import History, Plan, Recorded, plan, policy
from ledger.service.rights.reading import records_of
from ledger.service.studio import Studio


@dataclass(frozen=True, slots=True)
class Rechecked:
    """The verdicts of one policy and delivery. ``bases`` are distinct ones, ``judged`` those judged anew."""

    profile: Profile
    question: Question
    files: int
    bases: int
    judged: int
    plan: Plan


def recheck(studio: Studio, policy_name: str | None = None) -> tuple[Rechecked, ...]:
    """Return what has changed of the verdicts on record, under one policy or all; appends nothing.

    Raises ``UsageError("profile.unknown")`` for a verdict whose policy the log does not hold, and the errors
    of reading the log.
    """
    history, seen = History(studio), see(studio)
    found = []
    for asked in history.asked():
        newest = history.of(asked)
        profile = policy(studio, asked[0])
        if policy_name in (None, profile.name):
            found += [
                _again(studio, seen, history, Question(profile, asked[1], at), held)
                for at, held in _by_moment(studio, newest)
            ]
    return tuple(found)


def _by_moment(
    studio: Studio, newest: Mapping[str, Recorded]
) -> Iterator[tuple[datetime, dict[str, Recorded]]]:
    now, found = studio.clock.now(), defaultdict[datetime, dict[str, Recorded]](dict)
    for sha256, recorded in newest.items():
        found[max(now, recorded.verdict.valid_at)][sha256] = recorded
    return iter(found.items())


def _again(
    studio: Studio, seen: Seen, history: History, question: Question, newest: Mapping[str, Recorded]
) -> Rechecked:
    clearer = clearer_over(seen, question)
    by_basis = _files_by_basis(studio, newest)
    suspects = _Suspects(records_of(studio), clearer)
    groups = []
    for basis, files in by_basis.items():
        digest = bases.digest(basis)
        left = tuple(file for file in files if suspects.may_differ(newest[file.sha256], digest, basis))
        if left:
            groups.append(Group(basis, clearer.engine.clear(basis), left))
    planned = plan(studio, clearer, groups, history)
    return Rechecked(question.profile, question, len(newest), len(by_basis), len(groups), planned)


def _files_by_basis(studio: Studio, newest: Mapping[str, Recorded]) -> dict[frozenset[Item], list[File]]:
    """Return the files by what they rest on now."""
    names = {
        subject.sha256: subject.name
        for recorded in {item.index: item for item in newest.values()}.values()
        for subject in recorded.subjects
    }
    found: dict[frozenset[Item], list[File]] = defaultdict(list)
    # Mostly they are final files, which the store gives all at once.
    finals = {file.sha256: file.basis for file in files_of(studio, studio.bases.finals_at(Where()))}
    for sha256 in newest:
        basis = finals[sha256] if sha256 in finals else basis_of_file(studio, sha256)
        if basis is not None:
            found[basis].append(File(names[sha256], sha256, basis))
    return found


class _Suspects:
    """Says of a verdict whether it may be another one by now."""

    def __init__(self, records: Sequence[FactRecord], clearer: Clearer) -> None:
        self._records = records
        self._clearer = clearer
        self._touched: dict[tuple[int, datetime], Touched] = {}
        self._held: dict[tuple[int, datetime], dict[Item, bool]] = defaultdict(dict)

    def may_differ(self, recorded: Recorded, digest: str, basis: Collection[Item]) -> bool:
        """Whether the verdict may differ from the answer for this basis."""
        verdict = recorded.verdict
        if verdict.basis != digest or verdict.engine != VERSION or verdict.size > self._clearer.size:
            return True
        key = (verdict.size, verdict.valid_at)
        touched = self._since(key)
        known, facts = self._held[key], self._clearer.facts
        return any(_holds(touched, item, facts, known) for item in basis) or touched.everything

    def _since(self, key: tuple[int, datetime]) -> Touched:
        if key not in self._touched:
            size, moment = key
            question = self._clearer.question
            indices = newer(self._records, size) | {
                boundary.index for boundary in passed(self._records, moment, question.at)
            }
            self._touched[key] = touched_by(
                self._records, indices, self._clearer.facts, question.delivery.title
            )
        return self._touched[key]


def _holds(touched: Touched, item: Item, facts: Facts, known: dict[Item, bool]) -> bool:
    if item not in known:
        known[item] = touched.holds(item, facts)
    return known[item]
