"""What is kept of credentials that this server made: tokens, sessions, links, sign-ins under way.

Rows are no projection of the log: no entry can bring them back, and ``rakkan rebuild`` leaves them alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol

from ledger.core.access import EVERY, Role
from ledger.core.fields import format_time
from ledger.core.secret_text import Kind


@dataclass(frozen=True, slots=True)
class Credential:
    """One credential; moments are Unix time in seconds.

    ``digest`` is of its text, which is nowhere. ``holder`` is the viewer's name, ``maker`` that of whoever
    made it. ``target`` is what a link shows, or what a sign-in must come back with. ``used`` is the day of
    the last use, ``uses`` how often a link was opened.
    """

    kind: Kind
    identifier: str
    digest: str
    label: str
    holder: str
    roles: Mapping[str, frozenset[Role]]
    party: str | None
    maker: str
    made: int
    expires: int
    target: str = ""
    ended: int | None = None
    used: int | None = None
    uses: int = 0

    def on(self, production: str) -> Credential:
        """Return it with what it holds on this production alone."""
        return replace(
            self, roles={name: held for name, held in self.roles.items() if name in {production, EVERY}}
        )

    def to_json(self) -> dict[str, object]:
        """Return what may be shown of it. Moments are RFC 3339, UTC; what there is not is ``null``."""
        return {
            "id": self.identifier,
            "name": self.label,
            "holder": self.holder,
            "roles": {name: sorted(held) for name, held in self.roles.items()},
            "party": self.party,
            "maker": self.maker,
            "made": _moment(self.made),
            "expires": _moment(self.expires),
            "revoked": _moment(self.ended),
            "lastUsed": None if self.used is None else f"{datetime.fromtimestamp(self.used, UTC):%Y-%m-%d}",
        }


class CredentialStore(Protocol):
    """The rows of all credentials. May be used by several threads and processes."""

    def add(self, credential: Credential) -> None:
        """Keep a new credential, durable on return."""

    def get(self, kind: Kind, identifier: str) -> Credential | None:
        """Return the credential, or ``None``."""

    def made(self, kind: Kind) -> Sequence[Credential]:
        """Return every credential of this kind, the oldest first."""

    def end(self, kind: Kind, identifier: str, moment: int) -> bool:
        """End it, durable on return; whether it had not ended yet. One that ended keeps its moment."""

    def use(self, kind: Kind, identifier: str, day: int) -> None:
        """Note one more use, on this day."""

    def take(self, kind: Kind, identifier: str) -> bool:
        """Remove it, durable on return; ``True`` for exactly one of those who try."""

    def sweep(self, kind: Kind, before: int) -> None:
        """Remove those of this kind that expired before this moment."""


def _moment(seconds: int | None) -> str | None:
    return None if seconds is None else format_time(datetime.fromtimestamp(seconds, UTC))
