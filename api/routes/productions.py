"""The productions that a viewer may see something of."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from api.reading import PROBLEMS, answer
from api.security import viewer_of
from api.served import Production, service_of
from api.shapes.work import ProductionGlance, Productions
from ledger.core.access import ANYBODY, Viewer
from ledger.errors import RefusedError
from ledger.service.reading.productions import glance, may_see

router = APIRouter(prefix="/v1/productions", tags=["reading"], responses=PROBLEMS)


async def somebody(request: Request) -> Viewer:
    """Return whoever asks. Raises ``access.unknown`` for who showed nothing."""
    viewer = await viewer_of(request)
    if viewer is ANYBODY:
        raise RefusedError("access.unknown", "This needs somebody who is known here.")
    return viewer


async def of_the_production(production: str, viewer: Annotated[Viewer, Depends(somebody)]) -> Viewer:
    """Return whoever may see something of this production. Raises ``access.unknown``, ``access.denied``."""
    if not may_see(viewer, production):
        raise RefusedError("access.denied", f"{viewer.name} may see nothing of “{production[:200]}”.")
    return viewer


@router.get("", responses={200: {"model": Productions}})
def list_productions(request: Request, viewer: Annotated[Viewer, Depends(somebody)]) -> Response:
    """List the productions that the caller may see something of. There are few: there are no pages."""
    served = service_of(request).productions
    found: list[dict[str, Any]] = [
        glance(each.studio, viewer) for name, each in sorted(served.items()) if may_see(viewer, name)
    ]
    return JSONResponse({"productions": found}, headers={"Cache-Control": "private, no-cache"})


@router.get("/{production}", responses={200: {"model": ProductionGlance}})
def show_production(
    request: Request, viewer: Annotated[Viewer, Depends(of_the_production)], served: Production
) -> Response:
    """Say which log a production has, how large it is, and what the caller may do there."""
    return answer(request, served, viewer, lambda _: glance(served.studio, viewer), timeless=False)
