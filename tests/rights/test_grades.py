"""The grades: what each asks for, and that more evidence never lowers one."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.core.artifact import Role
from ledger.core.predicates.answer import Answer, Grade
from ledger.core.predicates.delivery import Deliverable
from ledger.core.predicates.grant_v2 import Afterwards
from ledger.core.predicates.licence import Licence
from ledger.core.predicates.reasons import Code
from ledger.core.predicates.step import StepAction
from tests.rights.cases import Question, codes
from tests.rights.nightfall import HOUSE, MODELS, SERVICE, nightfall
from tests.rights.story import DECLARED, Story, day, digest

L0, L1, L2, L3, L4 = Grade


def now(story: Story, picture: str = "line.png") -> Answer:
    return Question(picture).put(story).now


def test_l4_authorised_and_inventoried_is_what_the_story_has() -> None:
    found = now(nightfall())
    assert (found.grade, found.levels) == (L4, (0, 0, 0, 0, 9))


def test_l3_licensed_without_an_attestation_of_the_training() -> None:
    story = nightfall()
    story.forget("run of kiri-7")
    found = now(story)
    # The model, and the dataset: nobody has attested that the list came before the training.
    assert (found.grade, found.levels) == (L3, (0, 0, 0, 2, 7))


def test_l3_licensed_without_an_inventory() -> None:
    story = nightfall()
    story.suppose("kiri-lineart", inventory=None)
    assert (now(story).grade, now(story).levels) == (L3, (0, 0, 0, 1, 8))


def test_l2_documented_where_the_contract_does_not_reach() -> None:
    story = nightfall()
    story.suppose("KIRI-7", valid_until=day("2026-06-01"), term=None, on_expiry=Afterwards.OUTPUTS_CEASE)
    found = Question("line.png").put(story)
    assert (found.then.grade, found.now.grade) == (L4, L2)
    assert found.now.levels == (0, 0, 1, 0, 8)


@pytest.mark.parametrize(
    ("plan", "grade"), [("studio", L2), ("enterprise", L1), (None, L1)], ids=["terms", "no terms", "no plan"]
)
def test_l2_is_the_most_that_a_service_has(plan: str | None, grade: Grade) -> None:
    story = nightfall()
    picture = story.makes("pan.mp4", (SERVICE, Role.MODEL), service=SERVICE, plan=plan)
    assert now(story, picture).grade is grade


def test_l1_recorded_without_the_text_of_any_licence() -> None:
    story = nightfall()
    story.suppose("KIRI-7", document=False)
    assert (now(story).grade, now(story).levels) == (L1, (0, 1, 0, 0, 8))
    text = Licence("LicenseRef-kiri-7", digest("text", "KIRI-7"))
    story.suppose("kiri-lineart", licence=text)
    assert now(story).grade is L4


@pytest.mark.parametrize("name", ["kiri-7", "kiri-lineart"])
def test_l1_is_the_most_for_what_somebody_typed_and_nobody_reviewed(name: str) -> None:
    story = nightfall()
    story.suppose(name, evidence=DECLARED)
    if name == "kiri-7":
        story.forget("review of kiri-7")
    assert Code.WEAK_EVIDENCE in codes(Question("line.png").put(story))
    assert now(story).grade is L1
    story.review(name, since=day("2026-01-25"))
    assert now(story).grade is L4


def test_l0_is_the_grade_of_what_nobody_knows() -> None:
    story = nightfall()
    picture = story.makes("x.png", ("from-a-forum", Role.MODEL), ("photo.jpg", Role.REFERENCE))
    assert (now(story, picture).grade, now(story, picture).levels) == (L0, (2, 0, 0, 0, 0))


def test_a_chain_has_the_grade_of_its_weakest_link() -> None:
    story = nightfall()
    picture = story.makes("y.png", ("from-a-forum", Role.MODEL), ("line.png", Role.PARENT))
    found = now(story, picture)
    assert (found.grade, found.levels) == (L0, (1, 0, 0, 0, 9))


def test_what_rests_on_nothing_has_no_dependency_to_grade() -> None:
    story = nightfall()
    picture = story.makes("rough.png", action=StepAction.DRAW)
    strict = replace(HOUSE, grades={Deliverable.FINAL: L4})
    assert codes(Question(picture, profile=strict).put(story)) == set()


# Monotone: what is told in addition never lowers the grade, and whatever of it is missing never raises it.

EVIDENCE = (
    *(f"run of {name}" for name in MODELS if name != "dusk-merge"),
    *(f"review of {name}" for name in MODELS),
    "SKY-PD",
    "WEB-30-4",
    "COMMONS-1",
    "HOSHI-JP",
    "HOSHI-INTL",
    "KIRI-7",
    "PENCIL-1",
    "TSUKI-1",
    "KUMO-OWN",
    "CAST-akane",
    "sky-archive",
    "hoshi-backgrounds",
    "kiri-lineart",
)
missing = st.sets(st.sampled_from(EVIDENCE), max_size=8)


def without(names: set[str]) -> Story:
    story = nightfall()
    for name in sorted(names):
        story.forget(name)
    return story


@given(missing, missing)
def test_more_grants_attestations_registrations_and_reviews_never_lower_the_grade(
    lost: set[str], found: set[str]
) -> None:
    less, more = Question().put(without(lost)), Question().put(without(lost - found))
    assert less.then.grade <= more.then.grade
    assert less.now.grade <= more.now.grade


@given(st.sets(st.sampled_from(["sky-archive", "hoshi-backgrounds", "kiri-lineart"])), missing)
def test_an_inventory_that_was_committed_in_time_never_lowers_the_grade(
    names: set[str], lost: set[str]
) -> None:
    story = without(lost - {"sky-archive", "hoshi-backgrounds", "kiri-lineart"})
    with_all = Question().put(story)
    for name in sorted(names):
        story.suppose(name, inventory=None)
    assert Question().put(story).now.grade <= with_all.now.grade
