"""Where people arrive: what this is, a file to check, and their productions."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from api.pages.shown import productions_of, shown
from api.security import public, viewer_of
from api.served import service_of
from ledger.core.access import Action, Viewer

router = APIRouter(tags=["pages"], include_in_schema=False)
Somebody = Annotated[Viewer, Depends(viewer_of)]


@router.get("/")
@public("whoever comes for the first time is nobody yet")
def start(request: Request, viewer: Somebody) -> Response:
    """Show what this is."""
    names = productions_of(viewer, service_of(request))
    boards = [(name, viewer.may(Action.CLEAR, name)) for name in names]
    return shown(request, "start.html.j2", viewer, productions=boards)
