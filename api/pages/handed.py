"""What those find who are not shown a board: verdicts on record."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from api.pages.of_board import BoardAsked
from api.pages.shown import shown
from api.security import need
from api.served import Production
from ledger.core.access import Action, Viewer
from ledger.service.reading import verdicts
from ledger.service.reading.pages import Page
from ledger.service.reading.sight import sight_of

router = APIRouter(prefix="/productions/{production}", tags=["pages"], include_in_schema=False)
Reader = Annotated[Viewer, need(Action.READ_VERDICTS)]
VERDICTS = 50


@router.get("/verdicts")
def list_verdicts(
    request: Request, viewer: Reader, served: Production, asked: Annotated[BoardAsked, Query()]
) -> Response:
    """Show the newest verdict on record for each file and question."""
    studio = served.studio
    page = Page(("verdicts-page",), VERDICTS, asked.after or None)
    sight = sight_of(viewer, studio.production)
    found = verdicts.listing(studio, verdicts.Wanted(), page, sight)
    return shown(
        request,
        "verdicts.html.j2",
        viewer,
        studio.production,
        found=found,
        first=not asked.after,
        sight=sight,
    )
