"""Shots: the rules are in ``ledger.service.reading.shots``."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from api.reading import PROBLEMS, Name, Paging, answer
from api.security import need
from api.served import Production
from api.shapes import ShotFinals, ShotPage
from ledger.core.access import Action, Viewer
from ledger.service.reading import shots

router = APIRouter(prefix="/v1/productions/{production}", tags=["reading"], responses=PROBLEMS)
Reader = Annotated[Viewer, need(Action.READ_WORK)]


@router.get("/shots", responses={200: {"model": ShotPage}})
def list_shots(
    request: Request, served: Production, viewer: Reader, asked: Annotated[Paging, Query()]
) -> Response:
    """List the shots in the order of their names, with their steps and final files, counted."""
    page = asked.page("shots")
    return answer(request, served, viewer, lambda _: shots.listing(served.studio, page).to_json())


@router.get("/shots/{sequence}/{shot}", responses={200: {"model": ShotFinals}})
def show_shot(
    request: Request,
    served: Production,
    viewer: Reader,
    sequence: Name,
    shot: Name,
    asked: Annotated[Paging, Query()],
) -> Response:
    """List the final files of a shot with their verdicts; ``-`` stands for no sequence."""
    page = asked.page("shot", sequence, shot)
    return answer(
        request,
        served,
        viewer,
        lambda sight: shots.shot(served.studio, sequence, shot, page, sight).to_json(),
    )
