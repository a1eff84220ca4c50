"""The tables of people: whose likeness or voice went in, who consented, and who decided about what.

``before`` is yes where a consent that reaches this delivery held at the first use, and was on record by then.
It is no where none held. A consent that says so and was recorded only later leaves it open: nobody can tell.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from ledger.core.artifact import named
from ledger.core.audit import Row, Table
from ledger.core.audit.tables_of_things import PEOPLE, REVIEWS
from ledger.core.fields import format_time, parse_time
from ledger.core.predicates import Approval, Consent, Finding, Override, Review
from ledger.core.predicates.finding import FindingKind, FindingState
from ledger.core.rights.basis import ItemKind
from ledger.core.rights.facts import Known
from ledger.core.rights.side import Side, in_force
from ledger.service.report.ground import Ground, ascending
from ledger.service.report.uses import Uses
from ledger.service.rights.reading import records_of


def people_table(ground: Ground) -> Table:
    """Return the people, by their pseudonyms."""
    clearer = ground.cleared.clearer
    question = clearer.question
    side = Side(ground.facts, question.profile, question.delivery, question.at, then=True)
    found = _prompted(ground)
    people = sorted({item.name for item in ground.items if item.kind is ItemKind.PERSON} | found.keys())
    rows = [_person_row(ground, side, person, found.get(person, [])) for person in people]
    return Table(PEOPLE, tuple((n, *row) for n, row in enumerate(rows, 1)))


def decisions_table(ground: Ground) -> Table:
    """Return who decided, in the order of the log: one row for each entry, whatever it is about."""
    facts = ground.facts
    found: dict[int, Known[Approval] | Known[Review] | Known[Override]] = {}
    for sha256 in ground.everything:
        for said in (facts.approvals(sha256), facts.reviews(sha256), facts.overrides(sha256)):
            found |= {item.index: item for item in said}
    rows = [_decision_row(ground, item) for _, item in sorted(found.items())]
    return Table(REVIEWS, tuple((n, *row) for n, row in enumerate(rows, 1)))


def _prompted(ground: Ground) -> dict[str, list[Known[Finding]]]:
    """Return the findings that a prompt names a performer, by the performer's pseudonym."""
    found: dict[str, list[Known[Finding]]] = {}
    for item in sorted(item for item in ground.items if item.kind is ItemKind.FINDING):
        for stated in ground.facts.findings(item.detail, item.sha256):
            finding = stated.predicate
            counts = (
                finding.kind is FindingKind.PERFORMER_NAME and finding.state is not FindingState.DISMISSED
            )
            if counts and finding.person is not None:
                found.setdefault(finding.person, []).append(stated)
    return found


def _person_row(ground: Ground, side: Side, person: str, findings: Sequence[Known[Finding]]) -> Row:
    uses = ground.used.people.get(person, Uses())
    moments = [format_time(item.predicate.recorded) for item in findings] + (
        [uses.first] if uses.first else []
    )
    first = min(moments)
    consents = ground.facts.consents(named("person", person).sha256)
    consent = _nearest(consents, side, parse_time(first))
    said = consent.predicate if consent else None
    return (
        person,
        _files(ground, person, findings),
        first,
        said.consent_id if said else None,
        said.covers if said else None,
        format_time(said.valid_from) if said else None,
        format_time(said.valid_until) if said and said.valid_until else None,
        _before(ground, side, said, parse_time(first)),
        ascending(uses.entries, {item.index for item in findings}, {item.index for item in consents}),
    )


def _files(ground: Ground, person: str, findings: Sequence[Known[Finding]]) -> int:
    """Return how many files a person is in: by a step, or by what was found about a prompt."""
    sha256, found = named("person", person).sha256, {item.predicate.finding_id for item in findings}
    if not found:
        return ground.files[sha256]
    return sum(
        len(group.files)
        for group in ground.cleared.groups
        if any(
            item.sha256 == sha256 or (item.kind is ItemKind.FINDING and item.detail in found)
            for item in group.basis
        )
    )


def _nearest(consents: Sequence[Known[Consent]], side: Side, first: datetime) -> Known[Consent] | None:
    """Return the consent to show: best one that reaches the delivery and held at the first use."""

    def distance(known: Known[Consent]) -> tuple[bool, bool, datetime, int]:
        said = known.predicate
        held = in_force(said.valid_from, said.valid_until, first)
        return not side.reaches(said.scope), not held, said.valid_from, known.index

    return min(consents, key=distance, default=None)


def _before(ground: Ground, side: Side, said: Consent | None, first: datetime) -> bool | None:
    if said is None or not side.reaches(said.scope) or not in_force(said.valid_from, said.valid_until, first):
        return False
    versions = (item for item in _versions(ground, said.consent_id) if item.recorded <= first)
    return True if any(in_force(item.valid_from, item.valid_until, first) for item in versions) else None


def _versions(ground: Ground, consent_id: str) -> Iterator[Consent]:
    """Yield a consent in every version that a registrar signed, in the order of the log."""
    for record in records_of(ground.studio):
        said = record.statement.predicate
        if record.by_registrar and isinstance(said, Consent) and said.consent_id == consent_id:
            yield said


def _decision_row(ground: Ground, known: Known[Approval] | Known[Review] | Known[Override]) -> Row:
    under = [subject for subject in known.subjects if subject.sha256 in ground.everything]
    more = f" and {len(under) - 1} more" if under[1:] else ""
    kind, *said = _decision(known.predicate)
    return (kind, f"{under[0].name}{more}", under[0].sha256, *said, (known.index,))


def _decision(said: Approval | Review | Override) -> Row:
    """Return kind, decision, by whom, from, until, and the reference."""
    match said:
        case Approval():
            until = format_time(said.valid_until) if said.valid_until else None
            about = (said.decision.value, (said.by,), format_time(said.valid_from), until, said.reference)
            return (f"approval: {said.kind.value}", *about)
        case Review():
            return (
                "review",
                said.standing.value,
                (said.reviewer,),
                format_time(said.since),
                None,
                said.source,
            )
        case Override():
            term = format_time(said.recorded), format_time(said.expires)
            return ("override", f"accepts {said.code.value}", said.approvers, *term, None)
