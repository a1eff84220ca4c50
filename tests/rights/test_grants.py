"""How several grants cover a delivery together, and what makes a contract miss it."""

from dataclasses import replace

import pytest

from ledger.core.artifact import Role
from ledger.core.predicates.approval import ApprovalKind, Decision
from ledger.core.predicates.delivery import Deliverable
from ledger.core.predicates.grant import Use
from ledger.core.predicates.grant_v2 import Exclusivity, LegalBasis
from ledger.core.predicates.reasons import Code, Severity, Verdict
from ledger.core.predicates.scope import Media
from ledger.core.rights.clearance import Clearance
from ledger.core.rights.profile import OTHER, OverrideRule
from tests.rights.cases import Question, codes
from tests.rights.nightfall import BROADCAST, DAWNBREAK, HOUSE, NIGHTFALL, OUTPUTS, SHOWN, nightfall
from tests.rights.record_cases import BROADCASTER
from tests.rights.story import Story, day, scope

SINCE = day("2025-12-01")
TRAIN_AND_SHOW = (Use.FOCUSED_TRAINING, *OUTPUTS)


def detail(found: Clearance, code: Code) -> str | None:
    return next(item.detail for item in found.now.reasons if item.code is code)


# Territories and media


def test_japan_and_the_world_without_japan_are_the_world() -> None:
    world = replace(BROADCAST, territories=("001",))
    assert codes(Question(delivery=world).put(nightfall())) == set()


def test_the_world_without_the_region_that_is_delivered_to_is_nothing_of_it() -> None:
    story = nightfall()
    story.suppose("HOSHI-INTL", scope=scope(territories=["001"], except_territories=["030"]))
    found = Question().put(story)
    assert codes(found) == {Code.TERRITORY_NOT_GRANTED}
    assert detail(found, Code.TERRITORY_NOT_GRANTED) == "not for KR, TW"


def test_territories_that_intersect_to_nothing_cover_nothing() -> None:
    story = nightfall()
    for name in ("HOSHI-JP", "HOSHI-INTL"):
        story.suppose(name, scope=scope(territories=["JP"], except_territories=["JP"]))
    found = Question().put(story)
    assert detail(found, Code.TERRITORY_NOT_GRANTED) == "not for JP, KR, TW"


def test_a_delivery_to_nobody_knows_where_is_not_covered_by_an_unlimited_grant() -> None:
    """A code that no table has, such as that of a country that is no more, is not the empty set."""
    found = Question(delivery=replace(BROADCAST, territories=("AN",))).put(nightfall())
    assert codes(found) == {Code.TERRITORY_NOT_GRANTED}
    assert detail(found, Code.TERRITORY_NOT_GRANTED) == "not for AN"


def test_one_grant_for_a_medium_and_one_for_a_territory_do_not_make_both() -> None:
    """Japan may be broadcast to, Korea may be streamed to; the delivery wants both in both."""
    story = nightfall()
    broadcast = scope(territories=["JP"], media=[Media.BROADCAST])
    streamed = scope(territories=["KR", "TW"], media=[Media.STREAMING])
    story.suppose("HOSHI-JP", scope=broadcast)
    story.suppose("HOSHI-INTL", scope=streamed)
    assert codes(Question().put(story)) == {Code.TERRITORY_NOT_GRANTED}


# Credits


def test_a_credit_is_needed_where_only_the_grant_that_asks_for_it_reaches() -> None:
    """Japan's agent asks for one. The other agent does not, and has not Japan."""
    story = nightfall()
    story.suppose("HOSHI-JP", attribution="Backgrounds: Atelier Hoshi")
    assert codes(Question().put(story)) == {Code.ATTRIBUTION_MISSING}
    abroad = replace(BROADCAST, territories=("KR",))
    assert codes(Question(delivery=abroad).put(story)) == set()
    story.suppose(NIGHTFALL, credits=("HOSHI-JP",))
    assert codes(Question().put(story)) == set()


def test_nothing_that_is_not_shown_needs_a_credit() -> None:
    story = nightfall()
    story.suppose("KIRI-7", attribution="Lines after Kiri Sayo")
    storyboard = replace(BROADCAST, deliverable=Deliverable.TEMP)
    assert codes(Question(delivery=storyboard).put(story)) == set()


# Exclusive grants


def rival(story: Story, **more: object) -> None:
    terms = {"assignee": "party:rival", "exclusivity": Exclusivity.EXCLUSIVE, **more}
    story.grant("KIRI-RIVAL", ["kiri-lineart"], Use.OUTPUT_FINAL, since=SINCE, **terms)


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"scope": scope(territories=["US"])},
        {"scope": scope(titles=[DAWNBREAK])},
        {"scope": scope(media=[Media.MERCHANDISE])},
        {"valid_until": day("2026-01-01")},
    ],
    ids=["in another country", "for another title", "in another medium", "at another time"],
)
def test_an_exclusive_grant_elsewhere_is_no_conflict(elsewhere: dict[str, object]) -> None:
    story = nightfall()
    rival(story, **elsewhere)
    assert codes(Question().put(story)) == set()


def test_overlapping_exclusives_are_a_conflict_even_if_nobody_says_who_the_studio_is() -> None:
    story = nightfall()
    story.suppose("KIRI-7", exclusivity=Exclusivity.EXCLUSIVE)
    rival(story)
    found = Question(profile=replace(HOUSE, licensees=())).put(story)
    assert codes(found) == {Code.EXCLUSIVITY_CONFLICT}
    named = [item.detail for item in found.now.reasons]
    assert named == ["KIRI-7 is exclusive to party:kumo", "KIRI-RIVAL is exclusive to party:rival"]


def test_an_exclusive_grant_of_ones_own_is_no_conflict() -> None:
    story = nightfall()
    story.suppose("KIRI-7", exclusivity=Exclusivity.EXCLUSIVE)
    assert codes(Question().put(story)) == set()


# Licensees, and titles


@pytest.mark.parametrize(("sublicence", "expected"), [(False, {Code.NO_GRANT}), (True, set())])
def test_somebody_elses_grant_counts_only_if_they_may_pass_it_on(
    sublicence: bool, expected: set[Code]
) -> None:
    story = nightfall()
    story.suppose("KIRI-7", assignee="party:distributor", sublicence=sublicence)
    assert codes(Question().put(story)) == expected


def test_an_old_contract_names_a_renamed_title_by_its_old_name() -> None:
    story = nightfall()
    story.suppose("KIRI-7", scope=scope(titles=["Hills at Dusk"], media=SHOWN))
    assert codes(Question().put(story)) == {Code.TITLE_NOT_GRANTED}
    story.title(NIGHTFALL, "Hills at Dusk", "nightfall")
    story.on("2026-04-01")
    story.title(NIGHTFALL, "Nightfall", "nightfall")
    assert codes(Question().put(story)) == set()


def test_without_a_title_nothing_that_is_limited_to_titles_covers_it() -> None:
    untitled = replace(BROADCAST, title=None)
    assert codes(Question(delivery=untitled).put(nightfall())) == {Code.TITLE_NOT_GRANTED}


def test_an_approval_of_a_title_called_untitled_is_none_of_a_delivery_without_one() -> None:
    story = nightfall()
    story.suppose("KIRI-7", scope=scope(media=SHOWN))
    story.title("title:untitled", "untitled")
    untitled = replace(BROADCAST, title=None)
    profile = replace(HOUSE, approvals=(BROADCASTER,))
    story.approve(ApprovalKind.FINAL_OUTPUT, "title:untitled", "party:nami")
    assert codes(Question(delivery=untitled, profile=profile).put(story)) == {Code.APPROVAL_MISSING}


# Three permissions of a model


@pytest.mark.parametrize(
    ("deliverable", "expected"),
    [(Deliverable.FINAL, set()), (Deliverable.MARKETING, set()), (Deliverable.MERCH, {Code.USE_NOT_GRANTED})],
)
def test_the_use_of_an_output_is_permitted_apart_from_running_the_model(
    deliverable: Deliverable, expected: set[Code]
) -> None:
    assert codes(Question(delivery=replace(BROADCAST, deliverable=deliverable)).put(nightfall())) == expected


def test_a_model_whose_output_may_be_used_may_still_not_be_run() -> None:
    """As some open weights are licensed: outputs are free, and running them for a film is not."""
    story = nightfall()
    story.suppose("TSUKI-1", uses=OUTPUTS)
    picture = story.makes("sky.png", ("tsuki-vae", Role.MODEL))
    found = Question(picture).put(story)
    assert [(item.code, item.use) for item in found.now.reasons] == [
        (Code.USE_NOT_GRANTED, Use.INFERENCE_RUN)
    ]


def test_a_model_that_may_be_run_inside_the_studio_only_makes_nothing_for_broadcast() -> None:
    """Its output may be used freely, once it may be run: two grants, and the first is for tests."""
    story = nightfall()
    inside = scope(media=[Media.INTERNAL])
    story.suppose("TSUKI-1", uses=(Use.INFERENCE_RUN,), scope=inside)
    story.grant("TSUKI-2", ["tsuki-vae"], *OUTPUTS, since=SINCE)
    picture = story.makes("sky.png", ("tsuki-vae", Role.MODEL))
    found = Question(picture).put(story)
    assert {(item.code, item.use) for item in found.now.reasons} == {
        (Code.MEDIA_NOT_GRANTED, Use.INFERENCE_RUN)
    }
    test = replace(BROADCAST, deliverable=Deliverable.TEMP, media=(Media.INTERNAL,))
    assert codes(Question(picture, delivery=test).put(story)) == set()


# Legal bases


def test_an_exception_of_another_country_does_not_count() -> None:
    story = nightfall()
    story.suppose("WEB-30-4", statute="EU-CDSM-4")
    found = Question().put(story)
    assert codes(found) == {Code.LEGAL_BASIS_NOT_ACCEPTED}
    assert detail(found, Code.LEGAL_BASIS_NOT_ACCEPTED) == "the basis is statutory-exception (EU-CDSM-4)"


@pytest.mark.parametrize(
    "basis", [LegalBasis.PUBLIC_DOMAIN, LegalBasis.OWN_WORK, LegalBasis.WORK_FOR_HIRE], ids=str
)
def test_what_is_free_or_ones_own_needs_no_word_about_the_output(basis: LegalBasis) -> None:
    story = nightfall()
    story.suppose("KIRI-7", legal_basis=basis, uses=(Use.FOCUSED_TRAINING,))
    assert codes(Question().put(story)) == set()


def test_a_licence_to_train_does_not_permit_the_output_by_itself() -> None:
    story = nightfall()
    story.suppose("COMMONS-1", uses=(Use.FOUNDATION_TRAINING,))
    assert codes(Question().put(story)) == {Code.USE_NOT_GRANTED}


def test_a_policy_that_accepts_no_vendors_terms_refuses_the_service() -> None:
    story = nightfall()
    service = next(iter(story.services))
    picture = story.makes("pan.mp4", (service, Role.MODEL), service=service, plan="studio")
    others = HOUSE.accepted[OTHER] - {LegalBasis.VENDOR_TERMS}
    strict = replace(HOUSE, accepted={**HOUSE.accepted, OTHER: others})
    assert codes(Question(picture, profile=strict).put(story)) == {
        Code.MODEL_OPAQUE,
        Code.LEGAL_BASIS_NOT_ACCEPTED,
    }


# Approvals and overrides


@pytest.mark.parametrize(
    ("missing", "changes"),
    [
        (False, {}),
        (True, {"decision": Decision.REFUSED}),
        (True, {"by": "party:somebody"}),
        (True, {"kind": ApprovalKind.TOOL}),
        (True, {"titles": (DAWNBREAK,)}),
        (True, {"valid_until": day("2026-09-01")}),
        (True, {"valid_from": day("2026-12-01")}),
    ],
)
def test_an_approval_counts_if_it_is_this_one(missing: bool, changes: dict[str, object]) -> None:
    story = nightfall()
    story.approve(ApprovalKind.FINAL_OUTPUT, NIGHTFALL, "party:nami")
    story.suppose(f"approval of {NIGHTFALL}", **changes)
    found = Question(profile=replace(HOUSE, approvals=(BROADCASTER,))).put(story)
    assert codes(found) == ({Code.APPROVAL_MISSING} if missing else set())


@pytest.mark.parametrize(
    ("severity", "changes", "profile"),
    [
        (Severity.NOTED, {}, HOUSE),
        (Severity.NEEDS_REVIEW, {"approvers": ("actor:legal",)}, HOUSE),
        (Severity.NEEDS_REVIEW, {"titles": (DAWNBREAK,)}, HOUSE),
        (Severity.NEEDS_REVIEW, {"code": Code.MODEL_OPAQUE}, HOUSE),
        (Severity.NOTED, {"titles": (NIGHTFALL,)}, HOUSE),
        (
            Severity.NEEDS_REVIEW,
            {},
            replace(HOUSE, overrides=OverrideRule(2, frozenset((Code.MODEL_UNREVIEWED,)))),
        ),
    ],
    ids=["accepted", "by one", "for another title", "of another finding", "for this title", "never"],
)
def test_a_finding_that_was_accepted_stays_and_is_noted(
    severity: Severity, changes: dict[str, object], profile: object
) -> None:
    story = nightfall()
    story.forget("review of kiri-7")
    approvers = ("actor:legal", "actor:producer")
    story.accept(Code.MODEL_UNREVIEWED, "kiri-7", *approvers, until=day("2027-01-01"))
    story.suppose("override of kiri-7", **changes)
    found = Question(profile=profile).put(story)  # type: ignore[arg-type] # a parametrised profile
    (reason,) = found.now.reasons
    assert (reason.code, reason.severity) == (Code.MODEL_UNREVIEWED, severity)
    assert (reason.override is not None) is (severity is Severity.NOTED)
    assert found.now.verdict is Verdict.of(severity)
