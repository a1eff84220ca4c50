"""The trust root file: what it must hold, and that nothing half-read is trusted."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from ledger.adapters import pki
from ledger.core.trust import TrustRoot, format_trust, parse_trust
from ledger.errors import MalformedError
from ledger.testing import SeedSigner
from tests.support.builders import NOW, ORIGIN, REGISTRAR, BuiltLog

PEM = pki.make_root("Studio X", NOW).chain_pem.decode()
TRUST = TrustRoot("Studio 落款", (BuiltLog().vkey,), (REGISTRAR.public_key,), PEM, PEM)


def test_it_comes_back() -> None:
    assert parse_trust(format_trust(TRUST)) == TRUST


def test_anchors_may_be_missing() -> None:
    bare = TrustRoot("Studio X", TRUST.logs, TRUST.registrars, "", "")
    assert parse_trust(format_trust(bare)) == bare


def test_blank_lines_between_certificates_are_no_content() -> None:
    spaced = TrustRoot("Studio X", TRUST.logs, TRUST.registrars, PEM + "\n\n" + PEM, PEM)
    assert parse_trust(format_trust(spaced)).manifest_anchors == PEM + PEM


def test_several_logs_and_registrars() -> None:
    second = BuiltLog(origin="other.example/log", key=SeedSigner("second log")).vkey
    several = TrustRoot(
        "X", (*TRUST.logs, second), (REGISTRAR.public_key, SeedSigner("b").public_key), PEM, PEM
    )
    assert parse_trust(format_trust(several)) == several


CASES: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "another version": (lambda d: d.update(spec="https://rakkan.org/trust-root/v2"), "trust.malformed"),
    "no studio": (lambda d: d.pop("studio"), "trust.malformed"),
    "studio with a line break": (lambda d: d.update(studio="a\nb"), "trust.malformed"),
    "unknown field": (lambda d: d.update(trustEverybody="yes"), "trust.malformed"),
    "no log": (lambda d: d.pop("logs"), "trust.malformed"),
    "empty logs": (lambda d: d.update(logs=[]), "trust.malformed"),
    "no registrar": (lambda d: d.pop("registrars"), "trust.malformed"),
    "logs as one text": (lambda d: d.update(logs=d["logs"][0]), "trust.malformed"),
    "log key cut short": (lambda d: d.update(logs=[d["logs"][0][:-4]]), "key.malformed"),
    "log under another name": (
        lambda d: d.update(logs=[d["logs"][0].replace(ORIGIN, "ledger.example/other")]),
        "key.malformed",
    ),
    "registrar not base64": (lambda d: d.update(registrars=["!"]), "trust.malformed"),
    "registrar no key": (lambda d: d.update(registrars=["AAAA"]), "key.malformed"),
    "anchors no certificates": (lambda d: d.update(manifestAnchors=["hello"]), "trust.malformed"),
    "anchors damaged": (
        lambda d: d.update(timestampAnchors=[*d["timestampAnchors"][:2], d["timestampAnchors"][-1]]),
        "trust.malformed",
    ),
    "anchors with a line break": (
        lambda d: d.update(manifestAnchors=["\n".join(d["manifestAnchors"])]),
        "trust.malformed",
    ),
}


@pytest.mark.parametrize(("change", "code"), CASES.values(), ids=CASES)
def test_refused(change: Callable[[dict[str, Any]], object], code: str) -> None:
    document = json.loads(format_trust(TRUST))
    change(document)
    with pytest.raises(MalformedError) as error:
        parse_trust(json.dumps(document).encode())
    assert error.value.code == code


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "json.malformed"),
        (b"[]", "trust.malformed"),
        (b'{"spec":1,"spec":2}', "json.duplicate-key"),
        (rb'{"studio":"\ud800"}', "json.malformed"),
        (b'{"spec":1.5}', "json.number"),
    ],
)
def test_what_is_no_document_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(MalformedError) as error:
        parse_trust(data)
    assert error.value.code == code
