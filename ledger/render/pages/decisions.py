"""The words of the pages that decide, and the command that does the same without them."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from ledger.render.pages.languages import N_

KINDS = {
    "party": N_("party"),
    "title": N_("title"),
    "work": N_("work"),
    "dataset": N_("dataset"),
    "model": N_("model"),
    "training": N_("training"),
    "grant": N_("grant"),
    "revocation": N_("revocation"),
    "service_terms": N_("terms of a service"),
    "consent": N_("consent"),
    "approval": N_("approval"),
    "finding": N_("finding"),
    "review": N_("review"),
    "override": N_("override"),
}
"""The kinds of facts (``service.rights.registry.TABLES``)."""

STATES = {
    "in-force": ("c", "✓", N_("in force")),
    "not-yet": ("r", "…", N_("not yet")),
    "ended": ("u", "–", N_("ended")),
    "replaced": ("u", "↻", N_("replaced by a later one")),
}
"""How a decision stands: class, mark and word."""

VALUES = {
    "approved": N_("approved"),
    "refused": N_("refused"),
    "accepted": N_("accepted"),
    "contested": N_("contested"),
    "withdrawn": N_("withdrawn"),
    "tool": N_("that a tool may be used at all"),
    "final-output": N_("that generated material may be in the final picture"),
    "likeness": N_("the likeness of a person"),
    "personal-data": N_("personal data"),
    "third-party-ip": N_("somebody else's work"),
}
"""Members of the enumerations that a decision holds."""

MEMBERS = {
    "kind": N_("About"),
    "code": N_("Finding"),
    "decision": N_("Decision"),
    "standing": N_("Standing"),
    "by": N_("Decided by the party"),
    "approvers": N_("Accepted by"),
    "reviewer": N_("Looked at by"),
    "grantId": N_("Grant"),
    "effective": N_("Ends with effect of"),
    "since": N_("Since"),
    "validFrom": N_("From"),
    "validUntil": N_("Until"),
    "expires": N_("Counts again from"),
    "titles": N_("Only for the titles"),
    "source": N_("Source"),
    "reference": N_("Reference"),
}
"""What a decision says, in the order in which it is shown."""
MOMENTS = {
    **{name: name for name in ("effective", "since", "expires")},
    "validFrom": "from",
    "validUntil": "until",
}
"""The members that are moments, each with the field of a form in which its day is typed."""

REFUSED = {
    "registry.unknown-title": N_("There is no title of this name on record."),
    "registry.unknown-party": N_("There is no party of this name on record."),
    "registry.unknown-grant": N_("There is no grant of this name on record."),
    "registry.unknown-work": N_("There is no work of this name on record."),
    "record.unknown-dataset": N_("Nothing of this name is on record."),
    "record.unknown-model": N_("There is no model of this name on record."),
    "registry.ambiguous": N_("A dataset and a model have this name: write dataset: or model: before it."),
    "registry.day": N_("A day is written as 2026-11-22."),
    "registry.time-zone": N_("There is no time zone of this name: write Asia/Tokyo, for example."),
    "registry.term": N_("It would end before it begins."),
    "registry.version": N_("A newer version is on record, or this one says something else."),
    "registry.revoked": N_("This grant was revoked already."),
    "registry.exclusive": N_("Somebody else holds an exclusive grant for the same."),
    "registry.exists": N_("Something else has this name already."),
    "registry.declared": N_("This model is on record already, and otherwise."),
    "registry.reason": N_("This is no finding that a verdict can have."),
    "registry.cycle": N_("A model would be made from itself."),
    "rights.name": N_("People go by a pseudonym here: no spaces, no @."),
    "rights.file": N_("Something is missing, or not written as it should be."),
    "rights.territory": N_("There is no such country or region."),
    "rights.weights": N_("Nothing says which weights this is about."),
    "rights.not-lent": N_("It names a file that was not sent along. Files of the server are never read."),
    "statement.field": N_("The values do not fit together: does it end after today?"),
    "decide.for-others": N_("Nobody accepts a finding for somebody else here. Propose it with the form."),
    "decide.elsewhere": N_("A list of works is imported on the machine where it lies."),
    "intake.unknown-format": N_("This kind of file is not read here."),
    "intake.malformed": N_("The file is damaged, or not what its name says."),
}
"""Why something cannot be stated, by code; what else there is, is said in English."""
NOT_SO = N_("This cannot be stated as it is.")

SIGNED_IN = {
    "provider": N_("signed in with the identity provider"),
    "token": N_("signed in with an access token"),
    "session": N_("in a session that the operator made"),
}
"""How the service knew who somebody was."""

STANDINGS = {
    "waits": N_("Read it as it will be signed. Then confirm it, or decline it and say why."),
    "own": N_("You proposed this. Somebody else who may decide has to confirm it."),
    "declined": N_("It was declined. Nothing was signed."),
    "changed": N_(
        "It does not count any more: it would come to something else, or somebody decided meanwhile."
    ),
    "altered": N_(
        "It is not as it was when it was proposed, or the key that signs is another one since. It cannot be "
        "confirmed. Tell whoever runs this server."
    ),
    "revoked": N_("The access token of whoever proposed it was revoked. It cannot be confirmed."),
}
"""How a proposal stands for whoever reads it."""

HINDRANCES = {
    "decide.off": N_("This server does not sign decisions. Whoever runs it has to allow it."),
    "decide.no-key": N_("This server cannot use the key that signs decisions. Tell whoever runs it."),
}


def command(kind: str, typed: Mapping[str, str], viewer: str) -> str:
    """Return the shell command that does what a form does, with what was typed so far."""

    def value(name: str, default: str) -> str:
        return typed.get(name, "").strip() or default

    zone, reason, thing = value("zone", "UTC"), value("reason", "WHY"), value("thing", "THING")
    parts = {
        "override": (
            *("rights", "override", thing, value("code", "CODE"), "--approver", viewer),
            *(() if value("people", "two") == "one" else ("--approver", "SECOND")),
            *("--expires", value("expires", "DAY"), "--zone", zone, "--reason", reason),
        ),
        "review": (
            *("rights", "review", thing, value("standing", "accepted")),
            *("--reviewer", viewer, "--note", reason),
        ),
        "approve": (
            *("rights", "approve", thing, "--kind", value("kind", "tool"), "--by", value("by", "PARTY")),
            *("--from", value("from", "DAY"), "--zone", zone),
        ),
        "revoke": (
            *("grant", "revoke", value("grant", "GRANT"), "--effective", value("effective", "DAY")),
            *("--zone", zone, "--reason", reason),
        ),
    }
    return shlex.join(("rakkan", *parts[kind]))
