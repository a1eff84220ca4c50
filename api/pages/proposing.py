"""What one person proposed, for the second one: read as it will be signed, confirmed, declined or withdrawn.

The rules are in ``ledger.service.rights.proposals``.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api.forms import Typed, text
from api.pages.decisions import WORDS
from api.pages.shown import shown
from api.pages.signing import Decider, raw_of, registrar_of, said_in
from api.served import Production, Served
from ledger.core.access import Viewer
from ledger.errors import MalformedError, RefusedError
from ledger.render.pages.decisions import SIGNED_IN, STANDINGS
from ledger.service.reading.at_stake import at_stake
from ledger.service.rights.decisions import decisions_at
from ledger.service.rights.proposal import Proposal

router = APIRouter(prefix="/productions/{production}/rights/proposals", include_in_schema=False)
Name = Annotated[str, Path(max_length=32)]


@router.get("/{name}")
def read(request: Request, viewer: Decider, served: Production, name: Name) -> Response:
    """Show a proposal as it would be signed."""
    return _page(request, viewer, served, served.proposals.get(name))


@router.post("/{name}")
def answer(request: Request, viewer: Decider, served: Production, name: Name, typed: Typed) -> Response:
    """Confirm it, which signs it; decline it with a reason; or withdraw it."""
    desk, step = f"/productions/{served.studio.production}/rights", text(typed, "step")
    proposals, why = served.proposals, " ".join(text(typed, "why").split())
    if step == "confirm":
        try:
            done = proposals.confirm(
                registrar_of(request, served), name, viewer.name, text(typed, "expected")
            )
        except RefusedError as error:
            if error.code not in {"decide.changed", "decide.altered", "decide.author"}:
                raise
            return _page(request, viewer, served, proposals.get(name), 409)
        return RedirectResponse(f"{desk}/decisions?done={done[0]}", 303)
    proposal = proposals.get(name)
    if step == "withdraw":
        proposals.withdraw(proposal, viewer.name)
        return RedirectResponse(f"{desk}/decisions", 303)
    if step != "decline" or not 3 <= len(why) <= 500:
        raise MalformedError(
            "request.malformed", "A proposal is confirmed, withdrawn, or declined with a reason."
        )
    proposals.decline(proposal, viewer.name, why)
    return RedirectResponse(f"{desk}/proposals/{proposal.id}", 303)


def _page(
    request: Request, viewer: Viewer, served: Served, proposal: Proposal, status: int = 200
) -> Response:
    studio = served.studio
    looked = served.proposals.look(registrar_of(request, served), proposal, viewer.name)
    (outcome,) = looked.plan.outcomes
    thing = proposal.typed.get("thing", "").partition(",")[0].strip()
    return shown(
        request,
        "proposal.html.j2",
        viewer,
        studio.production,
        status,
        proposal=proposal,
        standing=looked.standing,
        stands=STANDINGS[looked.standing],
        own=served.proposals.is_own(proposal, viewer.name),
        plan=looked.plan,
        planned=outcome.planned,
        said=said_in(outcome.planned) if outcome.planned else {},
        raw=raw_of(outcome.planned) if outcome.planned else "",
        typed=proposal.typed,
        others=decisions_at(studio, {item.index for item in looked.plan.others}, studio.clock.now()),
        stake=at_stake(studio, thing, None, None) if thing else None,
        signed_in=SIGNED_IN,
        overtaken=status == 409,
        may_open=False,
        **WORDS,
    )
