"""Words of the log's pages for what the core names by keys."""

from __future__ import annotations

from ledger.render.pages.languages import N_

KINDS = {
    "approval": N_("A tool or service was approved"),
    "audit-report": N_("An audit report was issued"),
    "consent": N_("Somebody gave consent"),
    "creative-work": N_("A work was described"),
    "dataset": N_("A dataset was registered"),
    "decided": N_("Somebody decided on these pages what was signed"),
    "disclosure-access": N_("Somebody was shown what is kept closed"),
    "enrolment": N_("A key was admitted"),
    "erasure": N_("Something that was kept closed was erased for good"),
    "finding": N_("A finding was written down"),
    "grant": N_("A licence was put on record"),
    "grant-revocation": N_("A licence was ended"),
    "incident": N_("Something that went wrong was written down"),
    "label": N_("A public label was given, or taken back"),
    "log-key": N_("The log's key was changed"),
    "lost-record": N_("A device lost some of its records"),
    "model": N_("A model was registered"),
    "override": N_("Somebody decided against a rule, with a reason"),
    "party": N_("A person or company was written down"),
    "policy-profile": N_("The rules for clearing were set"),
    "review": N_("Somebody looked at it, and decided"),
    "revocation": N_("A key was ended"),
    "seal": N_("A file was sealed"),
    "service-call": N_("A service was used"),
    "service-terms": N_("The terms of a service were put on record"),
    "step": N_("A step of work was recorded"),
    "svr": N_("A verdict was put on record"),
    "title": N_("A title was described"),
    "training": N_("A model was trained"),
}
"""What an entry is, by its kind (``service.reading.told``)."""

KEY_ROLES = {
    "log": N_("the log's own key"),
    "registrar": N_("registrar"),
    "device": N_("device"),
}
"""Whose key it is."""

KEY_TROUBLE = {
    "key.unknown": N_("The log does not know this key. Its signature proves nothing."),
    "key.not-valid": N_("The key was admitted only after this entry."),
    "key.revoked": N_("The key had ended when the entry was made."),
    "key.suspect": N_("Somebody else may have held the key by then: undecided."),
    "envelope.signature": N_("The signature is wrong."),
}
"""Why a signature does not count, by the code of what was found."""
