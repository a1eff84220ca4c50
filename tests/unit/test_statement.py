"""Statements: the payload has one byte form, and each rule that it can break has a case."""

import hashlib
from collections.abc import Callable
from typing import Any

import pytest

from ledger.core import canonical
from ledger.core import statement as statements
from ledger.core.artifact import Artifact
from ledger.core.predicates import PREDICATES, Label, Predicate
from ledger.core.statement import Statement
from ledger.errors import MalformedError
from tests.support.builders import (
    audit_report,
    dataset,
    decided,
    digest,
    disclosure_access,
    enrolment,
    erasure,
    grant,
    incident,
    label,
    log_key,
    model,
    registrar_enrolment,
    revocation,
    seal,
    statement,
    step,
)
from tests.support.stated import (
    approval,
    consent,
    dataset_v2,
    finding,
    grant_revocation,
    grant_v2,
    model_v2,
    override,
    party,
    person,
    policy_profile,
    review,
    service_model,
    service_terms,
    step_v2,
    title,
    training_run,
    verdict,
    work,
)
from tests.support.stated_captures import lost_record, refused_call, service_call


def first_audit_report() -> Predicate:
    return audit_report(previous=None, title=None, grade_then=None, grade_now=None)


def withdrawn_label() -> Predicate:
    return Label("nightfall-tv", label().recorded, withdrawn="A licence was revoked.")


EVERY: dict[str, Callable[[], Predicate]] = {
    "step": step,
    "dataset": dataset,
    "model": model,
    "grant": grant,
    "enrolment": enrolment,
    "registrar": registrar_enrolment,
    "seal": seal,
    "revocation": revocation,
    "log key": log_key,
    "decided": decided,
    "disclosure access": disclosure_access,
    "erasure": erasure,
    "incident": incident,
    "step/v2": step_v2,
    "dataset/v2": dataset_v2,
    "model/v2": model_v2,
    "service": service_model,
    "training": training_run,
    "grant/v2": grant_v2,
    "grant revocation": grant_revocation,
    "party": party,
    "person": person,
    "work": work,
    "title": title,
    "service terms": service_terms,
    "call": service_call,
    "refused call": refused_call,
    "consent": consent,
    "approval": approval,
    "override": override,
    "review": review,
    "finding": finding,
    "policy profile": policy_profile,
    "verdict": verdict,
    "lost record": lost_record,
    "audit report": audit_report,
    "first audit report": first_audit_report,
    "label": label,
    "withdrawn label": withdrawn_label,
}


@pytest.mark.parametrize("make", EVERY.values(), ids=EVERY)
def test_every_kind_comes_back(make: Callable[[], Predicate]) -> None:
    stated = statement(make())
    payload = statements.encode(stated)
    assert statements.decode(payload) == stated
    assert statements.encode(statements.decode(payload)) == payload


def test_every_predicate_type_has_a_case_here() -> None:
    assert {make().TYPE for make in EVERY.values()} == set(PREDICATES)


def broken(change: Callable[[dict[str, Any]], object], predicate: Predicate | None = None) -> str:
    """Return the code with which a payload is refused after a change to its document."""
    document = canonical.decode(statements.encode(statement(predicate or step())))
    change(document)
    with pytest.raises(MalformedError) as error:
        statements.decode(canonical.encode(document))
    return error.value.code


def first(document: dict[str, Any]) -> dict[str, Any]:
    subject: dict[str, Any] = document["subject"][0]
    return subject


CASES: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "other statement type": (
        lambda d: d.update(_type="https://in-toto.io/Statement/v0.1"),
        "statement.malformed",
    ),
    "no statement type": (lambda d: d.pop("_type"), "statement.malformed"),
    "no subject": (lambda d: d.update(subject=[]), "statement.malformed"),
    "subject missing": (lambda d: d.pop("subject"), "statement.malformed"),
    "subject not a list": (lambda d: d.update(subject={}), "statement.malformed"),
    "subject twice by name": (lambda d: d.update(subject=d["subject"] * 2), "statement.malformed"),
    "unknown predicate type": (
        lambda d: d.update(predicateType="https://rakkan.org/step/v9"),
        "statement.predicate-type",
    ),
    "predicate of another type": (
        lambda d: d.update(predicateType="https://rakkan.org/model/v1"),
        "statement.field",
    ),
    "predicate missing": (lambda d: d.pop("predicate"), "statement.malformed"),
    "predicate not an object": (lambda d: d.update(predicate=[]), "statement.malformed"),
    "unknown field": (lambda d: d.update(note="hello"), "statement.malformed"),
    "unknown field of the predicate": (lambda d: d["predicate"].update(note="hello"), "statement.field"),
    "unknown field of a subject": (lambda d: first(d).update(uri="file:///x"), "statement.field"),
    "subject without a name": (lambda d: first(d).pop("name"), "statement.field"),
    "subject without a digest": (lambda d: first(d).pop("digest"), "statement.field"),
    "digest too short": (lambda d: first(d).update(digest={"sha256": "0" * 63}), "digest.malformed"),
    "digest too long": (lambda d: first(d).update(digest={"sha256": "0" * 65}), "digest.malformed"),
    "digest in upper case": (lambda d: first(d).update(digest={"sha256": "A" * 64}), "digest.malformed"),
    "second digest": (
        lambda d: first(d)["digest"].update(sha512="0" * 128),
        "statement.field",
    ),
    "pixels as a digest": (
        lambda d: first(d)["digest"].update(pixels="0" * 64),
        "statement.field",
    ),
    "pixels too short": (lambda d: first(d)["annotations"].update(pixels="0"), "digest.malformed"),
    "empty annotations": (lambda d: first(d).update(annotations={}), "statement.field"),
    "role on a subject": (lambda d: first(d)["annotations"].update(role="parent"), "statement.field"),
    "empty list spelt out": (lambda d: d["predicate"].update(materials=[]), "statement.field"),
    "null spelt out": (lambda d: first(d).update(mediaType=None), "statement.field"),
}


@pytest.mark.parametrize(("change", "code"), CASES.values(), ids=CASES)
def test_refused(change: Callable[[dict[str, Any]], object], code: str) -> None:
    assert broken(change) == code


@pytest.mark.parametrize("payload", [b"", b"[]", b"null", b"{} ", b"\xff", b'{"_type":1,"_type":1}'])
def test_what_is_no_document_is_refused(payload: bytes) -> None:
    with pytest.raises(MalformedError) as error:
        statements.decode(payload)
    assert error.value.code.startswith(("json.", "statement.malformed"))


def other(name: str) -> dict[str, Any]:
    return {"name": name, "digest": {"sha256": digest(name)}}


def test_a_seal_has_a_manifest_for_each_subject() -> None:
    assert broken(lambda d: d["subject"].append(other("b")), seal()) == "statement.malformed"


SINGLE = [
    "dataset",
    "model",
    "dataset/v2",
    "model/v2",
    "service",
    "training",
    "party",
    "work",
    "title",
    "service terms",
    "consent",
    "policy profile",
]


@pytest.mark.parametrize("kind", SINGLE)
def test_a_registration_is_of_one_thing(kind: str) -> None:
    predicate = EVERY[kind]()
    assert broken(lambda d: d["subject"].append(other("b")), predicate) == "statement.malformed"


SEVERAL = ["grant", "grant/v2", "grant revocation", "approval", "override", "review", "finding", "verdict"]


@pytest.mark.parametrize("kind", SEVERAL)
def test_a_statement_about_things_may_be_about_several(kind: str) -> None:
    both = Statement((Artifact("a", digest("a")), Artifact("b", digest("b"))), EVERY[kind]())
    assert statements.decode(statements.encode(both)) == both


def test_an_enrolment_is_about_its_key() -> None:
    other = {"sha256": digest("another key")}
    assert broken(lambda d: first(d).update(digest=other), enrolment()) == "statement.malformed"


NAMED = ["party", "person", "title", "service", "consent", "policy profile"]


@pytest.mark.parametrize("kind", NAMED)
@pytest.mark.parametrize(
    "members",
    [{"digest": {"sha256": digest("other")}}, {"name": "Ada Lovelace"}, {"mediaType": "text/plain"}],
    ids=["digest", "name", "media type"],
)
def test_what_has_no_bytes_is_its_own_subject(kind: str, members: dict[str, Any]) -> None:
    """By its name too: otherwise the name of a person could stand beside the pseudonym."""
    assert broken(lambda d: first(d).update(members), EVERY[kind]()) == "statement.malformed"


def test_a_name_has_a_digest_that_anybody_can_compute() -> None:
    urn = b"urn:rakkan:title:NF-S1"
    assert statement(title()).subjects == (Artifact("NF-S1", hashlib.sha256(urn).hexdigest()),)


def test_one_step_may_write_many_files_even_with_the_same_bytes() -> None:
    range_ = tuple(Artifact(f"frame.{number}.png", digest("black")) for number in range(1001, 1101))
    stated = Statement(range_, step())
    assert statements.decode(statements.encode(stated)) == stated


def test_encode_refuses_what_decode_would() -> None:
    with pytest.raises(MalformedError) as error:
        statements.encode(statement(step(actor="Ada\nLovelace")))
    assert error.value.code == "statement.field"


def test_a_statement_that_would_lose_something_is_refused() -> None:
    """An empty text is left out when written, so it could not come back."""
    with pytest.raises(MalformedError):
        statements.encode(statement(step(actor="")))
