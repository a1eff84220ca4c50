"""Who may do what: roles, actions, and the one table that says which role may do which.

* Deny by default: what the table does not allow, nobody may do.
* A role is held on a production, or on all of them (``EVERY``). A device holds ``DEVICE`` by its enrolment.
* What everybody may do needs no account: those are the actions of ``PUBLIC``.
* The page ``docs/reference/access.md`` and the tests of every route are made from this table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from ledger.core.audit.views import View

EVERY = "*"
"""In place of a production: all of them."""


class Role(StrEnum):
    """What somebody is to a production."""

    ARTIST = "artist"
    SUPERVISOR = "supervisor"
    PRODUCER = "producer"
    LEGAL = "legal"
    AUDITOR = "auditor"
    DISTRIBUTOR = "distributor"
    RIGHTS_HOLDER = "rights-holder"
    OPERATOR = "operator"
    DEVICE = "device"


class Action(StrEnum):
    """What can be done over HTTP."""

    ADD_ENTRIES = "entries.add"
    VERIFY = "verify"
    READ_PROOFS = "log.proofs"
    READ_ENTRIES = "log.entries"
    READ_WORK = "work.read"
    READ_REGISTRY = "registry.read"
    READ_VERDICTS = "verdicts.read"
    CLEAR = "clear"
    DECIDE = "decide"
    ASK_OWN_WORKS = "own-works.ask"
    OPEN_DISCLOSURES = "disclosures.open"
    REPORT = "reports.make"
    FOLLOW = "events.follow"
    MANAGE_WEBHOOKS = "webhooks.manage"
    SHARE = "shares.manage"
    SHARE_MANIFESTS = "manifests.share"
    MANAGE_TOKENS = "tokens.manage"
    OPERATE = "operate"


MEANINGS: Mapping[Action, str] = {
    Action.ADD_ENTRIES: "add entries that an enrolled key signed, and openings of their commitments",
    Action.VERIFY: "ask whether a file is what it claims",
    Action.READ_PROOFS: "read checkpoints, hash tiles, proofs, receipts and the history of the log's keys",
    Action.READ_ENTRIES: "read entries themselves, one by one or in bundles",
    Action.READ_WORK: "read files, steps, lineage, shots, coverage and manifests",
    Action.READ_REGISTRY: "read datasets, models, grants, parties, services and their terms",
    Action.READ_VERDICTS: "read verdicts on record",
    Action.CLEAR: "compute a verdict, and what a change would do",
    Action.DECIDE: "import facts of rights, and record reviews, approvals, overrides and revocations",
    Action.ASK_OWN_WORKS: "ask which of one's own works are in the studio's data",
    Action.OPEN_DISCLOSURES: "read names, prompts and contracts behind commitments; each time is an entry",
    Action.REPORT: "have audit reports made, each in the views that one's role may have, and fetch them",
    Action.FOLLOW: "be told of new entries and changed verdicts",
    Action.MANAGE_WEBHOOKS: "have events posted to an address",
    Action.SHARE: "make and revoke links that show one report or one file to whoever holds them",
    Action.SHARE_MANIFESTS: "put the manifest of a file that one recorded where others find it",
    Action.MANAGE_TOKENS: "make and revoke API tokens",
    Action.OPERATE: "read metrics and the server's state",
}

_CREW = {Role.ARTIST, Role.SUPERVISOR, Role.PRODUCER, Role.LEGAL, Role.AUDITOR}
_VIEWS: Mapping[Role, frozenset[View]] = {
    **dict.fromkeys((Role.PRODUCER, Role.LEGAL, Role.AUDITOR), frozenset(View)),
    Role.DISTRIBUTOR: frozenset({View.DISTRIBUTOR, View.PUBLIC}),
    Role.RIGHTS_HOLDER: frozenset({View.RIGHTS_HOLDER, View.PUBLIC}),
}
"""The views of an audit report that a role may have. A rights holder has that of their own party."""
_ALLOWED: Mapping[Action, frozenset[Role]] = {
    Action.READ_ENTRIES: frozenset({Role.LEGAL, Role.AUDITOR, Role.DEVICE}),
    Action.READ_WORK: frozenset({*_CREW, Role.DEVICE}),
    Action.READ_REGISTRY: frozenset({*_CREW, Role.DEVICE} - {Role.ARTIST}),
    Action.READ_VERDICTS: frozenset({*_CREW, Role.DISTRIBUTOR, Role.DEVICE}),
    Action.CLEAR: frozenset(_CREW),
    Action.DECIDE: frozenset({Role.LEGAL}),
    Action.ASK_OWN_WORKS: frozenset({Role.RIGHTS_HOLDER, Role.LEGAL, Role.AUDITOR}),
    Action.OPEN_DISCLOSURES: frozenset({Role.LEGAL, Role.AUDITOR}),
    Action.REPORT: frozenset(_VIEWS),
    Action.FOLLOW: frozenset({*_CREW, Role.DISTRIBUTOR}),
    Action.MANAGE_WEBHOOKS: frozenset({Role.PRODUCER, Role.OPERATOR}),
    Action.SHARE: frozenset({Role.PRODUCER, Role.LEGAL}),
    Action.SHARE_MANIFESTS: frozenset({Role.DEVICE}),
    Action.MANAGE_TOKENS: frozenset({Role.OPERATOR}),
    Action.OPERATE: frozenset({Role.OPERATOR}),
}
PUBLIC = frozenset(set(Action) - set(_ALLOWED))
"""What needs no account."""


def roles_for(action: Action) -> frozenset[Role]:
    """Return the roles that may do this; all of them for what is public."""
    return frozenset(Role) if action in PUBLIC else _ALLOWED[action]


def views_of(role: Role) -> frozenset[View]:
    """Return the views of an audit report that a role may have."""
    return _VIEWS.get(role, frozenset())


@dataclass(frozen=True, slots=True)
class Viewer:
    """Whoever makes a request.

    ``name`` is what logs and entries call them: a pseudonym, ``token:…``, ``device:…`` or ``person:…``.
    ``roles`` are held by production, ``EVERY`` among them. ``party`` is the registry's identifier of whom a
    rights holder speaks for.
    """

    name: str
    roles: Mapping[str, frozenset[Role]] = field(default_factory=dict)
    party: str | None = None

    def may(self, action: Action, production: str) -> bool:
        """Whether the table allows it on this production."""
        if action in PUBLIC:
            return True
        return bool(self._held(production) & _ALLOWED[action])

    def views(self, production: str) -> frozenset[View]:
        """Return the views of this production's audit reports that the viewer may have."""
        return frozenset[View]().union(*map(views_of, self._held(production)))

    def _held(self, production: str) -> frozenset[Role]:
        return self.roles.get(production, frozenset()) | self.roles.get(EVERY, frozenset())


ANYBODY = Viewer("anybody")
"""A request without any credential."""
