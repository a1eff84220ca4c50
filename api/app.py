"""The FastAPI application."""

from fastapi import FastAPI
from pydantic import BaseModel

from ledger import __version__


class Health(BaseModel):
    """That the process answers, and which version it is. Says nothing about the state of any log."""

    status: str
    version: str


async def health() -> Health:
    """Return 200 while the process can answer."""
    return Health(status="ok", version=__version__)


def create_app() -> FastAPI:
    """Return a new application with all routes."""
    app = FastAPI(
        title="Rakkan",
        version=__version__,
        # FastAPI's own pages load scripts from a CDN, which our content security policy forbids.
        docs_url=None,
        redoc_url=None,
        # On by default, and its logs would carry exception messages: what is in a request stays in it.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.get("/health")(health)
    return app
