"""What looks in order and is not, and what looks wrong and is in order: lineage, merges, models and data."""

from dataclasses import replace

import pytest

from ledger.core.artifact import Artifact, Role
from ledger.core.predicates import Dataset, Grant, Model, TrainingRun
from ledger.core.predicates.answer import Grade, Reason
from ledger.core.predicates.finding import FindingKind, FindingState
from ledger.core.predicates.grant import Use
from ledger.core.predicates.grant_v2 import LegalBasis
from ledger.core.predicates.model import Training
from ledger.core.predicates.model_v2 import ModelKind, Parent, ParentRole
from ledger.core.predicates.reasons import Code, Verdict
from ledger.core.predicates.step import StepAction
from ledger.core.rights.basis import Item, ItemKind, slot_of
from ledger.core.rights.clearance import Clearance, Engine
from ledger.core.rights.facts import FactRecord
from ledger.core.rights.models import LONGEST_PATH
from ledger.core.statement import Statement
from tests.rights.cases import Question, codes
from tests.rights.nightfall import (
    ADAPTER,
    BASE,
    BROADCAST,
    DELIVERED,
    FOCUSED,
    HOUSE,
    MERGED,
    OUTPUTS,
    RUN,
    nightfall,
)
from tests.rights.story import DECLARED, Story, day, digest, inventory, sources, weights
from tests.support.builders import commitment, refusal, revocation


def painted(story: Story, model: str) -> Clearance:
    return Question(story.makes("trap.png", (model, Role.MODEL))).put(story)


def reason(found: Clearance, code: Code) -> Reason:
    return next(item for item in found.now.reasons if item.code is code)


def own(story: Story, *models: str) -> None:
    """Kumo owns these models and has looked at them."""
    since = day("2026-01-01")
    story.grant(f"OWN-{models[0]}", models, *RUN, since=since, legal_basis=LegalBasis.OWN_WORK)
    for name in models:
        story.review(name, since=since)


# Models under models


def test_a_merge_with_one_unknown_parent_is_l0() -> None:
    story = nightfall()
    story.model("night-merge", ModelKind.MERGE, parents=[("kumo-anime", MERGED), ("from-a-forum", MERGED)])
    own(story, "night-merge")
    found = painted(story, "night-merge")
    assert codes(found) == {Code.WEIGHTS_HASH_UNKNOWN}
    assert reason(found, Code.WEIGHTS_HASH_UNKNOWN).path == ("model night-merge", "model from-a-forum")
    assert found.now.levels[Grade.L0] == 2  # the parent, and the merge itself
    assert found.now.grade is Grade.L0


def test_a_model_under_itself_is_a_contradiction_and_the_walk_ends() -> None:
    story = nightfall()
    story.model("ouroboros", ModelKind.MERGE, parents=[("kumo-anime", MERGED)])
    base = Parent("ouroboros", weights("ouroboros").sha256, BASE)
    story.suppose("tsuki-base", parents=(base,))
    own(story, "ouroboros")
    found = painted(story, "ouroboros")
    assert codes(found) == {Code.CYCLE_OR_FORK}
    assert reason(found, Code.CYCLE_OR_FORK).path[0] == reason(found, Code.CYCLE_OR_FORK).path[-1]
    assert found.now.grade is Grade.L0


def test_a_diamond_is_no_circle() -> None:
    """The merge's parents have the same base."""
    assert codes(painted(nightfall(), "dusk-merge")) == set()


def test_forty_levels_of_merges_with_two_parents_each_are_walked_once() -> None:
    story = nightfall()
    below = ("kumo-anime", "tsuki-base")
    for level in range(40):
        names = (f"left-{level}", f"right-{level}")
        for name in names:
            story.model(name, ModelKind.MERGE, parents=[(parent, MERGED) for parent in below])
        own(story, *names)
        below = names
    assert codes(painted(story, "left-39")) == set()


def test_five_thousand_fine_tunes_of_one_another_are_walked_and_the_path_stays_readable() -> None:
    story = nightfall()
    story.model("v0", ModelKind.MERGE, parents=[("never-registered", MERGED)])
    for number in range(1, 5000):
        story.model(f"v{number}", ModelKind.MERGE, parents=[(f"v{number - 1}", MERGED)])
    found = painted(story, "v4999")
    path = reason(found, Code.WEIGHTS_HASH_UNKNOWN).path
    assert len(path) == LONGEST_PATH
    assert path[:2] == ("model v4999", "model v4998")
    assert path[-2:] == ("model v0", "model never-registered")
    assert "…" in path


@pytest.mark.parametrize("kind", [ModelKind.FINE_TUNE, ModelKind.LORA, ModelKind.CONTROLNET])
@pytest.mark.parametrize("role", [BASE, ADAPTER])
def test_a_known_base_does_not_make_an_unknown_training_known(kind: ModelKind, role: ParentRole) -> None:
    """It was trained on something. A LoRA that names its base and no dataset is as opaque as any."""
    story = nightfall()
    story.model("secretive", kind, parents=[("kumo-anime", role)])
    own(story, "secretive")
    found = painted(story, "secretive")
    assert codes(found) == {Code.MODEL_OPAQUE}
    assert found.now.grade is Grade.L2


# Training and data


def test_nobody_mends_a_training_by_attesting_it_again() -> None:
    """The second attestation says that it began after the inventory was committed."""
    story = nightfall()
    story.suppose("kiri-lineart", recorded=day("2026-01-16"))
    story.trained("kiri-7", day("2026-01-17"), day("2026-01-18"))
    found = Question().put(story)
    assert codes(found) == {Code.INVENTORY_AFTER_TRAINING, Code.CYCLE_OR_FORK}
    assert reason(found, Code.CYCLE_OR_FORK).detail == "its training is attested at different times"


def test_the_same_attestation_twice_is_no_contradiction() -> None:
    story = nightfall()
    story.trained("kiri-7", day("2026-01-14", 10), day("2026-01-14", 16, 5))
    assert codes(Question().put(story)) == set()


def test_an_attestation_that_names_more_data_than_the_registration_is_heard() -> None:
    story = nightfall()
    registered = Training("kiri-lineart", inventory("kiri-lineart").sha256, FOCUSED)
    left_out = Training("scans", inventory("scans").sha256, FOCUSED)
    began, ended = day("2026-01-14", 10), day("2026-01-14", 16, 5)
    story.trained("kiri-7", began, ended, training=(registered, left_out))
    found = Question().put(story)
    assert codes(found) == {Code.CYCLE_OR_FORK}
    assert found.now.grade is Grade.L0


def test_an_attestation_that_somebody_typed_counts_once_a_review_follows_it() -> None:
    story = nightfall()
    story.suppose("run of kiri-7", evidence=DECLARED)
    assert codes(Question().put(story)) == set()
    story.forget("review of kiri-7")
    assert Code.TRAINING_ATTESTATION_MISSING in codes(Question().put(story))


def test_a_review_from_before_the_attestation_accepts_none() -> None:
    story = nightfall()
    run = story.log[story._place("run of kiri-7")].statement
    assert isinstance(run.predicate, TrainingRun)
    story.forget("run of kiri-7")
    story.tell("run of kiri-7", replace(run.predicate, evidence=DECLARED), *run.subjects)
    assert codes(Question().put(story)) == {Code.TRAINING_ATTESTATION_MISSING}


def test_a_dataset_that_is_stated_again_keeps_the_age_of_its_inventory() -> None:
    """In March its composition is added; the list of works is the same."""
    story = nightfall()
    story.on("2026-03-20")
    story.dataset("kiri-lineart", works=1_204, holders=1, composition=(("origin: JP", 1_204),))
    assert codes(Question().put(story)) == set()


def test_a_dataset_that_is_stated_again_with_another_inventory_does_not() -> None:
    story = nightfall()
    story.on("2026-03-20")
    story.dataset("kiri-lineart", works=1_203, holders=1)
    assert codes(Question().put(story)) == {Code.INVENTORY_AFTER_TRAINING}


def test_a_dataset_that_nobody_registered_is_a_gap_and_l0() -> None:
    story = nightfall()
    story.forget("pencil-tests")
    found = Question().put(story)
    assert codes(found) == {Code.CHAIN_GAP}
    assert found.now.grade is Grade.L0


def test_an_accepted_training_says_nothing_about_the_output() -> None:
    """Two people accepted that the training was not covered. That the film is not is another matter."""
    story = nightfall()
    story.suppose("KIRI-7", uses=(Use.ADDITIONAL_TRAINING,))
    until = day("2027-01-01")
    story.accept(Code.STAGE_NOT_GRANTED, "kiri-lineart", "actor:legal", "actor:producer", until=until)
    found = Question().put(story)
    assert codes(found) == {Code.STAGE_NOT_GRANTED, Code.USE_NOT_GRANTED}
    assert found.now.verdict is Verdict.BLOCKED


def test_output_of_a_service_may_be_trained_on_only_if_every_plan_on_record_permits_it() -> None:
    """Which plan it was made under is not on record."""
    story = nightfall()
    service = next(iter(story.services))
    source = replace(sources("x")[0], name=service, sha256=story.services[service].subject.sha256)
    story.suppose("kiri-lineart", outputs_of=(source,))
    story.suppose(f"terms of {service} for studio", output_as_training=True)
    assert codes(Question().put(story)) == set()
    story.terms(service, "free", day("2026-01-01"))
    assert codes(Question().put(story)) == {Code.OUTPUT_AS_TRAINING_PROHIBITED}


# Files under files


def asked(story: Story, *items: Item) -> Clearance:
    return Engine(story.facts(), HOUSE, BROADCAST, DELIVERED).clear(items)


@pytest.mark.parametrize("kind", [ItemKind.CYCLE, ItemKind.FORK])
def test_records_that_contradict_one_another_are_l0(kind: ItemKind) -> None:
    found = asked(nightfall(), Item(kind, digest("file", "a"), "a.png"))
    assert codes(found) == {Code.CYCLE_OR_FORK}
    assert found.now.grade is Grade.L0


def test_a_frame_under_itself_is_cleared_by_nobody() -> None:
    story = nightfall()
    story.makes("a.png", ("b.png", Role.PARENT), action=StepAction.EDIT)
    story.makes("b.png", ("a.png", Role.PARENT), action=StepAction.EDIT)
    assert Code.CYCLE_OR_FORK in codes(Question("a.png").put(story))


def test_a_gap_that_somebody_licensed_is_judged_like_any_picture_from_outside() -> None:
    story = nightfall()
    story.grant("PLATE-1", ["plate.exr"], Use.OUTPUT_FINAL, since=day("2026-01-01"))
    picture = story.makes("comp.exr", ("plate.exr", Role.COMPONENT), action=StepAction.COMPOSITE)
    assert codes(Question(picture).put(story)) == set()


@pytest.mark.parametrize("used", [(), (("kumo-anime", Role.MODEL),)])
def test_what_was_imported_needs_a_permission_whatever_models_its_record_names(
    used: tuple[tuple[str, Role], ...],
) -> None:
    story = nightfall()
    picture = story.makes("bought.png", *used, action=StepAction.IMPORT)
    assert codes(Question(picture).put(story)) == {Code.REFERENCE_RIGHTS_MISSING}


def test_what_is_drawn_from_nothing_rests_on_nothing() -> None:
    story = nightfall()
    found = Question(story.makes("rough.png", action=StepAction.DRAW)).put(story)
    assert (found.now.verdict, found.now.levels) == (Verdict.CLEARED, (0, 0, 0, 0, 0))


def test_no_device_hides_a_finding_behind_another_one_of_the_same_name() -> None:
    story = nightfall()
    story.finds("F-14", FindingKind.SIMILARITY_HIT, "bg.png")
    story.closes("F-14", FindingState.UPHELD)
    story.finds("F-14", FindingKind.STYLE_REFERENCE, "bg.png")
    assert codes(Question().put(story)) == {Code.SIMILARITY_HIT_OPEN, Code.STYLE_REFERENCE}


def test_no_device_closes_a_finding() -> None:
    story = nightfall()
    story.finds("F-14", FindingKind.SIMILARITY_HIT, "bg.png")
    story.finds("F-14", FindingKind.SIMILARITY_HIT, "bg.png", state=FindingState.DISMISSED)
    assert codes(Question().put(story)) == {Code.SIMILARITY_HIT_OPEN}


def test_no_device_says_later_whose_name_a_finding_is_about() -> None:
    """A performer who has consented would close it."""
    story = nightfall()
    story.consent("person:hana", "her voice", day("2026-01-01"))
    story.finds("F-15", FindingKind.PERFORMER_NAME, "bg.png")
    story.finds("F-15", FindingKind.PERFORMER_NAME, "bg.png", person="person:hana")
    assert codes(Question().put(story)) == {Code.PERFORMER_NAME_IN_PROMPT}


def test_a_finding_that_is_closed_for_one_file_stays_open_for_another() -> None:
    story = nightfall()
    story.finds("F-16", FindingKind.SIMILARITY_HIT, "bg.png")
    story.finds("F-16", FindingKind.SIMILARITY_HIT, "elsewhere.png")
    story.closes("F-16", FindingState.DISMISSED)
    assert codes(Question().put(story)) == {Code.SIMILARITY_HIT_OPEN}


def test_an_attestation_by_a_stolen_key_counts_for_nothing() -> None:
    story = nightfall()
    place = story._place("run of kiri-7")
    run = replace(story.log[place], by_registrar=False, keyid="ab" * 32)
    story.log[place] = run
    assert codes(Question().put(story)) == set()
    key = Artifact("ws-9", "ab" * 32)
    end = replace(revocation(), suspect_from=run.index)
    story.log.append(FactRecord(story.log[-1].index + 1, Statement((key,), end)))
    assert codes(Question().put(story)) == {Code.TRAINING_ATTESTATION_MISSING}


def test_two_spellings_of_one_approver_are_one() -> None:
    story = nightfall()
    story.forget("review of kiri-7")
    rule = replace(HOUSE, overrides=replace(HOUSE.overrides, approvers=2))
    for names, severity in ((("actor:a", " Actor:A"), False), (("actor:a", "actor:b"), True)):
        story.accept(Code.MODEL_UNREVIEWED, "kiri-7", *names, until=day("2027-06-01"))
        found = reason(Question(profile=rule).put(story), Code.MODEL_UNREVIEWED)
        assert (found.override is not None) is severity


def test_what_a_dataset_holds_the_output_of_is_judged_at_each_use() -> None:
    """A licence to train on the base's pictures that begins in March says nothing of February."""
    story = nightfall()
    story.forget("run of kiri-7")
    story.suppose("kiri-7", recorded=day("2026-12-01"))
    story.suppose("kiri-lineart", outputs_of=sources("tsuki-base"))
    story.grant("TRAIN-ON-1", ["tsuki-base"], Use.OUTPUT_AS_TRAINING, since=day("2026-03-01"))
    early, late = (
        Item(ItemKind.MODEL, weights("kiri-7").sha256, "kiri-7", "", slot_of(day(text)))
        for text in ("2026-02-10", "2026-04-10")
    )
    alone = [Engine(story.facts(), HOUSE, BROADCAST, DELIVERED).clear([item]) for item in (early, late)]
    for order in ((early, late), (late, early)):
        engine = Engine(story.facts(), HOUSE, BROADCAST, DELIVERED)
        found = {item: engine.clear([item]) for item in order}
        assert [found[early], found[late]] == alone
    assert [Code.OUTPUT_AS_TRAINING_PROHIBITED in codes(each) for each in alone] == [True, False]


# Old logs


def test_facts_of_the_first_version_still_judge() -> None:
    """A model, a dataset and a grant as an old log has them: known at once, unlimited, and not attested."""
    story = Story(day("2026-01-01", 12))
    story.tell("old-data", Dataset("old-data", "1", 6, 2), inventory("old-data"))
    trained = (Training("old-data", inventory("old-data").sha256, FOCUSED),)
    story.tell("old-model", Model("old-model", "1", trained), weights("old-model"))
    uses = (Use.FOCUSED_TRAINING, Use.INFERENCE_RUN, Use.OUTPUT_FINAL)
    contract = Grant("OLD-1", uses, day("2026-01-01"), None, (commitment("contract"),))
    story.tell("OLD-1", contract, inventory("old-data"), weights("old-model"))
    story.review("old-model", since=day("2026-01-01"))
    story.on("2026-02-01")
    found = painted(story, "old-model")
    assert codes(found) == {Code.TRAINING_ATTESTATION_MISSING, Code.INVENTORY_MISSING}
    assert found.now.verdict is Verdict.CLEARED
    assert found.now.levels == (0, 0, 0, 2, 0)


def test_a_grant_of_the_first_version_without_a_contract_documents_nothing() -> None:
    story = nightfall()
    old = Grant("KIRI-7", (Use.FOCUSED_TRAINING, Use.OUTPUT_FINAL), day("2025-12-01"))
    story.forget("KIRI-7")
    story.tell("KIRI-7", old, inventory("kiri-lineart"))
    found = Question().put(story)
    assert (found.now.verdict, found.now.grade) == (Verdict.CLEARED, Grade.L1)


# What a reader refuses before any engine sees it


def test_a_grant_that_ends_before_it_begins_is_refused() -> None:
    story = nightfall()
    since = day("2026-06-01")
    code = refusal(lambda: story.grant("G", ["kiri-7"], *OUTPUTS, since=since, valid_until=day("2026-05-01")))
    assert code == "statement.field"
