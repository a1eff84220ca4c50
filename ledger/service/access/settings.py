"""What an operator may set about who gets in, and how often."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated
from urllib.parse import urlsplit

from ledger.core.people import Rule
from ledger.core.rate import Budget
from ledger.core.secret import Secret

LOOPBACK = {"127.0.0.1", "::1", "localhost"}


@dataclass(frozen=True, slots=True)
class AccessSettings:
    """``[access]``: how the world reaches the service."""

    public_url: Annotated[str, "scheme and host, such as https://log.studio: where people sign in"] = ""

    def __post_init__(self) -> None:
        parts = urlsplit(self.public_url)
        if self.public_url and (parts.scheme not in {"http", "https"} or not parts.netloc or parts.path):
            raise ValueError("has a public_url that is not scheme and host alone")

    @property
    def https(self) -> bool:
        """Whether the world reaches this server by TLS."""
        return self.public_url.startswith("https://")

    @property
    def cookie(self) -> str:
        """The name of the session's cookie. ``__Host-`` binds it to this very host, and needs TLS."""
        return "__Host-rakkan" if self.https else "rakkan"


@dataclass(frozen=True, slots=True)
class Limits:
    """``[limits]``: how often anybody may come, for each worker process. Entries are not limited."""

    verify_anybody: Annotated[Budget, "files to be checked, by address"] = field(default=Budget(5, 100))
    verify_known: Annotated[Budget, "the same, by who is known"] = field(default=Budget(20, 400))
    read_anybody: Annotated[Budget, "everything else, by address"] = field(default=Budget(200, 2_000))
    read_known: Annotated[Budget, "the same, by who is known"] = field(default=Budget(1_000, 10_000))
    failures: Annotated[Budget, "bad credentials, by address"] = field(default=Budget(1, 60))


@dataclass(frozen=True, slots=True)
class SignIn:
    """``[sign_in]``: the identity provider, by OpenID Connect. Without an issuer there is none."""

    issuer: Annotated[str, "its issuer, exactly as it calls itself"] = ""
    client_id: Annotated[str, "what the provider calls this service"] = ""
    client_secret: Annotated[Secret | None, "without one this is a public client, with PKCE alone"] = None
    audience: Annotated[str, "the aud of access tokens that may be shown as bearer; none without it"] = ""
    scopes: Annotated[tuple[str, ...], "what to ask for"] = ("openid", "email", "profile")
    session: Annotated[timedelta, "how long a session holds"] = timedelta(hours=10)
    people: Annotated[tuple[Rule, ...], "who is what; nobody is anything without a rule"] = ()

    def __post_init__(self) -> None:
        if self.issuer:
            check_provider_url(self.issuer)
            if not self.client_id:
                raise ValueError("needs a client_id")
        if not timedelta(minutes=1) <= self.session <= timedelta(days=31):
            raise ValueError("has a session that is not 1 minute to 31 days")


def check_provider_url(url: str) -> None:
    """Return if it is an https URL, or http on the loopback. Raises ``ValueError``."""
    parts = urlsplit(url)
    plain = parts.scheme == "http" and parts.hostname in LOOPBACK
    if not parts.hostname or "@" in parts.netloc or parts.fragment or not (parts.scheme == "https" or plain):
        raise ValueError("names a provider that is not at an https address")
