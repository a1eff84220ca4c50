"""A rights holder's page: is my work in your data, and what is on record of me."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from api.forms import Sent, files, text
from api.pages.shown import shown
from api.security import need
from api.served import Production, Served
from ledger.core.access import Action, Viewer
from ledger.render.pages import rights_words
from ledger.render.words import USES
from ledger.service.reading import own_works
from ledger.service.reading.own_works import MOST_WORKS, Allowance, Asker
from ledger.service.reading.pages import MAX_CURSOR, MOST, Page
from ledger.service.reading.sight import sight_of
from ledger.wiring.reading import inventories_of

router = APIRouter(prefix="/productions/{production}/own-works", tags=["pages"], include_in_schema=False)
Asking = Annotated[Viewer, need(Action.ASK_OWN_WORKS)]
Cursor = Annotated[str, Query(max_length=MAX_CURSOR)]
PAGE = 25


@router.get("")
def own_works_page(request: Request, viewer: Asking, served: Production, after: Cursor = "") -> Response:
    """Show the form, and what is on record of the party that the viewer speaks for."""
    return _shown(request, viewer, served, after)


@router.post("")
def ask(request: Request, viewer: Asking, served: Production, typed: Sent) -> Response:
    """Answer for the works that the form lists, in words, with the proofs."""
    works = own_works.listed("\n".join([text(typed, "works"), *_files(typed)]))
    if not works or len(works) > MOST_WORKS:
        return _shown(request, viewer, served, "", count=len(works), status=400, text=text(typed, "works"))
    allowance: Allowance = request.app.state.allowance
    allowance.take(viewer.name, len(works))
    inventories, page = inventories_of(served.home), Page(("own-works-page",), MOST)
    found = own_works.ask(served.studio, inventories, _asker(viewer, served), works, page).to_json()
    return _shown(request, viewer, served, "", count=len(works), found=found, text="\n".join(works))


def _files(typed: FormData) -> Iterator[str]:
    """Yield what the files of the form hold: whatever is no text has no digest in it."""
    return (data.decode("utf-8", "replace") for data in files(typed, "list").values())


def _shown(
    request: Request, viewer: Viewer, served: Served, after: str, status: int = 200, **values: Any
) -> Response:
    studio, asker, lines = served.studio, _asker(viewer, served), None
    if viewer.party is not None:
        page = Page(("own-lines-page", viewer.party), PAGE, after or None)
        lines = own_works.lines(studio, asker, studio.clock.now(), page)
    following = lines.next if lines else None
    return shown(
        request,
        "own_works.html.j2",
        viewer,
        studio.production,
        status,
        words=rights_words,
        uses_words=USES,
        party=viewer.party,
        lines=lines.items if lines else (),
        indented=indented,
        following=f"{request.url.path}?{urlencode({'after': following})}" if following else None,
        most=MOST_WORKS,
        **{"text": "", "count": None, "found": None} | values,
    )


def indented(document: Any) -> str:
    """Return a JSON document as people read it."""
    return json.dumps(document, indent=1, ensure_ascii=False)


def _asker(viewer: Viewer, served: Served) -> Asker:
    return Asker(viewer.name, viewer.party, sight_of(viewer, served.studio.production))
