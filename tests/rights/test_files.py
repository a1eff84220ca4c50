"""Files from outside, and models that nobody named: what a record leaves open is never in order."""

import cProfile
from dataclasses import replace

from ledger.core.artifact import Role
from ledger.core.predicates.answer import Grade
from ledger.core.predicates.grant import Use
from ledger.core.predicates.reasons import Code, Verdict
from ledger.core.predicates.step import StepAction
from ledger.core.rights.basis import SLOT, Item, ItemKind
from ledger.core.rights.clearance import Engine
from tests.rights.cases import Question, codes
from tests.rights.nightfall import BROADCAST, DELIVERED, HOUSE, OUTPUTS, SERVICE, nightfall
from tests.rights.story import Story, day
from tests.support.builders import digest


def imported(story: Story, *used: tuple[str, Role]) -> Question:
    return Question(story.makes("bought.png", *used, action=StepAction.IMPORT))


def test_a_generation_that_names_no_model_is_of_unknown_origin() -> None:
    story = nightfall()
    found = Question(story.makes("out-of-nowhere.png")).put(story)
    assert found.now.verdict is Verdict.BLOCKED
    assert (found.now.grade, Code.WEIGHTS_HASH_UNKNOWN in codes(found)) == (Grade.L0, True)


def test_a_drawing_needs_no_model() -> None:
    story = nightfall()
    assert Question(story.makes("by-hand.png", action=StepAction.DRAW)).put(story).now.cleared


def test_footage_out_of_a_registered_dataset_needs_the_datasets_permission_to_be_shown() -> None:
    story = nightfall()
    story.dataset("footage")
    question = imported(story, ("footage", Role.DATASET))
    assert Code.REFERENCE_RIGHTS_MISSING in codes(question.put(story))
    story.grant("FOOTAGE-1", ["footage"], *OUTPUTS, since=day("2026-01-01"))
    assert not codes(question.put(story))


def test_a_permission_to_train_on_a_dataset_is_none_to_show_it() -> None:
    story = nightfall()
    story.dataset("footage")
    story.grant("FOOTAGE-1", ["footage"], Use.FOCUSED_TRAINING, since=day("2026-01-01"))
    assert Code.USE_NOT_GRANTED in codes(imported(story, ("footage", Role.DATASET)).put(story))


def test_an_import_is_one_whatever_else_its_record_names() -> None:
    story = nightfall()
    for role in (Role.PARENT, Role.REFERENCE, Role.MODEL):
        question = imported(story, ("kumo-anime" if role is Role.MODEL else "bg.png", role))
        assert Code.REFERENCE_RIGHTS_MISSING in codes(question.put(story))


def test_a_service_that_is_named_as_a_model_is_judged_by_its_terms() -> None:
    story = nightfall()
    found = Question(story.makes("pan.png", (SERVICE, Role.MODEL))).put(story)
    assert Code.PLAN_TIER_UNKNOWN in codes(found)
    assert found.now.grade is Grade.L1


def calls_of_clearing(count: int) -> int:
    """Return how many calls it takes to clear ``count`` shots with a hundred plates of their own each."""
    story = nightfall()
    slot = int(DELIVERED.timestamp()) // SLOT - 100
    plates = [
        frozenset(
            Item(ItemKind.IMPORT, digest(f"plate {shot} {number}"), f"plate.{number}.exr", "", slot)
            for number in range(100)
        )
        for shot in range(count)
    ]
    engine = Engine(story.facts(), HOUSE, BROADCAST, DELIVERED)
    profile = cProfile.Profile()
    with profile:
        answers = [engine.clear(basis) for basis in plates]
        whole = engine.clear(frozenset[Item]().union(*plates))
    assert {len(answer.now.reasons) for answer in answers} == {100}
    assert len(whole.now.reasons) == 100 * count
    return sum(each.callcount for each in profile.getstats())


def test_ten_times_the_plates_take_ten_times_the_work() -> None:
    assert calls_of_clearing(100) < 12 * calls_of_clearing(10)


def test_the_earliest_import_of_a_plate_is_named() -> None:
    story = nightfall()
    slot = int(DELIVERED.timestamp()) // SLOT - 100
    late = Item(ItemKind.IMPORT, digest("plate"), "plate.exr", "", slot)
    engine = Engine(story.facts(), HOUSE, BROADCAST, DELIVERED)
    both = engine.clear(frozenset((late, late._replace(slot=slot - 8))))
    alone = engine.clear(frozenset((late._replace(slot=slot - 8),)))
    assert both == alone
    assert replace(both.now, reasons=()) == replace(engine.clear(frozenset((late,))).now, reasons=())
