"""What an operator may set about who gets in."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network

from api.limits import Limits


@dataclass(frozen=True, slots=True)
class AccessSettings:
    """``public_url`` is where the world reaches this server, without a path, such as ``https://log.studio``.

    ``proxies`` are the networks whose ``X-Forwarded-For`` is believed.
    """

    public_url: str = ""
    proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    limits: Limits = field(default_factory=Limits)

    @property
    def https(self) -> bool:
        """Whether the world reaches this server by TLS."""
        return self.public_url.startswith("https://")

    @property
    def cookie(self) -> str:
        """The name of the session's cookie. ``__Host-`` binds it to this very host, and needs TLS."""
        return "__Host-rakkan" if self.https else "rakkan"
