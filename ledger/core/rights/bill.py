"""What every form of a bill of materials is made from, and the words that they share."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from ledger.core import canonical
from ledger.core.artifact import Artifact
from ledger.core.digest import sha256_hex
from ledger.core.predicates import GrantV2
from ledger.core.predicates.answer import Answer
from ledger.core.predicates.delivery import Delivery
from ledger.core.predicates.party import PartyKind
from ledger.core.rights.facts import Facts, KnownGrant
from ledger.core.rights.materials import Materials

LIMITS = "This lists what is on record, not that nothing else was used. It is evidence, not a legal opinion."


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict that goes with a bill: the answer now, for which delivery, by which policy."""

    answer: Answer
    delivery: Delivery
    policy: str
    policy_sha256: str


@dataclass(frozen=True, slots=True)
class Bill:
    """``subjects`` are the files; ``origin`` names the log, ``size`` and ``root`` the tree that it saw.

    ``unexplained`` are files that were asked for and that no record explains: they are in the bill, and it
    says nothing of what they rest on. ``note`` says what a bill for somebody's eyes leaves out.
    """

    studio: str
    origin: str
    size: int
    root: str
    created: datetime
    subjects: tuple[Artifact, ...]
    materials: Materials
    facts: Facts
    unexplained: tuple[Artifact, ...] = ()
    judgement: Judgement | None = None
    note: str = ""

    @property
    def limits(self) -> str:
        """Return what the bill does not say."""
        return f"{LIMITS} {self.note}".rstrip()

    @property
    def identifier(self) -> uuid.UUID:
        """Return the same identifier for the same files, the same tree, the same moment and the same eyes."""
        about = [self.origin, self.root, self.created.isoformat(), [item.sha256 for item in self.subjects]]
        about += [self.note] if self.note else []
        return uuid.uuid5(uuid.NAMESPACE_URL, f"urn:sha256:{sha256_hex(canonical.encode(about))}")

    def party(self, party_id: str) -> tuple[str, bool]:
        """Return how a party may be named in public, and whether it is a person: a pseudonym then."""
        known = self.facts.parties.get(party_id)
        if known is None:
            return party_id, False
        return known.predicate.name or party_id, known.predicate.kind is PartyKind.PERSON

    def grants_about(self, sha256: str) -> list[KnownGrant]:
        """Return the grants about a thing of the bill."""
        return [
            grant
            for grant in self.materials.grants
            if any(subject.sha256 == sha256 for subject in grant.stated.subjects)
        ]


def parties_of(grant: KnownGrant) -> tuple[str | None, str | None]:
    """Return the identifiers of who grants and who is granted, where the grant says so."""
    terms = grant.terms
    return (terms.assigner, terms.assignee) if isinstance(terms, GrantV2) else (None, None)
