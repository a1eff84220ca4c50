"""Making, showing and ending what people and programs hold.

* A credential never holds more than its maker does, and one that a token made ends no later than that token
  and with it: a token that leaked cannot grow another that outlives it.
* Every one ends: after 90 days if nothing else is said, after 366 at the latest.
* Nobody holds ``device``: that comes from an enrolment in the log and from nothing else.
* What is unknown and what has another secret are refused in the same words. That one has expired or was
  revoked is said to whoever holds the secret.
* That a token was used is kept by the day.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from hmac import compare_digest

from ledger.core import secret_text
from ledger.core.access import EVERY, Role, Viewer
from ledger.core.secret_text import ID_BYTES, SECRET_BYTES, Kind
from ledger.errors import RakkanError, RefusedError, UsageError
from ledger.ports import Clock
from ledger.service.access.store import Credential, CredentialStore

DAY = 86_400
DEFAULT_DAYS = 90
MAX_DAYS = 366
MAX_LABEL = 100
SESSION = DAY // 2
"""Seconds that a session holds which a token began, at most."""

Roles = Mapping[str, frozenset[Role]]

OWNER = Viewer("owner", {EVERY: frozenset(set(Role) - {Role.DEVICE})})
"""Whoever works in the studio's home, where its keys lie: nobody is above them."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A credential to be made: what it is called, who it will be, and for how many seconds.

    ``holder`` is the viewer's name, by default the kind's own with the identifier.
    """

    kind: Kind
    label: str
    roles: Roles
    seconds: int = DEFAULT_DAYS * DAY
    party: str | None = None
    target: str = ""
    holder: str | None = None


class Credentials:
    """The credentials of a server. May be used by several threads."""

    def __init__(self, store: CredentialStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def now(self) -> int:
        """Return the present moment, Unix time."""
        return int(self._clock.now().timestamp())

    def make(self, wanted: Wanted, maker: Viewer) -> tuple[str, Credential]:
        """Return the text, which is shown once and kept nowhere, and what is kept of it, durable.

        Raises ``UsageError("access.wanted")`` for what nobody can hold, ``RefusedError("access.beyond")`` for
        more than the maker holds.
        """
        _check(wanted, maker)
        identifier = secrets.token_bytes(ID_BYTES)
        text = secret_text.compose(wanted.kind, identifier, secrets.token_bytes(SECRET_BYTES))
        name = identifier.hex()
        now = self.now()
        made = Credential(
            wanted.kind,
            name,
            secret_text.digest(text),
            wanted.label,
            wanted.holder or f"{wanted.kind}:{name}",
            dict(wanted.roles),
            wanted.party,
            maker.name,
            now,
            min(now + wanted.seconds, self._end_of(maker)),
            wanted.target,
        )
        self._store.add(made)
        return text, made

    def show(self, kind: Kind, text: str) -> Credential:
        """Return the credential whose text this is.

        Raises ``RefusedError`` with ``access.credential`` or ``access.ended``.
        """
        identifier = secret_text.identifier_of(kind, text)
        found = None if identifier is None else self._store.get(kind, identifier)
        # Compared in any case: how long an answer takes must not tell which identifiers there are.
        same = compare_digest(secret_text.digest(text), found.digest if found else "0" * 64)
        if found is None or not same:
            raise RefusedError("access.credential", "This server has made no such credential.")
        if found.ended is not None or found.expires <= self.now():
            raise RefusedError("access.ended", "This credential has expired or was revoked.")
        return found

    def viewer(self, kind: Kind, text: str) -> Viewer:
        """Return whoever holds the text, and note the day. Raises as ``show``."""
        found = self.show(kind, text)
        today = self.now() // DAY * DAY
        if kind is Kind.TOKEN and found.used != today:
            with suppress(RakkanError):  # a database that is busy for now keeps nobody out
                self._store.use(kind, found.identifier, today)
        return Viewer(found.holder, found.roles, found.party)

    def session(self, text: str) -> tuple[str, int]:
        """Return the text of a session for whoever holds a token, and its seconds. It ends with the token.

        Raises as ``show``.
        """
        shown = self.viewer(Kind.TOKEN, text)
        self.sweep(Kind.SESSION)
        wanted = Wanted(Kind.SESSION, "session", shown.roles, SESSION, shown.party, holder=shown.name)
        made, kept = self.make(wanted, shown)
        return made, kept.expires - self.now()

    def opened(self, text: str) -> Credential:
        """Return the link whose text this is, and count. Raises as ``show``."""
        found = self.show(Kind.LINK, text)
        self._store.use(Kind.LINK, found.identifier, self.now() // DAY * DAY)
        return replace(found, uses=found.uses + 1)

    def made(self, kind: Kind, production: str | None = None) -> Sequence[Credential]:
        """Return the credentials of this kind that hold anything on the production, the oldest first."""
        found = self._store.made(kind)
        return [item for item in found if production is None or {production, EVERY} & set(item.roles)]

    def revoke(self, kind: Kind, identifier: str, production: str | None = None) -> None:
        """End a credential, and those that it made, durable on return. Again is fine.

        With a production, it must hold nothing anywhere else. Raises
        ``UsageError("access.no-such-credential")``.
        """
        found = self._store.get(kind, identifier)
        if found is None or (production is not None and set(found.roles) != {production}):
            words = "There is no such credential, or it holds for other productions too."
            raise UsageError("access.no-such-credential", words, identifier=identifier[:64])
        self._store.end(kind, identifier, self.now())
        if found.maker == found.holder:
            return  # a session that a token began: what the token made is the token's
        grown = (each for kind in (Kind.TOKEN, Kind.LINK, Kind.SESSION) for each in self._store.made(kind))
        for other in grown:
            if other.maker == found.holder and other.ended is None:
                self.revoke(other.kind, other.identifier)

    def sign_out(self, holder: str) -> int:
        """End every session of somebody, durable on return, and return how many there were."""
        found = [item for item in self._store.made(Kind.SESSION) if item.holder == holder]
        return sum(self._store.end(Kind.SESSION, item.identifier, self.now()) for item in found)

    def person(self, holder: str) -> str:
        """Return whom a holder's credential comes from: the maker of its token, and of that one's, and so on.

        A token that the owner made is taken for a person's: to whom it was given, only the owner knows.
        """
        seen = set[str]()
        while (token := self._token(holder)) and token.maker != OWNER.name and holder not in seen:
            seen.add(holder)
            holder = token.maker
        return holder

    def stands(self, holder: str) -> bool:
        """Whether a holder is none whose token was revoked. One that has expired was good in its time."""
        token = self._token(holder)
        return token is None or token.ended is None

    def _token(self, holder: str) -> Credential | None:
        kind, _, identifier = holder.partition(":")
        return self._store.get(Kind.TOKEN, identifier) if kind == Kind.TOKEN else None

    def take(self, kind: Kind, text: str) -> Credential:
        """Return the credential to the first who asks by its text, and remove it. Raises as ``show``."""
        found = self.show(kind, text)
        if not self._store.take(kind, found.identifier):
            raise RefusedError("access.credential", "This server has made no such credential.")
        return found

    def sweep(self, kind: Kind) -> None:
        """Remove those of this kind that have expired."""
        self._store.sweep(kind, self.now())

    def _end_of(self, maker: Viewer) -> int:
        found = self._store.get(Kind.TOKEN, maker.name.removeprefix(f"{Kind.TOKEN}:"))
        return found.expires if found else self.now() + MAX_DAYS * DAY


def _check(wanted: Wanted, maker: Viewer) -> None:
    held = frozenset().union(*wanted.roles.values())
    wrong = None
    if not wanted.label.strip() or len(wanted.label) > MAX_LABEL or not wanted.label.isprintable():
        wrong = f"a name has 1 to {MAX_LABEL} printable characters"
    elif not 0 < wanted.seconds <= MAX_DAYS * DAY:
        wrong = f"it must end within {MAX_DAYS} days"
    elif Role.DEVICE in held:
        wrong = "a device is known by its enrolment"
    elif (Role.RIGHTS_HOLDER in held) != (wanted.party is not None):
        wrong = "a rights holder speaks for one party, and nobody else does"
    if wrong:
        raise UsageError("access.wanted", f"Nobody can hold this: {wrong}.")
    if wanted.kind is Kind.LINK:
        return  # what a link shows, whoever may make one sees anyway
    for production, roles in wanted.roles.items():
        has = maker.roles.get(production, frozenset()) | maker.roles.get(EVERY, frozenset())
        if not roles <= has:
            words = f"{maker.name} does not hold {', '.join(sorted(roles - has))} itself."
            raise RefusedError("access.beyond", words, production=production[:200])
