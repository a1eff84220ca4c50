"""People decide in a page, and the registrar's key signs: what they were shown, once, or nothing at all.

* A form has a number, and the size that the log had when it was shown. Sent twice, it decides once: its
  number is in the log, with what was signed.
* Who decides about something that somebody else decided about meanwhile is told, and decides again.
* What is signed must come to exactly what was shown. Between that comparison and the entries nobody can state
  anything else, in this process or another: the log is asked again where only one can write.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ledger.core import canonical
from ledger.core import envelope as dsse
from ledger.core import statement as statements
from ledger.core.artifact import Artifact
from ledger.core.digest import sha256_hex
from ledger.core.predicates import Approval, GrantRevocation, Override, Predicate, Review
from ledger.core.predicates.decided import Agreed, Decided, SignedIn
from ledger.core.rights.facts import FactRecord
from ledger.core.statement import Statement
from ledger.errors import RefusedError, UsageError
from ledger.ports import EntryTransaction
from ledger.service.record import check_pseudonym
from ledger.service.rights.importing import Fact, Outcome, judge
from ledger.service.rights.reading import FACT_TYPES, records_of
from ledger.service.rights.register import Planned, desk_of, state
from ledger.service.rights.registry import Registry, content
from ledger.service.rights.tables import Readers
from ledger.service.studio import Device, Studio

_SHA256 = re.compile(r"[0-9a-f]{64}")
MOST_FACTS = 250
"""New facts of one form: the entry that says who decided names each of them, and has its own limit."""
TRIES = 8
"""How often others may state something between the comparison and the entries, before somebody is told."""


@dataclass(frozen=True, slots=True)
class Form:
    """One sheet: its number, the log's size when it was shown, and the pseudonym of who fills it in.

    ``first`` is whoever proposed it, where two people decide: then ``by`` confirms it.
    """

    number: str
    seen: int
    by: str
    first: Agreed | None = None

    @property
    def people(self) -> tuple[str, ...]:
        """Who decides, in the order in which they agreed."""
        return (self.by,) if self.first is None else (self.first.by, self.by)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a form would state. ``others`` are decisions about the same that came after it was shown."""

    size: int
    outcomes: tuple[Outcome, ...]
    others: tuple[FactRecord, ...]

    @property
    def fresh(self) -> list[Planned]:
        """What would be signed."""
        return [item.planned for item in self.outcomes if item.planned and not item.planned.again]

    @property
    def refused(self) -> int:
        """How many facts cannot be stated."""
        return sum(item.refused is not None for item in self.outcomes)

    @property
    def ready(self) -> bool:
        """Whether there is something to sign, and nothing speaks against it."""
        return bool(self.fresh) and not self.refused and not self.others

    @property
    def digest(self) -> str:
        """The SHA-256 of all that it comes to: what is compared with what somebody was shown."""
        return sha256_hex(canonical.encode([_come_to(item) for item in self.outcomes]))


def plan(
    studio: Studio, readers: Readers, facts: Sequence[Fact], form: Form, scratch: Path, lent: frozenset[str]
) -> Plan:
    """Return what would become of the facts. Signs nothing.

    ``scratch`` is a folder for what is computed on the way, ``lent`` are the only files that facts may name.
    Raises ``UsageError`` with ``decide.too-many``, and ``rights.name`` for somebody who has no pseudonym.
    """
    check_pseudonym(form.by)
    size = studio.entries.head().size  # first: what comes while the facts are read is found again below
    desk = desk_of(studio, readers, folder=scratch, lent=lent, indices=scratch)
    if len(facts) > MOST_FACTS:
        words = f"A form states at most {MOST_FACTS} facts, and these are {len(facts)}."
        raise UsageError("decide.too-many", words, facts=len(facts), limit=MOST_FACTS)
    judged = (_stays_here(item) for item in judge(studio, desk, facts))
    outcomes = tuple(_own_word(item, form.people) for item in judged)
    found = Plan(size, outcomes, ())
    matters = {matter for item in found.fresh for matter in matters_of(_statement(item))}
    others = (record for record in records_of(studio) if record.index >= form.seen and record.by_registrar)
    same = tuple(record for record in others if matters & set(matters_of(record.statement)))
    return Plan(size, outcomes, same)


def sign(
    studio: Studio,
    registrar: Device,
    form: Form,
    planned: Callable[[], Plan],
    expected: str,
    still: Callable[[], None] = lambda: None,
) -> tuple[int, ...]:
    """Sign what a form states, with who decided it; return its entries, durable. Again is fine.

    ``planned`` makes the plan anew; ``expected`` is the digest of the one that was shown. ``still`` is asked
    when nobody else can write to the log any more, and raises where it must not be signed. Raises
    ``RefusedError("decide.changed")`` where it comes to something else, or somebody else decided; what
    ``planned`` and ``still`` raise; and as ``register.state``. Then nothing was signed.
    """
    for _ in range(TRIES):
        before = signed_by(studio, form)
        if before:
            return before
        found = planned()
        if not found.ready or found.digest != expected:
            # The same form, sent twice at once: the other may have been signed while this was planned.
            if again := signed_by(studio, form):
                return again
            break
        try:
            condition = _unmoved(found.size, still)
            done = state(studio, registrar, found.fresh, _who(studio, registrar, form), condition)
            return tuple(item.index for item in done)
        except RefusedError as error:
            if error.code != "decide.changed":
                raise
    raise changed()


def changed() -> RefusedError:
    """Return what somebody is told whose decision was overtaken."""
    return RefusedError("decide.changed", "It is not any more as it was shown: nothing was signed.")


def signed_in(by: str) -> SignedIn:
    """Return how somebody of this name was signed in: the service gives the names (``service.access``)."""
    ways = {"person": SignedIn.PROVIDER, "token": SignedIn.TOKEN}
    return ways.get(by.partition(":")[0], SignedIn.SESSION)


def thing_named(studio: Studio, text: str) -> tuple[str, str]:
    """Return a thing as a form needs it spelt, and what it is called: a link may bring its digest alone."""
    if not _SHA256.fullmatch(text):
        return text, text
    found = Registry(records_of(studio)).find_any(text)
    return (text, found.name) if found else (f"sha256:{text}", text)


def signed_by(studio: Studio, form: Form) -> tuple[int, ...]:
    """Return the entries that this form was signed as; none where it was not."""
    return signed_by_anyone(studio, form.number, form.seen, form.by)


def signed_by_anyone(studio: Studio, number: str, seen: int, by: str | None = None) -> tuple[int, ...]:
    """Return the entries that a form of this number was signed as, since the log had this size."""
    for row in studio.entries.statements(Decided.TYPE, seen):
        stated = studio.statement(row.index)
        found = stated.predicate
        if isinstance(found, Decided) and found.form == number and by in (None, found.by):
            return tuple(range(row.index - len(stated.subjects), row.index))
    return ()


def deciders_of(studio: Studio) -> dict[str, Decided]:
    """Return who decided what was signed in a page, by the SHA-256 of the entry's bytes."""
    found = {}
    for row in studio.entries.statements(Decided.TYPE):
        stated = studio.statement(row.index)
        if isinstance(stated.predicate, Decided):
            found.update(dict.fromkeys((each.sha256 for each in stated.subjects), stated.predicate))
    return found


def matters_of(statement: Statement) -> Iterator[tuple[str, str, str]]:
    """Yield what a decision is about: a kind, which one of it, and a thing. Two of one matter meet."""
    matter = _matter(statement.predicate)
    if matter is not None:
        yield from ((*matter, subject.sha256) for subject in statement.subjects)


def _matter(predicate: Predicate) -> tuple[str, str] | None:
    match predicate:
        case Override():
            return "override", predicate.code.value
        case Approval():
            return "approval", predicate.kind.value
        case Review():
            return "review", ""
        case GrantRevocation():
            return "revocation", predicate.grant_id
    return None


def _statement(planned: Planned) -> Statement:
    return Statement(planned.draft.subjects, planned.draft.predicate)


def _come_to(outcome: Outcome) -> list[Any]:
    """Return what one fact comes to, whenever it is stated."""
    if outcome.planned is None:
        return [outcome.fact.where, "refused", outcome.refused.code if outcome.refused else ""]
    draft = outcome.planned.draft
    said = sha256_hex(content(_statement(outcome.planned)))
    word = "on record" if outcome.planned.again else "new"
    return [outcome.fact.where, word, said, dict(draft.secrets)]


def _stays_here(outcome: Outcome) -> Outcome:
    """Refuse a list of works: its index must stay beside it, and what is sent to a page does not stay."""
    on_record = outcome.planned is not None and outcome.planned.again
    if "inventory" not in outcome.fact.keys or outcome.refused or on_record:
        return outcome
    words = "The index of a list of works is kept beside the list, on the studio's own disk."
    return Outcome(outcome.fact, refused=UsageError("decide.elsewhere", words))


def _own_word(outcome: Outcome, people: Sequence[str]) -> Outcome:
    """Refuse an override in the name of somebody who did not agree here: nobody accepts for others."""
    draft = outcome.planned.draft if outcome.planned and not outcome.planned.again else None
    if (
        draft is None
        or not isinstance(draft.predicate, Override)
        or set(draft.predicate.approvers) <= set(people)
    ):
        return outcome
    words = "It says that somebody accepts it who did not do so here."
    return Outcome(outcome.fact, refused=UsageError("decide.for-others", words))


def _who(studio: Studio, registrar: Device, form: Form) -> Callable[[Sequence[bytes]], list[bytes]]:
    def made(envelopes: Sequence[bytes]) -> list[bytes]:
        subjects = tuple(
            Artifact(f"decided-{number}.dsse.json", sha256_hex(data))
            for number, data in enumerate(envelopes, 1)
        )
        now = studio.clock.now().replace(microsecond=0)
        said = Decided(now, form.by, form.number, signed_in(form.by), form.first)
        return [dsse.sign(statements.encode(Statement(subjects, said)), registrar.signer)]

    return made


def _unmoved(size: int, still: Callable[[], None]) -> Callable[[EntryTransaction], None]:
    """Return the condition that no fact was stated, and no form signed, since the log had this size.

    And then ``still``.
    """

    def check(transaction: EntryTransaction) -> None:
        if transaction.statements((*FACT_TYPES, Decided.TYPE), size):
            raise changed()
        still()

    return check
