"""Models, datasets and services with something missing: `cases` for each code about them."""

from typing import Any

from ledger.core.artifact import Role
from ledger.core.predicates.grant import Use
from ledger.core.predicates.reasons import Code
from ledger.core.predicates.review import Standing
from ledger.core.predicates.service_terms import Indemnity, InputTraining
from tests.rights.cases import Question, shows
from tests.rights.nightfall import RUN, SERVICE
from tests.rights.story import Story, day, sources


@shows(Code.MODEL_UNREVIEWED)
def nobody_looked_at_the_lora(story: Story, mended: bool) -> Question:
    if not mended:
        story.forget("review of kiri-7")
    return Question()


@shows(Code.MODEL_CONTESTED)
def in_summer_somebody_claims_that_the_base_was_trained_on_their_work(story: Story, mended: bool) -> Question:
    story.on("2026-07-01")
    story.review(
        "tsuki-base", Standing.CONTESTED, since=day("2026-07-01"), source="https://claims.example/17"
    )
    if mended:
        story.on("2026-08-01")
        story.review("tsuki-base", since=day("2026-08-01"))
    return Question()


@shows(Code.MODEL_WITHDRAWN)
def its_maker_takes_the_upscaler_back(story: Story, mended: bool) -> Question:
    story.on("2026-07-01")
    since = day("2027-01-01") if mended else day("2026-07-01")
    story.review("enlarge-4x", Standing.WITHDRAWN, since=since)
    return Question()


@shows(Code.MODEL_OPAQUE)
def the_upscaler_came_without_a_word_about_its_training(story: Story, mended: bool) -> Question:
    if not mended:
        story.suppose("enlarge-4x", training=())
        story.forget("run of enlarge-4x")
    return Question()


@shows(Code.WEIGHTS_HASH_UNKNOWN)
def a_freelancer_painted_with_weights_that_nobody_knows(story: Story, mended: bool) -> Question:
    return Question(story.makes("cloud.png", ("cast-rin" if mended else "found-on-a-forum", Role.MODEL)))


@shows(Code.TRAINING_ATTESTATION_MISSING)
def nobody_attested_the_training_of_the_lora(story: Story, mended: bool) -> Question:
    if not mended:
        story.forget("run of kiri-7")
    return Question()


@shows(Code.INVENTORY_MISSING)
def the_line_art_has_no_inventory(story: Story, mended: bool) -> Question:
    if not mended:
        story.suppose("kiri-lineart", inventory=None)
    return Question()


@shows(Code.INVENTORY_AFTER_TRAINING)
def the_inventory_was_committed_while_the_training_ran(story: Story, mended: bool) -> Question:
    """It began at ten in the morning."""
    story.suppose("kiri-lineart", recorded=day("2026-01-14", 9 if mended else 11))
    return Question()


def filmed(story: Story, **more: Any) -> Question:
    """A shot comes from the remote service."""
    picture = story.makes("pan.mp4", (SERVICE, Role.MODEL), **{"service": SERVICE, "plan": "studio", **more})
    return Question(picture)


@shows(Code.TERMS_SNAPSHOT_MISSING, always=(Code.MODEL_OPAQUE,))
def nobody_kept_the_terms_of_that_plan(story: Story, mended: bool) -> Question:
    return filmed(story, plan="studio" if mended else "enterprise")


@shows(Code.PLAN_TIER_UNKNOWN, always=(Code.MODEL_OPAQUE,))
def nobody_knows_on_whose_account_it_ran(story: Story, mended: bool) -> Question:
    return filmed(story, plan="studio" if mended else None)


@shows(Code.INPUT_TRAINING_NOT_DISABLED, always=(Code.MODEL_OPAQUE,))
def the_vendor_trains_on_what_is_sent(story: Story, mended: bool) -> Question:
    setting = InputTraining.DISABLED if mended else InputTraining.ENABLED
    story.suppose(f"terms of {SERVICE} for studio", input_training=setting)
    return filmed(story)


@shows(Code.INDEMNITY_CONDITION_UNMET, always=(Code.MODEL_OPAQUE,))
def the_indemnity_asks_for_a_filter_that_is_off(story: Story, mended: bool) -> Question:
    condition = "the output filter is on"
    promise = Indemnity((condition,), (condition,) if mended else ())
    story.suppose(f"terms of {SERVICE} for studio", indemnity=promise)
    return filmed(story)


@shows(Code.OUTPUT_AS_TRAINING_PROHIBITED)
def the_line_art_holds_pictures_that_the_base_made(story: Story, mended: bool) -> Question:
    story.suppose("kiri-lineart", outputs_of=sources("tsuki-base"))
    if mended:
        story.suppose("TSUKI-1", uses=(*RUN, Use.OUTPUT_AS_TRAINING))
    return Question()
