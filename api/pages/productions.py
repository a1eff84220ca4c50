"""The productions that there are: how each stands, or what else one may look at there."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from api.pages.shown import productions_of, shown
from api.routes.productions import somebody
from api.served import Served, service_of
from ledger.core.access import Action, Viewer
from ledger.render.pages import board_words
from ledger.render.pages.strips import strip
from ledger.service.board import shots
from ledger.service.board.keeping import Found
from ledger.wiring.reading import policy_in_use, policy_named

router = APIRouter(prefix="/productions", tags=["pages"], include_in_schema=False)
_PLACES = (
    ("verdicts", Action.READ_VERDICTS),
    ("reports", Action.REPORT),
    ("own-works", Action.ASK_OWN_WORKS),
    ("rights", Action.READ_REGISTRY),
    ("activity", Action.FOLLOW),
    ("log", Action.READ_PROOFS),
)
"""What there is below a production's address, and what one must be allowed to do to go there."""


@router.get("")
def productions(request: Request, viewer: Annotated[Viewer, Depends(somebody)]) -> Response:
    """Show the productions that the viewer may see something of: how each stands, or what there is to do."""
    service = service_of(request)
    cards = [_card(viewer, service.production(name)) for name in productions_of(viewer, service)]
    return shown(request, "productions.html.j2", viewer, cards=cards, words=board_words, draw=strip)


def _base(production: str) -> str:
    return f"/productions/{quote(production, safe='')}"


def _card(viewer: Viewer, served: Served) -> dict[str, Any]:
    production = served.studio.production
    found = Found(None, behind=False)
    clears = viewer.may(Action.CLEAR, production)
    if clears:
        found = served.boards.get(policy_named(served.studio, policy_in_use(served.studio)), patience=0.3)
    board = found.board
    return {
        "name": production,
        "base": _base(production),
        "clears": clears,
        "board": board,
        "strip": shots.joined(board.lines) if board else (),
        "counted": shots.counted(board) if board else {},
        "places": [path for path, action in _PLACES if viewer.may(action, production)],
    }
