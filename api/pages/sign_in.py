"""Signing in from a page: with the identity provider, or with an access token; and out again.

* A token that is shown begins a session, which is no more than the token, ends no later, and with it.
* A page of another site must not sign anybody in: the browser has to say that the form is ours.
* Guests: for a demonstration the operator may offer tokens to everybody who sits at this very machine.
"""

from __future__ import annotations

import json
from collections import Counter
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Form, Query
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api.identity import check_own_site
from api.limits import address_of
from api.pages.shown import shown
from api.routes.sign_in import HERE, ended, keep, settings_of
from api.security import public
from api.served import service_of
from ledger.core.access import ANYBODY
from ledger.errors import RefusedError
from ledger.render.pages.words import ROLES

router = APIRouter(tags=["pages"], include_in_schema=False)
To = Annotated[str, Query(pattern=HERE, max_length=500)]


@router.get("/sign-in")
@public("whoever signs in is nobody yet")
def sign_in(request: Request, to: To = "/") -> Response:
    """Show the ways to sign in."""
    return _ways(request, to)


@router.post("/sign-in", status_code=303)
@public("whoever signs in is nobody yet")
def begin(
    request: Request,
    token: Annotated[str, Form(max_length=200)],
    to: Annotated[str, Form(pattern=HERE, max_length=500)] = "/",
) -> Response:
    """Begin a session with an access token."""
    check_own_site(request.scope)
    try:
        session, seconds = service_of(request).credentials.session(token.strip())
    except RefusedError as error:
        request.app.state.limiter.failure(address_of(request.scope))
        if error.code not in {"access.credential", "access.ended"}:
            raise
        return _ways(request, to, 401, wrong=True)
    settings = settings_of(request)
    answer = RedirectResponse(to, 303)
    keep(answer, settings, settings.cookie, session, seconds)
    return answer


@router.post("/sign-out", status_code=303)
@public("it ends the session that it is asked with, and nothing else")
def sign_out(request: Request) -> Response:
    """End the session for good, and go to the start."""
    return ended(request, RedirectResponse("/", 303))


def _ways(request: Request, to: str, status: int = 200, *, wrong: bool = False) -> Response:
    provider = service_of(request).people is not None
    return shown(
        request,
        "sign_in.html.j2",
        ANYBODY,
        status=status,
        to=to,
        wrong=wrong,
        provider=provider,
        guests=_guests(request),
    )


def _guests(request: Request) -> list[tuple[str, int, str]]:
    """Return each guest's role, which one of that role it is, and its token; none for who sits elsewhere."""
    offered: Path | None = request.app.state.pages.guests
    client = request.client
    if offered is None or client is None or not ip_address(client.host).is_loopback:
        return []
    found: list[tuple[str, str]] = json.loads(offered.read_text(encoding="utf-8"))
    seen = Counter[str]()
    guests = []
    for role, token in found:
        seen[role] += 1
        guests.append((ROLES[role], seen[role], token))
    return guests
