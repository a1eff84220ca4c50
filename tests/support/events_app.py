"""The real application, with whoever a header names as the viewer: `X-Viewer: NAME ROLE …`.

Who somebody is, is another part's matter.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from api.app import create_app
from ledger.adapters.service_settings import ServiceSettings, in_code
from ledger.core.access import EVERY, Role, Viewer
from ledger.errors import RefusedError
from ledger.service.events.hub import EventSettings
from ledger.service.events.target import WebhookSettings
from ledger.service.log.publishing import PublishSettings
from ledger.wiring.serving import service_settings


class Named:
    """Believes the header. A viewer whose name stands in the file `gone` is nobody any more."""

    def __init__(self, app: ASGIApp, gone: Path) -> None:
        self.app = app
        self.gone = gone

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name, *roles = dict(scope.get("headers", ())).get(b"x-viewer", b"").decode().split() or [""]
        if name:
            viewer = Viewer(name, {EVERY: frozenset(map(Role, roles))})

            async def recheck() -> Viewer:
                if await asyncio.to_thread(self.gone.exists):
                    raise RefusedError("access.unknown", "This needs somebody who is known here.")
                return viewer

            scope.setdefault("state", {}).update(viewer=viewer, recheck=recheck)
        await self.app(scope, receive, send)


def named(home: Path, settings: ServiceSettings | None = None) -> FastAPI:
    sections = (EventSettings(), WebhookSettings(enabled=False), PublishSettings(enabled=False))
    application = create_app(home, settings=settings or in_code(*sections))
    application.add_middleware(Named, gone=home / "gone.txt")
    return application


def app() -> FastAPI:
    """Return the application with the settings of the environment."""
    folder = Path(os.environ["RAKKAN_HOME"])
    return named(folder, service_settings(folder))
