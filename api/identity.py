"""Whose request it is, before any route sees it: ``request.state.viewer``.

* Without a credential it is anybody's. With one it is its holder's, or it is refused with 401, on public
  routes too: who shows a credential wants to be known, and is not silently taken for somebody else. A session
  that has ended is refused once, and its cookie taken back; signing in again does not ask for it.
* One credential a request. Two of them, or a field that is there twice, is refused: what stands before this
  server may have looked at the other one.
* ``request.state.recheck`` asks again later: what goes on for long must end when its credential does.
* The body of a signed request is held back until it fits its digest, so no route works with another.
* A browser sends its cookie whoever made it ask. What a cookie vouches for may therefore change something
  only when the browser says that the request comes from this very server.
* A refusal is logged by its code and address. No part of a credential is.
"""

from __future__ import annotations

import logging
from contextlib import ExitStack
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.bodies import Body
from api.limits import Limiter, Spent, address_of
from api.problems import problem
from api.served import Service
from ledger.core import request_signature as signatures
from ledger.core.access import ANYBODY, Viewer
from ledger.core.secret_text import Kind
from ledger.errors import RakkanError, RefusedError, UndecidedError
from ledger.service.access.devices import device_of
from ledger.service.access.settings import AccessSettings

MAX_SIGNED = 16 << 20
"""Bytes of a signed request's body: as much as a batch of entries may have."""
SIGN_IN = ("/login", "/login/callback", "/sign-in")
"""Where a session begins: an old one is not looked at."""

_LOG = logging.getLogger("rakkan.access")
_ONCE = (b"authorization", b"signature", b"signature-input", b"content-digest", b"host", b"cookie", b"origin")
_PREFIX = ["", "v1", "productions"]
_OVER = {"access.credential", "access.ended"}
_LATER = {"log.overloaded", "request.slow", "request.cut-short", "request.too-large"}
"""What was wrong with the body of a signed request says nothing against its signature."""
_SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}


class Identity:
    """The middleware that says whose request it is, and whether it comes too often."""

    def __init__(self, app: ASGIApp, settings: AccessSettings, limiter: Limiter) -> None:
        self._app = app
        self._settings, self._cookie = settings, settings.cookie
        self._limiter = limiter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 401 or 429, or let the request through with its viewer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        with ExitStack() as held:
            answer = await self._answer(scope, receive, send, held)
            if answer is not None:
                await answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, held: ExitStack) -> Response | None:
        """Return the refusal of a request; ``None`` for one that was let through. ``held`` outlasts it."""

        async def recheck() -> Viewer:
            return (await self._identified(scope, receive, held))[0]

        address = address_of(scope)
        try:
            viewer, receive = await self._identified(scope, receive, held)
        except UndecidedError as error:  # the identity provider is down: no fault of whoever asks
            return problem(error)
        except RakkanError as error:
            if error.code in _LATER:
                return problem(error)
            answer = problem(self._failed(error, address))
            # Not for what another site made the browser send: it could sign everybody out.
            if error.code in _OVER and any(name == b"cookie" for name, _ in scope["headers"]):
                answer.delete_cookie(self._cookie, secure=self._settings.https, httponly=True)
            return answer
        # Whoever stands before this one may have found out already.
        viewer = scope.setdefault("state", {}).setdefault("viewer", viewer)
        try:
            spent = self._limiter.request(viewer, address, scope["method"], scope["path"])
        except RefusedError as error:
            return problem(error)
        if viewer is not ANYBODY:  # else nothing can end; and it would leave a circle for each request
            scope["state"].setdefault("recheck", recheck)
        await self._app(scope, receive, send if spent is None else _telling(spent, send))
        return None

    def _failed(self, error: RakkanError, address: str) -> RakkanError:
        """Log why a credential is refused, and return the refusal: another one after too many."""
        _LOG.warning("refused %s from %s", error.code, address)
        try:
            self._limiter.failure(address)
        except RefusedError as limited:
            return limited
        return error

    async def _identified(self, scope: Scope, receive: Receive, held: ExitStack) -> tuple[Viewer, Receive]:
        fields = _fields(scope)
        session = (
            None
            if b"cookie" not in fields or scope["path"] in SIGN_IN
            else _cookie(fields[b"cookie"], self._cookie)
        )
        signed = b"signature" in fields or b"signature-input" in fields
        if signed + (b"authorization" in fields) + (session is not None) > 1:
            raise RefusedError("access.credential", "A request shows one credential, not two.")
        if signed:
            return await _device(scope, receive, fields, held)
        if b"authorization" in fields:
            return await run_in_threadpool(_bearer, scope, fields[b"authorization"]), receive
        if session is not None:
            viewer = await run_in_threadpool(_service(scope).credentials.viewer, Kind.SESSION, session)
            if scope["method"] not in _SAFE_METHODS:
                check_own_site(scope)
            return viewer, receive
        return ANYBODY, receive


def _service(scope: Scope) -> Service:
    found: Service = scope["app"].state.service
    return found


def _fields(scope: Scope) -> dict[bytes, str]:
    """Return the fields that a credential may stand in. Raises ``RefusedError("access.credential")``."""
    found: dict[bytes, str] = {}
    for name, value in scope["headers"]:
        if name not in _ONCE:
            continue
        if name in found:
            raise RefusedError("access.credential", f"The field {name.decode()} is there twice.")
        found[name] = value.decode("latin-1")
    return found


def _bearer(scope: Scope, field: str) -> Viewer:
    scheme, _, text = field.partition(" ")
    if scheme.lower() != "bearer":
        raise RefusedError("access.credential", "Authorization is not of the scheme Bearer.")
    service, shown = _service(scope), text.strip(" ")
    # Three parts with points between them: nothing that we made, but perhaps the identity provider.
    if shown.count(".") == 2 and service.people is not None:
        return service.people.bearer(shown)
    return service.credentials.viewer(Kind.TOKEN, shown)


def _cookie(field: str, name: str) -> str | None:
    """Return the value of our cookie, if it is there. Raises ``access.credential`` for two of them."""
    found = [part.strip() for part in field.split(";")]
    values = [value for key, _, value in (part.partition("=") for part in found) if key == name]
    if len(values) > 1:
        raise RefusedError("access.credential", "The session's cookie is there twice.")
    return values[0] if values else None


def check_own_site(scope: Scope) -> None:
    """Return if the browser says that a page of this very server asks. Raises ``access.cross-site``."""
    fields = _fields(scope)
    site = next((value for name, value in scope["headers"] if name == b"sec-fetch-site"), None)
    origin = urlsplit(fields.get(b"origin", "")).netloc
    own = site == b"same-origin" if site is not None else bool(origin) and origin == fields.get(b"host")
    if not own:
        raise RefusedError("access.cross-site", "The browser says that another site made this request.")


async def _device(
    scope: Scope, receive: Receive, fields: dict[bytes, str], held: ExitStack
) -> tuple[Viewer, Receive]:
    """Return the device that signed the request, and its body once it was checked.

    The body has to come as fast as any other, and takes its part of the room until ``held`` is closed.
    """
    claimed = signatures.parse(fields.get(b"signature-input", ""), fields.get(b"signature", ""))
    target = signatures.Target(
        scope["method"],
        fields.get(b"host", ""),
        scope["raw_path"].decode("latin-1"),
        scope["query_string"].decode("latin-1"),
        fields.get(b"content-digest"),
    )
    viewer = await run_in_threadpool(_enrolled, scope, claimed, target)
    intake = next(iter(_service(scope).productions.values())).intake
    body = await Body(Request(scope, receive)).whole(
        MAX_SIGNED, intake.pace, held.enter_context(intake.room.part())
    )
    if target.digest is not None or body:
        signatures.check_body(target.digest or "", body)
    return viewer, _again(body, receive)


def _enrolled(scope: Scope, claimed: signatures.RequestSignature, target: signatures.Target) -> Viewer:
    """Return the device by its enrolment in the log of the path, or in any log where the path names none."""
    productions = dict(_service(scope).productions)
    parts = scope["path"].split("/")
    if parts[:3] == _PREFIX and len(parts) > 3:
        productions = {name: served for name, served in productions.items() if name == parts[3]}
    return device_of([served.devices for served in productions.values()], claimed, target)


def _again(body: bytes, receive: Receive) -> Receive:
    """Return a ``receive`` that hands the body over, then goes on with the old one."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def handed() -> Message:
        return waiting.pop() if waiting else await receive()

    return handed


def _telling(spent: Spent, send: Send) -> Send:
    """Return a ``send`` that says what is left of the budget."""

    async def told(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(spent.fields)
        await send(message)

    return told
