"""The FastAPI application."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from pydantic import BaseModel

from api import problems
from api.access_settings import AccessSettings
from api.headers import SafeHeaders
from api.identity import Identity
from api.routes import disclosures, entries, tokens
from api.security import public
from api.served import open_service
from ledger import __version__
from ledger.wiring.serving import Productions, service_settings


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
    return create_app(folder, *service_settings(folder).of(Productions).homes)


def create_app(*homes: Path, access: AccessSettings | None = None) -> FastAPI:
    """Return a new application over these homes, one production each. They are opened when it starts."""
    settings = access or AccessSettings()

    @asynccontextmanager
    async def lifespan(application: FastAPI) -> AsyncIterator[None]:
        with open_service(homes) as service:
            application.state.service = service
            yield

    application = FastAPI(
        title="Rakkan",
        version=__version__,
        lifespan=lifespan,
        # FastAPI's own pages load scripts from a CDN, which our content security policy forbids.
        docs_url=None,
        redoc_url=None,
        # On by default, and its logs would carry exception messages: what is in a request stays in it.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    problems.install(application)
    application.add_middleware(Identity, settings=settings)
    application.add_middleware(SafeHeaders, https=settings.https)
    application.get("/health")(health)
    application.include_router(entries.direct)
    application.include_router(entries.router)
    application.include_router(tokens.router)
    application.include_router(disclosures.router)
    return application
