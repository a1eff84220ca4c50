"""The engine over random registries: what is remembered changes no answer, and more is never worse."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from ledger.core import statement as statements
from ledger.core.artifact import Artifact
from ledger.core.predicates.answer import Answer, Grade, Reason
from ledger.core.predicates.delivery import Deliverable, Delivery
from ledger.core.predicates.grant_v2 import LegalBasis
from ledger.core.predicates.model import TrainingStage
from ledger.core.predicates.reasons import Code, Severity, Verdict
from ledger.core.predicates.verdict import VerdictResult
from ledger.core.rights import profile as profiling
from ledger.core.rights.basis import Item, ItemKind, digest, slot_of
from ledger.core.rights.clearance import VERSION, Clearance, Engine
from ledger.core.rights.facts import FactRecord, Facts
from ledger.core.rights.items import ItemJudge
from ledger.core.rights.profile import Profile, Trigger
from ledger.core.rights.side import Found, Side
from ledger.core.rights.tally import Tally
from ledger.core.statement import Statement
from tests.rights.nightfall import BROADCAST, HOUSE
from tests.rights.story import Story, weights
from tests.rights.worlds import (
    DATASETS,
    MODELS,
    START,
    bases,
    deliveries,
    items,
    licences,
    moments,
    profiles,
    registries,
)

several = st.lists(bases, min_size=1, max_size=5)


def plain(side: Side, basis: Collection[Item]) -> Answer:
    """Judge each item by itself and put the answer together with sets and sorting: nothing is remembered."""
    found = Found()
    for item in basis:
        judged = ItemJudge(side).judge(item)
        found.reasons.update(judged.reasons)
        for sha256, grade in judged.grades.items():
            found.grade(sha256, grade)
    grade = min(found.grades.values(), default=Grade.L4)
    whole = Tally(side)._whole
    side.needs_approval(found, whole, (Trigger.ALWAYS,))
    required = side.profile.grades.get(side.delivery.deliverable, Grade.L0)
    if found.grades and grade < required:
        words = f"{grade.name}, and {side.profile.name} asks {required.name}"
        side.add(found, whole, Code.GRADE_BELOW_POLICY, words)
    reasons = earliest(found.reasons)
    worst = max((reason.severity for reason in reasons), default=Severity.NOTED)
    levels = [sum(held == level for held in found.grades.values()) for level in Grade]
    counts = (levels[0], levels[1], levels[2], levels[3], levels[4])
    return Answer(Verdict.of(worst), grade, tuple(reasons), counts)


def earliest(reasons: Collection[Reason]) -> list[Reason]:
    """Return one reason of each that differ only in their moment."""
    first: dict[Reason, Reason] = {}
    for reason in sorted(reasons, key=lambda item: item.at.timestamp() if item.at else 0):
        first.setdefault(replace(reason, at=None), reason)
    return list(first.values())


def unordered(answer: Answer) -> tuple[Verdict, Grade, tuple[int, ...], frozenset[Reason]]:
    assert len(set(answer.reasons)) == len(answer.reasons)
    return answer.verdict, answer.grade, answer.levels, frozenset(answer.reasons)


@given(registries(), several, deliveries, profiles(), moments)
def test_what_the_engine_remembers_changes_no_answer(
    story: Story, asked: list[frozenset[Item]], delivery: Delivery, profile: Profile, at: datetime
) -> None:
    facts = story.facts()
    engine = Engine(facts, profile, delivery, at)
    for basis in [*asked, frozenset[Item]().union(*asked), *asked]:
        found = engine.clear(basis)
        for answer, then in ((found.then, True), (found.now, False)):
            expected = plain(Side(facts, profile, delivery, at, then=then), basis)
            assert unordered(answer) == unordered(expected)


@given(registries(), several, deliveries, profiles(), moments, st.randoms(use_true_random=False))
def test_the_order_of_bases_items_and_records_is_irrelevant(
    story: Story,
    asked: list[frozenset[Item]],
    delivery: Delivery,
    profile: Profile,
    at: datetime,
    random: Random,
) -> None:
    engine = Engine(story.facts(), profile, delivery, at)
    expected = {basis: engine.clear(basis) for basis in asked}
    records = random.sample(story.log, len(story.log))
    again = Engine(Facts(records, len(records)), profile, delivery, at)
    for basis in reversed(asked):
        assert again.clear(random.sample(sorted(basis), len(basis))) == expected[basis]


@given(registries(), bases, deliveries, profiles(), moments)
def test_the_verdict_is_the_worst_reason_and_what_changed_speaks_against_now(
    story: Story, basis: frozenset[Item], delivery: Delivery, profile: Profile, at: datetime
) -> None:
    found = Engine(story.facts(), profile, delivery, at).clear(basis)
    for answer in (found.then, found.now):
        worst = max((reason.severity for reason in answer.reasons), default=Severity.NOTED)
        assert answer.verdict is Verdict.of(worst)
        assert list(answer.reasons) == sorted(answer.reasons, key=lambda reason: -reason.severity)
        assert answer.grade == next((grade for grade in Grade if answer.levels[grade]), Grade.L4)
    assert set(found.changed) <= set(found.now.reasons)


@given(registries(), st.data(), deliveries, profiles(), moments)
def test_now_at_the_moment_of_use_is_then(
    story: Story, data: st.DataObject, delivery: Delivery, profile: Profile, at: datetime
) -> None:
    """Of uses. A finding has a moment of its own: when it was recorded."""
    basis = data.draw(st.frozensets(items(slot=slot_of(at)), max_size=5))
    found = Engine(story.facts(), profile, delivery, at).clear(basis)
    assert found.then == found.now
    assert found.changed == ()


RANK = {Verdict.CLEARED: 0, Verdict.NEEDS_REVIEW: 1, Verdict.BLOCKED: 2}


runs = st.builds(
    lambda name, moment: Item(ItemKind.MODEL, weights(name).sha256, name, "", slot_of(moment)),
    st.sampled_from(MODELS),
    moments,
)


@st.composite
def licensed(draw: st.DrawFn) -> tuple[list[FactRecord], list[FactRecord]]:
    """Draw registered models, and grants about them: licences that nobody revoked and that exclude nobody."""
    story = Story(START)
    for name in DATASETS:
        story.dataset(name)
    for name, data in zip(MODELS, [*DATASETS, DATASETS[0]], strict=True):
        stage = draw(st.sampled_from(TrainingStage))
        story.model(name, on=[(data, stage)])
        story.review(name)
    registered = len(story.log)
    for number in range(draw(st.integers(0, 6))):
        grant = replace(draw(licences(LegalBasis.LICENCE)), grant_id=f"G{number}")
        about = draw(st.sets(st.sampled_from([*MODELS, *DATASETS]), min_size=1).map(sorted))
        story.tell(grant.grant_id, grant, *map(story.thing, about))
    return story.log[:registered], story.log[registered:]


@given(licensed(), st.data(), deliveries, moments)
def test_one_more_licence_makes_no_verdict_worse(
    told: tuple[list[FactRecord], list[FactRecord]], data: st.DataObject, delivery: Delivery, at: datetime
) -> None:
    """The exceptions are in docs/rights/verdicts.md."""
    registered, grants = told
    fewer = data.draw(st.lists(st.sampled_from(grants), unique_by=id)) if grants else []
    basis = data.draw(st.frozensets(runs, min_size=1, max_size=4))

    def cleared(some: list[FactRecord]) -> Clearance:
        return Engine(Facts([*registered, *some], 99), HOUSE, delivery, at).clear(basis)

    less, more = cleared(fewer), cleared(grants)
    assert RANK[more.then.verdict] <= RANK[less.then.verdict]
    assert RANK[more.now.verdict] <= RANK[less.now.verdict]


@given(registries(), bases, profiles(), moments)
def test_a_verdict_comes_back_from_its_entry(
    story: Story, basis: frozenset[Item], profile: Profile, at: datetime
) -> None:
    found = Engine(story.facts(), profile, BROADCAST, at).clear(basis)
    verdict = VerdictResult(
        VERSION,
        profile.name,
        profiling.digest(profile),
        at,
        at,
        max(1, len(story.log)),
        "0" * 64,
        digest(basis),
        BROADCAST,
        found.then,
        found.now,
    )
    stated = Statement((Artifact("frame.png", "1" * 64),), verdict)
    assert statements.decode(statements.encode(stated)) == stated


@given(st.sampled_from(Deliverable))
def test_what_rests_on_nothing_is_cleared_unless_somebody_has_to_be_asked(deliverable: Deliverable) -> None:
    delivery = replace(BROADCAST, deliverable=deliverable)
    found = Engine(Facts((), 1), HOUSE, delivery, START).clear(())
    assert (found.then, found.now) == (found.now, found.then)
    assert found.now == Answer(Verdict.CLEARED, Grade.L4, (), (0, 0, 0, 0, 0))
