"""The FastAPI application."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from pydantic import BaseModel

from api import problems
from api.identity import Identity
from api.routes import entries, manifests, tokens
from api.served import open_service
from ledger import __version__


class Health(BaseModel):
    """That the process answers, and which version it is. Says nothing about the state of any log."""

    status: str
    version: str


async def health() -> Health:
    """Return 200 while the process can answer."""
    return Health(status="ok", version=__version__)


def app() -> FastAPI:
    """Return the application that serves the studio of ``RAKKAN_HOME``."""
    return create_app(Path(os.environ["RAKKAN_HOME"]))


def create_app(*homes: Path) -> FastAPI:
    """Return a new application over these homes, one production each. They are opened when it starts."""

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
    application.add_middleware(Identity)
    application.get("/health")(health)
    application.include_router(entries.router)
    application.include_router(manifests.router)
    application.include_router(tokens.router)
    return application
