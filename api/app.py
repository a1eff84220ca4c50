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
from api.headers import SafeHeaders
from api.identity import Identity
from api.routes import (
    assets,
    disclosures,
    entries,
    events,
    log,
    productions,
    shares,
    shots,
    sign_in,
    steps,
    tokens,
    verdicts,
)
from api.security import public
from api.served import open_service
from ledger import __version__
from ledger.adapters.service_settings import ServiceSettings, in_code
from ledger.service.access.settings import AccessSettings, Limits
from ledger.service.events.hub import EventSettings
from ledger.service.log.publishing import PublishSettings
from ledger.wiring.serving import Productions, service_settings

ROUTERS = (
    entries.direct,
    entries.router,
    log.router,
    productions.router,
    assets.router,
    steps.router,
    shots.router,
    verdicts.router,
    events.router,
    tokens.router,
    disclosures.router,
    shares.router,
    shares.opened,
    sign_in.router,
)
UNPUBLISHED = in_code(PublishSettings(enabled=False))


class Health(BaseModel):
    """That the process answers, and which version it is. Says nothing about the state of any log."""

    status: str
    version: str


@public("says only that the process answers")
async def health() -> Health:
    """Return 200 while the process can answer."""
    return Health(status="ok", version=__version__)


def app() -> FastAPI:
    """Return the application that serves the studio of ``RAKKAN_HOME``, as its settings say."""
    folder = Path(os.environ["RAKKAN_HOME"])
    settings = service_settings(folder)
    return create_app(folder, *settings.of(Productions).homes, settings=settings)


def create_app(*homes: Path, settings: ServiceSettings = UNPUBLISHED) -> FastAPI:
    """Return a new application over these homes, one production each. They are opened when it starts.

    Without settings it serves as ``rakkan serve`` does by default, but publishes nothing.
    """
    access = settings.of(AccessSettings)

    @asynccontextmanager
    async def lifespan(application: FastAPI) -> AsyncIterator[None]:
        with open_service(homes, settings) as service:
            application.state.service = service
            async with open_following(service, settings.of(EventSettings)) as following:
                application.state.following = following
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
    application.state.access = access
    problems.install(application)
    application.add_middleware(Identity, settings=access, limits=settings.of(Limits))
    application.add_middleware(SafeHeaders, https=access.https)
    application.get("/health")(health)
    for router in ROUTERS:
        application.include_router(router)
    return application
