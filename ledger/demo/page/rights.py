"""What was asked about rights, as the page shows it: the verdicts, the raw materials, what is refused.

* Every fact comes from the answers themselves; the names of rights holders come from the story, which shows
  only what the studio chose to show.
* A contract's days are the contract's own: in its time zone, the last day included.
* A thing that is under a file in several ways is told once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

from ledger.core.predicates.answer import Grade, Reason
from ledger.core.predicates.delivery import Deliverable
from ledger.core.predicates.grant_v2 import GrantV2, LegalBasis
from ledger.core.predicates.reasons import Severity, Verdict
from ledger.core.predicates.scope import Scope
from ledger.core.rights.facts import Facts, KnownGrant
from ledger.core.rights.inventory_proof import Shown
from ledger.core.rights.profile import Principle
from ledger.demo.page import words
from ledger.demo.page.story import Node, Story, StoryFile, StoryGrant, StoryThing
from ledger.render.words import USES, counted, day, listed
from ledger.service.clear.clear import SAYS, Cleared
from ledger.service.clear.impact import WhatIf
from ledger.service.clear.why import Why

Pill = tuple[str, str, str]
"""A class, a mark, a word."""

PILLS: Mapping[Verdict, Pill] = {
    Verdict.CLEARED: ("passed", "✓", "Cleared"),
    Verdict.NEEDS_REVIEW: ("open", "–", "Needs review"),
    Verdict.BLOCKED: ("failed", "✕", "Blocked"),
}
GRADES = {
    Grade.L0: ("Unknown origin", "Nothing is on record that could be relied on."),
    Grade.L1: ("Recorded", "Tool, model and maker are signed."),
    Grade.L2: ("Documented", "The licence or the terms that were in force are on record."),
    Grade.L3: (
        "Licensed",
        "A grant covers every dataset: its stage of training, use, title, place and term.",
    ),
    Grade.L4: (
        "Authorised and inventoried",
        "A grant covers everything; each list of works was committed before an attested training.",
    ),
}
"""For each grade its name, and what it takes."""
BASES = {
    LegalBasis.LICENCE: "a licence",
    LegalBasis.STATUTORY_EXCEPTION: "a statutory exception",
    LegalBasis.PUBLIC_DOMAIN: "the public domain",
    LegalBasis.OWN_WORK: "the studio's own work",
    LegalBasis.WORK_FOR_HIRE: "work made for hire",
    LegalBasis.VENDOR_TERMS: "the vendor's terms",
    LegalBasis.UNKNOWN: "no basis that anybody has named",
}
DELIVERABLES = {
    Deliverable.FINAL: "as finished work",
    Deliverable.TEMP: "for tests and previews",
    Deliverable.MARKETING: "in advertising",
    Deliverable.MERCH: "on merchandise",
}
WORLD = "001"


@dataclass(frozen=True, slots=True)
class OnRecord:
    """An answer, and the entries that record it."""

    cleared: Cleared
    entries: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Inquiry:
    """A picture that somebody asked about, and what the proof at ``path`` shows of it."""

    work: str
    picture: Path
    path: str
    size_bytes: int
    shown: Shown

    @property
    def answer(self) -> str:
        """Return the answer in words."""
        size = self.shown.proof.commitment.size
        if self.shown.index is not None:
            return f"Yes: it is number {self.shown.index + 1:,} of the {counted(size, 'work')}."
        return f"No: the list commits to {counted(size, 'work')}, and this is not one of them."


@dataclass(frozen=True, slots=True)
class Rights:
    """All that was asked: the delivery under each policy, what is refused, a revocation, rights holders.

    ``refused_path`` is relative to the story.
    """

    delivered: tuple[OnRecord, ...]
    refused: Why
    refused_path: str
    supposed: WhatIf
    inquiries: tuple[Inquiry, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the document."""
        return {
            "delivered": [
                {**item.cleared.to_json(), "entries": list(item.entries)} for item in self.delivered
            ],
            "refused": {"path": self.refused_path, **self.refused.to_json()},
            "ifRevoked": self.supposed.to_json(),
            "inquiries": [
                {
                    "work": item.work,
                    "sha256": item.shown.proof.key.hex(),
                    "kind": item.shown.proof.kind.value,
                    "proof": item.path,
                }
                for item in self.inquiries
            ],
        }


@dataclass(frozen=True, slots=True)
class Branch:
    """One thing under a file: what it is, what is known of it, and what is under it."""

    kind: str
    name: str
    facts: tuple[str, ...]
    under: tuple[Branch, ...] = ()


@dataclass(frozen=True, slots=True)
class _Policy:
    """One row of the table of policies."""

    name: str
    summary: str
    delivery: str
    then: Pill
    now: Pill
    grade: str
    entry: str


@dataclass(frozen=True, slots=True)
class _Problem:
    """Why something is refused: the reasons with one code."""

    code: str
    pill: Pill
    meaning: str
    about: tuple[str, ...]
    mend: str


class RightsView:
    """What the page's section on rights shows; see ``templates/rights.html.j2``."""

    says = SAYS

    def __init__(self, rights: Rights, story: Story, hero: StoryFile) -> None:
        first = rights.delivered[0].cleared
        self._audit, self._facts = story, first.clearer.facts
        self.rights = rights
        self.whole = first.whole.now
        self.policies = tuple(self._policy(item) for item in rights.delivered)
        self.grade = (self.whole.grade.name, *GRADES[self.whole.grade])
        self.principles: Sequence[tuple[Principle, bool]] = first.principles
        self.tree = _Tree(story, self._facts).of(hero.node)
        self.refused_pill = PILLS[rights.refused.cleared.whole.now.verdict]
        self.refused_grade = rights.refused.cleared.whole.now.grade.name
        self.refused_sha256 = rights.refused.file.sha256
        self.problems = _problems(rights.refused.cleared.whole.now.reasons)

    def granted(self, grant: StoryGrant) -> str:
        """Return what a grant permits, in its own days where it has some."""
        return _granted(self._facts, grant)

    def supposed(self) -> str:
        """Return what a revocation would do."""
        found = self.rights.supposed
        names = listed(list(found.grants))
        moved = {after for before, after in found.moves if before is not after}
        become = listed([PILLS[verdict][2].lower() for verdict in Verdict if verdict in moved])
        total = sum(found.moves.values())
        return (
            f"Suppose {names} were revoked with effect from {day(found.effective)}. "
            f"Then {found.changed:,} of the {counted(total, 'final file')} that rest on it would be "
            f"{become}. The log knows which ones, and why, before anybody signs anything."
        )

    def _policy(self, item: OnRecord) -> _Policy:
        question, whole = item.cleared.question, item.cleared.whole
        delivery = question.delivery
        title = f" of “{_titles(self._facts, (delivery.title,))}”" if delivery.title else ""
        media = listed([medium.value for medium in delivery.media])
        return _Policy(
            question.profile.name,
            question.profile.summary,
            f"{counted(len(item.cleared.by_file), 'file')}{title}, {DELIVERABLES[delivery.deliverable]}; "
            f"{media}; {_where(Scope(territories=delivery.territories))}",
            PILLS[whole.then.verdict],
            PILLS[whole.now.verdict],
            whole.now.grade.name,
            listed([f"{index}" for index in item.entries]),
        )


class _Tree:
    """The family tree of a file, down to the rights holders of the works that its models learnt from."""

    def __init__(self, story: Story, facts: Facts) -> None:
        self._audit, self._facts = story, facts
        self._nodes = {node.sha256: node for node in story.nodes}
        self._things = {thing.sha256: thing for thing in story.things}
        self._told: set[str] = set()

    def of(self, sha256: str) -> Branch:
        """Return the tree under a file, a model or a dataset."""
        node, thing = self._nodes[sha256], self._things.get(sha256)
        if sha256 in self._told:
            return Branch(node.kind, node.name, ("as above",))
        self._told.add(sha256)
        if thing is not None:
            return self._thing(thing)
        under = tuple(self.of(parent) for parent in self._parents(sha256))
        return Branch(node.task or "file", node.name, _made(node, alone=not under), under)

    def _parents(self, sha256: str) -> Sequence[str]:
        return [link.parent for link in self._audit.links if link.child == sha256]

    def _thing(self, thing: StoryThing) -> Branch:
        facts = self._trained(thing) if thing.kind == "model" else self._committed(thing)
        grants = [grant for grant in self._audit.grants if thing.sha256 in grant.covers]
        facts += [_granted(self._facts, grant) for grant in grants] or ["No grant is on record."]
        under = [self.of(parent) for parent in self._parents(thing.sha256)]
        under += [
            Branch("rights holder", name, (f"{counted(count, 'work')} on that list.",))
            for name, count in sorted(thing.holders.items())
        ]
        return Branch(thing.kind, f"{thing.name}, version {thing.version}", tuple(facts), tuple(under))

    def _trained(self, thing: StoryThing) -> list[str]:
        stages = listed([f"{item.stage} training" for item in thing.training])
        said = [f"Learnt by {stages}."] if stages else ["What it was trained on is not known."]
        runs = self._facts.runs(thing.sha256)
        if runs:
            run = runs[0]
            said.append(
                f"Whoever trained it attested the run: {_moment(run.predicate.started)} to "
                f"{run.predicate.finished:%H:%M:%S} UTC (entry {run.index})."
            )
        return said

    def _committed(self, thing: StoryThing) -> list[str]:
        committed = self._facts.committed(thing.sha256)
        if committed is None:
            return ["It commits to no list of works."]
        return [f"Its list of {counted(thing.works or 0, 'work')} was committed in entry {committed.index}."]


def _made(node: Node, *, alone: bool) -> tuple[str, ...]:
    if node.kind == "unknown":
        return ("No record says how this came to be.",)
    how = words.ACTIONS.get(node.action or "", "Made")
    evidence = words.EVIDENCE.get(node.evidence or "", "Not known how").lower()
    rest = " Its record names no model and no other file." if alone else ""
    return (f"{how} with {node.tool}; {evidence} (entry {node.index}).{rest}",)


def _granted(facts: Facts, grant: StoryGrant) -> str:
    terms = next((known.terms for known in facts.grants_named(grant.grant_id) if _is(known, grant)), None)
    if terms is None:
        return words.grant(grant)
    by = f" by {grant.shown['licensor']}" if "licensor" in grant.shown else ""
    uses = listed([USES.get(use, use) for use in grant.uses])
    for_ = f" for “{_titles(facts, terms.scope.titles)}”," if terms.scope.titles else ""
    return (
        f"Grant {grant.grant_id}{by}, {BASES[terms.legal_basis]}, permits {uses};{for_} "
        f"{_where(terms.scope)}; {_term(terms)}."
    )


def _is(known: KnownGrant, grant: StoryGrant) -> bool:
    return known.stated.index == grant.index


def _term(grant: GrantV2) -> str:
    if grant.term is None:
        until = f"to {_moment(grant.valid_until)} UTC" if grant.valid_until else "without end"
        return f"from {_moment(grant.valid_from)} UTC {until}"
    last = f"to {_day(grant.term.end - timedelta(days=1))}" if grant.term.end else "without end"
    return f"from {_day(grant.term.first)} {last} (days in {grant.term.zone})"


def _where(scope: Scope) -> str:
    world = scope.territories in ((), (WORLD,))
    where = "worldwide" if world else f"in {listed(list(scope.territories))}"
    return f"{where} except {listed(list(scope.except_territories))}" if scope.except_territories else where


def _titles(facts: Facts, title_ids: Sequence[str]) -> str:
    stated = facts.titles
    return listed([stated[item].predicate.name if item in stated else item for item in title_ids])


def _problems(reasons: Sequence[Reason]) -> tuple[_Problem, ...]:
    """Return what speaks against it, the reasons with one code together: the worst first, the whole last."""
    loud = sorted(
        (reason for reason in reasons if reason.severity is not Severity.NOTED),
        key=lambda reason: (-reason.severity, not reason.path, reason.code),
    )
    found = []
    for code, group in groupby(loud, key=lambda reason: reason.code):
        held = list(group)
        pill = PILLS[Verdict.of(held[0].severity)]
        about = tuple(dict.fromkeys(map(_about, held)))
        found.append(_Problem(code.value, pill, held[0].meaning, about, held[0].mend))
    return tuple(found)


def _about(reason: Reason) -> str:
    use = f", for {USES.get(reason.use.value, reason.use.value)}" if reason.use else ""
    thing = reason.path[-1] if reason.path else f"the delivery of {reason.name}"
    detail = f": {reason.detail}" if reason.detail else ""
    return f"{thing}{use}{detail}"


def _day(moment: date) -> str:
    return f"{moment.day} {moment:%B %Y}"


def _moment(moment: datetime) -> str:
    return f"{day(moment)}, {moment:%H:%M:%S}"
