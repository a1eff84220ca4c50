"""The FastAPI application."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI

from api import problems, ready
from api.logs import RequestLog
from api.routes import entries
from api.served import open_service
from api.traces import telemetry
from ledger import __version__
from ledger.adapters.service_settings import ServiceSettings
from ledger.wiring.serving import DEFAULTS, Logs, Productions, Traces, service_settings


def app() -> FastAPI:
    """Return the application that serves the studio of ``RAKKAN_HOME``, as its settings say."""
    folder = Path(os.environ["RAKKAN_HOME"])
    settings = service_settings(folder)
    return create_app(folder, *settings.of(Productions).homes, settings=settings)


def create_app(*homes: Path, settings: ServiceSettings = DEFAULTS) -> FastAPI:
    """Return a new application over these homes, one production each. They are opened when it starts."""

    @asynccontextmanager
    async def lifespan(application: FastAPI) -> AsyncIterator[None]:
        with open_service(homes) as service:
            application.state.service = service
            async with ready.watched(application, service, settings):
                yield

    application = FastAPI(
        title="Rakkan",
        version=__version__,
        lifespan=lifespan,
        # FastAPI's own pages load scripts from a CDN, which our content security policy forbids.
        docs_url=None,
        redoc_url=None,
        telemetry=telemetry(enabled=settings.of(Traces).enabled),
    )
    problems.install(application)
    application.add_middleware(RequestLog, lines=settings.of(Logs).requests)
    application.include_router(ready.router)
    application.include_router(entries.direct)
    application.include_router(entries.router)
    application.state.operators = ready.operators(application)
    return application
