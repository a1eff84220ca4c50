"""Shots: the rules are in ``ledger.service.reading.shots``."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from api.reading import PROBLEMS, Asked, Name, Paging, Text, answer
from api.security import need
from api.served import Production
from api.shapes.work import LogCoverage, ShotFinals, ShotPage
from ledger.core.access import Action, Viewer
from ledger.service.clear.store import Where
from ledger.service.places import NO_NAME
from ledger.service.reading import shots
from ledger.service.reading.clearances import one_of_few

router = APIRouter(prefix="/v1/productions/{production}", tags=["reading"], responses=PROBLEMS)
Reader = Annotated[Viewer, need(Action.READ_WORK)]


class PlaceAsked(Asked):
    """A shot, a sequence or an episode; nothing given: the whole production."""

    episode: Text | None = None
    sequence: Text | None = None
    shot: Text | None = None


@router.get("/shots", responses={200: {"model": ShotPage}})
def list_shots(
    request: Request, viewer: Reader, served: Production, asked: Annotated[Paging, Query()]
) -> Response:
    """List the shots in the order of their names, with their steps and final files, counted."""
    page = asked.page("shots")
    return answer(request, served, viewer, lambda _: shots.listing(served.studio, page).to_json())


@router.get("/shots/{sequence}/{shot}", responses={200: {"model": ShotFinals}})
def show_shot(
    request: Request,
    viewer: Reader,
    served: Production,
    sequence: Name,
    shot: Name,
    asked: Annotated[Paging, Query()],
) -> Response:
    """List the final files of a shot with their verdicts; ``-`` stands for no sequence."""
    page = asked.page("shot", sequence, shot)
    place = shots.place_at(NO_NAME, sequence, shot)
    return answer(
        request, served, viewer, lambda sight: shots.shot(served.studio, place, page, sight).to_json()
    )


@router.get("/shots/{episode}/{sequence}/{shot}", responses={200: {"model": ShotFinals}})
def show_shot_of_episode(
    request: Request,
    viewer: Reader,
    served: Production,
    episode: Name,
    sequence: Name,
    shot: Name,
    asked: Annotated[Paging, Query()],
) -> Response:
    """List the final files of a shot of an episode with their verdicts; ``-`` stands for no sequence."""
    page = asked.page("shot", episode, sequence, shot)
    place = shots.place_at(episode, sequence, shot)
    return answer(
        request, served, viewer, lambda sight: shots.shot(served.studio, place, page, sight).to_json()
    )


@router.get("/coverage", responses={200: {"model": LogCoverage}})
def show_coverage(
    request: Request, viewer: Reader, served: Production, asked: Annotated[PlaceAsked, Query()]
) -> Response:
    """Say how final files are evidenced by what the log holds; `rakkan coverage` looks at the disk."""
    where = Where(asked.sequence, asked.shot, episode=asked.episode)
    with one_of_few():
        return answer(request, served, viewer, lambda _: shots.coverage(served.studio, where))
