"""Every kind of table, in the order in which facts rest on one another."""

from __future__ import annotations

from collections.abc import Callable

from ledger.service.rights import models, permissions, things
from ledger.service.rights.tables import Desk, Draft, Table

KINDS: dict[str, Callable[[Table], Draft]] = {
    "party": things.party,
    "title": things.title,
    "work": things.work,
    "dataset": things.dataset,
    "model": models.model,
    "training": models.training,
    "grant": permissions.grant,
    "revocation": permissions.revocation,
    "service_terms": things.service_terms,
    "consent": permissions.consent,
    "approval": permissions.approval,
    "finding": permissions.finding,
    "review": permissions.review,
    "override": permissions.override,
}


def draft_of(desk: Desk, kind: str, value: object, where: str | None = None) -> Draft:
    """Return the statement that a table makes, unsigned and unchecked. ``where`` names it in complaints.

    Raises ``MalformedError("rights.file")`` for a table that is not as docs/spec/rights-import.md has it, and
    ``RakkanError`` for names, days, places and files that do not exist.
    """
    table = Table(value, where or kind, desk)
    found = KINDS[kind](table)
    table.end()
    return found
