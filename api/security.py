"""Who asks, and whether they may: every route names its action, or says why it is open to anybody."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from fastapi import Depends
from starlette.requests import Request

from api.served import service_of
from ledger.core.access import ANYBODY, EVERY, Action, Viewer
from ledger.errors import RefusedError

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])
PUBLIC_MARK = "open_to_anybody"


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


class Needed:
    """The dependency that lets through only who may do this on the path's production."""

    def __init__(self, action: Action) -> None:
        self.action = action

    async def __call__(self, production: str, request: Request) -> Viewer:
        """Return the viewer. Raises as ``check``."""
        viewer = await viewer_of(request)
        check(viewer, self.action, production)
        return viewer


class NeededEverywhere:
    """The dependency for what is about the server: it lets through who may do it on all that is served."""

    def __init__(self, action: Action) -> None:
        self.action = action

    async def __call__(self, request: Request) -> Viewer:
        """Return the viewer. Raises as ``check``."""
        viewer = await viewer_of(request)
        for production in service_of(request).productions or (EVERY,):
            check(viewer, self.action, production)
        return viewer


def need_everywhere(action: Action) -> Any:
    """Return the dependency that lets through only who may do this on every production that is served."""
    return Depends(NeededEverywhere(action))


def need(action: Action) -> Any:
    """Return the dependency that lets through only who may do this on the path's production."""
    return Depends(Needed(action))


def public(why: str) -> Callable[[Endpoint], Endpoint]:
    """Mark a route that anybody may call. A test fails for one that has neither this mark nor an action."""

    def marked(endpoint: Endpoint) -> Endpoint:
        setattr(endpoint, PUBLIC_MARK, why)
        return endpoint

    return marked
