"""The predicate types that a Rakkan log holds: one file each, one reader each, for ever.

An entry never changes, so a reader of a published version never goes away; a new version is a new file and a
new line in ``PREDICATES``. What they share stands beside them: `scope`, `licence`, `delivery`, `curation`,
and `reasons` and `answer`, the words in which a verdict is put.
"""

from __future__ import annotations

from typing import Any

from ledger.core.fields import Fields
from ledger.core.predicates.approval import Approval
from ledger.core.predicates.audit_report import AuditReport
from ledger.core.predicates.consent import Consent
from ledger.core.predicates.dataset import Dataset
from ledger.core.predicates.dataset_v2 import DatasetV2
from ledger.core.predicates.decided import Decided
from ledger.core.predicates.disclosure_access import DisclosureAccess
from ledger.core.predicates.enrolment import Enrolment
from ledger.core.predicates.erasure import Erasure
from ledger.core.predicates.finding import Finding
from ledger.core.predicates.grant import Grant
from ledger.core.predicates.grant_revocation import GrantRevocation
from ledger.core.predicates.grant_v2 import GrantV2
from ledger.core.predicates.incident import Incident
from ledger.core.predicates.label import Label
from ledger.core.predicates.log_key import LogKey
from ledger.core.predicates.lost_record import LostRecord
from ledger.core.predicates.model import Model
from ledger.core.predicates.model_v2 import ModelV2
from ledger.core.predicates.override import Override
from ledger.core.predicates.party import Party
from ledger.core.predicates.policy_profile import PolicyProfile
from ledger.core.predicates.review import Review
from ledger.core.predicates.revocation import Revocation
from ledger.core.predicates.seal import Seal
from ledger.core.predicates.service_call import ServiceCall
from ledger.core.predicates.service_terms import ServiceTerms
from ledger.core.predicates.step import Step
from ledger.core.predicates.step_v2 import StepV2
from ledger.core.predicates.title import Title
from ledger.core.predicates.training import TrainingRun
from ledger.core.predicates.verdict import VerdictResult
from ledger.core.predicates.work import Work
from ledger.errors import MalformedError

Fact = (
    DatasetV2
    | ModelV2
    | GrantV2
    | GrantRevocation
    | Party
    | Work
    | Title
    | ServiceTerms
    | Consent
    | Approval
    | Override
    | Review
    | Finding
    | PolicyProfile
    | VerdictResult
)
"""A statement of the registry that says when it was made (``recorded``)."""

# A later version of a predicate is a subclass of the first.
Predicate = (
    Fact
    | AuditReport
    | Dataset
    | Decided
    | DisclosureAccess
    | Enrolment
    | Erasure
    | Grant
    | Incident
    | Label
    | LogKey
    | LostRecord
    | Model
    | Revocation
    | Seal
    | ServiceCall
    | Step
    | TrainingRun
)

Captured = StepV2 | ServiceCall | TrainingRun | Finding | LostRecord
"""What a device numbers: a statement with a place in the device's own chain."""

PREDICATES: dict[str, type[Predicate]] = {
    kind.TYPE: kind
    for kind in (
        Approval,
        AuditReport,
        Consent,
        Dataset,
        DatasetV2,
        Decided,
        DisclosureAccess,
        Enrolment,
        Erasure,
        Finding,
        Grant,
        GrantRevocation,
        GrantV2,
        Incident,
        Label,
        LogKey,
        LostRecord,
        Model,
        ModelV2,
        Override,
        Party,
        PolicyProfile,
        Review,
        Revocation,
        Seal,
        ServiceCall,
        ServiceTerms,
        Step,
        StepV2,
        Title,
        TrainingRun,
        VerdictResult,
        Work,
    )
}


def types_of(*kinds: type) -> tuple[str, ...]:
    """Return the predicate types of these kinds, in all their versions."""
    return tuple(name for name, kind in PREDICATES.items() if issubclass(kind, kinds))


def read_predicate(predicate_type: str, value: Any) -> Predicate:
    """Return the predicate. Raises ``statement.predicate-type`` for an unknown type, ``statement.field``."""
    kind = PREDICATES.get(predicate_type)
    if kind is None:
        raise MalformedError(
            "statement.predicate-type", f"No reader for the predicate type {predicate_type!r}."
        )
    fields = Fields(value, "predicate")
    found = kind.read(fields)
    fields.end()
    return found


__all__ = [
    "PREDICATES",
    "Approval",
    "AuditReport",
    "Captured",
    "Consent",
    "Dataset",
    "DatasetV2",
    "Decided",
    "DisclosureAccess",
    "Enrolment",
    "Erasure",
    "Fact",
    "Finding",
    "Grant",
    "GrantRevocation",
    "GrantV2",
    "Incident",
    "Label",
    "LogKey",
    "LostRecord",
    "Model",
    "ModelV2",
    "Override",
    "Party",
    "PolicyProfile",
    "Predicate",
    "Review",
    "Revocation",
    "Seal",
    "ServiceCall",
    "ServiceTerms",
    "Step",
    "StepV2",
    "Title",
    "TrainingRun",
    "VerdictResult",
    "Work",
    "read_predicate",
    "types_of",
]
