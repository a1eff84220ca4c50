"""``grant/v2``: a rights holder permits uses of the subjects, within a scope and a term.

* The uses name the stage of training; what may be done with a model is three uses: to run it, to use its
  output, to train on its output.
* ``legal_basis`` says why the use is permitted; a statutory exception or the public domain is recorded in the
  same way as a licence, and a policy decides which bases it accepts.
* A grant changes by a statement with the same ``grantId`` and a higher ``version``; of two with the same
  version, the later entry counts. It ends early by a ``grant-revocation/v1``, and for good.
* ``validFrom`` and ``validUntil`` are the moments that the contract's own days (``term``) were resolved to.
* The contract's text and names that are nobody's business are commitments; ``document`` says whether the
  contract is among them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from ledger.core.fields import Fields, format_time, in_order, present
from ledger.core.predicates.grant import Grant, Use
from ledger.core.predicates.scope import EVERYWHERE, Scope, Term, check_validity, read_scope, read_term


class LegalBasis(StrEnum):
    """Why a use is permitted."""

    LICENCE = "licence"
    STATUTORY_EXCEPTION = "statutory-exception"
    PUBLIC_DOMAIN = "public-domain"
    OWN_WORK = "own-work"
    WORK_FOR_HIRE = "work-for-hire"
    VENDOR_TERMS = "vendor-terms"
    UNKNOWN = "unknown"


class Afterwards(StrEnum):
    """What becomes of what was made, when a grant expires or is revoked."""

    OUTPUTS_SURVIVE = "outputs-survive"
    OUTPUTS_CEASE = "outputs-cease-new-exploitation"
    MODEL_MUST_RETIRE = "model-must-retire"
    RENEGOTIATE = "renegotiate"


class Exclusivity(StrEnum):
    """Whether the rights holder may permit the same to others."""

    NONE = "non-exclusive"
    EXCLUSIVE = "exclusive"


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantV2(Grant):
    """``recorded`` is when the studio came to know it; parties are party identifiers.

    ``statute`` names the provision of a statutory exception, such as ``JP-30-4``.
    """

    TYPE: ClassVar[str] = "https://rakkan.org/grant/v2"

    recorded: datetime
    version: int = 1
    legal_basis: LegalBasis = LegalBasis.LICENCE
    statute: str | None = None
    assigner: str | None = None
    assignee: str | None = None
    scope: Scope = EVERYWHERE
    term: Term | None = None
    exclusivity: Exclusivity = Exclusivity.NONE
    attribution: str | None = None
    sublicence: bool = False
    on_expiry: Afterwards = Afterwards.RENEGOTIATE
    on_revocation: Afterwards = Afterwards.RENEGOTIATE
    document: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the predicate object."""
        # Not super(): a dataclass with slots is another class than the one that zero arguments refer to.
        return Grant.to_json(self) | present(
            uses=in_order(self.uses),
            recorded=format_time(self.recorded),
            version=self.version,
            legalBasis=self.legal_basis.value,
            statute=self.statute,
            assigner=self.assigner,
            assignee=self.assignee,
            scope=self.scope.to_json(),
            term=self.term and self.term.to_json(),
            exclusivity=self.exclusivity.value,
            attribution=self.attribution,
            sublicence=self.sublicence,
            onExpiry=self.on_expiry.value,
            onRevocation=self.on_revocation.value,
            document=self.document,
        )

    @classmethod
    def read(cls, fields: Fields) -> GrantV2:
        """Take the predicate's fields."""
        valid_from, valid_until = fields.time("validFrom"), fields.optional_time("validUntil")
        check_validity(fields, valid_from, valid_until)
        found = cls(
            fields.text("grantId"),
            fields.choices("uses", Use),
            valid_from,
            valid_until,
            fields.commitments("_sd"),
            recorded=fields.time("recorded"),
            version=fields.take("version", int),
            legal_basis=fields.choice("legalBasis", LegalBasis),
            statute=fields.optional_text("statute"),
            assigner=fields.optional_text("assigner"),
            assignee=fields.optional_text("assignee"),
            scope=read_scope(fields),
            term=read_term(fields, valid_from, valid_until),
            exclusivity=fields.choice("exclusivity", Exclusivity),
            attribution=fields.optional_text("attribution"),
            sublicence=fields.take("sublicence", bool),
            on_expiry=fields.choice("onExpiry", Afterwards),
            on_revocation=fields.choice("onRevocation", Afterwards),
            document=fields.take("document", bool),
        )
        _check(fields, found)
        return found


def _check(fields: Fields, found: GrantV2) -> None:
    if not found.uses:
        raise fields.error("uses", "must name at least one use")
    if found.version < 1:
        raise fields.error("version", "counts from 1")
    if (found.statute is not None) != (found.legal_basis is LegalBasis.STATUTORY_EXCEPTION):
        raise fields.error("statute", "names the provision of a statutory exception, and of nothing else")
    if found.document and not found.commitments:
        raise fields.error("document", "is committed to nowhere")
