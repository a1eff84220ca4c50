"""The words of a label: its states, its grades, and what was delivered, for somebody who knows none of it."""

from __future__ import annotations

from typing import NamedTuple

from ledger.core.predicates.answer import Grade
from ledger.core.predicates.delivery import Deliverable
from ledger.core.predicates.scope import Media
from ledger.render.pages.languages import N_
from ledger.service.labels.since import Holds


class State(NamedTuple):
    """``key`` is the class of a pill, ``mark`` a character, ``word`` what stands beside it."""

    key: str
    mark: str
    word: str
    sentence: str


STATES = {
    Holds.STANDS: State(
        "c", "✓", N_("This label stands"), N_("Nothing on record since then says anything else.")
    ),
    Holds.CHANGED: State(
        "r",
        "!",
        N_("Something has changed"),
        N_("What this label said is no longer so by what is on record now. Ask the studio."),
    ),
    Holds.WITHDRAWN: State(
        "b", "✕", N_("This label was withdrawn"), N_("The studio has taken it back. It no longer counts.")
    ),
    Holds.DOUBTED: State(
        "u",
        "?",
        N_("This label is in doubt"),
        N_("The studio says that somebody else may have signed it. Ask the studio."),
    ),
    Holds.UNKNOWN: State(
        "u",
        "?",
        N_("It cannot be told whether this label still holds"),
        N_("What would tell is not at hand on this server. That is no sign that anything is wrong."),
    ),
}
SHORT = {
    Holds.CHANGED: N_("Has changed: see the label"),
    Holds.WITHDRAWN: N_("Withdrawn"),
    Holds.DOUBTED: N_("In doubt: see the label"),
    Holds.UNKNOWN: N_("See the label"),
}
"""What a badge says in place of the grade."""

MEANS = {
    Grade.L4: N_(
        "Everything that the work rests on is known. What AI models learned from was listed before they "
        "learned it, and whoever holds the rights allowed this use."
    ),
    Grade.L3: N_(
        "Everything that the work rests on is known, and for all that AI models learned from, a permission "
        "for this use is on record."
    ),
    Grade.L2: N_("The licences or terms of what the work rests on are on record."),
    Grade.L1: N_("Who made the work, and with which tools, is on record. Permissions are not."),
    Grade.L0: N_("Of a part of the work, nobody has recorded where it comes from."),
}
"""The grades, for somebody who never heard of them."""

VERDICTS = {
    "cleared": N_("cleared"),
    "needs_review": N_("to be looked at by a person"),
    "blocked": N_("not cleared"),
    "undecided": N_("could not be decided"),
}
DELIVERABLES = {
    Deliverable.FINAL: N_("finished work"),
    Deliverable.TEMP: N_("drafts"),
    Deliverable.MARKETING: N_("advertising"),
    Deliverable.MERCH: N_("merchandise"),
}
MEDIA = {
    Media.BROADCAST: N_("television"),
    Media.STREAMING: N_("streaming"),
    Media.THEATRICAL: N_("cinema"),
    Media.HOME_VIDEO: N_("discs and downloads"),
    Media.GAMES: N_("games"),
    Media.MERCHANDISE: N_("merchandise"),
    Media.ADVERTISING: N_("advertising"),
    Media.SOCIAL: N_("social media"),
    Media.PRINT: N_("print"),
    Media.INTERNAL: N_("inside the studio"),
}
