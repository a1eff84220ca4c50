"""A valid statement of each kind that the rights registry knows, each changeable in one place.

They belong to the story of `builders`: the same model, the same dataset, the same frame.
"""

from dataclasses import fields, replace
from datetime import UTC, date, datetime
from typing import Any

from ledger.core.artifact import Artifact, Role
from ledger.core.predicates import (
    Approval,
    Consent,
    DatasetV2,
    Finding,
    GrantRevocation,
    GrantV2,
    ModelV2,
    Override,
    Party,
    PolicyProfile,
    Review,
    ServiceTerms,
    StepV2,
    Title,
    TrainingRun,
    VerdictResult,
    Work,
)
from ledger.core.predicates.answer import Answer, Grade, Reason
from ledger.core.predicates.approval import ApprovalKind, Decision
from ledger.core.predicates.curation import Curation, Filter
from ledger.core.predicates.dataset_v2 import InventoryRoot, Source
from ledger.core.predicates.delivery import Deliverable, Delivery
from ledger.core.predicates.finding import FindingKind, FindingState
from ledger.core.predicates.grant import Use
from ledger.core.predicates.grant_v2 import Afterwards, Exclusivity
from ledger.core.predicates.licence import Licence
from ledger.core.predicates.model import Training, TrainingStage
from ledger.core.predicates.model_v2 import ModelKind, Parent, ParentRole, Service
from ledger.core.predicates.party import PartyKind
from ledger.core.predicates.reasons import Code, Severity, Verdict
from ledger.core.predicates.review import Standing
from ledger.core.predicates.scope import Media, Scope, Term
from ledger.core.predicates.service_terms import Indemnity, InputTraining, Ownership
from ledger.core.predicates.step import Evidence
from ledger.core.predicates.verdict import Change
from ledger.core.predicates.work import Share
from tests.support.builders import DAY, END, FRAME, INVENTORY, NOW, START, USED, commitment, digest, step

RECORDED = START + 20 * DAY
"""When the studio came to know what it registers: before the model was used."""
LEARNED = USED + 30 * DAY
"""When it came to know what happened later."""

TRAINED = (Training("plates", INVENTORY, TrainingStage.FOCUSED),)
SERVICE = Service("Orbit", "Painter", "2026-01-15")


def party(**changes: Any) -> Party:
    base = Party(
        "party:kiri", PartyKind.ORGANISATION, RECORDED, "Studio Kiri", {"isni": "0000 0001 2103 2683"}
    )
    return replace(base, **changes)


def person(**changes: Any) -> Party:
    secrets = (commitment("name of the painter"),)
    return replace(Party("party:7c1e", PartyKind.PERSON, RECORDED, commitments=secrets), **changes)


def work(**changes: Any) -> Work:
    base = Work(
        "KIRI-0001",
        (Share("party:7c1e", 1), Share("party:kiri", 2)),
        RECORDED,
        parent="KIRI-0000",
        identifiers={"iscc": "ISCC:KACT4EBWK27737D2AYCJRAL5Z36G76RFRMO4554RU26HZ4ORJGIVHDI"},
        commitments=(commitment("title of the work"),),
    )
    return replace(base, **changes)


def title(**changes: Any) -> Title:
    base = Title("NF-S1", "Nightfall", ("nightfall", "nightfall-pilot"), RECORDED, ("LIC-7",))
    return replace(base, **changes)


def curation(**changes: Any) -> Curation:
    filters = (Filter("nsfw-classifier", "3.1", 2, "0.80", digest("classifier")),)
    return replace(Curation(5, filters, 3, 2, 0, digest("exclusions")), **changes)


def dataset_v2(**changes: Any) -> DatasetV2:
    base = DatasetV2(
        "plates",
        "2026",
        3,
        2,
        recorded=RECORDED,
        inventory=InventoryRoot(3, digest("root of the inventory")),
        curation=curation(),
        licence=Licence("LicenseRef-kiri-7", digest("text of the licence")),
        outputs_of=(Source("sketcher", digest("sketcher")),),
        composition=(("genre: landscape", 2), ("origin: JP", 3)),
    )
    return replace(base, **changes)


def model_v2(**changes: Any) -> ModelV2:
    base = ModelV2(
        "studio-xl",
        "2.2",
        TRAINED,
        recorded=RECORDED,
        kind=ModelKind.MERGE,
        evidence=Evidence.OBSERVED,
        parents=(
            Parent("kiri-lora", digest("kiri-lora"), ParentRole.MERGED, "0.25", (("IN01", "0.5"),)),
            Parent("open-base", digest("open-base"), ParentRole.BASE, "0.75"),
        ),
        licence=Licence("CC-BY-4.0"),
    )
    return replace(base, **changes)


def service_model(**changes: Any) -> ModelV2:
    base = ModelV2("Painter", "2", recorded=RECORDED, kind=ModelKind.SERVICE, service=SERVICE)
    return replace(base, **changes)


def step_v2(**changes: Any) -> StepV2:
    old = step()
    base = StepV2(
        **{item.name: getattr(old, item.name) for item in fields(old)},
        service=SERVICE,
        plan_tier="enterprise",
        people=("person:4d20",),
    )
    control = Artifact("pose.png", digest("pose"), role=Role.CONTROL)
    used = replace(SERVICE.subject, role=Role.MODEL)
    return replace(base, **{"materials": (control, used), **changes})


def training_run(**changes: Any) -> TrainingRun:
    began = RECORDED + 2 * DAY
    return replace(TrainingRun("party:kumo", began, began + DAY, Evidence.OBSERVED, TRAINED), **changes)


def grant_v2(**changes: Any) -> GrantV2:
    """Return a licence until the end of 2026 in Tokyo, where midnight is 15:00 UTC of the day before."""
    base = GrantV2(
        "LIC-7",
        (Use.FOCUSED_TRAINING, Use.INFERENCE_RUN, Use.OUTPUT_FINAL),
        datetime(2025, 12, 31, 15, tzinfo=UTC),
        datetime(2026, 12, 31, 15, tzinfo=UTC),
        (commitment("contract"),),
        recorded=RECORDED,
        version=2,
        assigner="party:kiri",
        assignee="party:kumo",
        scope=Scope(("NF-S1",), (Media.BROADCAST, Media.STREAMING), ("001",), ("CN", "KP")),
        term=Term(date(2026, 1, 1), "Asia/Tokyo", date(2027, 1, 1)),
        exclusivity=Exclusivity.EXCLUSIVE,
        attribution="Backgrounds: Studio Kiri",
        sublicence=True,
        on_expiry=Afterwards.OUTPUTS_SURVIVE,
        on_revocation=Afterwards.OUTPUTS_CEASE,
        document=True,
    )
    return replace(base, **changes)


def grant_revocation(**changes: Any) -> GrantRevocation:
    secrets = (commitment("letter"),)
    return replace(GrantRevocation("LIC-7", USED + 10 * DAY, LEARNED, secrets), **changes)


def service_terms(**changes: Any) -> ServiceTerms:
    base = ServiceTerms(
        vendor="Orbit",
        product="Painter",
        plan_tier="enterprise",
        effective_from=START,
        effective_until=END,
        fetched=RECORDED,
        recorded=RECORDED,
        ownership=Ownership.USER,
        input_training=InputTraining.NEVER,
        output_as_training=False,
        indemnity=Indemnity(("filters are on", "the output is unchanged"), ("filters are on",)),
        retention="30 days, then deleted",
    )
    return replace(base, **changes)


def consent(**changes: Any) -> Consent:
    base = Consent(
        "CON-3",
        "person:4d20",
        "face in crowd shots of episode 3",
        START,
        RECORDED,
        END,
        scope=Scope(("NF-S1",), territories=("JP",)),
        commitments=(commitment("signed form"),),
    )
    return replace(base, **changes)


def approval(**changes: Any) -> Approval:
    base = Approval(
        ApprovalKind.TOOL,
        Decision.APPROVED,
        "party:kumo",
        START,
        RECORDED,
        END,
        titles=("NF-S1",),
        reference="TOOLS-12",
        commitments=(commitment("conditions"),),
    )
    return replace(base, **changes)


def override(**changes: Any) -> Override:
    base = Override(
        Code.MODEL_UNREVIEWED,
        ("actor:0aa1", "actor:9f3b6c52"),
        RECORDED,
        RECORDED + 30 * DAY,
        ("NF-S1",),
        (commitment("reason"),),
    )
    return replace(base, **changes)


def review(**changes: Any) -> Review:
    base = Review(
        Standing.CONTESTED,
        "actor:0aa1",
        RECORDED,
        LEARNED,
        "https://example.org/claims/17",
        (commitment("note"),),
    )
    return replace(base, **changes)


def finding(**changes: Any) -> Finding:
    base = Finding(
        "018f-77",
        FindingKind.PERFORMER_NAME,
        FindingState.OPEN,
        "prompt-linter 1.4",
        Evidence.INFERRED,
        USED,
        "person:4d20",
        (commitment("what the prompt named"),),
    )
    return replace(base, **changes)


HOUSE_RULES: dict[str, Any] = {
    "name": "house",
    "summary": "What we ask of every final frame.",
    "version": "1",
    "delivery": {"media": ["streaming"], "territories": ["001"]},
    "accepted": {
        "foundation-training": ["licence", "public-domain"],
        "additional-training": ["licence"],
        "focused-training": ["licence", "own-work"],
        "other": ["licence", "own-work", "vendor-terms"],
    },
    "grades": {"final": "L3"},
    "severities": {"STYLE_REFERENCE": "blocked"},
    "overrides": {"approvers": 2, "never": ["GRANT_REVOKED"]},
}


def policy_profile(**changes: Any) -> PolicyProfile:
    return replace(PolicyProfile("house", RECORDED, HOUSE_RULES), **changes)


def reason(**changes: Any) -> Reason:
    base = Reason(
        Code.GRANT_REVOKED,
        Severity.BLOCKED,
        "plates",
        INVENTORY,
        path=("frame.1001.png", "studio-xl", "plates"),
        detail="with effect from 2026-03-11 12:00 UTC",
        use=Use.OUTPUT_FINAL,
        at=NOW,
        known_since=LEARNED,
        grants=("LIC-7",),
        evidence=Evidence.OBSERVED,
    )
    return replace(base, **changes)


def answer(*reasons: Reason, **changes: Any) -> Answer:
    worst = max((item.severity for item in reasons), default=Severity.NOTED)
    return replace(Answer(Verdict.of(worst), Grade.L3, reasons, (0, 0, 0, 1, 1)), **changes)


def verdict(**changes: Any) -> VerdictResult:
    """Return a verdict that changed: cleared when the frame was made, and blocked since the revocation."""
    noted = reason(
        code=Code.STYLE_REFERENCE,
        severity=Severity.NOTED,
        name="frame.1001.png",
        sha256=FRAME,
        path=(),
        detail=None,
        use=None,
        at=USED,
        known_since=None,
        grants=(),
        override=6,
    )
    base = VerdictResult(
        engine="1",
        policy="house",
        policy_sha256=policy_profile().subject.sha256,
        recorded=NOW,
        valid_at=NOW,
        size=12,
        root=digest("root of the tree"),
        basis=digest("basis"),
        delivery=Delivery("NF-S1", Deliverable.FINAL, (Media.STREAMING,), ("JP",)),
        then=answer(noted),
        now=answer(reason(), noted, omitted=1),
        change=Change(8, 11),
    )
    return replace(base, **changes)
