"""The public label of a title or a file: its page, its badge, its code, and what proves it.

* A label is for everybody: the studio gave it on purpose. Whoever asks for one that is not there, or of a
  production without any, is told the same.
* The badge may be shown on any site. It is kept for five minutes, so that a withdrawn one does not live on.
"""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from api.conditional import conditional
from api.pages.shown import shown
from api.security import public, viewer_of
from api.served import Served, service_of
from ledger.adapters import qr
from ledger.core.access import Viewer
from ledger.errors import UsageError
from ledger.render.pages import badge as drawn
from ledger.render.pages import label as words
from ledger.render.pages.languages import language
from ledger.service.labels import shown as labels
from ledger.service.labels.shown import Shown
from ledger.wiring import signer_key_pem

router = APIRouter(prefix="/label/{production}", tags=["pages"], include_in_schema=False)
Somebody = Annotated[Viewer, Depends(viewer_of)]
Look = Annotated[Literal["light", "dark"], Query()]
SVG = "image/svg+xml"
FRESH = "public, max-age=300"
_WHY = "a label is what the studio says to everybody"


@router.get("")
@public(_WHY)
def every_label(request: Request, production: str, viewer: Somebody) -> Response:
    """Show the labels of a production, the newest first."""
    served = _served(request, production)
    found = labels.all_shown(served.studio, served.labels)
    return shown(request, "labels.html.j2", viewer, found=found, words=words)


@router.get("/{identifier}.json")
@public(_WHY)
def for_a_program(request: Request, production: str, identifier: str) -> Response:
    """Return a label for a program: docs/spec/label.md."""
    _, found = _label(request, production, identifier)
    return JSONResponse({**found.to_json(), "page": _site(request) + found.place})


@router.get("/{identifier}")
@public(_WHY)
def one_label(request: Request, production: str, identifier: str, viewer: Somebody) -> Response:
    """Show a label: what it says, what it does not say, and whether it still holds."""
    served, found = _label(request, production, identifier)
    return shown(
        request,
        "label.html.j2",
        viewer,
        label=found,
        words=words,
        drawn=drawn,
        site=_site(request),
        verifier=served.studio.log.verifier.vkey,
    )


@router.get("/{identifier}/badge.svg")
@public(_WHY)
def badge(
    request: Request,
    production: str,
    identifier: str,
    lang: Annotated[str, Query(max_length=8)] = "en",
    look: Look = "light",
) -> Response:
    """Return the badge, for any site to show."""
    _, found = _label(request, production, identifier)
    spoken = language(lang)
    picture = drawn.badge(drawn.face_of(found, spoken), look, spoken.direction)
    answer = conditional(request, picture.encode(), SVG, FRESH)
    answer.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return answer


@router.get("/{identifier}/qr.svg")
@public(_WHY)
def code(request: Request, production: str, identifier: str) -> Response:
    """Return the QR code of the page's address."""
    _, found = _label(request, production, identifier)
    return Response(qr.svg(_site(request) + found.place, qr.QUIET), media_type=SVG)


@router.get("/{identifier}/evidence.{kind}")
@public(_WHY)
def evidence(request: Request, production: str, identifier: str, kind: str) -> Response:
    """Return the label's newest entry, its receipt, or the key that signed it: what a stranger checks."""
    served, found = _label(request, production, identifier)
    index = found.newest.index
    logged = served.studio.logged(index)
    key = signer_key_pem(served.studio, index)
    files = {"dsse.json": logged.envelope, "tlog-proof": logged.receipt, "pub": key}
    if kind not in files:
        raise UsageError("request.no-such-route", "There is nothing at this address.")
    name = f'attachment; filename="{found.identifier}.{kind}"'
    fields = {"Content-Disposition": name}
    return Response(files[kind], media_type="application/octet-stream", headers=fields)


def _served(request: Request, production: str) -> Served:
    found = service_of(request).productions.get(production)
    if found is None:
        raise UsageError("label.unknown", "There is no such label here.")
    return found


def _label(request: Request, production: str, identifier: str) -> tuple[Served, Shown]:
    served = _served(request, production)
    return served, labels.shown(served.studio, served.labels, identifier)


def _site(request: Request) -> str:
    """Return scheme and host as the world reaches them: by the settings, else as this request did."""
    site: str = request.app.state.access.public_url
    return site or str(request.base_url).rstrip("/")
