"""Is my work in your data? The rules are in ``ledger.service.reading.own_works``."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_camel
from starlette.requests import Request
from starlette.responses import Response

from api.reading import PROBLEMS, Paging, Text, answer
from api.security import need
from api.served import Production
from api.shapes.rights import OwnLines, OwnWorks
from ledger.core.access import Action, Viewer
from ledger.errors import MalformedError
from ledger.service.reading import own_works
from ledger.service.reading.own_works import MOST_WORKS, Allowance, Asker
from ledger.service.reading.sight import sight_of
from ledger.wiring.reading import inventories_of

router = APIRouter(prefix="/v1/productions/{production}", tags=["rights holders"], responses=PROBLEMS)
Asking = Annotated[Viewer, need(Action.ASK_OWN_WORKS)]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class WorksAsked(Paging):
    """Works by the SHA-256 of their files, of which the caller has a copy, or by their registered names."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel)

    works: list[Sha256] = Field(default_factory=list, max_length=MOST_WORKS)
    work_ids: list[Text] = Field(default_factory=list, max_length=MOST_WORKS)


@router.post("/own-works", responses={200: {"model": OwnWorks}})
def ask_own_works(request: Request, viewer: Asking, served: Production, asked: WorksAsked) -> Response:
    """Prove for each dataset with an inventory whether works are in it, or say whom to ask.

    The cursor of the answer goes into the next question, with the same works.
    """
    if not asked.works and not asked.work_ids:
        raise MalformedError("request.malformed", "Name at least one work, in works or workIds.")
    studio, asker = served.studio, _asker(viewer, served.studio.production)
    allowance: Allowance = request.app.state.allowance
    allowance.take(viewer.name, len(asked.works) + len(asked.work_ids))
    named = [own_works.of_work(studio, name, asker) for name in asked.work_ids]
    works, page = list(dict.fromkeys([*asked.works, *named])), asked.page("own-works")
    inventories = inventories_of(served.home)
    return answer(
        request,
        served,
        viewer,
        lambda _: own_works.ask(studio, inventories, asker, works, page).to_json(),
        timeless=False,
    )


@router.get("/own-works", responses={200: {"model": OwnLines}})
def list_own_lines(
    request: Request, viewer: Asking, served: Production, asked: Annotated[Paging, Query()]
) -> Response:
    """List what is on record of the party that the caller speaks for: its works, and the grants it is in."""
    studio, page = served.studio, asked.page("own-lines", viewer.party or "")
    asker, now = _asker(viewer, studio.production), served.studio.clock.now()
    return answer(
        request,
        served,
        viewer,
        lambda _: own_works.lines(studio, asker, now, page).to_json(),
        timeless=False,
    )


def _asker(viewer: Viewer, production: str) -> Asker:
    return Asker(viewer.name, viewer.party, sight_of(viewer, production))
