"""References, people, decisions and records: `cases` for each code about them."""

from dataclasses import replace

from ledger.core.artifact import Role
from ledger.core.predicates.answer import Grade
from ledger.core.predicates.approval import ApprovalKind
from ledger.core.predicates.delivery import Deliverable
from ledger.core.predicates.finding import FindingKind, FindingState
from ledger.core.predicates.grant import Use
from ledger.core.predicates.reasons import Code
from ledger.core.predicates.step import StepAction
from ledger.core.rights.profile import ApprovalRule, Trigger
from tests.rights.cases import Question, shows
from tests.rights.nightfall import FRAME, HOUSE, NIGHTFALL
from tests.rights.story import DECLARED, Story, day

BROADCASTER = ApprovalRule(
    ApprovalKind.FINAL_OUTPUT, Trigger.ALWAYS, frozenset((Deliverable.FINAL,)), "party:nami"
)
"""The broadcaster wants to have approved what is generated in the final picture."""
PERFORMER = "person:4a7d"


@shows(Code.REFERENCE_RIGHTS_MISSING)
def a_photograph_from_the_net_guided_the_sky(story: Story, mended: bool) -> Question:
    if mended:
        story.grant("PHOTO-1", ["photo.jpg"], Use.REFERENCE_INPUT, since=day("2026-01-01"))
    return Question(story.makes("dusk.png", ("kumo-anime", Role.MODEL), ("photo.jpg", Role.REFERENCE)))


@shows(Code.LIKENESS_CONSENT_MISSING)
def an_actors_face_went_into_the_crowd(story: Story, mended: bool) -> Question:
    if mended:
        story.consent(PERFORMER, "face in the crowd of episode 3", day("2026-01-01"))
    return Question(story.makes("crowd.png", ("kumo-anime", Role.MODEL), people=(PERFORMER,)))


@shows(Code.PERFORMER_NAME_IN_PROMPT)
def the_prompt_named_an_actor(story: Story, mended: bool) -> Question:
    if mended:
        story.consent(PERFORMER, "name in prompts for episode 3", day("2026-01-01"))
    story.finds("F-12", FindingKind.PERFORMER_NAME, "bg.png", person=PERFORMER)
    return Question()


@shows(Code.STYLE_REFERENCE)
def the_prompt_asked_for_the_manner_of_a_painter(story: Story, mended: bool) -> Question:
    story.finds("F-13", FindingKind.STYLE_REFERENCE, "bg.png")
    if mended:
        story.closes("F-13", FindingState.DISMISSED)
    return Question()


@shows(Code.SIMILARITY_HIT_OPEN)
def a_search_found_a_poster_that_looks_like_the_background(story: Story, mended: bool) -> Question:
    story.finds("F-14", FindingKind.SIMILARITY_HIT, "bg.png")
    if mended:
        story.closes("F-14", FindingState.DISMISSED)
    return Question()


@shows(Code.APPROVAL_MISSING)
def the_broadcaster_was_not_asked(story: Story, mended: bool) -> Question:
    if mended:
        story.approve(ApprovalKind.FINAL_OUTPUT, NIGHTFALL, "party:nami", reference="NB-2026-118")
    return Question(profile=replace(HOUSE, approvals=(BROADCASTER,)))


@shows(Code.CHAIN_GAP)
def a_plate_appeared_from_nowhere(story: Story, mended: bool) -> Question:
    if mended:
        story.makes("plate.exr", action=StepAction.DRAW)
    return Question(
        story.makes(
            "comp.exr", ("plate.exr", Role.COMPONENT), (FRAME, Role.PARENT), action=StepAction.COMPOSITE
        )
    )


@shows(Code.SIGNATURE_INVALID)
def the_workstation_was_stolen_before_it_signed(story: Story, mended: bool) -> Question:
    if not mended:
        story.suspect["akane.png"] = "key.revoked"
    return Question()


@shows(Code.WEAK_EVIDENCE)
def a_vendor_typed_what_they_had_done(story: Story, mended: bool) -> Question:
    picture = story.makes("inbetween.png", ("cast-gin", Role.MODEL), evidence=DECLARED)
    if mended:
        story.review(picture, since=day("2026-01-01"))
    return Question(picture)


@shows(Code.CYCLE_OR_FORK)
def the_background_was_recorded_again_as_something_else(story: Story, mended: bool) -> Question:
    at = day("2026-03-02", 12)
    story.makes(
        "bg.png", ("kumo-anime" if mended else "dusk-merge", Role.MODEL), ("tsuki-vae", Role.MODEL), at=at
    )
    return Question()


@shows(Code.OVERRIDE_EXPIRED, always=(Code.MODEL_UNREVIEWED,))
def legal_let_it_pass_until_the_review_and_the_review_never_came(story: Story, mended: bool) -> Question:
    story.forget("review of kiri-7")
    until = day("2026-12-31") if mended else day("2026-06-30")
    story.accept(Code.MODEL_UNREVIEWED, "kiri-7", "actor:legal", "actor:producer", until=until)
    return Question()


@shows(Code.GRADE_BELOW_POLICY, too=(Code.TRAINING_ATTESTATION_MISSING,))
def the_policy_asks_for_the_highest_grade(story: Story, mended: bool) -> Question:
    if not mended:
        story.forget("run of kiri-7")
    return Question(profile=replace(HOUSE, grades={Deliverable.FINAL: Grade.L4}))
