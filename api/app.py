"""The FastAPI application."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from pydantic import BaseModel

from api import problems
from api.following import open_following
from api.routes import entries, events, log
from api.routes import webhooks as webhook_routes
from api.served import open_service
from ledger import __version__
from ledger.service.events.hub import EventSettings
from ledger.service.events.target import WebhookSettings
from ledger.service.log.publishing import PublishSettings
from ledger.wiring.serving import Productions, service_settings

_NEVER = PublishSettings(enabled=False)
_EVENTS = EventSettings()
_NOBODY = WebhookSettings(enabled=False)


class Health(BaseModel):
    """That the process answers, and which version it is. Says nothing about the state of any log."""

    status: str
    version: str


async def health() -> Health:
    """Return 200 while the process can answer."""
    return Health(status="ok", version=__version__)


def app() -> FastAPI:
    """Return the application that serves the studio of ``RAKKAN_HOME``, as its settings say.

    It publishes its logs, and delivers their events.
    """
    folder = Path(os.environ["RAKKAN_HOME"])
    settings = service_settings(folder)
    return create_app(
        folder,
        *settings.of(Productions).homes,
        publish=PublishSettings(),
        following=settings.of(EventSettings),
        webhooks=settings.of(WebhookSettings),
    )


def create_app(
    *homes: Path,
    publish: PublishSettings = _NEVER,
    following: EventSettings = _EVENTS,
    webhooks: WebhookSettings = _NOBODY,
) -> FastAPI:
    """Return a new application over these homes, one production each. They are opened when it starts.

    It publishes their logs where ``publish`` says so, and delivers events where ``webhooks`` does.
    """

    @asynccontextmanager
    async def lifespan(application: FastAPI) -> AsyncIterator[None]:
        with open_service(homes, publish) as service:
            application.state.service = service
            async with open_following(service, following, webhooks) as opened:
                application.state.following = opened
                yield

    application = FastAPI(
        title="Rakkan",
        version=__version__,
        lifespan=lifespan,
        # FastAPI's own pages load scripts from a CDN, which our content security policy forbids.
        docs_url=None,
        redoc_url=None,
        # One address for each thing: a slash too many is another address, with nothing there.
        redirect_slashes=False,
        # On by default, and its logs would carry exception messages: what is in a request stays in it.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    problems.install(application)
    application.get("/health")(health)
    application.include_router(entries.router)
    application.include_router(events.router)
    application.include_router(log.router)
    application.include_router(webhook_routes.router)
    return application
