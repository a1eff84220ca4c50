"""Verdicts on record: the rules are in ``ledger.service.reading.verdicts``."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from api.reading import PROBLEMS, Digest, Paging, Text, answer
from api.security import need
from api.served import Production
from api.shapes.verdicts import VerdictHistory, VerdictPage
from ledger.core.access import Action, Viewer
from ledger.core.predicates.reasons import Verdict
from ledger.service.clear.store import Where
from ledger.service.reading import verdicts

router = APIRouter(prefix="/v1/productions/{production}", tags=["reading"], responses=PROBLEMS)
Reader = Annotated[Viewer, need(Action.READ_VERDICTS)]


class VerdictsAsked(Paging):
    """Verdicts of this state now; with a shot or an episode, about its final files."""

    state: Verdict | None = None
    episode: Text | None = None
    sequence: Text | None = None
    shot: Text | None = None


@router.get("/verdicts", responses={200: {"model": VerdictPage}})
def list_verdicts(
    request: Request, viewer: Reader, served: Production, asked: Annotated[VerdictsAsked, Query()]
) -> Response:
    """List the newest verdict on record for each file and question."""
    wanted = verdicts.Wanted(asked.state, Where(asked.sequence, asked.shot, episode=asked.episode))
    page = asked.page("verdicts")
    return answer(
        request,
        served,
        viewer,
        lambda sight: verdicts.listing(served.studio, wanted, page, sight).to_json(),
    )


@router.get("/verdicts/{digest}", responses={200: {"model": VerdictHistory}})
def show_verdicts(
    request: Request,
    viewer: Reader,
    served: Production,
    digest: Digest,
    asked: Annotated[Paging, Query()],
) -> Response:
    """List all verdicts about a file, newest first, with their reasons."""
    page = asked.page("verdicts", digest)
    return answer(
        request,
        served,
        viewer,
        lambda sight: verdicts.history(served.studio, digest, page, sight).to_json(),
    )
