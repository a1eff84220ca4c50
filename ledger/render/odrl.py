"""Grants as ODRL 2.2 agreements: what is permitted, to whom, where, for how long. For interchange only.

ODRL has no words for the stages of training or for what outlives a contract: those are actions and duties of
our own vocabulary (``https://rakkan.org/odrl#``), each beside the nearest one of ODRL.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from ledger.core.fields import format_time, present
from ledger.core.predicates.grant import Use
from ledger.core.predicates.scope import Scope
from ledger.core.rights.bill import Bill, parties_of
from ledger.core.rights.facts import KnownGrant

Json = dict[str, Any]

VOCABULARY = "https://rakkan.org/odrl#"
CONTEXT: Json = {
    # In full rather than by address, so that a reader needs no network.
    "odrl": "http://www.w3.org/ns/odrl/2/",
    "rakkan": VOCABULARY,
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "uid": "@id",
    "type": "@type",
    "Agreement": "odrl:Agreement",
    "permission": {"@type": "@id", "@id": "odrl:permission"},
    "constraint": {"@type": "@id", "@id": "odrl:constraint"},
    "duty": {"@type": "@id", "@id": "odrl:duty"},
    "action": {"@type": "@id", "@id": "odrl:action"},
    "target": {"@type": "@id", "@id": "odrl:target"},
    "assigner": {"@type": "@id", "@id": "odrl:assigner"},
    "assignee": {"@type": "@id", "@id": "odrl:assignee"},
    "leftOperand": {"@type": "@id", "@id": "odrl:leftOperand"},
    "operator": {"@type": "@id", "@id": "odrl:operator"},
    "rightOperand": {"@id": "odrl:rightOperand"},
}
_NEAREST = {
    Use.DATASET_REDISTRIBUTION: "odrl:distribute",
    Use.SIMILARITY_INDEX: "odrl:index",
}


def to_odrl(bill: Bill) -> Json:
    """Return one agreement for each grant of the bill, as JSON-LD that needs no network to be read."""
    return {"@context": CONTEXT, "@graph": [_agreement(grant) for grant in bill.materials.grants]}


def _agreement(known: KnownGrant) -> Json:
    grant, terms = known.grant, known.terms
    assigner, assignee = parties_of(known)
    permission = present(
        target=[f"urn:sha256:{subject.sha256}" for subject in known.stated.subjects],
        action=[_action(use) for use in grant.uses],
        constraint=[*_term(known), *(_scope(terms.scope) if terms else [])],
        duty=[{"action": "odrl:attribute"}] if terms and terms.attribution else None,
    )
    return present(
        **{
            "type": "Agreement",
            "uid": f"urn:rakkan:grant:{quote(grant.grant_id, safe='')}:{terms.version if terms else 0}",
            "rakkan:legalBasis": terms.legal_basis.value if terms else None,
            "rakkan:onExpiry": terms.on_expiry.value if terms else None,
            "rakkan:onRevocation": terms.on_revocation.value if terms else None,
            "rakkan:entry": known.stated.index,
        },
        # An agreement has both parties (ODRL Information Model 2.2, section 2.1.3).
        assigner=_party(assigner),
        assignee=_party(assignee),
        permission=[permission],
    )


def _party(party_id: str | None) -> str:
    return f"urn:rakkan:party:{quote(party_id, safe='')}" if party_id else "urn:rakkan:party-unnamed"


def _action(use: Use) -> str:
    return _NEAREST.get(use, f"rakkan:{use.value}")


def _term(known: KnownGrant) -> list[Json]:
    grant, revoked = known.grant, known.revoked
    ends = [moment for moment in (grant.valid_until, revoked and revoked.predicate.effective) if moment]
    found = [_constraint("odrl:dateTime", "odrl:gteq", _time(format_time(grant.valid_from)))]
    if ends:
        found.append(_constraint("odrl:dateTime", "odrl:lt", _time(format_time(min(ends)))))
    return found


def _scope(scope: Scope) -> list[Json]:
    listed: Sequence[tuple[str, str, Sequence[str]]] = (
        ("odrl:spatial", "odrl:isAnyOf", scope.territories),
        ("odrl:spatial", "odrl:isNoneOf", scope.except_territories),
        ("odrl:media", "odrl:isAnyOf", [item.value for item in scope.media]),
        ("rakkan:title", "odrl:isAnyOf", scope.titles),
    )
    return [_constraint(left, operator, list(right)) for left, operator, right in listed if right]


def _constraint(left: str, operator: str, right: Any) -> Json:
    return {"leftOperand": left, "operator": operator, "rightOperand": right}


def _time(value: str) -> Json:
    return {"@value": value, "@type": "xsd:dateTime"}
