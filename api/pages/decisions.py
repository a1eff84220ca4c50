"""What people decided about rights, for whoever may read the registry; the reasons behind, for fewer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from api.pages.shown import shown
from api.reading import Asked
from api.routes.disclosures import server_of
from api.security import need
from api.served import Production, Served
from ledger.core.access import Action, Viewer
from ledger.core.predicates.reasons import EXPLAINED
from ledger.render.pages.decisions import KINDS, MEMBERS, MOMENTS, STATES, VALUES
from ledger.service.access.disclosures import Shown, show
from ledger.service.reading.pages import MAX_INDEX
from ledger.service.rights import decisions
from ledger.service.rights.decisions import State, decisions_at, decisions_of
from ledger.service.rights.proposals import Listed

router = APIRouter(prefix="/productions/{production}/rights/decisions", include_in_schema=False)
Reader = Annotated[Viewer, need(Action.READ_REGISTRY)]
Opener = Annotated[Viewer, need(Action.OPEN_DISCLOSURES)]
CODES = {code.value: explained.meaning for code, explained in EXPLAINED.items()}
WORDS: Mapping[str, Any] = {
    "kinds": KINDS,
    "states": STATES,
    "values": VALUES,
    "members": MEMBERS,
    "moments": MOMENTS,
    "codes": CODES,
}


class DecisionsAsked(Asked):
    """The filters of the list. ``done`` is the entry that was made just now."""

    kind: str = Field("", max_length=20)
    state: str = Field("", max_length=20)
    thing: str = Field("", max_length=200)
    before: int | None = Field(None, ge=0, le=MAX_INDEX)
    done: int | None = Field(None, ge=0, le=MAX_INDEX)
    lang: str = Field("", max_length=20)


@router.get("")
def show_decisions(
    request: Request, viewer: Reader, served: Production, asked: Annotated[DecisionsAsked, Query()]
) -> Response:
    """List the decisions on record, the newest first."""
    state = State(asked.state) if asked.state in tuple(State) else None
    wanted = decisions.Asked(asked.kind or None, state, asked.thing, before=asked.before)
    found, onward = decisions_of(served.studio, wanted, served.studio.clock.now())
    production = served.studio.production
    return shown(
        request,
        "decisions.html.j2",
        viewer,
        production,
        decisions=found,
        before=onward,
        asked=asked,
        offered=decisions.KINDS,
        may_decide=viewer.may(Action.DECIDE, production),
        waiting=waiting_for(served, viewer),
        may_open=viewer.may(Action.OPEN_DISCLOSURES, production),
        **WORDS,
    )


def waiting_for(served: Served, viewer: Viewer) -> list[Listed]:
    """Return what waits for a second person, for who may be one."""
    may = viewer.may(Action.DECIDE, served.studio.production)
    return served.proposals.listed(viewer.name) if may else []


@router.get("/{entry}/reason")
def ask_reason(request: Request, viewer: Opener, served: Production, entry: int) -> Response:
    """Ask what the reason behind a decision is needed for."""
    return _reason(request, viewer, served, entry, None)


@router.post("/{entry}/reason")
def show_reason(
    request: Request,
    viewer: Opener,
    served: Production,
    entry: int,
    purpose: Annotated[str, Form(min_length=3, max_length=500)],
) -> Response:
    """Show the reason, once the log says to whom: see ``ledger.service.access.disclosures``."""
    studio, sequencer = served.studio, served.intake.sequencer
    found = show(studio, sequencer, lambda: server_of(served), entry, viewer, " ".join(purpose.split()))
    return _reason(request, viewer, served, entry, found)


def _reason(
    request: Request, viewer: Viewer, served: Production, entry: int, found: Shown | None
) -> Response:
    about = decisions_at(served.studio, [entry], served.studio.clock.now())
    return shown(
        request,
        "decision_reason.html.j2",
        viewer,
        served.studio.production,
        entry=entry,
        about=about,
        found=found,
        may_open=False,
        **WORDS,
    )
