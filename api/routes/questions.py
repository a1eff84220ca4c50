"""A client's questions, answered by final files: the rules are in ``ledger.service.questions``."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from api.reading import PROBLEMS, Moment, Paging, Text, answer, moment_of
from api.routes.clearances import Delivery
from api.security import need
from api.served import Production
from api.shapes.reports import CoverageBy, IfEnded, UnknownOrigin, Used
from ledger.core.access import Action, Viewer
from ledger.service.clear.store import Where
from ledger.service.questions import coverage, ended, unknown, used
from ledger.service.questions.coverage import Axis
from ledger.service.reading.clearances import one_of_few
from ledger.service.reading.pages import LIMIT, MAX_CURSOR, MOST, Page
from ledger.wiring.reading import policy_named

router = APIRouter(prefix="/v1/productions/{production}/questions", tags=["questions"], responses=PROBLEMS)
Reader = Annotated[Viewer, need(Action.READ_WORK)]
Clearing = Annotated[Viewer, need(Action.CLEAR)]
Registry = need(Action.READ_REGISTRY)


class Placed(Paging):
    """A shot, a sequence or an episode; nothing given: the whole production."""

    episode: Text | None = None
    sequence: Text | None = None
    shot: Text | None = None

    @property
    def where(self) -> Where:
        """Return the place."""
        return Where(self.sequence, self.shot, episode=self.episode)


class CoverageAsked(Placed):
    """By what the files are counted together."""

    by: Axis = Axis.VENDOR


class UsedAsked(Paging):
    """A model, a service, a dataset or a grant; uses since a moment, and before another."""

    thing: Text
    since: Moment | None = None
    until: Moment | None = None
    delivered: bool = Field(False, description="Only files that a step on record delivered.")


class EndedAsked(Delivery):
    """A grant, or a thing whose grants would end; the moment, and what would be asked then."""

    grant: Text = Field(examples=["G-2026-014"])
    on: Moment
    policy: Text
    limit: int = Field(LIMIT, ge=1, le=MOST)
    after: str | None = Field(None, max_length=MAX_CURSOR)

    @property
    def page(self) -> Page:
        """Return the page that is asked for."""
        asked = self.model_dump(mode="json", exclude={"limit", "after"})
        return Page(("if-ended", *map(str, asked.values())), self.limit, self.after)


@router.get("/unknown-origin", responses={200: {"model": UnknownOrigin}})
def ask_unknown_origin(
    request: Request, viewer: Reader, served: Production, asked: Annotated[Placed, Query()]
) -> Response:
    """List the final files whose origin is unknown or only declared, counted by shot, device and vendor."""
    page = asked.page("unknown-origin")
    with one_of_few():
        return answer(
            request,
            served,
            viewer,
            lambda sight: unknown.at_place(
                served.studio, asked.where, page, parties=sight.registry
            ).to_json(),
        )


@router.get("/used", responses={200: {"model": Used}}, dependencies=[Registry])
def ask_used(
    request: Request, viewer: Reader, served: Production, asked: Annotated[UsedAsked, Query()]
) -> Response:
    """List the final files that used a model, a service, a dataset or what a grant covers, and the steps."""
    page = asked.page("used")
    wanted = used.Wanted(moment_of(asked.since), moment_of(asked.until), asked.delivered)
    with one_of_few():
        return answer(
            request, served, viewer, lambda _: used.used(served.studio, asked.thing, wanted, page).to_json()
        )


@router.get("/coverage", responses={200: {"model": CoverageBy}})
def ask_coverage(
    request: Request, viewer: Reader, served: Production, asked: Annotated[CoverageAsked, Query()]
) -> Response:
    """Say how far the making of final files is on record, by vendor, device, task, episode or shot."""
    page = asked.page("coverage")
    with one_of_few():
        return answer(
            request,
            served,
            viewer,
            lambda sight: coverage.coverage(
                served.studio, asked.by, asked.where, page, parties=sight.registry
            ).to_json(),
        )


@router.post("/if-ended", responses={200: {"model": IfEnded}}, dependencies=[Registry])
def ask_if_ended(request: Request, viewer: Clearing, served: Production, asked: EndedAsked) -> Response:
    """List the final files that would have another verdict if a grant ended: nothing is signed."""
    policy, moment = policy_named(served.studio, asked.policy), moment_of(asked.on)
    with one_of_few():
        return answer(
            request,
            served,
            viewer,
            lambda _: ended.if_ended(
                served.studio, (asked.grant, moment), policy, asked.asked(), asked.page
            ).to_json(),
            timeless=False,
        )
