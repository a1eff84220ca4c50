"""Whose request it is, before any route sees it: ``request.state.viewer``.

* Without a credential it is anybody's. With one it is its holder's, or it is refused with 401, on public
  routes too: who shows a credential wants to be known, and is not silently taken for somebody else.
* One credential a request. Two of them, or a field that is there twice, is refused: what stands before this
  server may have looked at the other one.
* ``request.state.recheck`` asks again later: what goes on for long must end when its credential does.
* The body of a signed request is held back until it fits its digest, so no route works with another.
"""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import problem
from api.served import Service
from ledger.core import request_signature as signatures
from ledger.core.access import ANYBODY, Viewer
from ledger.core.secret_text import Kind
from ledger.errors import MalformedError, RakkanError, RefusedError
from ledger.service.access.devices import device_of

MAX_SIGNED = 16 << 20
"""Bytes of a signed request's body: as much as a batch of entries may have."""

_ONCE = (b"authorization", b"signature", b"signature-input", b"content-digest", b"host")
_PREFIX = ["", "v1", "productions"]


class Identity:
    """The middleware that says whose request it is."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 401, or let the request through with its viewer."""
        if scope["type"] == "http":

            async def recheck() -> Viewer:
                return (await _identified(scope, receive))[0]

            try:
                viewer, receive = await _identified(scope, receive)
            except RakkanError as error:
                await problem(error)(scope, receive, send)
                return
            # Whoever stands before this one may have found out already.
            scope.setdefault("state", {}).setdefault("viewer", viewer)
            scope["state"].setdefault("recheck", recheck)
        await self._app(scope, receive, send)


async def _identified(scope: Scope, receive: Receive) -> tuple[Viewer, Receive]:
    fields = _fields(scope)
    if b"signature" in fields or b"signature-input" in fields:
        return await _device(scope, receive, fields)
    if b"authorization" in fields:
        scheme, _, text = fields[b"authorization"].partition(" ")
        if scheme.lower() != "bearer":
            raise RefusedError("access.credential", "Authorization is not of the scheme Bearer.")
        return await run_in_threadpool(
            _service(scope).credentials.viewer, Kind.TOKEN, text.strip(" ")
        ), receive
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
    if b"authorization" in found and b"signature" in found:
        raise RefusedError("access.credential", "A request shows one credential, not two.")
    return found


async def _device(scope: Scope, receive: Receive, fields: dict[bytes, str]) -> tuple[Viewer, Receive]:
    """Return the device that signed the request, and its body once it was checked."""
    claimed = signatures.parse(fields.get(b"signature-input", ""), fields.get(b"signature", ""))
    target = signatures.Target(
        scope["method"],
        fields.get(b"host", ""),
        scope["raw_path"].decode("latin-1"),
        scope["query_string"].decode("latin-1"),
        fields.get(b"content-digest"),
    )
    viewer = await run_in_threadpool(_enrolled, scope, claimed, target)
    body = await _body(receive)
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


async def _body(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise MalformedError("request.malformed", "The request ended before its body did.")
        body += message.get("body", b"")
        if len(body) > MAX_SIGNED:
            raise MalformedError("request.too-large", "The request is too long.", limit=MAX_SIGNED)
        if not message.get("more_body", False):
            return bytes(body)


def _again(body: bytes, receive: Receive) -> Receive:
    """Return a ``receive`` that hands the body over, then goes on with the old one."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def handed() -> Message:
        return waiting.pop() if waiting else await receive()

    return handed
