"""The registry: the rules are in ``ledger.service.reading.registry``."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from api.reading import PROBLEMS, Asked, Moment, Name, Paging, answer, moment_of
from api.security import need
from api.served import Production, Served
from api.shapes.rights import RegistryPage, RegistryThing
from ledger.core.access import Action, Viewer
from ledger.service.reading import registry
from ledger.service.reading.registry import Kind, Moments

router = APIRouter(prefix="/v1/productions/{production}", tags=["reading"], responses=PROBLEMS)
Reader = Annotated[Viewer, need(Action.READ_REGISTRY)]


class ThingAsked(Asked):
    """``at``: the moment at which things are to stand. ``known``: leave out what was learned later."""

    at: Moment | None = None
    known: Moment | None = None


class ThingsAsked(Paging, ThingAsked):
    """A page of things."""


@router.get("/registry/{kind}", responses={200: {"model": RegistryPage}})
def list_things(
    request: Request,
    viewer: Reader,
    served: Production,
    kind: Kind,
    asked: Annotated[ThingsAsked, Query()],
) -> Response:
    """List what is registered of one kind, each in its newest statement, in the order of identifiers."""
    page, moments = asked.page("registry", kind), _moments(served, asked)
    return answer(
        request,
        served,
        viewer,
        lambda _: {"kind": kind, **registry.listing(served.studio, kind, moments, page).to_json()},
        timeless=asked.at is not None,
    )


@router.get("/registry/{kind}/{name:path}", responses={200: {"model": RegistryThing}})
def show_thing(
    request: Request,
    viewer: Reader,
    served: Production,
    kind: Kind,
    name: Name,
    asked: Annotated[ThingAsked, Query()],
) -> Response:
    """Show a thing by its identifier, SHA-256 or name, with every statement about it."""
    moments = _moments(served, asked)
    return answer(
        request,
        served,
        viewer,
        lambda _: registry.one(served.studio, kind, name, moments),
        timeless=asked.at is not None,
    )


def _moments(served: Served, asked: ThingAsked) -> Moments:
    return Moments(moment_of(asked.at) or served.studio.clock.now(), moment_of(asked.known))
