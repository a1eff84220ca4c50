"""The predicate types that a Rakkan log holds: one file each, one reader each, for ever.

An entry never changes, so a reader of a published version never goes away; a new version is a new file and a
new line in ``PREDICATES``.
"""

from __future__ import annotations

from typing import Any

from ledger.core.fields import Fields
from ledger.core.predicates.dataset import Dataset
from ledger.core.predicates.enrolment import Enrolment
from ledger.core.predicates.erasure import Erasure
from ledger.core.predicates.grant import Grant
from ledger.core.predicates.incident import Incident
from ledger.core.predicates.log_key import LogKey
from ledger.core.predicates.model import Model
from ledger.core.predicates.revocation import Revocation
from ledger.core.predicates.seal import Seal
from ledger.core.predicates.step import Step
from ledger.errors import MalformedError

Predicate = Dataset | Enrolment | Erasure | Grant | Incident | LogKey | Model | Revocation | Seal | Step


PREDICATES: dict[str, type[Predicate]] = {
    kind.TYPE: kind
    for kind in (Dataset, Enrolment, Erasure, Grant, Incident, LogKey, Model, Revocation, Seal, Step)
}


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
    "Dataset",
    "Enrolment",
    "Erasure",
    "Grant",
    "Incident",
    "LogKey",
    "Model",
    "Predicate",
    "Revocation",
    "Seal",
    "Step",
    "read_predicate",
]
