"""The words of published statements: none comes or goes without a new version of the statement.

One word more makes statements that yesterday's verifier refuses, under a type that it knows.
"""

from enum import Enum, StrEnum

import pytest

from ledger.core.artifact import ROLES_V1, Role
from ledger.core.predicates.answer import Grade
from ledger.core.predicates.approval import ApprovalKind, Decision
from ledger.core.predicates.delivery import Deliverable
from ledger.core.predicates.finding import FindingKind, FindingState
from ledger.core.predicates.grant import USES_V1, Use
from ledger.core.predicates.grant_v2 import Afterwards, Exclusivity, LegalBasis
from ledger.core.predicates.model import TrainingStage
from ledger.core.predicates.model_v2 import ModelKind, ParentRole
from ledger.core.predicates.party import PartyKind
from ledger.core.predicates.reasons import Code, Severity, Verdict
from ledger.core.predicates.review import Standing
from ledger.core.predicates.scope import Media
from ledger.core.predicates.service_call import CallOutcome
from ledger.core.predicates.service_terms import InputTraining, Ownership
from ledger.core.predicates.step import Evidence, StepAction

PUBLISHED: dict[type[Enum], str] = {
    Afterwards: "outputs-survive outputs-cease-new-exploitation model-must-retire renegotiate",
    CallOutcome: "accepted throttled refused failed",
    ApprovalKind: "tool final-output likeness personal-data third-party-ip",
    Code: """
        NO_GRANT GRANT_NOT_IN_FORCE GRANT_REVOKED USE_NOT_GRANTED STAGE_NOT_GRANTED TITLE_NOT_GRANTED
        TERRITORY_NOT_GRANTED MEDIA_NOT_GRANTED EXCLUSIVITY_CONFLICT ATTRIBUTION_MISSING
        LEGAL_BASIS_NOT_ACCEPTED MODEL_UNREVIEWED MODEL_CONTESTED MODEL_WITHDRAWN MODEL_OPAQUE
        WEIGHTS_HASH_UNKNOWN TRAINING_ATTESTATION_MISSING INVENTORY_MISSING INVENTORY_AFTER_TRAINING
        TERMS_SNAPSHOT_MISSING PLAN_TIER_UNKNOWN INPUT_TRAINING_NOT_DISABLED INDEMNITY_CONDITION_UNMET
        OUTPUT_AS_TRAINING_PROHIBITED REFERENCE_RIGHTS_MISSING LIKENESS_CONSENT_MISSING
        PERFORMER_NAME_IN_PROMPT STYLE_REFERENCE SIMILARITY_HIT_OPEN APPROVAL_MISSING CHAIN_GAP
        SIGNATURE_INVALID WEAK_EVIDENCE CYCLE_OR_FORK OVERRIDE_EXPIRED GRADE_BELOW_POLICY
    """,
    Decision: "approved refused",
    Deliverable: "final temp marketing merch",
    Evidence: "observed inferred declared",
    Exclusivity: "non-exclusive exclusive",
    FindingKind: "style-reference performer-name similarity-hit",
    FindingState: "open dismissed upheld",
    Grade: "L0 L1 L2 L3 L4",
    InputTraining: "never disabled enabled",
    LegalBasis: """
        licence statutory-exception public-domain own-work work-for-hire vendor-terms unknown
    """,
    Media: """
        broadcast streaming theatrical home-video games merchandise advertising social print internal
    """,
    ModelKind: "base fine-tune lora controlnet vae upscaler merge service other",
    Ownership: "user vendor shared unclear",
    ParentRole: "base merged adapter-base",
    PartyKind: "person organisation collective",
    Role: "parent component reference model dataset control inpaint",
    Severity: "NOTED NEEDS_REVIEW BLOCKED",
    Standing: "accepted contested withdrawn",
    StepAction: "generate edit composite draw render convert import",
    TrainingStage: "foundation additional focused",
    Use: """
        foundation-training additional-training focused-training inference-run output-final output-temp
        output-marketing output-merch output-as-training reference-input control-input inpaint-source
        dataset-redistribution similarity-index
    """,
    Verdict: "cleared needs_review blocked",
}


@pytest.mark.parametrize("kind", PUBLISHED, ids=lambda kind: kind.__name__)
def test_the_words_are_those_that_were_published(kind: type[Enum]) -> None:
    words = {item.value if isinstance(item, StrEnum) else item.name for item in kind}
    assert words == set(PUBLISHED[kind].split())


def test_the_first_versions_know_the_words_that_they_had() -> None:
    assert " ".join(sorted(ROLES_V1)) == "component dataset model parent reference"
    training = "additional-training focused-training foundation-training"
    assert " ".join(sorted(USES_V1)) == f"{training} inference-run output-final output-temp"
