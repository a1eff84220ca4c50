"""What a feature rests on: models with their parents and datasets, services with terms, grants, consents.

Most of it is in order. What is not comes back at a fixed distance: a dataset without a grant, one whose grant
ended in the middle of the work or reaches another country, a model that nobody reviewed, a claim against one,
a vendor whose terms let it train on what it is sent, a consent that nobody gave. One grant is revoked.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256

from ledger.core.artifact import Artifact
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
    TrainingRun,
)
from ledger.core.predicates.approval import ApprovalKind, Decision
from ledger.core.predicates.dataset_v2 import InventoryRoot
from ledger.core.predicates.grant import Use
from ledger.core.predicates.grant_v2 import LegalBasis
from ledger.core.predicates.licence import Licence
from ledger.core.predicates.model import Training, TrainingStage
from ledger.core.predicates.model_v2 import ModelKind, Parent, ParentRole
from ledger.core.predicates.party import PartyKind
from ledger.core.predicates.reasons import Code
from ledger.core.predicates.review import Standing
from ledger.core.predicates.scope import EVERYWHERE, Scope
from ledger.core.predicates.service_terms import Indemnity, InputTraining, Ownership
from ledger.core.predicates.step import Evidence
from ledger.core.statement import Statement
from tests.support.feature import BEGUN, FOOTAGE, OPENED, PRODUCTION, SERVICES, Feature, weights

REVOKED = "G-dataset-1"
"""The grant that is revoked from the fortieth day of the work on."""
_USES = tuple(sorted(Use))
_ENDS = BEGUN + timedelta(days=30)
_ABROAD = Scope(territories=("US",))
_OBSERVED = Evidence.OBSERVED


def rights(feature: Feature) -> Iterator[Statement]:
    """Yield the statements of the registrar, in order."""
    yield _named(Title("T-1", "Nightfall", (PRODUCTION,), OPENED))
    yield from (_named(_party(number)) for number in range(_parties(feature)))
    yield from _dataset("footage", FOOTAGE, 0, _parties(feature))
    for number in range(feature.models * 4 // 3):
        yield from _dataset(f"dataset-{number}", _digest(number), number, _parties(feature))
    for number in range(feature.models):
        yield from _model(number, feature)
    yield from _services()
    for number in range(0, 6, 2):
        covers = f"the face of performer {number} in the crowd"
        yield _named(Consent(f"C-{number}", f"performer-{number}", covers, OPENED, OPENED))


def later(feature: Feature) -> Iterator[Statement]:
    """Yield what is said once the work is done: a revocation, and what people accepted."""
    moment, secret = BEGUN + timedelta(days=40), (_commitment("because"),)
    about = _digest(1)
    yield Statement((Artifact("dataset-1", about),), GrantRevocation(REVOKED, moment, moment))
    for number in range(5, feature.models * 4 // 3, 60):
        accepted = Override(
            Code.GRANT_NOT_IN_FORCE,
            ("actor:legal-1", "actor:legal-3"),
            moment,
            moment.replace(year=2028),
            (),
            secret,
        )
        yield Statement((Artifact(f"dataset-{number}", _digest(number)),), accepted)


def _party(number: int) -> Party:
    return Party(f"party-{number}", PartyKind.ORGANISATION, OPENED, f"Rights holder {number}")


def _dataset(name: str, about: str, number: int, parties: int) -> Iterator[Statement]:
    subject = Artifact(name, about)
    root = InventoryRoot(1_000 + number, sha256_hex(f"root {number}".encode())) if number % 9 else None
    licence = Licence("CC-BY-4.0", sha256_hex(b"by")) if number % 3 else None
    facets = (("origin: JP", 900),)
    listed = DatasetV2(
        name,
        "1",
        1_000 + number,
        3,
        recorded=OPENED,
        evidence=_OBSERVED,
        inventory=root,
        licence=licence,
        composition=facets,
    )
    yield Statement((subject,), listed)
    if number % 12 != 7:
        ends, scope = (_ENDS if number % 12 == 5 else None), (_ABROAD if number % 20 == 11 else EVERYWHERE)
        granted = GrantV2(
            f"G-{name}",
            _USES,
            OPENED,
            ends,
            (_commitment(name),),
            recorded=OPENED,
            assigner=f"party-{number % parties}",
            scope=scope,
            document=True,
        )
        yield Statement((subject,), granted)


def _model(number: int, feature: Feature) -> Iterator[Statement]:
    """Yield a model: every tenth a base, every tenth a merge of its two neighbours, the rest LoRAs."""
    name, subject = f"model-{number}", Artifact(f"model-{number}", weights(number))
    kind = {0: ModelKind.BASE, 9: ModelKind.MERGE}.get(number % 10, ModelKind.LORA)
    stage = TrainingStage.FOUNDATION if kind is ModelKind.BASE else TrainingStage.FOCUSED
    used = (number, (number * 5 + 3) % (feature.models * 4 // 3)) if kind is not ModelKind.MERGE else ()
    trained = tuple(Training(f"dataset-{each}", _digest(each), stage) for each in dict.fromkeys(used))
    parents: tuple[Parent, ...] = ()
    if kind is ModelKind.MERGE:
        parents = (
            _parent(number - 1, ParentRole.MERGED, "0.6"),
            _parent(number - 2, ParentRole.MERGED, "0.4"),
        )
    elif kind is ModelKind.LORA:
        parents = (_parent(number - number % 10, ParentRole.ADAPTER_BASE),)
    made = ModelV2(name, "1", trained, recorded=OPENED, kind=kind, evidence=_OBSERVED, parents=parents)
    said: list[Predicate] = [made]
    if trained and number % 3:
        said.append(TrainingRun("trainer", OPENED, OPENED + timedelta(days=1), _OBSERVED, trained))
    if number % 7 != 3:
        standing = Standing.CONTESTED if number % 25 == 13 else Standing.ACCEPTED
        said.append(Review(standing, "actor:legal-2", OPENED, OPENED))
    if number % 11 != 6:
        said.append(
            GrantV2(f"G-{name}", _USES, OPENED, None, (_commitment(name),), recorded=OPENED, document=True)
        )
    yield from (Statement((subject,), each) for each in said)


def _parent(number: int, role: ParentRole, weight: str | None = None) -> Parent:
    return Parent(f"model-{number}", weights(number), role, weight)


def _services() -> Iterator[Statement]:
    for number, service in enumerate(SERVICES):
        made = ModelV2(
            service.product,
            "1",
            (),
            recorded=OPENED,
            kind=ModelKind.SERVICE,
            service=service,
            evidence=_OBSERVED,
        )
        granted = GrantV2(
            f"G-{service.vendor}", _USES, OPENED, None, recorded=OPENED, legal_basis=LegalBasis.VENDOR_TERMS
        )
        reviewed = Review(Standing.ACCEPTED, "actor:legal-2", OPENED, OPENED)
        approved = Approval(ApprovalKind.TOOL, Decision.APPROVED, "actor:legal-1", OPENED, OPENED)
        yield from (Statement((service.subject,), each) for each in (made, granted, reviewed, approved))
        if number == len(SERVICES) - 1:
            continue
        document = Artifact(f"{service.vendor}-terms.html", _digest(1000 + number), "text/html")
        terms = ServiceTerms(
            service.vendor,
            service.product,
            "enterprise",
            OPENED,
            OPENED,
            OPENED,
            Ownership.USER,
            InputTraining.ENABLED if number == 4 else InputTraining.NEVER,
            output_as_training=False,
            indemnity=Indemnity(("filters on",), ("filters on",) if number else ()),
            retention="30 days",
        )
        yield Statement((document,), terms)


def _named(predicate: Party | Title | Consent) -> Statement:
    return Statement((predicate.subject,), predicate)


def _parties(feature: Feature) -> int:
    return max(2, feature.models // 3)


def _digest(number: int) -> str:
    return sha256_hex(f"dataset {number}".encode())


def _commitment(word: str) -> str:
    return urlsafe_b64encode(sha256(word.encode()).digest()).rstrip(b"=").decode()
