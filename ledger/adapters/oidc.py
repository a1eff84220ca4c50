"""An identity provider that speaks OpenID Connect. See ``service.access.signing_in.Provider``.

* Only what it signed counts, with one of its published keys and one of four algorithms; the key says which
  kind, and a header that says another is refused. Never ``none``, never a shared secret.
* Every call has a deadline and a greatest answer, follows no redirect, uses no proxy, and goes to https, or
  to the loopback. What the provider calls itself must be, to the letter, what the operator wrote.
* Its description is kept for an hour, its keys for ten minutes. A key that is not among them is looked for at
  most once in thirty seconds: tokens with invented keys do not make us its load generator.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import jwt

from ledger.adapters.connection import TROUBLE, Call, Connection, Server
from ledger.errors import RefusedError, UndecidedError
from ledger.service.access.settings import SignIn, check_provider_url

ALGORITHMS = {"RS256": "RSA", "PS256": "RSA", "ES256": "EC", "EdDSA": "OKP"}
MAX_ANSWER = 256 << 10
MAX_TOKEN = 16 << 10
LEEWAY = 30
SECONDS = 5.0
_DESCRIBED_FOR = 3600.0
_KEYS_FOR = 600.0
_LOOK_AGAIN = 30.0
_PORTS = {"http": 80, "https": 443}
_ACCESS = {"at+jwt", "application/at+jwt"}


@dataclass(frozen=True, slots=True)
class _Key:
    """A published key. ``algorithm`` is the only one that it is for, where the provider says so."""

    name: str
    kind: str
    algorithm: str | None
    key: Any


@dataclass(slots=True)
class _Kept:
    """What was fetched, and when."""

    value: Any = None
    at: float = float("-inf")


class OidcProvider:
    """The provider of these settings. May be used by several threads. Connects to nothing yet."""

    def __init__(self, settings: SignIn) -> None:
        self._settings = settings
        self._lock = Lock()
        self._described = _Kept()
        self._keys = _Kept()

    def address(self, state: str, nonce: str, challenge: str, back: str) -> str:
        """Return where the browser goes to sign in."""
        asked = {
            "response_type": "code",
            "client_id": self._settings.client_id,
            "redirect_uri": back,
            "scope": " ".join(self._settings.scopes),
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        place = self._description()["authorization_endpoint"]
        return f"{place}{'&' if urlsplit(place).query else '?'}{urlencode(asked)}"

    def exchange(self, code: str, verifier: str, back: str, nonce: str) -> Mapping[str, Any]:
        """Return the checked claims of the ID token for a code. Raises ``RefusedError("signin.refused")``."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": back,
            "code_verifier": verifier,
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        secret = self._settings.client_secret
        if secret is None:
            form["client_id"] = self._settings.client_id
        else:
            pair = f"{quote(self._settings.client_id, safe='')}:{quote(secret.text, safe='')}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        status, answer = self._call("POST", self._description()["token_endpoint"], urlencode(form), headers)
        text = answer.get("id_token")
        if status != 200 or not isinstance(text, str):
            raise RefusedError("signin.refused", "The identity provider does not accept this sign-in.")
        try:
            claims = self._checked(text, self._settings.client_id)
        except RefusedError as error:
            raise RefusedError("signin.refused", "The identity provider's answer does not hold.") from error
        if claims.get("nonce") != nonce:
            raise RefusedError("signin.refused", "The identity provider answers for another sign-in.")
        return claims

    def bearer(self, text: str) -> Mapping[str, Any]:
        """Return the checked claims of a token. Raises ``access.credential`` and ``access.ended``."""
        try:
            kind = str(jwt.get_unverified_header(text).get("typ", "JWT")) if len(text) <= MAX_TOKEN else ""
        except jwt.PyJWTError:
            kind = ""
        audience = self._settings.audience if kind.lower() in _ACCESS else self._settings.client_id
        if not kind or not audience:
            raise _unknown()
        return self._checked(text, audience)

    def _checked(self, text: str, audience: str) -> Mapping[str, Any]:
        try:
            header = jwt.get_unverified_header(text) if len(text) <= MAX_TOKEN else {}
            key = self._key(header.get("kid"), str(header.get("alg")))
            claims: dict[str, Any] = jwt.decode(
                text,
                key,
                algorithms=[header["alg"]],
                audience=audience,
                issuer=self._settings.issuer,
                leeway=LEEWAY,
                options={"require": ["exp", "iat", "iss", "aud", "sub"], "enforce_minimum_key_length": True},
            )
        except jwt.ExpiredSignatureError as error:
            raise RefusedError("access.ended", "The token has expired.") from error
        except (jwt.PyJWTError, ValueError) as error:
            raise _unknown() from error
        several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if several and claims.get("azp") != self._settings.client_id:
            raise _unknown()  # made for somebody else, who may show it to us
        return claims

    def _key(self, name: Any, algorithm: str) -> Any:
        """Return the key of this name, if it is for this algorithm. Looks again for one that is not there."""
        if algorithm not in ALGORITHMS or not isinstance(name, str):
            raise _unknown()
        for again in (False, True):
            for key in self._published(again=again):
                if key.name == name:
                    if key.kind != ALGORITHMS[algorithm] or key.algorithm not in {None, algorithm}:
                        raise _unknown()
                    return key.key
        raise _unknown()

    def _published(self, *, again: bool) -> Sequence[_Key]:
        with self._lock:
            age = time.monotonic() - self._keys.at
            if age > (_LOOK_AGAIN if again else _KEYS_FOR):
                # Before it is fetched: a provider that is down is not asked for each token, either.
                self._keys.at = time.monotonic()
                _, answer = self._call("GET", self._description()["jwks_uri"])
                self._keys.value = _signing_keys(answer)
            if self._keys.value is None:
                raise self._unavailable("its keys could not be fetched a moment ago")
            found: Sequence[_Key] = self._keys.value
            return found

    def _description(self) -> Mapping[str, Any]:
        kept = self._described
        if time.monotonic() - kept.at > _DESCRIBED_FOR:
            place = f"{self._settings.issuer.rstrip('/')}/.well-known/openid-configuration"
            status, answer = self._call("GET", place)
            named = ("authorization_endpoint", "token_endpoint", "jwks_uri")
            try:
                for name in named:
                    check_provider_url(str(answer.get(name)))
            except ValueError as error:
                raise self._unavailable("its description names no https addresses") from error
            if status != 200 or answer.get("issuer") != self._settings.issuer:
                raise self._unavailable("it calls itself something else than the operator wrote")
            self._described = kept = _Kept(answer, time.monotonic())
        found: Mapping[str, Any] = kept.value
        return found

    def _call(
        self, method: str, url: str, body: str | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, dict[str, Any]]:
        """Return the status and the JSON object of the answer; an empty one for an error without one."""
        parts = urlsplit(url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        server = Server(parts.scheme, str(parts.hostname), parts.port or _PORTS[parts.scheme])
        fields = {"Accept": "application/json", **(headers or {})}
        connection = Connection(server, SECONDS)
        try:
            data = None if body is None else body.encode()
            call = Call(method, target, fields, MAX_ANSWER + 1, data)
            answer = connection.ask(lambda: call, again=False)
            found = json.loads(answer.body) if len(answer.body) <= MAX_ANSWER else None
        except (*TROUBLE, ValueError, RecursionError) as error:
            raise self._unavailable(type(error).__name__) from error
        finally:
            connection.close()
        if not isinstance(found, dict) or not (200 <= answer.status < 300 or 400 <= answer.status < 500):
            raise self._unavailable(f"it answers with status {answer.status} and nothing of use")
        return answer.status, found

    def _unavailable(self, why: str) -> UndecidedError:
        words = f"The identity provider cannot be asked: {why}."
        return UndecidedError("signin.unavailable", words, issuer=self._settings.issuer)


def _signing_keys(answer: Mapping[str, Any]) -> Sequence[_Key]:
    """Return the keys that this library can use, of the kinds that may sign here."""
    listed = answer.get("keys")
    found = []
    for item in listed if isinstance(listed, list) else ():
        if not isinstance(item, dict) or item.get("kty") not in ALGORITHMS.values():
            continue
        if item.get("use", "sig") == "sig" and isinstance(item.get("kid"), str):
            try:
                key = jwt.PyJWK.from_dict(item)
            except (jwt.PyJWTError, ValueError, TypeError):
                continue  # one of another curve or size: it signs nothing for us
            found.append(_Key(item["kid"], item["kty"], item.get("alg"), key.key))
    return found


def _unknown() -> RefusedError:
    return RefusedError("access.credential", "The identity provider did not sign such a token for us.")
