"""Signing in and out with a browser: the rules are in ``ledger.service.access.signing_in``."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api.security import public, viewer_of
from api.served import service_of
from ledger.core.access import Role, Viewer
from ledger.core.secret_text import Kind, identifier_of
from ledger.errors import RefusedError
from ledger.service.access.settings import AccessSettings
from ledger.service.access.signing_in import SIGN_IN_SECONDS

router = APIRouter(tags=["access"])
HERE = r"^/(?:[A-Za-z0-9_.~-][A-Za-z0-9_.~/-]*)?$"
"""A path of this server: what follows the first slash is no second one."""
ME = "/v1/me"


class Me(BaseModel):
    """Whom the server takes the caller for: a pseudonym, and the roles by production."""

    name: str
    roles: dict[str, list[Role]]
    party: str | None


@router.get(ME)
@public("it says to whoever asks what they showed")
def show_me(viewer: Annotated[Viewer, Depends(viewer_of)]) -> Me:
    """Say who the server takes you for, and what you are to which production."""
    return Me(
        name=viewer.name,
        roles={name: sorted(held) for name, held in viewer.roles.items()},
        party=viewer.party,
    )


@router.get("/login", status_code=303, response_class=RedirectResponse)
@public("whoever signs in is nobody yet")
def sign_in(request: Request, to: Annotated[str, Query(pattern=HERE, max_length=500)] = ME) -> Response:
    """Send the browser to the identity provider. It comes back to `/login/callback`, then goes on to `to`."""
    settings = settings_of(request)
    begun = service_of(request).signing_in.begin(to)
    answer = RedirectResponse(begun.address, 303)
    keep(answer, settings, _state(settings), begun.state, SIGN_IN_SECONDS)
    return answer


@router.get("/login/callback", status_code=303, response_class=RedirectResponse)
@public("whoever signs in is nobody yet")
def signed_in(
    request: Request,
    state: Annotated[str, Query(max_length=200)],
    code: Annotated[str, Query(max_length=4096)] = "",
) -> Response:
    """Take the browser back from the identity provider, and begin its session."""
    settings = settings_of(request)
    if not code:
        raise RefusedError("signin.refused", "The identity provider sent the browser back without a code.")
    held = request.cookies.get(_state(settings), "")
    found = service_of(request).signing_in.finish(state, held, code)
    answer = RedirectResponse(found.to, 303)
    keep(answer, settings, settings.cookie, found.session, found.seconds)
    answer.delete_cookie(_state(settings), secure=settings.https, httponly=True)
    return answer


@router.post("/logout", status_code=204)
@public("it ends the session that it is asked with, and nothing else")
def sign_out(request: Request) -> Response:
    """End the session of the cookie, for good."""
    return ended(request, Response(status_code=204))


def ended(request: Request, answer: Response) -> Response:
    """End the session of the request's cookie for good, and have the browser forget it with this answer."""
    settings = settings_of(request)
    session = identifier_of(Kind.SESSION, request.cookies.get(settings.cookie, ""))
    if session is not None:
        service_of(request).credentials.revoke(Kind.SESSION, session)
    answer.delete_cookie(settings.cookie, secure=settings.https, httponly=True)
    return answer


def settings_of(request: Request) -> AccessSettings:
    """Return how the world reaches the service."""
    found: AccessSettings = request.app.state.access
    return found


def _state(settings: AccessSettings) -> str:
    return f"{settings.cookie}-sign-in"


def keep(answer: Response, settings: AccessSettings, name: str, value: str, seconds: int) -> None:
    """Have the browser keep a secret that no script reads, and that no other site's form sends."""
    answer.set_cookie(
        name, value, max_age=seconds, path="/", secure=settings.https, httponly=True, samesite="lax"
    )
