"""Files that the log knows, and their lineage: the rules are in ``ledger.service.reading``."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from api.reading import PROBLEMS, Digest, Paging, Text, answer
from api.security import need
from api.served import Production
from api.shapes.work import Asset, AssetPage, Lineage
from ledger.core.access import Action, Viewer
from ledger.service.clear.store import Where
from ledger.service.reading import files, lineage
from ledger.service.reading.lineage import DEEPEST, DEPTH, Direction

router = APIRouter(prefix="/v1/productions/{production}", tags=["reading"], responses=PROBLEMS)
Reader = Annotated[Viewer, need(Action.READ_WORK)]


class AssetsAsked(Paging):
    """Files whose names hold ``name``, made in this shot or task; nothing given: all."""

    name: Text | None = None
    episode: Text | None = None
    sequence: Text | None = None
    shot: Text | None = None
    task: Text | None = None


class LineageAsked(Paging):
    """Which way, and how many links away at most. ``limit`` counts links."""

    direction: Direction = Direction.UP
    depth: int = Field(DEPTH, ge=1, le=DEEPEST)


@router.get("/assets", responses={200: {"model": AssetPage}})
def list_assets(
    request: Request, viewer: Reader, served: Production, asked: Annotated[AssetsAsked, Query()]
) -> Response:
    """List files in the order of the log, once for each entry that states them."""
    wanted = files.Wanted(asked.name, Where(asked.sequence, asked.shot, asked.task, episode=asked.episode))
    page = asked.page("assets")
    return answer(
        request, served, viewer, lambda sight: files.listing(served.studio, wanted, page, sight).to_json()
    )


@router.get("/assets/{digest}", responses={200: {"model": Asset}})
def show_asset(request: Request, viewer: Reader, served: Production, digest: Digest) -> Response:
    """Say what the log knows of a file, by the SHA-256 of its bytes or by the digest of its picture."""
    return answer(request, served, viewer, lambda sight: files.asset(served.studio, digest, sight))


@router.get("/assets/{digest}/lineage", responses={200: {"model": Lineage}})
def show_lineage(
    request: Request,
    viewer: Reader,
    served: Production,
    digest: Digest,
    asked: Annotated[LineageAsked, Query()],
) -> Response:
    """Say what a file was made from, or what was made from it, link by link, nearest first."""
    page = asked.page("lineage", digest)
    return answer(
        request,
        served,
        viewer,
        lambda sight: lineage.lineage(
            served.studio, digest, lineage.Way(asked.direction, asked.depth), page, sight
        ).to_json(),
    )
