"""Who asks, and whether they may: every route that is not public names its action."""

from __future__ import annotations

from typing import Any

from fastapi import Depends
from starlette.requests import Request

from ledger.core.access import ANYBODY, Action, Viewer
from ledger.errors import RefusedError


async def viewer_of(request: Request) -> Viewer:
    """Return whoever makes the request, as their credential showed."""
    found: Viewer = getattr(request.state, "viewer", ANYBODY)
    return found


def check(viewer: Viewer, action: Action, production: str) -> None:
    """Raise ``access.unknown`` for whoever showed nothing, ``access.denied`` for whoever may not.

    Asked before anything is looked up: who may not know of a production is not told whether it exists.
    """
    if viewer.may(action, production):
        return
    if viewer is ANYBODY:
        raise RefusedError("access.unknown", "This needs somebody who is known here.", action=action.value)
    words = f"{viewer.name} may not do this on “{production[:200]}”."
    raise RefusedError("access.denied", words, action=action.value)


def need(action: Action) -> Any:
    """Return the dependency that lets through only who may do this on the path's production."""

    async def permitted(production: str, request: Request) -> Viewer:
        viewer = await viewer_of(request)
        check(viewer, action, production)
        return viewer

    permitted.__annotations__["return"] = Viewer
    return Depends(permitted)
