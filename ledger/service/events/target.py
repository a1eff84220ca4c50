"""Where a webhook may be posted to: nobody gets us to talk to our own network.

* ``https``; ``http`` only where the operator allows it. A host in its plain ASCII form, no user, no fragment.
* Every address that the name has must be public: one that is not refuses them all. Forms of IPv6 that carry
  an IPv4 address are judged by that one.
* Numbers that some systems take for addresses (``2130706433``, ``0177.1``, ``0x7f.1``) are no host.
* A host that the operator names, or whose network they name, need not be public: a studio's own receiver. A
  host that is named itself, or is an address in such a network, may listen on any port.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv4Address, IPv6Address
from typing import Annotated

from ledger.errors import RefusedError, UsageError

MAX_URL = 2048
_URL = re.compile(r"(https?)://([^/?#@\\]+)((?:/[^?#\\]*)?(?:\?[^#\\]*)?)", re.IGNORECASE)
_PRINTABLE = re.compile(r"[!-~]+")
_AUTHORITY = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(?::([0-9]{1,5}))?")
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_PORTS = {"https": 443, "http": 80}
_PUBLIC_V6 = ipaddress.ip_network("2000::/3")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_NEVER = tuple(
    ipaddress.ip_network(text)
    for text in (
        "192.88.99.0/24",  # relays of 6to4
        "2001::/23",  # protocol assignments, Teredo among them, which carries IPv4 addresses
        "2002::/16",  # 6to4: carries IPv4 addresses, too
        "3fff::/20",  # documentation, newer than some Pythons know
    )
)


@dataclass(frozen=True, slots=True)
class WebhookSettings:
    """``[webhooks]``: posting what happens in a log to those who asked for it."""

    enabled: Annotated[bool, "whether this service delivers"] = True
    allowed: Annotated[
        tuple[str, ...], "hosts and networks that need not be public: hooks.studio.lan, 10.1.0.0/16"
    ] = ()
    http: Annotated[bool, "plain HTTP to hosts that are allowed by name"] = False
    ports: Annotated[tuple[int, ...], "ports of hosts that are not allowed by name"] = (443, 8443)
    per_production: Annotated[int, "how many webhooks a production may have"] = 20
    connect: Annotated[timedelta, "to find a host, and to connect to it, each"] = timedelta(seconds=5)
    total: Annotated[timedelta, "for the whole of an attempt"] = timedelta(seconds=10)
    first_retry: Annotated[timedelta, "after the first failure; then twice as long each time"] = timedelta(
        seconds=5
    )
    longest_retry: Annotated[timedelta, "the longest pause between attempts"] = timedelta(hours=6)
    give_up: Annotated[timedelta, "after failing for so long, a webhook is paused"] = timedelta(days=5)
    overlap: Annotated[timedelta, "how long an older secret goes on signing"] = timedelta(hours=24)
    at_once: Annotated[int, "deliveries under way; a quarter of them for receivers that fail"] = 32
    poll: Annotated[timedelta, "how often it is looked for something to deliver"] = timedelta(
        milliseconds=500
    )

    def __post_init__(self) -> None:
        if not 4 <= self.at_once <= 256:
            raise ValueError("has at_once that is not 4 to 256")
        for item in self.allowed:
            if "/" in item:
                ipaddress.ip_network(item)  # raises ValueError

    def names(self, host: str) -> bool:
        """Whether the operator named this host."""
        return host in self.allowed

    def holds(self, address: IPv4Address | IPv6Address) -> bool:
        """Whether the address is in a network that the operator named."""
        networks = (ipaddress.ip_network(item) for item in self.allowed if "/" in item)
        return any(address in network for network in networks if network.version == address.version)


@dataclass(frozen=True, slots=True)
class Target:
    """``host`` is a name or an address, as TLS and the ``Host`` header have it; ``path`` with its query."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """The host as a URL has it, with its port where it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


def parse_target(url: str, settings: WebhookSettings) -> Target:
    """Return where a URL leads. Raises ``UsageError("webhook.url")``, ``RefusedError("webhook.address")``."""
    found = _URL.fullmatch(url) if len(url) <= MAX_URL and _PRINTABLE.fullmatch(url) else None
    place = _AUTHORITY.fullmatch(found[2].lower()) if found else None
    if found is None or place is None:
        raise UsageError("webhook.url", "This is no URL that a webhook can be posted to.")
    scheme, host = found[1].lower(), place[1].removeprefix("[").removesuffix("]")
    port = int(place[2]) if place[2] else _PORTS[scheme]
    address = _literal(host, bracketed=place[1].startswith("["))
    trusted = settings.names(host) or (address is not None and settings.holds(address))
    if address is not None and not trusted:
        check_addresses([str(address)], host, settings)
    elif address is None and "." not in host and not trusted:
        raise RefusedError("webhook.address", "A host without a dot is of our own network.", host=host)
    if not 0 < port < 65536 or (port not in settings.ports and not trusted):
        raise UsageError("webhook.url", f"A webhook is not posted to port {port}.", allowed=settings.ports)
    if scheme == "http" and not (settings.http and trusted):
        raise UsageError("webhook.url", "A webhook is posted over https.")
    return Target(scheme, host, port, found[3] if found[3].startswith("/") else f"/{found[3]}")


def check_addresses(addresses: Sequence[str], host: str, settings: WebhookSettings) -> None:
    """Return if all of a host's addresses may be talked to. Raises ``RefusedError("webhook.address")``."""
    if settings.names(host):
        return
    for text in addresses:
        address = None if "%" in text else ipaddress.ip_address(text)
        if address is None or not (settings.holds(address) or is_public(address)):
            # Which one it is stays unsaid: who gives the URL must not map our network.
            raise RefusedError("webhook.address", "This host has an address that is not public.", host=host)


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address is somewhere on the Internet, by what it is and by what it carries."""
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped
        if address in _NAT64:
            inner = IPv4Address(int(address) & 0xFFFF_FFFF)
        if inner is not None:
            return is_public(inner)
        if address not in _PUBLIC_V6:
            return False
    reserved = any(address in network for network in _NEVER if network.version == address.version)
    return address.is_global and not (address.is_multicast or address.is_reserved or reserved)


def _literal(host: str, *, bracketed: bool) -> IPv4Address | IPv6Address | None:
    """Return the address that a host is, ``None`` for a name. Raises ``UsageError("webhook.url")``."""
    labels = host.split(".")
    try:
        if bracketed:
            return IPv6Address(host)
        if _NUMBER.fullmatch(labels[-1]):
            return IPv4Address(host)
    except ValueError:
        raise UsageError("webhook.url", "The host is not a plain address.", host=host) from None
    if len(host) > 253 or not all(map(_LABEL.fullmatch, labels)):
        raise UsageError("webhook.url", "The host is not a plain name.", host=host)
    return None
