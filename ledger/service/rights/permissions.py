"""Tables about what is permitted, and what people decided: grants, consents, approvals, reviews.

Names of people and of rights holders, reasons and documents are secrets: the log holds their salted digests.
"""

from __future__ import annotations

from ledger.core.artifact import named
from ledger.core.predicates import (
    Approval,
    Consent,
    Finding,
    GrantRevocation,
    GrantV2,
    Override,
    Review,
)
from ledger.core.predicates.approval import ApprovalKind, Decision
from ledger.core.predicates.finding import FindingKind, FindingState
from ledger.core.predicates.grant import Use
from ledger.core.predicates.grant_v2 import Afterwards, Exclusivity, LegalBasis
from ledger.core.predicates.reasons import Code
from ledger.core.predicates.review import Standing
from ledger.errors import UsageError
from ledger.service.record import check_pseudonym
from ledger.service.rights.tables import Draft, Table


def grant(table: Table) -> Draft:
    """Return the statement about a grant."""
    during = table.period()
    secrets = table.secrets(licensor="licensor") | table.document("contract")
    basis = table.choice_or("basis", LegalBasis, LegalBasis.LICENCE)
    exclusive = Exclusivity.EXCLUSIVE if table.flag("exclusive") else Exclusivity.NONE
    found = GrantV2(
        table.text("id"),
        tuple(table.pick("uses", item, Use) for item in table.many("uses")),
        during.valid_from,
        during.valid_until,
        recorded=table.desk.now,
        version=table.count_or("version", 1),
        legal_basis=basis,
        statute=table.optional_text("statute"),
        assigner=table.party("assigner"),
        assignee=table.party("assignee"),
        scope=table.scope(),
        term=during.term,
        exclusivity=exclusive,
        attribution=table.optional_text("attribution"),
        sublicence=table.flag("sublicence"),
        on_expiry=table.choice_or("on_expiry", Afterwards, Afterwards.RENEGOTIATE),
        on_revocation=table.choice_or("on_revocation", Afterwards, Afterwards.RENEGOTIATE),
        document="contract" in secrets,
    )
    return Draft(table.about("covers"), found, secrets)


def revocation(table: Table) -> Draft:
    """Return the statement that a grant ends early. Its subjects are those of the grant's newest version."""
    name = table.known("grant", table.text("grant"))
    stated = table.desk.registry.stated("grant", name)
    if not stated:  # it stands in the same file, and was refused
        raise table.error("grant", "names a grant that cannot be stated")
    found = GrantRevocation(name, table.moment("effective"), table.desk.now)
    return Draft(
        stated[-1].statement.subjects, found, table.secrets(reason="reason") | table.document("letter")
    )


def consent(table: Table) -> Draft:
    """Return the statement about a performer's consent. ``person`` is a pseudonym; the name is a secret."""
    person, during = check_pseudonym(table.text("person")), table.period()
    found = Consent(
        table.text("id"),
        person,
        table.text("covers"),
        during.valid_from,
        table.desk.now,
        during.valid_until,
        table.count_or("version", 1),
        table.scope(),
    )
    return Draft((named("person", person),), found, table.secrets(name="name") | table.document("document"))


def approval(table: Table) -> Draft:
    """Return the statement about a decision of somebody with the say."""
    during = table.period()
    found = Approval(
        table.choice("kind", ApprovalKind),
        table.choice_or("decision", Decision, Decision.APPROVED),
        table.known("party", table.text("by")),
        during.valid_from,
        table.desk.now,
        during.valid_until,
        table.titles(),
        table.optional_text("reference"),
    )
    return Draft(table.about(), found, table.secrets(note="note") | table.document("document"))


def override(table: Table) -> Draft:
    """Return the statement that a finding is accepted until a day. Its reason is required, and a secret."""
    code = table.text("code")
    if code not in tuple(Code):
        raise UsageError("registry.reason", f"{code!r} is not a reason that a clearance gives.")
    if not table.has("expires"):
        raise table.error("expires", "is missing: an override ends on a day")
    found = Override(
        Code(code),
        tuple(map(check_pseudonym, table.many("approvers"))),
        table.desk.now,
        table.moment("expires"),
        table.titles(),
    )
    return Draft(table.about(), found, {"reason": table.text("reason")})


def review(table: Table) -> Draft:
    """Return the statement about where things stand."""
    found = Review(
        table.choice("standing", Standing),
        check_pseudonym(table.text("reviewer")),
        table.moment("since"),
        table.desk.now,
        table.optional_text("source"),
    )
    return Draft(table.about(), found, table.secrets(note="note"))


def finding(table: Table) -> Draft:
    """Return the statement about a finding. One that is closed must have been opened."""
    name, state = table.text("id"), table.choice_or("state", FindingState, FindingState.OPEN)
    if state is not FindingState.OPEN and not table.desk.registry.stated("finding", name):
        raise UsageError("registry.unknown-finding", f"No finding {name!r} was opened.")
    found = Finding(
        name,
        table.choice("kind", FindingKind),
        state,
        table.text("evaluator"),
        table.desk.evidence,
        table.desk.now,
        table.optional_text("person"),
    )
    return Draft(table.about(), found, table.secrets(named="named"))
