"""The fields that every answer carries, whatever made it.

* Nothing of ours is sniffed, framed, or allowed to load anything. A page says more in a policy of its own.
* What a route does not say is cacheable is not stored anywhere: most answers are for whoever asked.
* What it does say is cacheable may differ by who asks, and says so; what never changes is the same for all.
"""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SAFE = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}
HSTS = "max-age=31536000"


class SafeHeaders:
    """The middleware that adds them. ``https`` says that the world reaches this server by TLS."""

    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        self._app = app
        self._https = https

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through, and add the fields to its answer."""

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                fields = MutableHeaders(scope=message)
                kept = fields.get("cache-control", "no-store")
                if "no-store" not in kept and not ("public" in kept and "immutable" in kept):
                    fields.append("Vary", "Authorization, Cookie, Signature")
                for name, value in SAFE.items():
                    fields.setdefault(name, value)
                if self._https or scope.get("scheme") == "https":
                    fields.setdefault("Strict-Transport-Security", HSTS)
            await send(message)

        await self._app(scope, receive, sent if scope["type"] == "http" else send)
