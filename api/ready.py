"""Whether the service can work, and its numbers: ``/health``, ``/ready``, ``/metrics``.

* Everybody may ask whether it is ready, and is told yes or no. Why not, and the numbers, are for operators,
  and for whoever reaches the operator's listener, which has no other routes and asks for no account.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from fastapi import APIRouter, FastAPI
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from api import problems
from api.following import Following
from api.metrics import MEDIA_TYPE, WAITING, Scrape
from api.problems import problem
from api.security import need_everywhere, public, viewer_of
from api.served import Service, service_of
from ledger import __version__
from ledger.adapters.service_settings import ServiceSettings
from ledger.core.access import Action
from ledger.errors import RefusedError
from ledger.wiring.readiness import Finding, Readiness, looks_at
from ledger.wiring.serving import Tls
from ledger.wiring.state import Numbers, State, WebhookNumbers

router = APIRouter(tags=["operating"])
_TICK = 1.0


class Health(BaseModel):
    """That the process answers, and which version it is. Says nothing about the state of any log."""

    status: str
    version: str


class Ready(BaseModel):
    """That the service can do its work. ``checks`` is there for operators only."""

    status: str
    checks: list[dict[str, Any]] | None = None


@router.get("/health")
@public("says only that the process answers")
async def health() -> Health:
    """Return 200 while the process can answer."""
    return Health(status="ok", version=__version__)


@router.get("/ready", response_model=Ready, responses={503: {"description": "It is not ready."}})
@public("says only yes or no to who is no operator")
async def ready(request: Request) -> Response:
    """Return 200 while entries can be taken in, else 503; to an operator with each check."""
    viewer = await viewer_of(request)
    served = service_of(request).productions
    return await _ready(request.app, told=all(viewer.may(Action.OPERATE, name) for name in served))


@router.get("/metrics", response_class=Response, dependencies=[need_everywhere(Action.OPERATE)])
async def metrics(request: Request) -> Response:
    """Return the numbers in Prometheus' text format."""
    return await _metrics(request.app)


def operators(application: FastAPI) -> FastAPI:
    """Return the application of the operator's listener: the same answers, in full, without an account."""
    inner = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, telemetry={"tracing": False})
    problems.install(inner)

    async def ready() -> Response:
        return await _ready(application, told=True)

    async def metrics() -> Response:
        return await _metrics(application)

    inner.get("/health")(health)
    inner.get("/ready")(ready)
    inner.get("/metrics")(metrics)
    return inner


@asynccontextmanager
async def watched(
    application: FastAPI, service: Service, following: Following, settings: ServiceSettings
) -> AsyncIterator[None]:
    """Make the application able to say how it is, for as long as the block runs."""
    readiness, states = Readiness(), list[tuple[str, Numbers]]()
    for name, served in service.productions.items():
        readiness.looks.append(looks_at(served.home, served.studio))
        states.append((name, State(served.home, served.studio)))
        states.append((name, WebhookNumbers(following.webhooks[name].store)))
    application.state.readiness = readiness
    application.state.scrape = Scrape(readiness, states, settings.of(Tls).certificate)
    beating = asyncio.create_task(_beat(service))
    try:
        yield
    finally:
        beating.cancel()
        with suppress(asyncio.CancelledError):
            await beating


async def _beat(service: Service) -> None:
    while True:
        for name, served in service.productions.items():
            WAITING.labels(name).set(served.intake.sequencer.waiting)
        await asyncio.sleep(_TICK)


async def _ready(application: FastAPI, *, told: bool) -> Response:
    readiness: Readiness = application.state.readiness
    findings: list[Finding] = await run_in_threadpool(readiness.findings)
    checks = [one.to_json() for one in findings]
    if all(one.well for one in findings):
        return JSONResponse({"status": "ready", **({"checks": checks} if told else {})})
    error = RefusedError("server.not-ready", "The service cannot do its work at the moment.")
    return problem(error, **({"checks": checks} if told else {}))


async def _metrics(application: FastAPI) -> Response:
    scrape: Scrape = application.state.scrape
    return Response(await run_in_threadpool(scrape.text), media_type=MEDIA_TYPE)
