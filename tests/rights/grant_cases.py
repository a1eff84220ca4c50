"""Contracts that do not reach: `cases` for each code about a grant."""

from ledger.core.predicates.grant import Use
from ledger.core.predicates.grant_v2 import Afterwards, Exclusivity, LegalBasis
from ledger.core.predicates.reasons import Code
from ledger.core.predicates.scope import Media
from tests.rights.cases import Question, shows
from tests.rights.nightfall import DAWNBREAK, NIGHTFALL, OUTPUTS, SHOWN
from tests.rights.story import Story, day, scope


@shows(Code.NO_GRANT)
def nobody_recorded_the_contract_with_the_estate(story: Story, mended: bool) -> Question:
    if not mended:
        story.forget("KIRI-7")
    return Question()


@shows(Code.GRANT_NOT_IN_FORCE)
def the_contract_ended_in_june_and_outputs_cease(story: Story, mended: bool) -> Question:
    after = Afterwards.OUTPUTS_SURVIVE if mended else Afterwards.OUTPUTS_CEASE
    story.suppose("KIRI-7", valid_until=day("2026-06-01"), term=None, on_expiry=after)
    return Question()


@shows(Code.GRANT_REVOKED)
def in_september_the_estate_revoked_with_effect_from_june(story: Story, mended: bool) -> Question:
    after = Afterwards.OUTPUTS_SURVIVE if mended else Afterwards.OUTPUTS_CEASE
    story.suppose("KIRI-7", on_revocation=after)
    story.on("2026-09-01")
    story.revoke("KIRI-7", effective=day("2026-06-01"))
    return Question()


@shows(Code.USE_NOT_GRANTED)
def the_contract_speaks_of_training_and_not_of_the_film(story: Story, mended: bool) -> Question:
    output = Use.OUTPUT_FINAL if mended else Use.OUTPUT_TEMP
    story.suppose("KIRI-7", uses=(Use.FOCUSED_TRAINING, output))
    return Question()


@shows(Code.STAGE_NOT_GRANTED)
def the_contract_permits_another_stage_of_training(story: Story, mended: bool) -> Question:
    stage = Use.FOCUSED_TRAINING if mended else Use.ADDITIONAL_TRAINING
    story.suppose("KIRI-7", uses=(stage, *OUTPUTS))
    return Question()


@shows(Code.TITLE_NOT_GRANTED)
def the_contract_is_for_the_other_film(story: Story, mended: bool) -> Question:
    titles = [DAWNBREAK, NIGHTFALL] if mended else [DAWNBREAK]
    story.suppose("KIRI-7", scope=scope(titles=titles, media=SHOWN))
    return Question()


@shows(Code.TERRITORY_NOT_GRANTED)
def the_agent_for_the_rest_of_the_world_has_not_korea(story: Story, mended: bool) -> Question:
    without = ["JP"] if mended else ["JP", "KR"]
    story.suppose("HOSHI-INTL", scope=scope(territories=["001"], except_territories=without))
    return Question()


@shows(Code.MEDIA_NOT_GRANTED)
def the_contract_forgot_streaming(story: Story, mended: bool) -> Question:
    media = SHOWN if mended else (Media.BROADCAST, Media.HOME_VIDEO)
    story.suppose("KIRI-7", scope=scope(titles=[NIGHTFALL], media=media))
    return Question()


@shows(Code.EXCLUSIVITY_CONFLICT)
def the_estate_promised_somebody_else_the_same_alone(story: Story, mended: bool) -> Question:
    story.grant(
        "KIRI-RIVAL",
        ["kiri-lineart"],
        Use.OUTPUT_FINAL,
        since=day("2026-01-01"),
        assignee="party:rival",
        exclusivity=Exclusivity.EXCLUSIVE,
        scope=scope(media=[Media.GAMES if mended else Media.STREAMING]),
    )
    return Question()


@shows(Code.ATTRIBUTION_MISSING)
def the_estate_asks_for_a_credit(story: Story, mended: bool) -> Question:
    story.suppose("KIRI-7", attribution="Lines after Kiri Sayo")
    if mended:
        story.suppose(NIGHTFALL, credits=("KIRI-7",))
    return Question()


@shows(Code.LEGAL_BASIS_NOT_ACCEPTED)
def a_lora_of_one_artist_leans_on_the_exception_for_training(story: Story, mended: bool) -> Question:
    """Article 30-4 will do for the foundation, as under *Nightfall*'s base, and not for focused training."""
    if not mended:
        basis = LegalBasis.STATUTORY_EXCEPTION
        story.suppose("KIRI-7", legal_basis=basis, statute="JP-30-4", uses=(Use.FOCUSED_TRAINING,))
    return Question()
