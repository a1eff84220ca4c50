"""People who sign in with an identity provider: OpenID Connect, the authorization code flow with PKCE.

* What a sign-in must come back with (its nonce, its PKCE verifier, where to go on) is kept here, for ten
  minutes and for one try. The browser holds the state in a cookie, too: a sign-in that somebody else began is
  refused.
* A session's roles are those of the moment of signing in, and end with it.
* An access token of the provider (RFC 9068), or an ID token, may be shown in place of a token of ours.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from hmac import compare_digest
from typing import Any, Protocol

from ledger.core.access import EVERY, Role, Viewer
from ledger.core.people import pseudonym, roles_of
from ledger.core.secret_text import Kind
from ledger.errors import RefusedError
from ledger.service.access.credentials import Credentials, Wanted
from ledger.service.access.settings import SignIn

SIGN_IN_SECONDS = 600
_PROVIDER = Viewer("provider", {EVERY: frozenset(set(Role) - {Role.DEVICE})})


class Provider(Protocol):
    """An identity provider. Each call raises ``UndecidedError("signin.unavailable")`` where it is down."""

    def address(self, state: str, nonce: str, challenge: str, back: str) -> str:
        """Return where the browser goes to sign in."""

    def exchange(self, code: str, verifier: str, back: str, nonce: str) -> Mapping[str, Any]:
        """Return the checked claims of the ID token for a code. Raises ``RefusedError("signin.refused")``."""

    def bearer(self, text: str) -> Mapping[str, Any]:
        """Return the checked claims of a token. Raises ``access.credential`` and ``access.ended``."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A sign-in under way: where the browser goes, and the state that it must bring back."""

    address: str
    state: str


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session that began: the cookie's value, how many seconds it holds, and where to go on."""

    session: str
    seconds: int
    to: str


class SigningIn:
    """Sign-ins and sessions. ``back`` is the address that the provider sends browsers to."""

    def __init__(self, settings: SignIn, provider: Provider, credentials: Credentials, back: str) -> None:
        self._settings = settings
        self._provider = provider
        self._credentials = credentials
        self._back = back

    def begin(self, to: str) -> Begun:
        """Return a new sign-in that ends at ``to``, a path of this server."""
        self._credentials.sweep(Kind.SIGNIN)
        nonce, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(48)
        kept = json.dumps({"nonce": nonce, "verifier": verifier, "to": to})
        wanted = Wanted(Kind.SIGNIN, "sign-in", {}, SIGN_IN_SECONDS, target=kept)
        state, _ = self._credentials.make(wanted, _PROVIDER)
        digest = hashlib.sha256(verifier.encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        return Begun(self._provider.address(state, nonce, challenge, self._back), state)

    def finish(self, state: str, held: str, code: str) -> SignedIn:
        """Return the session of whoever comes back. ``held`` is the state that the browser kept.

        Raises ``RefusedError`` with ``signin.refused``, or ``signin.nobody`` for whom no rule means.
        """
        if not compare_digest(state.encode(), held.encode()):
            raise RefusedError("signin.refused", "This browser did not begin this sign-in.")
        try:
            kept = json.loads(self._credentials.take(Kind.SIGNIN, state).target)
        except RefusedError as error:
            raise RefusedError("signin.refused", "This sign-in was used, or is too old.") from error
        claims = self._provider.exchange(code, kept["verifier"], self._back, kept["nonce"])
        viewer = self._viewer(claims)
        if not viewer.roles:
            raise RefusedError(
                "signin.nobody", f"No rule gives {viewer.name} anything here.", who=viewer.name
            )
        self._credentials.sweep(Kind.SESSION)
        seconds = int(self._settings.session.total_seconds())
        wanted = Wanted(Kind.SESSION, "session", viewer.roles, seconds, viewer.party, holder=viewer.name)
        session, _ = self._credentials.make(wanted, _PROVIDER)
        return SignedIn(session, seconds, kept["to"])

    def bearer(self, text: str) -> Viewer:
        """Return whoever the provider's token names; with no roles where no rule means them."""
        return self._viewer(self._provider.bearer(text))

    def _viewer(self, claims: Mapping[str, Any]) -> Viewer:
        roles, party = roles_of(self._settings.people, claims)
        return Viewer(pseudonym(claims["iss"], claims["sub"]), roles, party)
