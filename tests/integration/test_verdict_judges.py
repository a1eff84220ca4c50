"""Verdicts before strangers: in-toto's own bindings read them, and find what SVR v0.2 asks for.

The bindings have no message for SVR v0.2 (their newest is v0.1), so its members are held against the text:
https://github.com/in-toto/attestation/blob/main/spec/predicates/svr.md.
"""

import json
import re
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import load_der_public_key
from google.protobuf import json_format
from in_toto_attestation.v1.resource_descriptor import ResourceDescriptor
from in_toto_attestation.v1.resource_descriptor_pb2 import ResourceDescriptor as DescriptorMessage
from in_toto_attestation.v1.statement import Statement
from in_toto_attestation.v1.statement_pb2 import Statement as StatementMessage
from securesystemslib.dsse import Envelope
from securesystemslib.signer._key import SSlibKey

from ledger.core.predicates import Predicate
from tests.support.builders import REGISTRAR, envelope
from tests.support.stated import answer, consent, grant_v2, party, service_model, title, verdict

STATED: dict[str, Predicate] = {
    "changed verdict": verdict(),
    "first verdict": verdict(change=None, now=answer()),
    "grant": grant_v2(),
    "party": party(),
    "title": title(),
    "service": service_model(),
    "consent": consent(),
}


def payload(predicate: Predicate) -> dict[str, Any]:
    """Return the statement, after securesystemslib has verified the envelope."""
    foreign = Envelope.from_dict(json.loads(envelope(predicate)))
    key = SSlibKey.from_crypto(load_der_public_key(REGISTRAR.public_key), keyid=REGISTRAR.keyid)
    assert foreign.verify([key], 1).keys() == {REGISTRAR.keyid}
    found: dict[str, Any] = json.loads(foreign.payload)
    return found


@pytest.mark.parametrize("kind", STATED)
def test_in_totos_bindings_read_the_statement(kind: str) -> None:
    """The parser refuses a member that a Statement or a ResourceDescriptor does not have."""
    document = payload(STATED[kind])
    message = json_format.ParseDict(document, StatementMessage())
    Statement.copy_from_pb(message).validate()
    assert json_format.MessageToDict(message)["predicate"] == document["predicate"]


def test_in_totos_bindings_refuse_what_is_no_statement() -> None:
    document = payload(verdict())
    with pytest.raises(json_format.ParseError):
        json_format.ParseDict({**document, "note": "x"}, StatementMessage())
    del document["subject"][0]["digest"]
    with pytest.raises(ValueError, match="digest required"):
        Statement.copy_from_pb(json_format.ParseDict(document, StatementMessage())).validate()


@pytest.mark.parametrize("kind", ["changed verdict", "first verdict"])
def test_a_verdict_is_a_simple_verification_result(kind: str) -> None:
    document = payload(STATED[kind])
    assert document["predicateType"] == "https://in-toto.io/attestation/svr/v0.2"
    predicate = document["predicate"]
    assert re.fullmatch(r"https://[a-z.]+(/[A-Za-z0-9._~-]+)+", predicate["verifier"]["id"])
    assert predicate["verifier"]["policies"]
    for policy in predicate["verifier"]["policies"]:
        ResourceDescriptor.copy_from_pb(json_format.ParseDict(policy, DescriptorMessage())).validate()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", predicate["timeCreated"])
    assert all(re.fullmatch(r"RAKKAN_[A-Z0-9_]+", name) for name in predicate["properties"])
    known = {"verifier", "timeCreated", "properties"}
    assert [name for name in predicate if name not in known] == ["rakkan_clearance"]
