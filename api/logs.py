"""One line for each request, and the number by which a caller and the operator speak of it.

* ``X-Request-Id`` and every problem carry the number, made here. A caller's ``traceparent`` (W3C Trace
  Context) is noted beside it.
* A line names the route as it was declared, never the path: a path can hold a share link or a digest. No
  header, query, body or file name reaches it; of who asks, the pseudonym that entries have too.
* What was not foreseen is answered with ``server.fault``, and logged by type and place.
"""

from __future__ import annotations

import logging
import re
import secrets

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.handled import Handled, current
from api.metrics import count_request
from api.problems import problem
from ledger.errors import IntegrityError

LOG = logging.getLogger("rakkan.request")
_TRACE = re.compile(rb"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")
_QUIET = {"/health", "/ready", "/metrics"}
_SPOKEN = ("log.", "database.", "home.")
_METHODS = {"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"}


class RequestLog:
    """ASGI middleware: numbers, measures and logs each request. ``lines`` off: only what went wrong."""

    def __init__(self, app: ASGIApp, *, lines: bool = True) -> None:
        self._app = app
        self._lines = lines

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        handled = Handled(secrets.token_hex(8), scope["method"], _trace(scope))
        token = current.set(handled)
        measured = _Measured(handled, receive, send)
        try:
            await self._app(scope, measured.receive, measured.send)
        except Exception:  # the last place that can answer, and log it without its words
            LOG.exception("fault", extra={"members": {"request": handled.number}})
            if not handled.started:
                await _fault(scope, measured)
        finally:
            current.reset(token)
            self._say(scope, handled)

    def _say(self, scope: Scope, handled: Handled) -> None:
        members = described(scope, handled)
        count_request(
            str(members["method"]),
            str(members["route"]),
            handled.status,
            handled.error.code if handled.error else None,
            handled.seconds,
        )
        bad = handled.status >= 500
        level = logging.ERROR if bad else logging.INFO
        if (bad or (self._lines and members["route"] not in _QUIET)) and LOG.isEnabledFor(level):
            # Made by hand: `log` would look for the line of code that calls it, through the whole stack.
            named = {"name": LOG.name, "levelno": level, "levelname": logging.getLevelName(level)}
            LOG.handle(logging.makeLogRecord({**named, "msg": "request", "members": members}))


def described(scope: Scope, handled: Handled) -> dict[str, object]:
    """Return the members of a request's line."""
    error = handled.error
    viewer = scope.get("state", {}).get("viewer")
    members: dict[str, object | None] = {
        "request": handled.number,
        "trace": handled.trace,
        "method": handled.method if handled.method in _METHODS else "other",
        "route": route_of(scope),
        "production": production_of(scope),
        "viewer": getattr(viewer, "name", None),
        "status": handled.status,
        "code": error.code if error else None,
        "why": error.message if error and handled.status >= 500 and error.code.startswith(_SPOKEN) else None,
        "ms": round(handled.seconds * 1000, 1),
        "received": handled.received,
        "sent": handled.sent,
    }
    return {name: value for name, value in members.items() if value is not None}


def route_of(scope: Scope) -> str:
    """Return the route as it was declared; ``none`` where there is none."""
    path = getattr(scope.get("route"), "path_format", None)
    return path if isinstance(path, str) else "none"


def production_of(scope: Scope) -> str | None:
    """Return the production of the path, if it is one of ours: anything else is a stranger's text."""
    named = scope.get("path_params", {}).get("production")
    service = getattr(scope["app"].state, "service", None) if "app" in scope else None
    return named if service is not None and named in service.productions else None


def _trace(scope: Scope) -> str | None:
    given = next((value for name, value in scope["headers"] if name == b"traceparent"), b"")
    match = _TRACE.fullmatch(given)
    return match[1].decode() if match and match[1].strip(b"0") else None


async def _fault(scope: Scope, measured: _Measured) -> None:
    answer = problem(IntegrityError("server.fault", "Something failed here that should not have."))
    await answer(scope, measured.receive, measured.send)


class _Measured:
    """Counts what comes in and what goes out, and puts the number on the answer."""

    def __init__(self, handled: Handled, receive: Receive, send: Send) -> None:
        self._handled, self._receive, self._send = handled, receive, send

    async def receive(self) -> Message:
        message = await self._receive()
        self._handled.received += len(message.get("body", b""))
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._handled.started, self._handled.status = True, message["status"]
            number = (b"x-request-id", self._handled.number.encode())
            message = {**message, "headers": [*message.get("headers", []), number]}
        self._handled.sent += len(message.get("body", b""))
        await self._send(message)
