"""An identity provider that lies, and tokens that it never made: each is refused, or it is called down."""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ledger.adapters import oidc
from ledger.adapters.oidc import MAX_ANSWER, OidcProvider
from ledger.errors import RakkanError
from ledger.service.access.settings import SignIn
from tests.support.identity import AUDIENCE, CLIENT, Liar, lying

TOMORROW = int(time.time()) + 86_400
"""Still to come when the last test of a slow run begins."""
BACK = "http://127.0.0.1:9/login/callback"


@pytest.fixture
def liar() -> Iterator[Liar]:
    with lying() as found:
        yield found


def provider(liar: Liar, **changes: Any) -> OidcProvider:
    return OidcProvider(SignIn(liar.issuer, CLIENT, audience=AUDIENCE, **changes))


def refusal(provider: OidcProvider, token: str) -> str:
    with pytest.raises(RakkanError) as caught:
        provider.bearer(token)
    return caught.value.code


def part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


@pytest.mark.parametrize(
    ("kid", "algorithm"), [("rsa", "RS256"), ("rsa", "PS256"), ("ec", "ES256"), ("ed", "EdDSA")]
)
def test_what_it_signed_counts(liar: Liar, kid: str, algorithm: str) -> None:
    assert provider(liar).bearer(liar.token(kid, algorithm))["sub"] == "ann"
    identity = liar.token(kid, algorithm, typ="JWT", aud=CLIENT)
    assert provider(liar).bearer(identity)["sub"] == "ann"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"iss": "https://evil.example"}, "access.credential"),
        ({"iss": None}, "access.credential"),
        ({"aud": "https://other.studio"}, "access.credential"),
        ({"aud": None}, "access.credential"),
        ({"aud": CLIENT}, "access.credential"),
        ({"aud": [AUDIENCE, "https://other.studio"]}, "access.credential"),
        ({"aud": [CLIENT, "other"], "typ": "JWT", "azp": "other"}, "access.credential"),
        ({"typ": "JWT"}, "access.credential"),
        ({"typ": "logout+jwt", "aud": AUDIENCE}, "access.credential"),
        ({"exp": int(time.time()) - 60}, "access.ended"),
        ({"exp": None}, "access.credential"),
        ({"exp": "soon"}, "access.credential"),
        ({"nbf": TOMORROW}, "access.credential"),
        ({"iat": TOMORROW}, "access.credential"),
        ({"iat": None}, "access.credential"),
        ({"sub": None}, "access.credential"),
        ({"sub": 7}, "access.credential"),
    ],
)
def test_a_token_for_another_time_place_or_nobody_is_refused(
    liar: Liar, changes: dict[str, Any], code: str
) -> None:
    assert refusal(provider(liar), liar.token(**changes)) == code


def test_the_key_decides_the_algorithm(liar: Liar) -> None:
    public = liar.keys["rsa"].public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    claims = part({"iss": liar.issuer, "sub": "ann", "aud": AUDIENCE, "iat": 1, "exp": int(time.time()) + 60})
    for algorithm in ("HS256", "none", "None", "RS512", "ES256", "EdDSA", ""):
        signed = f"{part({'alg': algorithm, 'kid': 'rsa', 'typ': 'at+jwt'})}.{claims}"
        mac = base64.urlsafe_b64encode(hmac.digest(pem, signed.encode(), sha256)).rstrip(b"=").decode()
        for signature in (mac, ""):
            assert refusal(provider(liar), f"{signed}.{signature}") == "access.credential", algorithm


def test_another_key_under_a_published_name_is_refused(liar: Liar) -> None:
    other = rsa.generate_private_key(65537, 2048)
    assert refusal(provider(liar), liar.token(key=other)) == "access.credential"
    assert refusal(provider(liar), liar.token("ec", "RS256", key=other)) == "access.credential"


def test_a_key_for_one_algorithm_is_for_no_other(liar: Liar) -> None:
    liar.answers["/jwks"]["keys"][0]["alg"] = "RS256"
    assert provider(liar).bearer(liar.token())["sub"] == "ann"
    assert refusal(provider(liar), liar.token(algorithm="PS256")) == "access.credential"
    liar.answers["/jwks"]["keys"][0]["use"] = "enc"
    assert refusal(provider(liar), liar.token()) == "access.credential"


def test_a_new_key_is_found_and_invented_ones_make_no_flood(
    liar: Liar, monkeypatch: pytest.MonkeyPatch
) -> None:
    asking = provider(liar)
    asking.bearer(liar.token())
    new = rsa.generate_private_key(65537, 2048)
    text = liar.token("new", key=new)
    assert refusal(asking, text) == "access.credential"
    for n in range(50):
        assert refusal(asking, liar.token(f"invented-{n}", key=new)) == "access.credential"
    assert liar.asked.count("/jwks") == 1
    liar.keys["new"] = new
    liar.publish()
    monkeypatch.setattr(oidc, "_LOOK_AGAIN", 0.0)
    assert asking.bearer(text)["sub"] == "ann"
    assert liar.asked.count("/jwks") == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"issuer": "https://evil.example"},
        {"issuer": None},
        {"jwks_uri": "http://keys.example/jwks"},
        {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": "https://user@keys.example/"},
        {"jwks_uri": None},
        {"token_endpoint": "http://169.254.169.254/latest/meta-data"},
    ],
)
def test_a_description_of_somebody_else_is_not_believed(liar: Liar, changes: dict[str, Any]) -> None:
    liar.publish(**changes)
    assert refusal(provider(liar), liar.token()) == "signin.unavailable"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"[" * 100_000, b" " * (MAX_ANSWER + 1) + b"{}"])
@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/jwks"])
def test_what_is_no_answer_is_no_refusal(liar: Liar, path: str, body: bytes) -> None:
    liar.answers[path] = body
    assert refusal(provider(liar), liar.token()) == "signin.unavailable"


def test_no_redirect_is_followed(liar: Liar) -> None:
    liar.answers["/elsewhere"] = liar.answers["/jwks"]
    liar.redirects["/jwks"] = "/elsewhere"
    assert refusal(provider(liar), liar.token()) == "signin.unavailable"
    assert "/elsewhere" not in liar.asked


def test_a_provider_that_drips_is_down_at_the_deadline(liar: Liar, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket
    from threading import Thread

    with socket.create_server(("127.0.0.1", 0)) as slow:

        def drip() -> None:
            connection, _ = slow.accept()
            with connection:
                connection.recv(9999)
                try:
                    for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n" + b" " * 99999:
                        connection.send(bytes([byte]))
                        time.sleep(0.02)
                except OSError:
                    pass

        Thread(target=drip, daemon=True).start()
        monkeypatch.setattr(oidc, "SECONDS", 0.3)
        asking = OidcProvider(SignIn(f"http://127.0.0.1:{slow.getsockname()[1]}", CLIENT, audience="x"))
        start = time.monotonic()
        assert refusal(asking, liar.token()) == "signin.unavailable"
        assert time.monotonic() - start < 20


@pytest.mark.parametrize(
    "changes", [{"nonce": "other"}, {"nonce": None}, {"aud": "x"}, {"iss": "https://evil.example"}]
)
def test_an_id_token_for_another_sign_in_is_refused(liar: Liar, changes: dict[str, Any]) -> None:
    asking = provider(liar)
    good = liar.token(typ="JWT", aud=CLIENT, nonce="n")
    liar.answers["/token"] = {"id_token": good}
    assert asking.exchange("code", "verifier", BACK, "n")["sub"] == "ann"
    claims = {"typ": "JWT", "aud": CLIENT, "nonce": "n", **changes}
    for answer in ({"id_token": liar.token(**claims)}, {"id_token": 7}, {}, {"error": "invalid_grant"}):
        liar.answers["/token"] = answer
        with pytest.raises(RakkanError) as caught:
            asking.exchange("code", "verifier", BACK, "n")
        assert caught.value.code == "signin.refused"


@pytest.mark.parametrize(
    "issuer",
    ["http://provider.example", "ftp://x", "https://", "https://a@b.example", "https://x/#y", "provider"],
)
def test_an_issuer_is_at_an_https_address(issuer: str) -> None:
    with pytest.raises(ValueError, match="https address"):
        SignIn(issuer, CLIENT)
