"""The real application, with whoever a header names as the viewer: `X-Viewer: NAME ROLE …`.

Who somebody is, is another part's matter. As a module it is what uvicorn's worker processes load.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from api.app import create_app
from ledger.adapters.service_settings import in_code
from ledger.core.access import EVERY, Role, Viewer
from ledger.errors import RefusedError
from ledger.service.events.hub import EventSettings
from ledger.service.log.publishing import PublishSettings

ROOT = Path(__file__).resolve().parents[2]


class Named:
    """Believes the header. A viewer whose name stands in the file `gone` is nobody any more."""

    def __init__(self, app: ASGIApp, gone: Path) -> None:
        self.app = app
        self.gone = gone

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            name, *roles = dict(scope["headers"]).get(b"x-viewer", b"").decode().split()[:] or [""]
            viewer = Viewer(name, {EVERY: frozenset(map(Role, roles))})

            async def recheck() -> Viewer:
                if await asyncio.to_thread(self.gone.exists) and name in self.gone.read_text().split():
                    raise RefusedError("access.unknown", "This needs somebody who is known here.")
                return viewer

            if name:
                scope.setdefault("state", {}).update(viewer=viewer, recheck=recheck)
        await self.app(scope, receive, send)


def named(home: Path, **settings: Any) -> FastAPI:
    application = create_app(
        home, settings=in_code(EventSettings(**settings), PublishSettings(enabled=False))
    )
    application.add_middleware(Named, gone=home / "gone.txt")
    return application


def app() -> FastAPI:
    return named(Path(os.environ["RAKKAN_HOME"]), heartbeat=0.5, recheck=0.5, listeners_per_viewer=5)


@contextmanager
def serving_events(environment: dict[str, str], port: int, *options: str) -> Iterator[subprocess.Popen[str]]:
    """Run the application under uvicorn until the block ends; it must then stop by itself, cleanly."""
    command = [sys.executable, "-m", "uvicorn", "--factory", "tests.support.events_app:app"]
    listening = ["--port", str(port), "--log-level", "warning", "--timeout-graceful-shutdown", "8"]
    process = subprocess.Popen(
        [*command, *listening, *options], env=environment, cwd=ROOT, stderr=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.terminate()
        _, said = process.communicate(timeout=20)
    assert "Traceback" not in said, said
    assert "exceeded" not in said, said
