"""The answer is given twice: when it was made, and now; and what was known on a day can be asked again."""

from datetime import datetime, timedelta

import pytest

from ledger.core.artifact import Role
from ledger.core.predicates.grant import Use
from ledger.core.predicates.grant_v2 import Afterwards
from ledger.core.predicates.reasons import Code, Verdict
from ledger.core.predicates.review import Standing
from ledger.core.predicates.scope import Term
from ledger.core.rights.clearance import Clearance
from tests.rights.cases import Question
from tests.rights.nightfall import DELIVERED, OUTPUTS, nightfall
from tests.rights.story import Story, day

CLEARED, REVIEW, BLOCKED = Verdict.CLEARED, Verdict.NEEDS_REVIEW, Verdict.BLOCKED
JUNE = day("2026-06-01")
MADE_BEFORE, MADE_AFTER = day("2026-05-31", 23, 59), JUNE


def verdicts(found: Clearance) -> tuple[Verdict, Verdict]:
    return found.then.verdict, found.now.verdict


def seen(found: Clearance, code: Code) -> tuple[bool, bool]:
    """Return whether the reason is there then, and now."""
    then, now = ({item.code for item in side.reasons} for side in (found.then, found.now))
    return code in then, code in now


def line(story: Story, made: datetime, at: datetime = DELIVERED, known: datetime | None = None) -> Clearance:
    """A line drawing, made with the LoRA at this moment, and asked about at another."""
    picture = story.makes("late.png", ("kiri-7", Role.MODEL), at=made)
    return Question(picture, at=at, known=known).put(story)


LIVES_ON = (Afterwards.OUTPUTS_SURVIVE, Afterwards.MODEL_MUST_RETIRE)


@pytest.mark.parametrize("after", Afterwards)
def test_when_a_grant_ends_what_was_made_before_lives_on_only_if_the_contract_says_so(
    after: Afterwards,
) -> None:
    story = nightfall()
    story.suppose("KIRI-7", valid_until=JUNE, term=None, on_expiry=after)
    made_before = line(story, MADE_BEFORE)
    assert seen(made_before, Code.GRANT_NOT_IN_FORCE) == (False, after not in LIVES_ON)
    made_after = line(story, MADE_AFTER)
    assert seen(made_after, Code.GRANT_NOT_IN_FORCE) == (True, True)


@pytest.mark.parametrize("after", Afterwards)
def test_when_a_grant_is_revoked_the_same_holds_with_the_word_for_revocation(after: Afterwards) -> None:
    story = nightfall()
    story.suppose("KIRI-7", on_revocation=after)
    story.on("2026-05-15")
    story.revoke("KIRI-7", effective=JUNE)
    assert seen(line(story, MADE_BEFORE), Code.GRANT_REVOKED) == (False, after not in LIVES_ON)
    assert seen(line(story, MADE_AFTER), Code.GRANT_REVOKED) == (True, True)


def retroactive() -> Story:
    """In September the estate revoked, with effect from June; a picture was made in July."""
    story = nightfall()
    story.on("2026-09-01")
    story.revoke("KIRI-7", effective=JUNE)
    return story


def test_before_a_retroactive_revocation_was_known_everything_was_cleared() -> None:
    july = day("2026-07-10", 15)
    known = line(retroactive(), july, at=day("2026-08-01"), known=day("2026-08-01"))
    assert verdicts(known) == (CLEARED, CLEARED)


def test_since_it_is_known_neither_side_is_cleared_and_the_reason_says_since_when() -> None:
    found = line(retroactive(), day("2026-07-10", 15))
    assert verdicts(found) == (BLOCKED, BLOCKED)
    reason = next(item for item in found.then.reasons if item.code is Code.GRANT_REVOKED)
    assert reason.at == day("2026-07-10", 15)
    assert reason.known_since == day("2026-09-01", 12)
    assert reason.detail == "with effect from 2026-05-31 15:00 UTC"
    assert reason.grants == ("KIRI-7",)


def test_what_was_made_before_the_effect_was_cleared_then_and_is_not_now() -> None:
    found = line(retroactive(), day("2026-03-10", 15))
    assert verdicts(found) == (CLEARED, BLOCKED)
    assert [reason.code for reason in found.changed] == [Code.GRANT_REVOKED]


def test_of_two_revocations_the_one_that_takes_effect_first_counts() -> None:
    story = retroactive()
    story.on("2026-09-20")
    story.revoke("KIRI-7", effective=day("2026-04-01"))
    assert seen(line(story, day("2026-05-01")), Code.GRANT_REVOKED) == (True, True)


def test_a_grant_that_was_revoked_is_not_revived_by_a_new_version() -> None:
    story = retroactive()
    story.on("2026-09-20")
    uses = (Use.FOCUSED_TRAINING, *OUTPUTS)
    story.grant("KIRI-7", ["kiri-lineart"], *uses, since=day("2025-12-01"), version=2)
    assert verdicts(line(story, day("2026-07-10"))) == (BLOCKED, BLOCKED)


def test_a_settlement_under_a_new_identifier_clears_the_frame_from_its_own_day_on() -> None:
    story = retroactive()
    story.on("2026-09-20")
    uses = (Use.FOCUSED_TRAINING, *OUTPUTS)
    story.grant("KIRI-8", ["kiri-lineart"], *uses, since=day("2026-09-20"))
    found = line(story, day("2026-07-10"))
    assert verdicts(found) == (BLOCKED, CLEARED)
    # The new grant is closer; that the old one was taken back is said all the same.
    assert [item.code for item in found.then.reasons] == [Code.GRANT_REVOKED, Code.GRANT_NOT_IN_FORCE]


def test_a_grant_that_ended_is_not_in_force() -> None:
    story = nightfall()
    term = Term(day("2025-12-01").date(), "Asia/Tokyo", JUNE.date())
    story.suppose("KIRI-7", valid_until=JUNE, term=term)
    found = line(story, MADE_AFTER)
    assert verdicts(found) == (REVIEW, REVIEW)


@pytest.mark.parametrize(
    ("moment", "covered"),
    [
        (day("2026-05-31", 23, 44), True),
        (day("2026-05-31", 23, 59), True),
        (day("2026-06-01", 0, 0), False),
        (day("2026-06-01", 8, 59), False),  # still May in UTC
    ],
)
def test_until_the_end_of_may_means_may_in_japan(moment: datetime, covered: bool) -> None:
    story = nightfall()
    story.suppose("KIRI-7", valid_until=JUNE, term=Term(day("2025-12-01").date(), "Asia/Tokyo", JUNE.date()))
    assert seen(line(story, moment), Code.GRANT_NOT_IN_FORCE)[0] is not covered


@pytest.mark.parametrize(("minute", "covered"), [(59, False), (0, True)])
def test_a_grant_begins_with_its_first_minute(minute: int, covered: bool) -> None:
    story = nightfall()
    story.suppose("TSUKI-1", valid_from=JUNE)
    moment = JUNE if minute == 0 else JUNE - timedelta(minutes=1)
    picture = story.makes("sky.png", ("tsuki-base", Role.MODEL), at=moment)
    assert (Question(picture).put(story).then.verdict is CLEARED) is covered


def test_now_at_the_moment_of_use_is_then() -> None:
    moment = day("2026-07-10", 15)
    for story in (nightfall(), retroactive()):
        found = line(story, moment, at=moment)
        assert found.then == found.now
        assert found.changed == ()


def test_a_claim_that_came_later_speaks_against_now_and_not_against_then() -> None:
    story = nightfall()
    story.on("2026-07-01")
    story.review("kiri-7", Standing.CONTESTED, since=day("2026-07-01"))
    found = line(story, day("2026-03-10"))
    assert seen(found, Code.MODEL_CONTESTED) == (False, True)
    assert [item.code for item in found.changed] == [Code.MODEL_CONTESTED]


def test_a_training_is_judged_when_it_ran_however_late_the_picture_is_made() -> None:
    """The licence for the training ended in spring; the model was trained in January."""
    story = nightfall()
    story.suppose("KIRI-7", uses=OUTPUTS)
    story.grant(
        "KIRI-TRAIN",
        ["kiri-lineart"],
        Use.FOCUSED_TRAINING,
        since=day("2026-01-01"),
        valid_until=day("2026-03-01"),
    )
    assert verdicts(line(story, day("2026-07-10"))) == (CLEARED, CLEARED)


@pytest.mark.parametrize("since", [day("2026-01-14", 12), day("2026-01-14", 16)])
def test_a_training_that_began_before_its_grant_is_not_covered(since: datetime) -> None:
    """It ran from ten to five past four. Not even the last quarter of an hour is enough."""
    story = nightfall()
    story.suppose("KIRI-7", valid_from=since, term=None)
    found = line(story, day("2026-03-10"))
    reason = next(item for item in found.then.reasons if item.use is Use.FOCUSED_TRAINING)
    assert (reason.code, reason.at) == (Code.GRANT_NOT_IN_FORCE, day("2026-01-14", 10))


def test_without_an_attestation_a_later_registration_does_not_move_the_training() -> None:
    story = nightfall()
    story.forget("run of kiri-7")
    story.suppose("kiri-7", recorded=DELIVERED)
    story.suppose("KIRI-7", valid_from=day("2026-08-01"), term=None)
    found = line(story, day("2026-03-10"))
    assert Code.GRANT_NOT_IN_FORCE in {
        item.code for item in found.then.reasons if item.use is Use.FOCUSED_TRAINING
    }
