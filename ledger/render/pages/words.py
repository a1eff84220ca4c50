"""Words that the pages take from tables rather than from templates, marked for the catalogues."""

from __future__ import annotations

from ledger.render.pages.languages import N_

ROLES = {
    "artist": N_("artist"),
    "supervisor": N_("supervisor"),
    "producer": N_("producer"),
    "legal": N_("legal"),
    "auditor": N_("auditor"),
    "distributor": N_("distributor"),
    "rights-holder": N_("rights holder"),
    "operator": N_("operator"),
    "device": N_("device"),
}
"""The roles (``core.access.Role``)."""

TROUBLE = {
    400: (N_("This was not understood"), N_("Something in the address or the form is not as it should be.")),
    401: (N_("Please sign in"), N_("This is shown to those who are known here.")),
    403: (N_("This is not for you"), N_("Your role here does not show this. Ask whoever gives out access.")),
    404: (
        N_("There is nothing here"),
        N_("Perhaps the address is old, or a part of it was lost on the way."),
    ),
    405: (N_("This address does something else"), N_("Go back, and try it from the page.")),
    408: (N_("That took too long"), N_("The connection was too slow. Nothing was lost: try again.")),
    409: (N_("This cannot be done now"), N_("A rule forbids it as things stand. Nothing was changed.")),
    410: (N_("This has ended"), N_("What was shared here is no longer shared. Ask for it again.")),
    413: (N_("This is too large"), N_("Send a smaller file, or use the command line.")),
    415: (N_("This kind of file is not taken here"), N_("Choose another file.")),
    429: (N_("Slowly, please"), N_("There were too many requests in a short time. Try again in a moment.")),
    500: (
        N_("Something went wrong here"),
        N_("It was not your fault, and nothing was lost. Try again later."),
    ),
    503: (N_("Just now there is no room"), N_("Others are being served. Try again in a moment.")),
}
"""What a page says for each status: a title, and what to do."""
ENDED = (N_("Your session has ended"), N_("Sign in again: you will come back to this page."))
ALARMS = {
    "log.rollback": (
        N_("This log is older than what was signed"),
        N_(
            "Its database lacks what the log's own key has signed before, or is damaged there. Nothing is "
            "shown or added until somebody has looked. Whoever runs this server has to act."
        ),
    ),
    "log.conflict": (
        N_("This log contradicts what was signed"),
        N_(
            "The log's key has signed something else before. Keep what you were given: it is evidence. "
            "Whoever runs this server has to act."
        ),
    ),
    "log.corrupt": (
        N_("This log is damaged"),
        N_(
            "Its hashes do not lead to the root that was signed. Nothing is shown until somebody has "
            "looked. Whoever runs this server has to act."
        ),
    ),
    "log.epoch": (
        N_("This log has moved on"),
        N_(
            "It got another key, or was recovered, since this server began. Whoever runs it has to start "
            "it again."
        ),
    ),
    "log.behind": (
        N_("There is much that is new"),
        N_("It is being read just now, and nothing is wrong. Try again in a moment."),
    ),
}
"""What a page says of a log's own trouble, by its code: a title, and what it means."""
