"""Is this file what it claims? The form, the answer about a file, and the lasting page about a digest.

The answer is that of ``/v1/verify`` for the same viewer, in words: ``ledger.render.pages.verified``.
Programs, which do not ask for a page, are led on to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Path, Query
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api.bodies import Body
from api.pages.frames import leads, small_of
from api.pages.shown import shown
from api.routes.verify import asked_of, judged
from api.security import public, viewer_of
from api.served import service_of
from api.verifier import Verifier, Verifies
from ledger.core.access import Action, Viewer
from ledger.core.audit.views import View
from ledger.core.predicates.reasons import EXPLAINED, Code
from ledger.errors import MalformedError
from ledger.render.coverage import size
from ledger.render.pages import lineage, verified, verify_words
from ledger.render.pages.label import STATES
from ledger.render.words import USES
from ledger.service.ancestry import ancestry
from ledger.service.beside import side
from ledger.service.labels.shown import on_files
from ledger.service.reading.productions import may_see
from ledger.service.reading.way import Stop
from ledger.service.studio import Studio
from ledger.service.verifying import Answer
from ledger.wiring.reading import policy_names

router = APIRouter(tags=["pages"], include_in_schema=False)
described = APIRouter(tags=["verify"])
"""What programs come to as well: it is in the description."""
MOST = 100
"""Rows of a table; the raw data has all."""
_NAMED = "^((sha256|pixels):)?[0-9a-f]{64}$"
_HTML: dict[int | str, dict[str, Any]] = {
    200: {"description": "The page about it, for who asks for text/html.", "content": {"text/html": {}}}
}
_WHY = "who is handed a file may ask what it is"


@router.get("/verify")
@public(_WHY)
async def verify(
    request: Request, verifier: Verifies, digest: Annotated[str, Query(max_length=500)] = ""
) -> Response:
    """Show the form, or go on to the page of a digest that was typed into it."""
    asked, viewer = digest.strip().lower(), await viewer_of(request)
    wrong = False
    try:
        if asked:
            asked_of(asked)
            return RedirectResponse(f"/verify/{asked}", 303)
    except MalformedError:
        wrong = True
    values = {"digest": digest, "wrong": wrong, **_limit(verifier)}
    status = 400 if wrong else 200
    return await run_in_threadpool(shown, request, "verify.html.j2", viewer, status=status, **values)


@router.post("/verify")
@public(_WHY)
async def verify_upload(request: Request, verifier: Verifies) -> Response:
    """Examine a file, with its sidecar perhaps, and show what it comes to."""
    body = Body(request)
    answer = await judged(body, request.headers.get("content-type", ""), verifier)
    return await run_in_threadpool(answered, request, verifier, answer, await viewer_of(request))


@described.get("/verify/{digest}", status_code=307, response_class=RedirectResponse, responses=_HTML)
@public(_WHY)
async def verify_page(
    digest: Annotated[str, Path(pattern=_NAMED)], request: Request, verifier: Verifies
) -> Response:
    """Show the page about a digest to a browser; lead a program on to the answer."""
    if not is_browser(request):
        return RedirectResponse(f"/v1/verify/{digest}", 307)
    answer = await run_in_threadpool(verifier.verifying.digests, *asked_of(digest))
    return await run_in_threadpool(answered, request, verifier, answer, await viewer_of(request))


@router.get("/verify/{digest}/beside/{other}")
@public(_WHY)
def compare(
    digest: Annotated[str, Path(pattern=_NAMED)],
    other: Annotated[str, Path(pattern=_NAMED)],
    request: Request,
    verifier: Verifies,
    viewer: Annotated[Viewer, Depends(viewer_of)],
) -> Response:
    """Show two files side by side: what is the same, and what differs."""
    sides = [side(verifier.verifying.digests(*asked_of(each)), viewer) for each in (digest, other)]
    heads = [verified.headline(each.said) for each in sides]
    places = {each.production for each in sides}
    (production,) = places if len(places) == 1 else (None,)
    values: dict[str, Any] = {"sides": sides, "heads": heads, "kinds": lineage, "addresses": (digest, other)}
    return shown(request, "beside.html.j2", viewer, production, **values)


def is_browser(request: Request) -> bool:
    """Whether a page is asked for."""
    return "text/html" in request.headers.get("accept", "")


def answered(request: Request, verifier: Verifier, answer: Answer, viewer: Viewer) -> Response:
    """Return the page of an answer, as this viewer may see it."""
    values = {**told(answer.to_json(viewer)), **_limit(verifier)}
    production = None
    if answer.studio is not None:
        values |= _beyond(answer, answer.studio, viewer)
        name = answer.studio.production
        production = name if may_see(viewer, name) else None
        watch, files = service_of(request).production(name).labels, {answer.public.sha256 or ""}
        # Which files a labelled title is made of is nobody's business but theirs who read of its files.
        titles = viewer.may(Action.READ_VERDICTS, name)
        values["labels"] = on_files(answer.studio, watch, files, titles=titles)
    return shown(request, "verified.html.j2", viewer, production, **values)


def told(said: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the page shows of an answer by itself: one that ``/v1/verify`` gives, or a link shows."""
    now = (said["clearance"] or {}).get("reasonsNow", ())
    return {
        "said": said,
        "head": verified.headline(said),
        "confirmed": verified.confirmed(said),
        "lines": verified.lines(said),
        "steps": verified.steps(said),
        "most": MOST,
        "stamped": verified.moment(said["facts"].get("timeStamp")),
        "downloads": list(verified.downloads(said)),
        "raw": verified.raw(said),
        "reasons": list(dict.fromkeys(EXPLAINED[Code(reason["code"])].meaning for reason in now)),
        "words": verify_words,
        "uses": USES,
        "kinds": lineage,
        "share": None,
        "way": None,
        "place": None,
        "views": (),
        "labels": (),
        "label_states": STATES,
    }


def _beyond(answer: Answer, studio: Studio, viewer: Viewer) -> dict[str, Any]:
    """Return what the page shows besides: the ancestry, and where this viewer can go from here."""
    name, values = studio.production, dict[str, Any]()
    if may_see(viewer, name) or name in studio.log.origin.split("/"):
        values["place"] = name
    crew = viewer.may(Action.READ_WORK, name)
    base = f"/productions/{quote(name, safe='')}"
    found = ancestry(answer, viewer)
    if found is not None and found.links:
        href = leads(base) if crew else _nowhere
        small = small_of(base) if crew else _nowhere
        values |= {
            "way": found,
            "branches": lineage.listed(found),
            "draw": partial(lineage.picture, found, href=href),
            "small": small,
            "nothing": _nowhere,
            "crew": crew,
        }
    own = View.RIGHTS_HOLDER if viewer.party is None else None
    views = [view.value for view in View if view in viewer.views(name) and view is not own]
    return values | {"views": views, "policies": policy_names(studio), "whole": not crew}


def _nowhere(_: Stop) -> str:
    return ""


def _limit(verifier: Verifier) -> dict[str, Any]:
    most = verifier.settings.max_file_bytes
    return {"limit": most, "size": size(most)}
