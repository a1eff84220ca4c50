"""Valid statements, envelopes, evidence and readings, each small and each changeable in one place.

`Story` is a production in one log: a registrar, a device, a licensed dataset and model, and one frame. Tests
take it apart. Keys come from words (`SeedSigner`), so all but P-256 signatures is the same in every run.
"""

from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache, cached_property
from hashlib import sha256
from types import UnionType
from typing import Any

from ledger.core import envelope as dsse
from ledger.core import statement as statements
from ledger.core.artifact import Artifact, Role
from ledger.core.checkpoint import sign_checkpoint
from ledger.core.digest import sha256_hex
from ledger.core.evidence import Evidence, LoggedEnvelope
from ledger.core.manifest import (
    LEDGER_ENTRY,
    Finding,
    IngredientFacts,
    ManifestFacts,
    Reading,
    SignerFacts,
)
from ledger.core.merkle import extend, inclusion_proof, leaf_hash, root
from ledger.core.note import NoteSigner
from ledger.core.predicates import (
    Approval,
    AuditReport,
    Consent,
    Dataset,
    Decided,
    DisclosureAccess,
    Enrolment,
    Erasure,
    Grant,
    GrantRevocation,
    Incident,
    Label,
    LogKey,
    Model,
    ModelV2,
    Override,
    Party,
    PolicyProfile,
    Predicate,
    Review,
    Revocation,
    Seal,
    ServiceCall,
    ServiceTerms,
    Step,
    Title,
    TrainingRun,
    Work,
)
from ledger.core.predicates.answer import Grade
from ledger.core.predicates.delivery import Deliverable, Delivery
from ledger.core.predicates.enrolment import KeyRole
from ledger.core.predicates.erasure import ErasureReason
from ledger.core.predicates.grant import Use
from ledger.core.predicates.label import About, Claims, Counts
from ledger.core.predicates.log_key import LogKeyState
from ledger.core.predicates.model import Training, TrainingStage
from ledger.core.predicates.revocation import Reason
from ledger.core.predicates.scope import Media
from ledger.core.predicates.seal import Form, SealedManifest
from ledger.core.predicates.step import Evidence as EvidenceClass
from ledger.core.predicates.step import Place, StepAction, Tool
from ledger.core.receipt import Receipt, format_receipt
from ledger.core.statement import Statement
from ledger.core.trust import TrustRoot
from ledger.core.verify import Examined
from ledger.core.verify.manifest_checks import MANIFEST_ANCHORS
from ledger.errors import RakkanError
from ledger.ports import Signer
from ledger.testing import SeedSigner

ORIGIN = "ledger.example/nightfall"
START = datetime(2026, 1, 1, tzinfo=UTC)
END = datetime(2027, 1, 1, tzinfo=UTC)
USED = datetime(2026, 3, 1, 12, tzinfo=UTC)
NOW = datetime(2026, 6, 1, tzinfo=UTC)
DAY = timedelta(days=1)

REGISTRAR, DEVICE, OTHER = SeedSigner("registrar"), SeedSigner("device"), SeedSigner("other")
CERTIFICATE = sha256_hex(b"certificate of the device")


def digest(word: str) -> str:
    """Return the SHA-256 of a word: a digest that nothing else has."""
    return sha256_hex(word.encode())


def commitment(word: str) -> str:
    """Return a digest as `_sd` holds it."""
    return urlsafe_b64encode(sha256(word.encode()).digest()).rstrip(b"=").decode()


FRAME, FRAME_PIXELS = digest("frame"), digest("pixels of the frame")
WEIGHTS, INVENTORY = digest("weights"), digest("inventory")


def step(**changes: Any) -> Step:
    base = Step(
        step_id="018f-1",
        action=StepAction.GENERATE,
        evidence=EvidenceClass.OBSERVED,
        place=Place("nightfall", "sq010", "sh0020", "comp", "v003", (1001, 1001)),
        started=USED - timedelta(minutes=5),
        finished=USED,
        actor="actor:9f3b6c52",
        tool=Tool("ComfyUI", "0.3.60"),
        materials=(Artifact("studio-xl", WEIGHTS, role=Role.MODEL),),
        parameters={"seed": "12345", "steps": "30"},
        commitments=(commitment("prompt"),),
    )
    return replace(base, **changes)


def dataset(**changes: Any) -> Dataset:
    return replace(Dataset("plates", "2025", 3, 2), **changes)


def model(**changes: Any) -> Model:
    return replace(
        Model("studio-xl", "2.1", (Training("plates", INVENTORY, TrainingStage.FOCUSED),)), **changes
    )


def grant(**changes: Any) -> Grant:
    uses = (Use.FOCUSED_TRAINING, Use.INFERENCE_RUN)
    return replace(Grant("LIC-7", uses, START, END, (commitment("licensor"),)), **changes)


def enrolment(signer: Signer = DEVICE, **changes: Any) -> Enrolment:
    base = Enrolment("ws-01", KeyRole.DEVICE, signer.public_key, START, END, CERTIFICATE)
    return replace(base, **changes)


def registrar_enrolment(signer: Signer = REGISTRAR, **changes: Any) -> Enrolment:
    base = Enrolment("registrar", KeyRole.REGISTRAR, signer.public_key, START, END)
    return replace(base, **changes)


def incident(**changes: Any) -> Incident:
    base = Incident("ledger.example/nightfall", "a disk burnt", 7, digest("held"), 9, digest("signed"))
    return replace(base, **changes)


def seal(**changes: Any) -> Seal:
    return replace(Seal(USED + DAY, (SealedManifest(digest("store"), FRAME, Form.EMBEDDED),)), **changes)


def revocation(**changes: Any) -> Revocation:
    return replace(Revocation("ws-01", Reason.STOLEN, 4711), **changes)


def log_key(**changes: Any) -> LogKey:
    return replace(LogKey(ORIGIN, LogKeyState.ANNOUNCED, OTHER.public_key), **changes)


def erasure(**changes: Any) -> Erasure:
    return replace(Erasure(NOW, (commitment("prompt"),), ErasureReason.DATA_SUBJECT_REQUEST), **changes)


def decided(**changes: Any) -> Decided:
    return replace(Decided(NOW, "token:4f1c0b7a99d2e863", "0123456789abcdef" * 2), **changes)


def disclosure_access(**changes: Any) -> DisclosureAccess:
    shown = DisclosureAccess(NOW, "token:4f1c0b7a99d2e863", (commitment("prompt"),), (commitment("purpose"),))
    return replace(shown, **changes)


def audit_report(**changes: Any) -> AuditReport:
    base = AuditReport(
        identifier="R-20260601-4f1c0b7a",
        series=digest("the cut, for the distributor"),
        view="distributor",
        at=NOW,
        population=digest("population"),
        policy="broadcast-jp",
        policy_version="3",
        policy_sha256=digest("policy"),
        size=58,
        root=digest("root"),
        verdict_then="cleared",
        verdict_now="blocked",
        grade_then="L3",
        grade_now="L1",
        figures={"frames": 1440, "blocked": 1},
        whole=digest("whole"),
        previous=41,
        title="Nightfall",
    )
    return replace(base, **changes)


def label(**changes: Any) -> Label:
    """Return a label; ``changes`` are of what it claims."""
    base = Claims(
        about=About.TITLE,
        title="Nightfall",
        entry=58,
        at=NOW,
        policy="broadcast-jp",
        policy_sha256=digest("policy"),
        delivery=Delivery("NF-S1", Deliverable.FINAL, (Media.STREAMING,), ("JP",)),
        verdict_then="cleared",
        grade_then=Grade.L3,
        grade_now=Grade.L4,
        counts=Counts(files=1440, shots=31, models=212, observed=1400, inferred=30, declared=10),
    )
    return Label("nightfall-tv", NOW, replace(base, **changes))


def subject_of(predicate: Predicate) -> Artifact:
    """Return the subject that this kind of statement has in the story."""
    if isinstance(predicate, Enrolment | LogKey):
        name = predicate.device if isinstance(predicate, Enrolment) else predicate.origin
        return Artifact(name, sha256_hex(predicate.public_key))
    if isinstance(predicate, Party | Title | Consent | PolicyProfile | ServiceCall):
        return predicate.subject
    if isinstance(predicate, ModelV2) and predicate.service is not None:
        return predicate.service.subject
    others: dict[type[Predicate] | UnionType, Artifact] = {
        Revocation: Artifact("ws-01", DEVICE.keyid),
        Dataset: Artifact("plates.csv", INVENTORY),
        Model: Artifact("studio-xl", WEIGHTS),
        Grant: Artifact("studio-xl", WEIGHTS),
        AuditReport: Artifact("report.json", digest("report")),
        Label: Artifact("nightfall-tv", digest("report")),
        Seal: Artifact("frame.1001.png", digest("sealed frame")),
        Work: Artifact("kiri-0001.png", digest("work")),
        ServiceTerms: Artifact("painter-terms.html", digest("terms"), "text/html"),
        GrantRevocation | TrainingRun | Review | Approval | Override: Artifact("studio-xl", WEIGHTS),
    }
    frame = Artifact("frame.1001.png", FRAME, "image/png", FRAME_PIXELS)
    return next((subject for kind, subject in others.items() if isinstance(predicate, kind)), frame)


def statement(predicate: Predicate, *subjects: Artifact) -> Statement:
    return Statement(subjects or (subject_of(predicate),), predicate)


def envelope(predicate: Predicate, *signers: Signer, subjects: Sequence[Artifact] = ()) -> bytes:
    """Return a signed statement's envelope; signed by whoever may sign it where no signer is given."""
    payload = statements.encode(statement(predicate, *subjects))
    usual = DEVICE if isinstance(predicate, Step | Seal | ServiceCall) else REGISTRAR
    return dsse.sign(payload, *(signers or (usual,)))


@dataclass
class BuiltLog:
    """A log in a list. `keys` sign its checkpoints; the first one is the log's own."""

    entries: list[bytes] = field(default_factory=list)
    origin: str = ORIGIN
    key: Signer = field(default_factory=lambda: SeedSigner("log"))

    def add(self, predicate: Predicate | bytes, *signers: Signer, subjects: Sequence[Artifact] = ()) -> int:
        data = predicate if isinstance(predicate, bytes) else envelope(predicate, *signers, subjects=subjects)
        self.entries.append(data)
        return len(self.entries) - 1

    @property
    def signer(self) -> NoteSigner:
        return NoteSigner(self.origin, self.key)

    @property
    def vkey(self) -> str:
        return self.signer.verifier.vkey

    def node(self, level: int, index: int) -> bytes:
        part = self.entries[index << level : (index + 1) << level]
        return root(extend(0, (), map(leaf_hash, part)))

    def checkpoint(self, size: int | None = None) -> bytes:
        part = self.entries[:size]
        return sign_checkpoint(
            self.origin, len(part), root(extend(0, (), map(leaf_hash, part))), [self.signer]
        )

    def receipt(self, index: int, size: int | None = None) -> bytes:
        return self.logged(index, size=size)[0].receipt

    def logged(self, *indices: int, size: int | None = None) -> tuple[LoggedEnvelope, ...]:
        size = len(self.entries) if size is None else size
        note, node = self.checkpoint(size), cache(self.node)
        receipts = (Receipt(index, inclusion_proof(index, size, node), note) for index in indices)
        return tuple(LoggedEnvelope(self.entries[item.index], format_receipt(item)) for item in receipts)


@dataclass
class Story:
    """The production. The indices name what stands where; `more` appends to the same log."""

    log: BuiltLog = field(default_factory=BuiltLog)

    def __post_init__(self) -> None:
        self.registrar = self.log.add(registrar_enrolment())
        self.device = self.log.add(enrolment())
        self.dataset = self.log.add(dataset())
        self.model = self.log.add(model())
        both = (Artifact("studio-xl", WEIGHTS), Artifact("plates.csv", INVENTORY))
        self.grant = self.log.add(grant(), subjects=both)
        self.step = self.log.add(step())

    @property
    def trust(self) -> TrustRoot:
        return TrustRoot("Studio X", (self.log.vkey,), (REGISTRAR.public_key,), "", "")

    @property
    def all(self) -> tuple[int, ...]:
        return (self.step, *range(self.step), *range(self.step + 1, len(self.log.entries)))

    def evidence(self, *indices: int, subject: str = FRAME) -> Evidence:
        """Return evidence with these entries: the frame's own first, and all of them where none is given."""
        return Evidence(subject, self.log.logged(*(indices or self.all)))

    @cached_property
    def whole(self) -> Evidence:
        return self.evidence()


SIGNER = SignerFacts(
    common_name="ws-01",
    organization="Studio X",
    certificate_sha256=CERTIFICATE,
    serial="17",
    not_before=START,
    not_after=END,
    ekus=("1.3.6.1.4.1.62558.2.1", "1.3.6.1.5.5.7.3.4"),
)
GOOD = (
    "claimSignature.validated",
    "claimSignature.insideValidity",
    "signingCredential.trusted",
    "assertion.hashedURI.match",
    "assertion.dataHash.match",
)


def findings(*codes: str) -> tuple[Finding, ...]:
    return tuple(Finding(code, "self#jumbf=/c2pa/active", code) for code in codes)


def manifest(label: str = "active", evidence: Evidence | None = None, /, **changes: Any) -> ManifestFacts:
    assertions: dict[str, Any] = {} if evidence is None else {LEDGER_ENTRY: evidence.to_json()}
    base = ManifestFacts(label, "frame.1001.png", "rakkan", SIGNER, None, assertions, (), FRAME)
    return replace(base, **changes)


def ingredient(label: str | None = "parent", /, **changes: Any) -> IngredientFacts:
    return replace(IngredientFacts("plate.png", "parentOf", label, (), (), validated=True), **changes)


def reading(
    *manifests: ManifestFacts,
    success: Sequence[str] = GOOD,
    failure: Sequence[str] = (),
    informational: Sequence[str] = (),
    **changes: Any,
) -> Reading:
    """Return what a reader says about a file that is as it should be, but for what is changed."""
    shown = manifests or (manifest(),)
    stores: Mapping[str, ManifestFacts] = {item.label: item for item in shown}
    base = Reading(
        active=shown[0].label,
        manifests=dict(stores),
        success=findings(*success),
        informational=findings(*informational),
        failure=findings(*failure),
        deltas=(),
        state="Trusted",
        trust_list=MANIFEST_ANCHORS,
        embedded=True,
    )
    return replace(base, **changes)


def examined(read: Reading | None = None, **changes: Any) -> Examined:
    """Return the sealed frame as the service would hand it to the verifier."""
    base = Examined("frame.1001.png", digest("sealed frame"), "image/png", lambda: FRAME_PIXELS, read)
    return replace(base, **changes)


def refusal(call: Callable[..., object], *arguments: object) -> str | None:
    """Return the code with which the call refuses its arguments, ``None`` when it takes them."""
    try:
        call(*arguments)
    except RakkanError as error:
        return error.code
    return None
