"""Any fact of the rights registry, with the subjects that it may have, for property tests."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from ledger.core.fields import in_order
from ledger.core.predicates import (
    Approval,
    Consent,
    DatasetV2,
    Finding,
    GrantRevocation,
    GrantV2,
    ModelV2,
    Override,
    Party,
    PolicyProfile,
    Predicate,
    Review,
    ServiceTerms,
    Title,
    TrainingRun,
    VerdictResult,
    Work,
)
from ledger.core.predicates.answer import Answer, Grade, Reason
from ledger.core.predicates.approval import ApprovalKind, Decision
from ledger.core.predicates.curation import Curation, Filter
from ledger.core.predicates.dataset_v2 import InventoryRoot, Source
from ledger.core.predicates.delivery import Deliverable, Delivery
from ledger.core.predicates.finding import FindingKind, FindingState
from ledger.core.predicates.grant import Use
from ledger.core.predicates.grant_v2 import Afterwards, Exclusivity, LegalBasis
from ledger.core.predicates.licence import Licence
from ledger.core.predicates.model import Training, TrainingStage
from ledger.core.predicates.model_v2 import ModelKind, Parent, ParentRole, Service
from ledger.core.predicates.party import PartyKind
from ledger.core.predicates.reasons import Code, Severity, Verdict
from ledger.core.predicates.review import Standing
from ledger.core.predicates.scope import EVERYWHERE, Media, Scope, Term
from ledger.core.predicates.service_terms import Indemnity, InputTraining, Ownership
from ledger.core.predicates.step import Evidence
from ledger.core.predicates.verdict import Change
from ledger.core.predicates.work import Share
from ledger.core.statement import Statement
from tests.support.strategies import (
    commitments,
    digests,
    many_subjects,
    mappings,
    moments,
    perhaps,
    quarters,
    sets,
    some,
    spans,
    texts,
    validities,
)

lasting = validities.flatmap(lambda span: st.tuples(st.just(span[0]), st.sampled_from([None, span[1]])))
"""A validity, with an end or without."""
counts = st.integers(1, 10**9)
evidences = st.sampled_from(Evidence)
licences = st.builds(Licence, texts, perhaps(digests))
parts = texts.map(lambda text: text.replace("/", "-"))
services = st.builds(Service, parts, parts, perhaps(texts))
decimals = st.sampled_from(["0", "1", "-0.25", "0.7", "1.50", "1000000"])
territories = st.lists(st.sampled_from(["JP", "US", "001", "150", "ZZ"]), max_size=3, unique=True).map(
    lambda codes: tuple(sorted(codes))
)


def words(kind: Any, at_least: int = 0) -> st.SearchStrategy[tuple[Any, ...]]:
    """Draw a set of words of an enumeration, in the order in which a statement holds it."""
    return st.lists(st.sampled_from(kind), min_size=at_least, max_size=3, unique=True).map(
        lambda found: tuple(sorted(found))
    )


scopes = st.just(EVERYWHERE) | st.builds(Scope, sets, words(Media), territories, territories)


def distinct(strategy: st.SearchStrategy[Any], key: Any, at_least: int = 0) -> st.SearchStrategy[Any]:
    return st.lists(strategy, min_size=at_least, max_size=3, unique_by=key).map(tuple)


def _in_order(members: dict[str, Any]) -> tuple[tuple[str, Any], ...]:
    return tuple((name, members[name]) for name in in_order(members))


trainings = st.builds(Training, texts, digests, st.sampled_from(TrainingStage))
distinct_trainings = distinct(trainings, lambda item: (item.sha256, item.stage))
parents = st.builds(
    Parent,
    texts,
    digests,
    st.sampled_from(ParentRole),
    perhaps(decimals),
    st.dictionaries(texts, decimals, max_size=2).map(_in_order),
)


passes = st.builds(Filter, texts, texts, st.integers(0, 9), perhaps(texts), perhaps(digests))


@st.composite
def curations(draw: st.DrawFn, kept: int) -> Curation:
    filters = tuple(
        draw(
            st.lists(
                st.builds(Filter, texts, texts, st.integers(0, 9), perhaps(texts), perhaps(digests)),
                max_size=2,
            )
        )
    )
    sampled = draw(st.integers(0, kept))
    rejected = draw(st.integers(0, sampled))
    candidates = kept + sum(item.removed for item in filters)
    return Curation(candidates, filters, kept, sampled, rejected, draw(perhaps(digests)))


@st.composite
def datasets(draw: st.DrawFn) -> DatasetV2:
    works = draw(counts)
    facets = draw(st.dictionaries(texts, st.integers(1, works), max_size=3))
    return DatasetV2(
        draw(texts),
        draw(texts),
        works,
        draw(st.integers(1, works)),
        recorded=draw(moments),
        evidence=draw(evidences),
        inventory=draw(perhaps(st.builds(InventoryRoot, st.just(works), digests))),
        curation=draw(perhaps(curations(works))),
        licence=draw(perhaps(licences)),
        outputs_of=draw(distinct(st.builds(Source, texts, digests), lambda item: item.sha256)),
        composition=_in_order(facets),
    )


@st.composite
def models(draw: st.DrawFn) -> ModelV2:
    kind = draw(st.sampled_from(ModelKind))
    return ModelV2(
        draw(texts),
        draw(texts),
        draw(distinct_trainings),
        recorded=draw(moments),
        kind=kind,
        evidence=draw(evidences),
        parents=draw(distinct(parents, lambda item: item.sha256, 1 if kind is ModelKind.MERGE else 0)),
        licence=draw(perhaps(licences)),
        service=draw(services) if kind is ModelKind.SERVICE else None,
    )


@st.composite
def runs(draw: st.DrawFn) -> TrainingRun:
    started, finished = draw(spans)
    used = draw(distinct(trainings, lambda item: (item.sha256, item.stage), 1))
    return TrainingRun(draw(texts), started, finished, draw(evidences), used)


@st.composite
def grants(draw: st.DrawFn) -> GrantV2:
    begins, ends = draw(lasting)
    basis = draw(st.sampled_from(LegalBasis))
    secrets = draw(commitments)
    return GrantV2(
        draw(texts),
        draw(words(Use, 1)),
        begins,
        ends,
        secrets,
        recorded=draw(moments),
        version=draw(counts),
        legal_basis=basis,
        statute=draw(texts) if basis is LegalBasis.STATUTORY_EXCEPTION else None,
        assigner=draw(perhaps(texts)),
        assignee=draw(perhaps(texts)),
        scope=draw(scopes),
        term=_days(begins, ends),
        exclusivity=draw(st.sampled_from(Exclusivity)),
        attribution=draw(perhaps(texts)),
        sublicence=draw(st.booleans()),
        on_expiry=draw(st.sampled_from(Afterwards)),
        on_revocation=draw(st.sampled_from(Afterwards)),
        document=bool(secrets) and draw(st.booleans()),
    )


def _days(begins: datetime, ends: datetime | None) -> Term | None:
    """Return the contract's days in Tokyo; none where the term ends within the day in which it begins."""
    ahead = timedelta(hours=9)
    first, end = (begins + ahead).date(), (ends + ahead).date() if ends else None
    near = all(
        abs(datetime(day.year, day.month, day.day, tzinfo=UTC) - moment) <= timedelta(hours=14)
        for day, moment in ((first, begins), (end, ends))
        if day and moment
    )
    return Term(first, "Asia/Tokyo", end) if near and (end is None or first < end) else None


parties = st.builds(
    Party, texts, st.sampled_from([*PartyKind][1:]), moments, perhaps(texts), mappings, commitments
) | st.builds(Party, texts, st.just(PartyKind.PERSON), moments, commitments=commitments)
shares = distinct(st.builds(Share, texts, counts), lambda share: share.party, 1)
works = st.builds(Work, texts, shares, moments, perhaps(texts), mappings, commitments)
titles = st.builds(Title, texts, texts, sets, moments, sets)
revocations = st.builds(GrantRevocation, texts, quarters, moments, commitments)
reviews = st.builds(Review, st.sampled_from(Standing), texts, quarters, moments, perhaps(texts), commitments)
findings = st.builds(
    Finding,
    texts,
    st.sampled_from(FindingKind),
    st.sampled_from(FindingState),
    texts,
    evidences,
    moments,
    perhaps(texts),
    commitments,
)
profiles = st.builds(
    lambda name, moment, members: PolicyProfile(name, moment, {**members, "name": name}),
    texts,
    moments,
    mappings,
)


@st.composite
def indemnities(draw: st.DrawFn) -> Indemnity:
    conditions = draw(sets)
    return Indemnity(conditions, conditions[: draw(st.integers(0, len(conditions)))])


@st.composite
def snapshots(draw: st.DrawFn) -> ServiceTerms:
    (begins, ends), (fetched, recorded) = draw(lasting), draw(spans)
    return ServiceTerms(
        draw(parts),
        draw(parts),
        draw(texts),
        begins,
        fetched,
        recorded,
        draw(st.sampled_from(Ownership)),
        draw(st.sampled_from(InputTraining)),
        draw(st.booleans()),
        ends,
        draw(perhaps(indemnities())),
        draw(perhaps(texts)),
    )


@st.composite
def consents(draw: st.DrawFn) -> Consent:
    begins, ends = draw(lasting)
    return Consent(
        draw(texts),
        draw(texts),
        draw(texts),
        begins,
        draw(moments),
        ends,
        draw(counts),
        draw(scopes),
        draw(commitments),
    )


@st.composite
def approvals(draw: st.DrawFn) -> Approval:
    begins, ends = draw(lasting)
    kind, decision = draw(st.sampled_from(ApprovalKind)), draw(st.sampled_from(Decision))
    return Approval(
        kind,
        decision,
        draw(texts),
        begins,
        draw(moments),
        ends,
        draw(sets),
        draw(perhaps(texts)),
        draw(commitments),
    )


@st.composite
def overrides(draw: st.DrawFn) -> Override:
    recorded, expires = draw(spans.filter(lambda span: span[0] < span[1]))
    secrets = draw(commitments.filter(bool))
    return Override(draw(st.sampled_from(Code)), draw(some), recorded, expires, draw(sets), secrets)


reasons = st.builds(
    Reason,
    st.sampled_from(Code),
    st.sampled_from(Severity),
    texts,
    digests,
    st.lists(texts, max_size=3).map(tuple),
    perhaps(texts),
    perhaps(st.sampled_from(Use)),
    perhaps(moments),
    perhaps(moments),
    st.lists(texts, max_size=3).map(tuple),
    perhaps(evidences),
    perhaps(st.integers(0, 10**9)),
)


@st.composite
def answers(draw: st.DrawFn) -> Answer:
    found = sorted(draw(st.lists(reasons, max_size=3)), key=lambda reason: -reason.severity)
    worst = max((reason.severity for reason in found), default=Severity.NOTED)
    levels = draw(st.tuples(*[st.integers(0, 10**9)] * 5))
    grade, omitted = draw(st.sampled_from(Grade)), draw(st.integers(0, 9))
    return Answer(Verdict.of(worst), grade, tuple(found), levels, omitted)


@st.composite
def verdicts(draw: st.DrawFn) -> VerdictResult:
    size = draw(counts)
    where = draw(territories.filter(bool))
    delivery = Delivery(
        draw(perhaps(texts)), draw(st.sampled_from(Deliverable)), draw(words(Media, 1)), where
    )
    return VerdictResult(
        draw(st.sampled_from(["1", "1.2", "10.0.3"])),
        draw(texts),
        draw(digests),
        draw(moments),
        draw(moments),
        size,
        draw(digests),
        draw(digests),
        delivery,
        draw(answers()),
        draw(answers()),
        draw(perhaps(st.builds(Change, st.integers(0, 10**9), st.integers(0, size - 1)))),
    )


about_one = st.one_of(datasets(), runs(), works, snapshots())
about_some = st.one_of(grants(), revocations, approvals(), overrides(), reviews, findings, verdicts())
about_a_name = st.one_of(parties, titles, consents(), profiles, models())


@st.composite
def facts(draw: st.DrawFn) -> Statement:
    """Draw a statement of the registry, with the subjects that its kind may have."""
    several = draw(many_subjects)
    predicate: Predicate = draw(st.one_of(about_one, about_some, about_a_name))
    if isinstance(predicate, Party | Title | Consent | PolicyProfile):
        return Statement((predicate.subject,), predicate)
    if isinstance(predicate, ModelV2):
        service = predicate.service
        return Statement((service.subject,) if service else several[:1], predicate)
    single = isinstance(predicate, DatasetV2 | TrainingRun | Work | ServiceTerms)
    return Statement(several[:1] if single else several, predicate)
