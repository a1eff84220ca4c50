"""What the board, its findings, its changes and its activity say in words of their own."""

from __future__ import annotations

from ledger.render.pages.languages import N_

HAPPENED = {
    "entry.approval": N_("An approval was recorded"),
    "entry.audit_report": N_("A report was issued"),
    "entry.consent": N_("A consent was recorded"),
    "entry.creative_work": N_("A work was registered"),
    "entry.dataset": N_("A dataset was registered"),
    "entry.disclosure_access": N_("Somebody read what is kept secret"),
    "entry.enrolment": N_("A device or a person was enrolled"),
    "entry.erasure": N_("Something secret was erased"),
    "entry.finding": N_("A finding was recorded"),
    "entry.grant": N_("A grant was recorded"),
    "entry.grant_revocation": N_("A grant was revoked"),
    "entry.incident": N_("The log was recovered"),
    "entry.label": N_("A public label was given, or taken back"),
    "entry.log_key": N_("A key of the log was changed"),
    "entry.lost_record": N_("A device lost a record"),
    "entry.model": N_("A model was registered"),
    "entry.override": N_("A finding was accepted"),
    "entry.party": N_("A rights holder was registered"),
    "entry.policy_profile": N_("A policy was put on record"),
    "entry.review": N_("A review was recorded"),
    "entry.revocation": N_("A key was ended"),
    "entry.seal": N_("Files were sealed"),
    "entry.service_call": N_("A remote service was called"),
    "entry.service_terms": N_("Terms of a service were recorded"),
    "entry.step": N_("Files were made"),
    "entry.title": N_("A title was registered"),
    "entry.training": N_("A model was trained"),
    "verdict": N_("A verdict was recorded"),
}
"""By the type of the event (``service.events.kinds``)."""

ACTIONS = {
    "generate": N_("Files were generated"),
    "edit": N_("Files were edited"),
    "composite": N_("Files were composited"),
    "draw": N_("Files were drawn"),
    "render": N_("Files were rendered"),
    "convert": N_("Files were converted"),
    "import": N_("Files were brought in"),
}
"""By the action of a step."""

EVIDENCE = {
    "observed": (N_("Observed"), N_("A tool saw every recorded step under the file happen.")),
    "inferred": (N_("Inferred"), N_("At least one step was read from a file, not seen.")),
    "declared": (N_("Declared"), N_("At least one step was typed in by somebody.")),
    "unknown": (N_("Unexplained"), N_("Something under the file is explained by no record.")),
}
"""How files are evidenced (``service.board.board.EVIDENCE``), and what that means."""

STATES = {
    "open": N_("open"),
    "accepted": N_("accepted"),
    "noted": N_("noted"),
    "closed": N_("closed"),
}
"""How a finding stands."""

APPROVALS = {
    "tool": N_("the tool may be used"),
    "final-output": N_("generated material may be in the final picture"),
    "likeness": N_("somebody's likeness may be used"),
    "personal-data": N_("personal data may be used"),
    "third-party-ip": N_("what belongs to others may be used"),
}
"""What an approval is for, by its kind."""

SINCE = {
    "yesterday": N_("Since yesterday"),
    "friday": N_("Since Friday, 18:00"),
    "report": N_("Since the last report"),
}
"""Moments that people ask about."""

MAY = {
    "verdicts": N_("Verdicts on record"),
    "reports": N_("Reports"),
    "log": N_("The log, and its proofs"),
    "rights": N_("Rights"),
    "activity": N_("What happens"),
    "own-works": N_("Your works"),
}
"""What somebody may look at in a production."""
