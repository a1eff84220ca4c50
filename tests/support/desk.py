"""A production with much to look up: two thousand grants, a family of three hundred models, hostile names.

Its statements are signed and in the log, like those of a feature; everything that has an end ends some days
after ``now``, so that what ends soon is the same on whatever day the tests run.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ledger.adapters.home import Home
from ledger.core.artifact import Artifact, named
from ledger.core.digest import sha256_hex
from ledger.core.predicates import (
    Approval,
    Consent,
    DatasetV2,
    GrantRevocation,
    GrantV2,
    ModelV2,
    Override,
    Party,
    Predicate,
    Review,
    ServiceTerms,
    Title,
    Work,
)
from ledger.core.predicates.approval import ApprovalKind, Decision
from ledger.core.predicates.grant import Use
from ledger.core.predicates.grant_v2 import Afterwards
from ledger.core.predicates.licence import Licence
from ledger.core.predicates.model import Training, TrainingStage
from ledger.core.predicates.model_v2 import ModelKind, Parent, ParentRole
from ledger.core.predicates.party import PartyKind
from ledger.core.predicates.reasons import Code
from ledger.core.predicates.review import Standing
from ledger.core.predicates.scope import Media, Scope
from ledger.core.predicates.service_terms import InputTraining, Ownership
from ledger.core.predicates.step import Evidence
from ledger.core.predicates.work import Share
from ledger.core.statement import Statement
from ledger.wiring import REGISTRAR, open_studio
from tests.support.feature import OPENED, PRODUCTION, Feature
from tests.support.feature_home import append, made
from tests.support.feature_rights import _commitment as commitment

HOSTILE = '"><img src=x onerror=alert(1)>\u05d0\u05d1/..{{ 7*7 }}%(num)s</svg>' + "w" * 120
"""A name that is markup, reads from the right, is a template, a path, and has no place to break."""
CROWD, CYCLE, BASE = (sha256_hex(word) for word in (b"crowd", b"cycle", b"base of many"))
GRANTS, FAMILY = 2_000, 300


def midnight() -> datetime:
    """Return the beginning of today, UTC."""
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def made_desk(folder: Path, grants: int = GRANTS, family: int = FAMILY) -> Home:
    """Found a studio in a new folder with all of this in its log."""
    home = made(folder, Feature(4, 40, 6))
    registrar = home.statement_signer(REGISTRAR)
    with open_studio(home) as studio:
        append(studio, ((registrar, each) for each in (*ending(), *crowd(grants), *relatives(family))))
    return home


def ending() -> Iterator[Statement]:
    """Yield one of each thing that ends: a grant in 10 days, a consent in 40, the others in 100, 200, 300."""
    today, model = midnight(), Artifact("model-0", sha256_hex(b"model-0 weights"))

    def days(number: int) -> datetime:
        return today + timedelta(days=number)

    grant = GrantV2(
        "G-soon",
        (Use.INFERENCE_RUN, Use.OUTPUT_FINAL),
        OPENED,
        days(10),
        (commitment("contract"),),
        recorded=OPENED,
        assigner="mori",
        assignee="nobody-registered",
        scope=Scope(("T-1",), (Media.STREAMING,), ("150", "JP"), ("FR",)),
        on_expiry=Afterwards.MODEL_MUST_RETIRE,
        document=True,
    )
    footage = Artifact("footage", sha256_hex(b"footage"))
    yield Statement((footage,), grant)
    consent = Consent("C-soon", "performer-0", "the face in the crowd", OPENED, OPENED, days(40))
    terms = ServiceTerms(
        "vendor-1",
        "video",
        "team",
        OPENED,
        OPENED,
        OPENED,
        Ownership.UNCLEAR,
        InputTraining.DISABLED,
        output_as_training=False,
        effective_until=days(100),
    )
    mori = Party("mori", PartyKind.ORGANISATION, OPENED, "Mori Studio")
    yield Statement((mori.subject,), mori)
    work = Work("W-1", (Share("mori", 2), Share("kawa", 1)), OPENED)
    yield Statement((Artifact("night.png", sha256_hex(b"night")),), work)
    yield Statement((consent.subject,), consent)
    yield Statement((Artifact("terms.html", sha256_hex(b"terms")),), terms)
    approved = Approval(ApprovalKind.TOOL, Decision.APPROVED, "mori", OPENED, OPENED, days(200))
    accepted = Override(Code.MODEL_OPAQUE, ("a", "b"), OPENED, days(300), (), (commitment("why"),))
    yield from (Statement((model,), each) for each in (approved, accepted))


def crowd(grants: int) -> Iterator[Statement]:
    """Yield a dataset of hostile name with many grants: every third has ended, of five one was revoked."""
    subject, today = (Artifact(HOSTILE, CROWD),), midnight()
    listed = DatasetV2(HOSTILE, "1", 5, 2, recorded=OPENED, licence=Licence(HOSTILE))
    yield Statement(subject, listed)
    person = Party(HOSTILE, PartyKind.PERSON, OPENED)
    title = Title(HOSTILE, HOSTILE, ("elsewhere",), OPENED)
    yield from (Statement((each.subject,), each) for each in (person, title))
    for number in range(grants):
        name = f"{HOSTILE}-{number}" if number % 10 == 0 else f"G-crowd-{number}"
        end = today - timedelta(days=30) if number % 3 == 0 else None
        uses, scope = (Use.FOCUSED_TRAINING,), Scope((HOSTILE,))
        known = OPENED + timedelta(days=number % 300)
        said: list[Predicate] = [
            GrantV2(name, uses, OPENED, end, recorded=known, assigner=HOSTILE, scope=scope)
        ]
        if number % 5 == 3:
            said.append(GrantRevocation(name, OPENED + timedelta(days=60), OPENED + timedelta(days=310)))
        yield from (Statement(subject, each) for each in said)


def relatives(family: int) -> Iterator[Statement]:
    """Yield a base with many LoRAs, every tenth merged on, and two models that made each other."""
    yield _model("base-of-many", BASE, ModelKind.BASE)
    yield Statement((Artifact("base-of-many", BASE),), Review(Standing.CONTESTED, "a", OPENED, OPENED))
    for number in range(family):
        parent = Parent("base-of-many", BASE, ParentRole.ADAPTER_BASE)
        yield _model(f"lora-{number}", lora(number), ModelKind.LORA, parent)
        if number % 10 == 9:
            both = [Parent(f"lora-{n}", lora(n), ParentRole.MERGED, "0.5") for n in (number, number - 1)]
            yield _model(f"mix-{number}", sha256_hex(f"mix {number}".encode()), ModelKind.MERGE, *both)
    other = sha256_hex(b"the other")
    stranger = Parent(HOSTILE, named("model", HOSTILE).sha256, ParentRole.MERGED, "1.50")
    yield _model("egg", CYCLE, ModelKind.MERGE, Parent("hen", other, ParentRole.MERGED), stranger)
    yield _model("hen", other, ModelKind.MERGE, Parent("egg", CYCLE, ParentRole.MERGED))


def lora(number: int) -> str:
    """Return the digest of a LoRA's weights."""
    return sha256_hex(f"lora {number}".encode())


def _model(name: str, sha256: str, kind: ModelKind, *parents: Parent) -> Statement:
    trained = (Training(HOSTILE, CROWD, TrainingStage.FOCUSED),) if kind is ModelKind.LORA else ()
    made_from = ModelV2(
        name, "1", trained, recorded=OPENED, kind=kind, evidence=Evidence.OBSERVED, parents=parents
    )
    return Statement((Artifact(name, sha256),), made_from)


__all__ = ["BASE", "CROWD", "CYCLE", "FAMILY", "GRANTS", "HOSTILE", "PRODUCTION", "lora", "made_desk"]
