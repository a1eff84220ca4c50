"""Steps: the rules are in ``ledger.service.reading.steps``."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.requests import Request
from starlette.responses import Response

from api.reading import PROBLEMS, Moment, Paging, Text, answer, moment_of
from api.security import need
from api.served import Production
from api.shapes.work import StepPage, WholeEntry
from ledger.core.access import Action, Viewer
from ledger.service.clear.store import Where
from ledger.service.reading import steps
from ledger.service.reading.pages import MAX_INDEX

router = APIRouter(prefix="/v1/productions/{production}", tags=["reading"], responses=PROBLEMS)
Reader = Annotated[Viewer, need(Action.READ_WORK)]


class StepsAsked(Paging):
    """Steps by a tool, by a device (its name or its key), in a place, in the log since a moment."""

    tool: Text | None = None
    device: Text | None = None
    episode: Text | None = None
    sequence: Text | None = None
    shot: Text | None = None
    task: Text | None = None
    since: Moment | None = None


@router.get("/steps", responses={200: {"model": StepPage}})
def list_steps(
    request: Request, viewer: Reader, served: Production, asked: Annotated[StepsAsked, Query()]
) -> Response:
    """List steps in the order of the log."""
    where = Where(asked.sequence, asked.shot, asked.task, episode=asked.episode)
    wanted = steps.Wanted(where, asked.tool, asked.device, moment_of(asked.since))
    page = asked.page("steps")
    return answer(request, served, viewer, lambda _: steps.listing(served.studio, wanted, page).to_json())


@router.get("/steps/{index}", responses={200: {"model": WholeEntry}})
def show_step(
    request: Request,
    viewer: Reader,
    served: Production,
    index: Annotated[int, Path(ge=0, le=MAX_INDEX)],
) -> Response:
    """Return a step as it was signed, by its index in the log."""
    return answer(request, served, viewer, lambda _: steps.step(served.studio, index))
