"""A proposal as it is kept: one row, signed with the registrar's key.

What was typed, who proposed it and the digest of what it came to for them are one document. Whoever can write
to the database is nobody who may decide: the signature is over all of it, with the log's name and its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from ledger.core import canonical
from ledger.core.fields import Fields, format_time
from ledger.core.identity import parse_public_key
from ledger.core.predicates.decided import Agreed
from ledger.errors import UsageError
from ledger.ports import Signer

WAITS = timedelta(days=7)
MOST_BYTES = 16_384
_CONTEXT = b"rakkan proposal v1\n"
"""Begins what is signed: no signature over a proposal is one over an entry."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A row: ``document`` and ``declined`` are canonical JSON, ``signature`` is over the document."""

    id: str
    document: str
    signature: bytes
    declined: str | None = None


class ProposalStore(Protocol):
    """The proposals of one log. May be used by several threads and processes."""

    def add(self, kept: Kept, most: int) -> None:
        """Keep one more, durable on return; again is fine. Raises ``RefusedError("decide.full")``."""

    def all(self) -> Sequence[Kept]:
        """Return every one, in no order."""

    def get(self, name: str) -> Kept | None:
        """Return one, or ``None``."""

    def decline(self, name: str, declined: str) -> bool:
        """Note that it was declined, durable on return; whether it was there and not declined yet."""

    def remove(self, names: Sequence[str]) -> int:
        """Erase these, durable on return, and return how many there were."""


@dataclass(frozen=True, slots=True)
class Declined:
    """Who declined a proposal, when, and why."""

    by: Agreed
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What somebody proposed. ``typed`` is their form, ``seen`` the log's size when they looked.

    ``comes_to`` is the digest of what they were shown. ``kept`` is the row that all of it was read from.
    """

    kept: Kept
    log: str
    id: str
    first: Agreed
    expires: datetime
    seen: int
    comes_to: str
    typed: Mapping[str, str]
    declined: Declined | None

    @classmethod
    def read(cls, kept: Kept) -> Proposal:
        """Return what a row holds, its signature unchecked. Raises ``MalformedError``."""
        fields = Fields(canonical.decode(kept.document.encode()))
        found = cls(
            kept=kept,
            log=fields.text("log"),
            id=fields.text("id"),
            first=Agreed.read(fields.sub("first")),
            expires=fields.time("expires"),
            seen=fields.choice("seen", int),
            comes_to=fields.sha256("comesTo"),
            typed=fields.map("typed"),
            declined=_declined(kept.declined) if kept.declined else None,
        )
        fields.end()
        return found


def keep(
    log: str, signer: Signer, name: str, seen: int, first: Agreed, typed: Mapping[str, str], comes_to: str
) -> Kept:
    """Return the row of a new proposal. Raises ``UsageError("decide.too-long")``."""
    said = {
        "comesTo": comes_to,
        "expires": format_time(first.at + WAITS),
        "first": first.to_json(),
        "id": name,
        "log": log,
        "seen": str(seen),
        "typed": {key: " ".join(value.split()) for key, value in typed.items() if value.strip()},
    }
    document = canonical.encode(said)
    if len(document) > MOST_BYTES:
        raise UsageError("decide.too-long", f"A proposal has at most {MOST_BYTES} bytes.")
    return Kept(name, document.decode(), signer.sign(_CONTEXT + document))


def is_whole(proposal: Proposal, log: str, signer: Signer) -> bool:
    """Whether a proposal is as it was kept: of this log, under its own name, and signed with this key."""
    kept, key = proposal.kept, parse_public_key(signer.public_key)
    ours = (log, kept.id) == (proposal.log, proposal.id)
    return ours and key.signed(kept.signature, _CONTEXT + kept.document.encode())


def _declined(text: str) -> Declined:
    fields = Fields(canonical.decode(text.encode()))
    return Declined(Agreed.read(fields.sub("by")), fields.text("why"))
