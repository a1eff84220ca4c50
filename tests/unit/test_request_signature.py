"""Requests signed with RFC 9421: another implementation judges both ways; what moves is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest
from cryptography.hazmat.primitives.serialization import load_der_public_key
from http_message_signatures import (
    HTTPMessageSigner,
    HTTPMessageVerifier,
    HTTPSignatureKeyResolver,
    algorithms,
)
from http_message_signatures.httpx2 import adapt_message

from ledger.adapters.keys import KeySigner, new_claim_key, new_statement_key
from ledger.core.identity import parse_public_key
from ledger.core.request_signature import (
    WINDOW,
    Target,
    check_body,
    check_time,
    content_digest,
    parse,
    sign,
    verify,
)
from ledger.errors import RakkanError

NOW = int(datetime.now(UTC).timestamp())
NONCE = "n0nce-n0nce-n0nce-n0nce"
URL = "http://ledger.studio:8321/v1/productions/night%20fall/lineage?sha256=ab&x=%2F"
TARGET = Target("GET", "ledger.studio:8321", "/v1/productions/night%20fall/lineage", "sha256=ab&x=%2F")
BODY = b'{"a":1}\n'
ALGORITHMS = {"ed25519": algorithms.ED25519, "ecdsa-p256-sha256": algorithms.ECDSA_P256_SHA256}


@pytest.fixture(params=[new_statement_key, new_claim_key], ids=["ed25519", "p256"])
def signer(request: pytest.FixtureRequest) -> KeySigner:
    made: KeySigner = request.param()
    return made


class Keys(HTTPSignatureKeyResolver):
    """The one key, for the other implementation."""

    def __init__(self, signer: KeySigner) -> None:
        self._signer = signer

    def resolve_private_key(self, key_id: str) -> Any:
        assert key_id == self._signer.keyid
        return self._signer._key

    def resolve_public_key(self, key_id: str) -> Any:
        assert key_id == self._signer.keyid
        return load_der_public_key(self._signer.public_key)


def algorithm(signer: KeySigner) -> type:
    return ALGORITHMS[parse_public_key(signer.public_key).algorithm]


@pytest.mark.parametrize(
    ("method", "url", "target", "body"),
    [
        ("GET", URL, TARGET, None),
        ("GET", "https://LEDGER.studio:443/v1", Target("GET", "LEDGER.studio:443", "/v1"), None),
        ("POST", URL, replace(TARGET, method="POST", digest=content_digest(BODY)), BODY),
    ],
)
def test_another_implementation_accepts_what_we_sign(
    signer: KeySigner, method: str, url: str, target: Target, body: bytes | None
) -> None:
    fields = sign(signer, target, NOW, NONCE)
    request = httpx2.Request(method, url, headers=fields, content=body)
    verifier = HTTPMessageVerifier(signature_algorithm=algorithm(signer), key_resolver=Keys(signer))
    found = verifier.verify(adapt_message(request), body=body or b"", expect_tag="rakkan")
    assert found[0].parameters["keyid"] == signer.keyid
    assert '"@authority"' in found[0].covered_components


@pytest.mark.parametrize("body", [None, BODY])
@pytest.mark.parametrize("include_alg", [True, False])
def test_we_accept_what_another_implementation_signs(
    signer: KeySigner, body: bytes | None, include_alg: bool
) -> None:
    request = httpx2.Request("POST" if body else "GET", URL, content=body)
    judge = HTTPMessageSigner(signature_algorithm=algorithm(signer), key_resolver=Keys(signer))
    judge.sign(
        adapt_message(request),
        key_id=signer.keyid,
        created=datetime.fromtimestamp(NOW, UTC),
        nonce=NONCE,
        tag="rakkan",
        include_alg=include_alg,
        covered_component_ids=("@method", "@authority", "@path", "@query"),
        body=body,
    )
    digest = request.headers.get("content-digest")
    claimed = parse(request.headers["signature-input"], request.headers["signature"])
    verify(
        parse_public_key(signer.public_key), claimed, replace(TARGET, method=request.method, digest=digest)
    )
    assert (claimed.created, claimed.nonce) == (NOW, NONCE)
    if body:
        check_body(digest or "", body)


@pytest.mark.parametrize(
    "moved",
    [
        {"method": "PUT"},
        {"authority": "ledger.studio"},
        {"path": "/v1/productions/daybreak/lineage"},
        {"path": "/v1/productions/night fall/lineage"},
        {"query": ""},
        {"query": "sha256=ac&x=%2F"},
        {"digest": content_digest(BODY + b" ")},
        {"digest": None},
    ],
)
def test_a_signature_is_of_one_request(signer: KeySigner, moved: dict[str, Any]) -> None:
    target = replace(TARGET, digest=content_digest(BODY))
    fields = sign(signer, target, NOW, NONCE)
    claimed = parse(fields["Signature-Input"], fields["Signature"])
    key = parse_public_key(signer.public_key)
    verify(key, claimed, target)
    with pytest.raises(RakkanError) as caught:
        verify(key, claimed, replace(target, **moved))
    assert caught.value.code == "access.credential"


def test_a_signature_is_of_one_key(signer: KeySigner) -> None:
    fields = sign(signer, TARGET, NOW, NONCE)
    claimed = parse(fields["Signature-Input"], fields["Signature"])
    for other in (new_statement_key(), new_claim_key()):
        with pytest.raises(RakkanError, match=r"access\.credential"):
            verify(parse_public_key(other.public_key), claimed, TARGET)


def test_the_key_says_which_algorithm_not_the_request() -> None:
    key = new_statement_key()
    fields = sign(key, TARGET, NOW, NONCE)
    text = fields["Signature-Input"].replace(";tag=", ';alg="hmac-sha256";tag=')
    claimed = parse(text, fields["Signature"])
    with pytest.raises(RakkanError, match=r"access\.credential"):
        verify(parse_public_key(key.public_key), claimed, TARGET)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"@method" ', ""),
        ('"@method" "@authority"', '"@authority" "@method"'),
        ('"@query")', '"@query" "date")'),
        ('"@path"', '"@path";req'),
        (";nonce=", ";nonsense="),
        (f';nonce="{NONCE}"', ""),
        (f'"{NONCE}"', '"short"'),
        pytest.param(f"created={NOW}", "created=1.5", id="created-decimal"),
        pytest.param(f"created={NOW}", f"created=0{NOW}", id="created-zero-first"),
        pytest.param(f"created={NOW}", f"created={NOW};created=1", id="created-twice"),
        pytest.param(f"created={NOW}", "created=99999999999999999999", id="created-too-long"),
        ('tag="rakkan"', 'tag="other"'),
        ('tag="rakkan"', 'tag="rakkan";expires=1'),
        ("rakkan=(", "other=("),
        ("rakkan=(", "a=1, rakkan=("),
        ("rakkan=(", "rakkan=(" + '"' * 2000),
        (")", ") "),
    ],
)
def test_any_other_form_is_refused(old: str, new: str) -> None:
    fields = sign(new_statement_key(), TARGET, NOW, NONCE)
    changed = fields["Signature-Input"].replace(old, new, 1)
    assert changed != fields["Signature-Input"]
    with pytest.raises(RakkanError) as caught:
        parse(changed, fields["Signature"])
    assert caught.value.code == "access.signature-form"


@pytest.mark.parametrize(
    "signature", ["", "rakkan=", "rakkan=::", "rakkan=:AAAA:", "rakkan=:****:", "rakkan=:AA==:, b=:AA==:"]
)
def test_what_is_no_signature_is_refused(signature: str) -> None:
    fields = sign(new_statement_key(), TARGET, NOW, NONCE)
    with pytest.raises(RakkanError, match=r"access\.signature-form"):
        parse(fields["Signature-Input"], signature)


@pytest.mark.parametrize(
    "digest", ["", "sha-256=::", "sha-512=:AA==:", content_digest(BODY) + ", md5=:AA==:"]
)
def test_a_body_has_one_digest(digest: str) -> None:
    check_body(content_digest(BODY), BODY)
    with pytest.raises(RakkanError, match=r"access\.body"):
        check_body(digest, BODY)


@pytest.mark.parametrize("side", [-1, 1])
def test_a_signature_counts_for_five_minutes(side: int) -> None:
    fields = sign(new_statement_key(), TARGET, NOW, NONCE)
    claimed = parse(fields["Signature-Input"], fields["Signature"])
    check_time(claimed, NOW + side * WINDOW)
    with pytest.raises(RakkanError, match=r"access\.stale"):
        check_time(claimed, NOW + side * (WINDOW + 1))
