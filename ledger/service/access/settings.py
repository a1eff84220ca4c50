"""What an operator may set about who gets in, and how often."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated
from urllib.parse import urlsplit

from ledger.core.rate import Budget


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

    verify_anybody: Annotated[Budget, "files to be checked, by address"] = field(default=Budget(2, 30))
    verify_known: Annotated[Budget, "the same, by who is known"] = field(default=Budget(20, 400))
    read_anybody: Annotated[Budget, "everything else, by address"] = field(default=Budget(200, 2_000))
    read_known: Annotated[Budget, "the same, by who is known"] = field(default=Budget(1_000, 10_000))
    failures: Annotated[Budget, "bad credentials, by address"] = field(default=Budget(1, 60))
