"""in-toto Statement v1 with Rakkan's predicates (docs/spec/entry.md).

* The payload is canonical JSON: ``decode`` accepts only bytes that ``encode`` gives back.
* Subjects are distinct by name; one step may have many (a frame range).
* A seal has one manifest per subject; the subject of a statement about a key is that key, that of a party, a
  title or a consent its name; a registry entry has one subject, except one that is about other things, such
  as a grant, which may cover several.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ledger.core import canonical
from ledger.core.artifact import Artifact, read_artifact
from ledger.core.digest import sha256_hex
from ledger.core.fields import Fields
from ledger.core.predicates import (
    Consent,
    Dataset,
    DisclosureAccess,
    Enrolment,
    Erasure,
    Incident,
    LogKey,
    Model,
    ModelV2,
    Party,
    PolicyProfile,
    Predicate,
    Revocation,
    Seal,
    ServiceCall,
    ServiceTerms,
    Title,
    TrainingRun,
    Work,
    read_predicate,
)
from ledger.errors import MalformedError

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"


@dataclass(frozen=True, slots=True)
class Statement:
    """What a signer states about ``subjects``."""

    subjects: tuple[Artifact, ...]
    predicate: Predicate


def encode(statement: Statement) -> bytes:
    """Return the payload to sign. Raises as ``decode`` would for a statement that breaks a rule."""
    payload = canonical.encode(_to_json(statement))
    decode(payload)
    return payload


def decode(payload: bytes) -> Statement:
    """Return the statement.

    Raises ``MalformedError``: the ``json.*`` codes, ``statement.malformed``, ``statement.field``,
    ``statement.predicate-type``, ``digest.malformed``.
    """
    try:
        return _read(payload)
    except MalformedError:
        canonical.decode(payload)  # what is not canonical is called that, whatever else it is
        raise


def _read(payload: bytes) -> Statement:
    # That it formats back to the same bytes proves that they are canonical: once is enough.
    fields = Fields(canonical.load(payload), code="statement.malformed")
    if fields.text("_type") != STATEMENT_TYPE:
        raise fields.error("_type", f"must be {STATEMENT_TYPE}")
    subjects = tuple(
        read_artifact(item, f"subject[{n}]") for n, item in enumerate(fields.take("subject", list))
    )
    predicate = read_predicate(fields.text("predicateType"), fields.take("predicate", dict))
    fields.end()
    statement = Statement(subjects, predicate)
    _check(statement, payload)
    return statement


def _check(statement: Statement, payload: bytes) -> None:
    names = [subject.name for subject in statement.subjects]
    problem = None
    if not names:
        problem = "A statement needs at least one subject."
    elif len(set(names)) != len(names):
        problem = "Two subjects have the same name."
    elif not canonical.matches(_to_json(statement), payload):
        problem = "The statement does not format back to the same bytes."
    else:
        problem = _predicate_problem(statement)
    if problem:
        raise MalformedError("statement.malformed", problem)


def _to_json(statement: Statement) -> dict[str, Any]:
    return {
        "_type": STATEMENT_TYPE,
        "subject": [subject.to_json() for subject in statement.subjects],
        "predicateType": statement.predicate.TYPE,
        "predicate": statement.predicate.to_json(),
    }


_SINGLE = (
    Consent
    | Dataset
    | DisclosureAccess
    | Enrolment
    | Erasure
    | Incident
    | LogKey
    | Model
    | Party
    | PolicyProfile
    | Revocation
    | ServiceCall
    | ServiceTerms
    | Title
    | TrainingRun
    | Work
)


def _predicate_problem(statement: Statement) -> str | None:
    predicate, count = statement.predicate, len(statement.subjects)
    if isinstance(predicate, Seal) and len(predicate.manifests) != count:
        return "A seal names one manifest for each subject."
    if isinstance(predicate, _SINGLE) and count != 1:
        return "This kind of statement has exactly one subject."
    if not _names_its_subject(predicate, statement.subjects[0]):
        return "The subject of this kind of statement is what its predicate names."
    return None


def _names_its_subject(predicate: Predicate, subject: Artifact) -> bool:
    """Whether the subject is the one that the predicate decides, where it does: of a key, the digest."""
    if isinstance(predicate, Enrolment | LogKey):
        return subject.sha256 == sha256_hex(predicate.public_key)
    if isinstance(predicate, Party | Title | Consent | PolicyProfile | ServiceCall):
        return subject == predicate.subject
    if isinstance(predicate, ModelV2) and predicate.service is not None:
        return subject == predicate.service.subject
    return True
