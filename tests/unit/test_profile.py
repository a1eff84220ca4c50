"""Policy profiles: what the shipped ones promise, and what a profile's rules say."""

from dataclasses import replace
from pathlib import Path

import pytest

from ledger.adapters.profiles import load, shipped_names, shipped_text
from ledger.core.predicates.answer import Answer, Grade, Reason
from ledger.core.predicates.approval import ApprovalKind
from ledger.core.predicates.delivery import Deliverable
from ledger.core.predicates.grant import Use
from ledger.core.predicates.grant_v2 import LegalBasis
from ledger.core.predicates.reasons import EXPLAINED, Code, Severity, Verdict
from ledger.core.predicates.scope import Media
from ledger.core.rights.profile import OverrideRule, Principle, Profile, Trigger, answers, digest
from ledger.errors import MalformedError
from tests.architecture.project import ROOT

GUIDE = (ROOT / "docs" / "rights" / "profiles.md").read_text(encoding="utf-8")
NAMES = ("strict-authorised-only", "broadcast-jp", "streamer", "insurer", "internal-previz")
SMALL = Profile(
    name="small",
    summary="A profile for these tests.",
    version="1",
    accepted={
        "foundation-training": frozenset((LegalBasis.LICENCE, LegalBasis.STATUTORY_EXCEPTION)),
        "additional-training": frozenset((LegalBasis.LICENCE, LegalBasis.STATUTORY_EXCEPTION)),
        "focused-training": frozenset(),
        "other": frozenset((LegalBasis.LICENCE,)),
    },
    severities={Code.STYLE_REFERENCE: Severity.NEEDS_REVIEW},
    grades={Deliverable.FINAL: Grade.L2},
    approvals=(),
    principles=(Principle("looked-at", "Looked at.", frozenset((Code.SIMILARITY_HIT_OPEN,))),),
    overrides=OverrideRule(2),
    media=(Media.BROADCAST,),
    territories=("JP",),
    statutes=frozenset(("JP-30-4",)),
)
WORDS = {Severity.BLOCKED: "**blocked**", Severity.NEEDS_REVIEW: "review", Severity.NOTED: "noted"}


def severity_table() -> str:
    profiles = [load(name) for name in NAMES]
    rows = [
        f"| `{code}` | " + " | ".join(WORDS[profile.severity(code)] for profile in profiles) + " |"
        for code in Code
    ]
    return "\n".join([f"| reason | {' | '.join(NAMES)} |", "|---" * (len(NAMES) + 1) + "|", *rows])


def answer(*codes: Code, severity: Severity = Severity.NEEDS_REVIEW) -> Answer:
    reasons = tuple(Reason(code, severity, "frame", "00" * 32) for code in codes)
    return Answer(Verdict.of(severity), Grade.L1, reasons, (0, 0, 0, 0, 0))


# --- the shipped profiles -----------------------------------------------------------------------------------


def test_five_profiles_are_shipped() -> None:
    assert shipped_names() == tuple(sorted(NAMES))


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_profile_is_called_like_its_file_and_says_every_severity(name: str) -> None:
    profile = load(name)
    assert profile.name == name
    assert set(profile.severities) == set(Code)


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_profile_explains_itself_and_what_it_is_not(name: str) -> None:
    text = shipped_text(name)
    assert "# What it follows" in text
    assert "not a legal opinion" in text
    assert max(map(len, text.splitlines())) <= 130


@pytest.mark.parametrize("name", NAMES)
def test_no_shipped_profile_is_lenient_about_people_withdrawals_keys_or_production_data(name: str) -> None:
    profile = load(name)
    for code in (
        Code.LIKENESS_CONSENT_MISSING,
        Code.MODEL_WITHDRAWN,
        Code.SIGNATURE_INVALID,
        Code.INPUT_TRAINING_NOT_DISABLED,
    ):
        assert profile.severity(code) is Severity.BLOCKED
    assert not any(LegalBasis.UNKNOWN in held for held in profile.accepted.values())


def test_strict_accepts_authorisation_alone() -> None:
    profile = load("strict-authorised-only")
    excepted = {LegalBasis.STATUTORY_EXCEPTION, LegalBasis.VENDOR_TERMS, LegalBasis.UNKNOWN}
    for use in Use:
        assert {basis for basis in LegalBasis if not profile.accepts(use, basis, "JP-30-4")} == excepted
    assert profile.grades[Deliverable.FINAL] is Grade.L4
    promise = {Code.NO_GRANT, Code.MODEL_OPAQUE, Code.MODEL_CONTESTED, Code.LEGAL_BASIS_NOT_ACCEPTED}
    assert {profile.severity(code) for code in promise} == {Severity.BLOCKED}
    assert promise <= profile.overrides.never
    assert profile.approvals == ()


def test_broadcast_jp_takes_article_30_4_for_all_training_but_focused() -> None:
    profile = load("broadcast-jp")
    exception = LegalBasis.STATUTORY_EXCEPTION
    assert {use for use in Use if profile.accepts(use, exception, "JP-30-4")} == {
        Use.FOUNDATION_TRAINING,
        Use.ADDITIONAL_TRAINING,
    }
    assert not profile.accepts(Use.FOUNDATION_TRAINING, exception, "EU-CDSM-4")
    assert not profile.accepts(Use.FOUNDATION_TRAINING, exception)
    assert profile.accepts(Use.FOCUSED_TRAINING, LegalBasis.LICENCE)
    assert (profile.territories, profile.media) == (("JP",), (Media.BROADCAST, Media.STREAMING))


def test_streamer_asks_the_five_principles_and_for_written_approvals() -> None:
    profile = load("streamer")
    assert len(profile.principles) == 5
    asked = {(rule.kind, rule.when) for rule in profile.approvals}
    assert asked == {
        (ApprovalKind.FINAL_OUTPUT, Trigger.ANY_MODEL),
        (ApprovalKind.TOOL, Trigger.OPAQUE_MODEL),
        (ApprovalKind.LIKENESS, Trigger.LIKENESS),
        (ApprovalKind.THIRD_PARTY_IP, Trigger.REFERENCE),
    }
    assert profile.severity(Code.APPROVAL_MISSING) is Severity.BLOCKED
    assert Code.APPROVAL_MISSING in profile.overrides.never
    assert profile.grades[Deliverable.FINAL] is Grade.L2
    assert Deliverable.TEMP not in profile.grades


@pytest.mark.parametrize(
    ("code", "broken"),
    [
        (Code.STYLE_REFERENCE, {"no-recreation-of-unowned-work"}),
        (Code.INPUT_TRAINING_NOT_DISABLED, {"no-training-on-production-data"}),
        (Code.PLAN_TIER_UNKNOWN, {"no-training-on-production-data", "enterprise-secured"}),
        (Code.APPROVAL_MISSING, {"temporary-or-approved"}),
        (Code.PERFORMER_NAME_IN_PROMPT, {"no-talent-without-consent"}),
        (Code.TERRITORY_NOT_GRANTED, set()),
    ],
)
def test_a_finding_breaks_the_principle_it_is_about(code: Code, broken: set[str]) -> None:
    found = answers(load("streamer"), answer(code))
    assert {principle.id for principle, holds in found if not holds} == broken


@pytest.mark.parametrize("code", [Code.CHAIN_GAP, Code.SIGNATURE_INVALID])
@pytest.mark.parametrize(
    ("name", "holding"),
    [
        ("strict-authorised-only", set()),
        ("broadcast-jp", {"similarity-looked-at"}),
        ("streamer", set()),
        ("insurer", {"no-open-finding"}),
    ],
)
def test_what_is_not_known_leaves_the_questions_of_a_reader_open(
    name: str, holding: set[str], code: Code
) -> None:
    found = answers(load(name), answer(code))
    assert {principle.id for principle, holds in found if holds} == holding


def test_insurer_waits_until_a_person_has_closed_every_finding() -> None:
    profile = load("insurer")
    for code in (
        Code.SIMILARITY_HIT_OPEN,
        Code.STYLE_REFERENCE,
        Code.PERFORMER_NAME_IN_PROMPT,
        Code.TERMS_SNAPSHOT_MISSING,
        Code.INDEMNITY_CONDITION_UNMET,
    ):
        assert profile.severity(code) is Severity.BLOCKED
    assert profile.grades[Deliverable.FINAL] is Grade.L3
    assert Verdict.of(profile.severity(Code.LEGAL_BASIS_NOT_ACCEPTED)) is Verdict.NEEDS_REVIEW


def test_internal_previz_notes_what_can_still_be_mended() -> None:
    profile = load("internal-previz")
    counted = {code for code in Code if profile.severity(code) is not Severity.NOTED}
    assert counted == {
        Code.GRANT_REVOKED,
        Code.MODEL_WITHDRAWN,
        Code.TERMS_SNAPSHOT_MISSING,
        Code.PLAN_TIER_UNKNOWN,
        Code.INPUT_TRAINING_NOT_DISABLED,
        Code.LIKENESS_CONSENT_MISSING,
        Code.PERFORMER_NAME_IN_PROMPT,
        Code.APPROVAL_MISSING,
        Code.SIGNATURE_INVALID,
    }
    assert profile.media == (Media.INTERNAL,)
    assert profile.grades == {}


def test_internal_previz_is_not_for_what_is_shown() -> None:
    profile = load("internal-previz")
    (rule,) = profile.approvals
    assert rule.when is Trigger.ALWAYS
    assert rule.deliverables == set(Deliverable) - {Deliverable.TEMP}
    assert Code.APPROVAL_MISSING in profile.overrides.never


def test_the_guide_has_the_severities_of_the_files() -> None:
    between = GUIDE.split("<!-- severities -->\n")[1].split("\n<!-- end -->")[0]
    assert between == severity_table()


# --- the rules of a profile ---------------------------------------------------------------------------------


def test_a_code_that_a_profile_leaves_out_has_its_own_severity() -> None:
    profile = SMALL
    assert profile.severity(Code.STYLE_REFERENCE) is Severity.NEEDS_REVIEW
    assert EXPLAINED[Code.STYLE_REFERENCE].severity is Severity.NOTED
    assert profile.severity(Code.NO_GRANT) is EXPLAINED[Code.NO_GRANT].severity


def test_without_statutes_every_provision_counts_where_an_exception_does() -> None:
    profile = replace(SMALL, statutes=frozenset())
    assert profile.accepts(Use.ADDITIONAL_TRAINING, LegalBasis.STATUTORY_EXCEPTION, "EU-CDSM-4")
    assert not profile.accepts(Use.OUTPUT_FINAL, LegalBasis.STATUTORY_EXCEPTION, "JP-30-4")


@pytest.mark.parametrize("severity", list(Severity))
def test_a_principle_holds_while_its_reasons_are_only_noted(severity: Severity) -> None:
    ((_, holds),) = answers(SMALL, answer(Code.SIMILARITY_HIT_OPEN, severity=severity))
    assert holds == (severity is Severity.NOTED)


@pytest.mark.parametrize(
    "changed",
    [
        {"version": "2"},
        {"severities": {}},
        {"statutes": frozenset()},
        {"territories": ("001",)},
        {"grades": {Deliverable.FINAL: Grade.L3}},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_a_changed_rule_changes_the_digest(changed: dict[str, object]) -> None:
    profile = SMALL
    assert digest(replace(profile, **changed)) != digest(profile)  # type: ignore[arg-type] # each of its own type


def test_a_file_cannot_pose_as_a_shipped_profile(tmp_path: Path) -> None:
    text = shipped_text("broadcast-jp")
    path = tmp_path / "house.toml"
    path.write_text(text, encoding="utf-8")
    assert load(f"{path}") == load("broadcast-jp")
    changed = text.replace('MODEL_UNREVIEWED = "needs_review"', 'MODEL_UNREVIEWED = "noted"')
    path.write_text(changed, encoding="utf-8")
    with pytest.raises(MalformedError, match="shipped"):
        load(f"{path}")
