"""The FastAPI application."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from pydantic import BaseModel

from api.entries import entries_router
from ledger import __version__
from ledger.service.log.sequencer import Sequencer
from ledger.wiring import home_at, open_studio


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


def create_app(home: Path | None = None) -> FastAPI:
    """Return a new application with all routes; without a home, only those that need no log."""
    application = FastAPI(
        title="Rakkan",
        version=__version__,
        lifespan=_opened(home) if home else None,
        # FastAPI's own pages load scripts from a CDN, which our content security policy forbids.
        docs_url=None,
        redoc_url=None,
        # On by default, and its logs would carry exception messages: what is in a request stays in it.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    application.get("/health")(health)
    return application


def _opened(home: Path) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """Return what opens the studio when the server starts, and closes it after the last answer."""

    @asynccontextmanager
    async def lifespan(application: FastAPI) -> AsyncIterator[None]:
        with open_studio(home_at(home)) as studio, Sequencer(studio.log) as sequencer:
            application.include_router(entries_router(studio, sequencer))
            yield

    return lifespan
