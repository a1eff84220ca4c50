"""How a page is answered: in the reader's language, with what they may go to, under one strict policy."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse

from api.pages.assets import addresses
from api.served import Service
from ledger.core.access import ANYBODY, EVERY, Action, Viewer
from ledger.render.pages.languages import LANGUAGES, N_, chosen
from ledger.render.pages.shell import Place, Shell, page
from ledger.render.pages.words import ROLES
from ledger.service.reading.productions import may_see

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
COOKIE = "rakkan-language"
_YEAR = 366 * 86_400
_INNER = (
    ("", N_("Board"), Action.CLEAR),
    ("/rights", N_("Rights"), Action.READ_REGISTRY),
    ("/log", N_("Log"), Action.READ_PROOFS),
    ("/own-works", N_("Own works"), Action.ASK_OWN_WORKS),
)
"""The places of a production: address, name, and what one must be allowed to go there."""


def shown(
    request: Request,
    template: str,
    viewer: Viewer,
    production: str | None = None,
    status: int = 200,
    **values: Any,
) -> HTMLResponse:
    """Return a page for this viewer. ``production`` must be one that they may know of."""
    asked = request.query_params.get("lang")
    speaks = chosen(asked, request.cookies.get(COOKIE), request.headers.get("accept-language", ""))
    path = request.url.path
    query = tuple((key, value) for key, value in request.query_params.multi_items() if key != "lang")
    service: Service | None = getattr(request.app.state, "service", None)
    shell = Shell(
        speaks,
        path,
        query,
        studio_of(service),
        addresses(),
        _places(viewer, service, path),
        production,
        _inner(viewer, service, production, path) if service and production else (),
        None if viewer is ANYBODY else viewer.name,
        tuple(ROLES[role] for role in roles_on(viewer, production)),
        _has_pictures(request, viewer, production),
    )
    answer = HTMLResponse(page(template, shell, **values), status)
    answer.headers["Content-Security-Policy"] = POLICY
    answer.headers["Cache-Control"] = "no-store"
    if asked in LANGUAGES:
        https = request.app.state.access.https
        answer.set_cookie(COOKIE, asked, _YEAR, secure=https, httponly=True, samesite="lax")
    return answer


def studio_of(service: Service | None) -> str:
    """Return what the studio that is served calls itself."""
    return next((each.studio.trust.studio for each in service.productions.values()), "") if service else ""


def productions_of(viewer: Viewer, service: Service) -> list[str]:
    """Return the productions that the viewer may see something of, by name."""
    return sorted(name for name in service.productions if may_see(viewer, name))


def roles_on(viewer: Viewer, production: str | None) -> list[str]:
    """Return the viewer's roles on a production, or on any where none is named."""
    held = viewer.roles if production is None else {production, EVERY} & set(viewer.roles)
    return sorted(frozenset[str]().union(*(viewer.roles[name] for name in held)))


def _has_pictures(request: Request, viewer: Viewer, production: str | None) -> bool:
    on = getattr(request.app.state, "pictures", None) is not None
    return on and production is not None and viewer.may(Action.READ_WORK, production)


def _places(viewer: Viewer, service: Service | None, path: str) -> tuple[Place, ...]:
    found = [Place("/verify", N_("Verify"), path.startswith("/verify"))]
    if service and productions_of(viewer, service):
        found.append(Place("/productions", N_("Productions"), path.startswith("/productions")))
    return tuple(found)


def _inner(viewer: Viewer, service: Service, production: str, path: str) -> tuple[Place, ...]:
    base = f"/productions/{production}"
    found = []
    for suffix, name, action in _INNER:
        href = base + suffix
        here = path == href or (bool(suffix) and path.startswith(href + "/"))
        if viewer.may(action, production):
            found.append(Place(href, name, here))
    if service.production(production).labels.labels().by_identifier:
        found.append(Place(f"/label/{production}", N_("Labels"), path.startswith("/label/")))
    return tuple(found)
