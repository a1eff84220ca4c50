"""What happens in a production, the newest first: the rules are in ``ledger.service.board.activity``."""

from __future__ import annotations

from functools import partial
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from api.following import following_of
from api.pages.of_board import BoardAsked
from api.pages.shown import shown
from api.security import need
from api.served import Production
from ledger.core.access import Action, Viewer
from ledger.render.pages import board_words
from ledger.render.pages.addresses import shot_address
from ledger.service.board.activity import happenings
from ledger.service.reading.pages import Page

router = APIRouter(prefix="/productions/{production}", tags=["pages"], include_in_schema=False)
Following = Annotated[Viewer, need(Action.FOLLOW)]
ENTRIES = 50


@router.get("/activity")
def activity(
    request: Request, viewer: Following, served: Production, asked: Annotated[BoardAsked, Query()]
) -> Response:
    """Show what happens, and what happened before."""
    production = served.studio.production
    page = Page(("activity",), ENTRIES, asked.after or None)
    source = following_of(request).hubs[production].source
    return shown(
        request,
        "board_activity.html.j2",
        viewer,
        production,
        base=f"/productions/{quote(production, safe='')}",
        found=happenings(served.studio, source, viewer, page),
        newest_page=not asked.after,
        clears=viewer.may(Action.CLEAR, production),
        href=str,
        address=partial(shot_address, production),
        words=board_words,
        most=ENTRIES,
    )
