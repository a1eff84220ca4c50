"""A bill of materials with all that one can hold: a merge, a service, a grant, what nobody registered."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ledger.core.artifact import Artifact
from ledger.core.predicates import DatasetV2, GrantV2, ModelV2, Party, Predicate
from ledger.core.predicates.answer import Answer, Grade, Reason
from ledger.core.predicates.dataset_v2 import InventoryRoot
from ledger.core.predicates.delivery import Deliverable, Delivery
from ledger.core.predicates.grant import Use
from ledger.core.predicates.licence import Licence
from ledger.core.predicates.model import Training, TrainingStage
from ledger.core.predicates.model_v2 import ModelKind, Parent, ParentRole, Service
from ledger.core.predicates.party import PartyKind
from ledger.core.predicates.reasons import Code, Severity, Verdict
from ledger.core.predicates.scope import Media, Scope
from ledger.core.predicates.step import Evidence
from ledger.core.rights.basis import Item, ItemKind, slot_of
from ledger.core.rights.bill import Bill, Judgement
from ledger.core.rights.facts import FactRecord, Facts
from ledger.core.rights.materials import materials
from ledger.core.statement import Statement
from tests.support.builders import digest

NOW = datetime(2026, 3, 1, tzinfo=UTC)
SERVICE = Service("Vendor", "Video", "2026-01")
FRAME = Artifact("frame.1001.png", digest("frame"), "image/png")
HOSTILE = '"><script>alert(1)</script>\u00a0ф'


def facts(*more: tuple[str, Predicate]) -> Facts:
    """Return a merge of a licensed base and of something from the web, a service, and a grant."""
    plates = DatasetV2(
        "plates",
        "1",
        3,
        2,
        recorded=NOW,
        evidence=Evidence.OBSERVED,
        inventory=InventoryRoot(3, digest("root")),
        composition=(("origin: JP", 3),),
    )
    base = ModelV2(
        "base",
        "1",
        (Training("plates", digest("plates"), TrainingStage.FOUNDATION),),
        recorded=NOW,
        kind=ModelKind.BASE,
        licence=Licence("LicenseRef-mori-1 OR Apache-2.0", digest("text")),
    )
    parents = (
        Parent("base", digest("base"), ParentRole.MERGED, "0.7"),
        Parent("web", digest("web"), ParentRole.MERGED, "0.3", (("in", "0.5"),)),
    )
    mix = ModelV2("mix", "1", recorded=NOW, kind=ModelKind.MERGE, parents=parents)
    video = ModelV2("video", "1", recorded=NOW, kind=ModelKind.SERVICE, service=SERVICE)
    grant = GrantV2(
        "G 1/ü",
        (Use.FOUNDATION_TRAINING, Use.INFERENCE_RUN, Use.OUTPUT_FINAL, Use.SIMILARITY_INDEX),
        NOW,
        NOW + timedelta(days=300),
        recorded=NOW,
        assigner="mori",
        assignee="ran",
        scope=Scope(("nightfall",), (Media.BROADCAST,), ("001",), ("CN",)),
        attribution="© Mori",
    )
    said: list[tuple[str, Predicate]] = [
        ("mori", Party("mori", PartyKind.ORGANISATION, NOW, HOSTILE)),
        ("ran", Party("ran", PartyKind.PERSON, NOW)),
        ("plates", plates),
        ("base", base),
        ("mix", mix),
        ("base", grant),
        *more,
    ]
    records = [
        FactRecord(index, Statement((Artifact(name, digest(name)),), predicate))
        for index, (name, predicate) in enumerate(said)
    ]
    return Facts([*records, FactRecord(99, Statement((SERVICE.subject,), video))], 100)


def bill(known: Facts | None = None, *, judged: bool = True) -> Bill:
    known = known or facts()
    slot = slot_of(NOW) + 100
    basis = [
        Item(ItemKind.MODEL, digest("mix"), "mix", "", slot),
        Item(ItemKind.SERVICE, SERVICE.subject.sha256, SERVICE.name, "pro", slot),
        Item(ItemKind.REFERENCE, digest("still"), HOSTILE, Use.REFERENCE_INPUT.value, slot),
    ]
    reason = Reason(
        Code.WEIGHTS_HASH_UNKNOWN, Severity.BLOCKED, "web", digest("web"), ("model mix", "model web")
    )
    answer = Answer(Verdict.BLOCKED, Grade.L0, (reason,), (1, 0, 2, 0, 0))
    delivery = Delivery("nightfall", Deliverable.FINAL, (Media.BROADCAST,), ("JP",))
    return Bill(
        studio="Studio Kumo",
        origin="ledger.example/nightfall",
        size=100,
        root=digest("tree"),
        created=NOW,
        subjects=(FRAME, Artifact("frame.1002.png", digest("next"))),
        materials=materials(known, basis),
        facts=known,
        judgement=Judgement(answer, delivery, "strict", digest("policy")) if judged else None,
    )
