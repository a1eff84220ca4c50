"""The FastAPI application."""

from __future__ import annotations

import gc
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI

from api import problems, ready
from api.description import Described
from api.following import open_following
from api.headers import SafeHeaders
from api.identity import Identity
from api.limits import Limiter
from api.logs import RequestLog
from api.pages import ROUTERS as PAGES
from api.pages.errors import AsPages
from api.pages.pictures import open_pictures
from api.routes import ROUTERS, entries
from api.served import open_service
from api.traces import telemetry
from api.verifier import open_verifier
from ledger.adapters.service_settings import ServiceSettings, in_code
from ledger.service.access.settings import AccessSettings, Limits
from ledger.service.events.target import WebhookSettings
from ledger.service.log.publishing import PublishSettings
from ledger.service.reading.own_works import Allowance, OwnWorksSettings
from ledger.wiring.serving import Logs, PageSettings, Productions, Traces, service_settings

_GARBAGE = (20_000, 20, 20)
"""How many new objects, and how many looks at the young, before the collector looks again."""
UNPUBLISHED = in_code(PublishSettings(enabled=False), WebhookSettings(enabled=False))


def app() -> FastAPI:
    """Return the application that serves the studio of ``RAKKAN_HOME``, in a process of its own."""
    # What was imported stays. Looking through all of it again and again for garbage takes a fifth of the time
    # of adding entries; what requests leave behind is small, and goes without it.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GARBAGE)
    folder = Path(os.environ["RAKKAN_HOME"])
    settings = service_settings(folder)
    return create_app(folder, *settings.of(Productions).homes, settings=settings)


def create_app(*homes: Path, settings: ServiceSettings = UNPUBLISHED) -> FastAPI:
    """Return a new application over these homes, one production each. They are opened when it starts.

    Without settings it serves as ``rakkan serve`` does by default, but publishes and posts nothing.
    """
    access = settings.of(AccessSettings)

    @asynccontextmanager
    async def lifespan(application: FastAPI) -> AsyncIterator[None]:
        with open_service(homes, settings) as service, open_verifier(service, settings) as verifier:
            application.state.service, application.state.verifier = service, verifier
            application.state.pictures = open_pictures(service, verifier, settings)
            async with (
                open_following(service, settings) as following,
                ready.watched(application, service, following, settings),
            ):
                application.state.following = following
                yield

    application = Described(
        generate_unique_id_function=lambda route: route.name,
        lifespan=lifespan,
        # FastAPI's own pages load scripts from a CDN, which our content security policy forbids.
        docs_url=None,
        redoc_url=None,
        openapi_url=None,  # a route of ours serves it, with an entity tag
        redirect_slashes=False,  # one address for each thing: with a slash too many there is nothing
        telemetry=telemetry(enabled=settings.of(Traces).enabled),
    )
    application.state.access = access
    application.state.allowance = Allowance(settings.of(OwnWorksSettings).hourly)
    problems.install(application)
    application.state.limiter = Limiter(settings.of(Limits))
    application.state.pages = settings.of(PageSettings)
    application.add_middleware(Identity, settings=access, limiter=application.state.limiter)
    application.add_middleware(RequestLog, lines=settings.of(Logs).requests)
    application.add_middleware(AsPages)  # also of what was not foreseen, which the log answers
    # Outside of everything that can answer, what was not foreseen among it.
    application.add_middleware(SafeHeaders, https=access.https)
    application.router.routes.extend(entries.direct.routes)
    for router in (*ROUTERS, *PAGES, ready.router):
        application.include_router(router)
    application.state.operators = ready.operators(application)
    return application
