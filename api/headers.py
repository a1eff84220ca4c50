"""The fields that every answer carries, whatever made it.

* Nothing of ours is sniffed, framed, or allowed to load anything. A page says more in a policy of its own.
* What a route does not say is cacheable is not stored anywhere: most answers are for whoever asked.
* What it does say is cacheable may differ by who asks, and says so; what never changes is the same for all.
"""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

SAFE = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cache-control", b"no-store"),
)
VARY = (b"vary", b"Authorization, Cookie, Signature")
HSTS = (b"strict-transport-security", b"max-age=31536000")


class SafeHeaders:
    """The middleware that adds them. ``https`` says that the world reaches this server by TLS."""

    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        self._app = app
        self._https = https

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through, and add the fields to its answer."""

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                fields = message.get("headers", ())
                there = dict(fields)
                kept = there.get(b"cache-control", b"no-store")
                added = [field for field in SAFE if field[0] not in there]
                if b"no-store" not in kept and not (b"public" in kept and b"immutable" in kept):
                    added.append(VARY)
                if (self._https or scope.get("scheme") == "https") and HSTS[0] not in there:
                    added.append(HSTS)
                message = {**message, "headers": [*fields, *added]}
            await send(message)

        await self._app(scope, receive, sent if scope["type"] == "http" else send)
