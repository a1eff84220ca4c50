"""Clearances and impacts, computed, not recorded: the rules are in ``ledger.service.reading.clearances``."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_camel
from starlette.requests import Request
from starlette.responses import Response

from api.reading import PROBLEMS, Asked, Moment, Text, answer, moment_of
from api.security import need
from api.served import Production
from api.shapes.verdicts import Clearance, Impact
from ledger.core.access import Action, Viewer
from ledger.core.predicates.delivery import Deliverable
from ledger.core.predicates.scope import Media
from ledger.errors import UsageError
from ledger.service.clear import question
from ledger.service.reading import clearances
from ledger.service.reading.clearances import MOST_TARGETS, Supposed
from ledger.wiring.reading import policy_named

router = APIRouter(prefix="/v1/productions/{production}", tags=["clearance"], responses=PROBLEMS)
Clearing = Annotated[Viewer, need(Action.CLEAR)]
Registry = need(Action.READ_REGISTRY)


class Delivery(Asked):
    """What is asked for a delivery, as the options of `rakkan clear` have it."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel)

    deliverable: Deliverable = Deliverable.FINAL
    title: Text | None = None
    media: list[Media] = Field(default_factory=list, max_length=len(Media))
    territories: list[Text] = Field(default_factory=list, max_length=300)
    at: Moment | None = None
    known: Moment | None = None

    def asked(self) -> question.Asked:
        """Return the same as the use cases take it."""
        return question.Asked(
            self.deliverable,
            self.title,
            tuple(self.media),
            tuple(self.territories),
            moment_of(self.at),
            moment_of(self.known),
        )


class ClearanceAsked(Delivery):
    """Targets are SHA-256s and places: `sq010/sh020`, `sh020/1001-1010`, `.` for the whole production."""

    targets: list[Text] = Field(min_length=1, max_length=MOST_TARGETS, examples=[["sq010/sh020"]])
    policy: Text = Field(examples=["streamer"])


class ImpactAsked(Delivery):
    """A grant, dataset, model, service or SHA-256; ``ifRevoked`` goes with a policy."""

    thing: Text = Field(examples=["G-2026-014"])
    if_revoked: Moment | None = None
    policy: Text | None = None


@router.post("/clearances", responses={200: {"model": Clearance}})
def compute_clearance(
    request: Request, viewer: Clearing, served: Production, asked: ClearanceAsked
) -> Response:
    """Clear targets under a policy: the answer of `rakkan clear --json`. Nothing is recorded."""
    policy = policy_named(served.studio, asked.policy)
    with clearances.one_of_few():
        return answer(
            request,
            served,
            viewer,
            lambda sight: clearances.clearance(served.studio, policy, asked.asked(), asked.targets, sight),
            timeless=False,
        )


@router.post("/impact", responses={200: {"model": Impact}}, dependencies=[Registry])
def compute_impact(request: Request, viewer: Clearing, served: Production, asked: ImpactAsked) -> Response:
    """Say what rests on a thing, and what its revocation would change: as `rakkan impact --json`."""
    effective, supposed = moment_of(asked.if_revoked), None
    if (effective is None) != (asked.policy is None):
        raise UsageError("request.malformed", "ifRevoked and policy go together.")
    if effective is not None and asked.policy is not None:
        supposed = Supposed(effective, policy_named(served.studio, asked.policy), asked.asked())
    with clearances.one_of_few():
        return answer(
            request,
            served,
            viewer,
            lambda _: clearances.impact(served.studio, asked.thing, moment_of(asked.known), supposed),
            timeless=False,
        )
