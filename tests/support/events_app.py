"""The real application, with whoever a header names as the viewer: `X-Viewer: NAME ROLE …`.

Who somebody is, is another part's matter. Served as `rakkan serve` serves: by our watcher, in workers.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from api.app import create_app
from ledger.adapters.service_settings import ServiceSettings, in_code
from ledger.adapters.web_server import Options, run_application
from ledger.adapters.workers import Line, Watcher
from ledger.cli.serve import listener
from ledger.core.access import EVERY, Role, Viewer
from ledger.errors import RefusedError
from ledger.service.events.hub import EventSettings
from ledger.service.events.target import WebhookSettings
from ledger.service.log.publishing import PublishSettings
from ledger.wiring.serving import service_settings

ROOT = Path(__file__).resolve().parents[2]
SERVE = "import sys; from tests.support.events_app import serve; serve(int(sys.argv[1]))"


class Named:
    """Believes the header. A viewer whose name stands in the file `gone` is nobody any more."""

    def __init__(self, app: ASGIApp, gone: Path) -> None:
        self.app = app
        self.gone = gone

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name, *roles = dict(scope.get("headers", ())).get(b"x-viewer", b"").decode().split() or [""]
        if name:
            viewer = Viewer(name, {EVERY: frozenset(map(Role, roles))})

            async def recheck() -> Viewer:
                if await asyncio.to_thread(self.gone.exists):
                    raise RefusedError("access.unknown", "This needs somebody who is known here.")
                return viewer

            scope.setdefault("state", {}).update(viewer=viewer, recheck=recheck)
        await self.app(scope, receive, send)


def named(home: Path, settings: ServiceSettings | None = None) -> FastAPI:
    sections = (EventSettings(), WebhookSettings(enabled=False), PublishSettings(enabled=False))
    application = create_app(home, settings=settings or in_code(*sections))
    application.add_middleware(Named, gone=home / "gone.txt")
    return application


def app() -> FastAPI:
    """Return the application with the settings of the environment."""
    folder = Path(os.environ["RAKKAN_HOME"])
    return named(folder, service_settings(folder))


def work(line: Line) -> None:
    run_application("tests.support.events_app:app", line.sockets, Options(connections=2048), line)


def serve(workers: int) -> None:
    listening = listener("127.0.0.1:0", 512)
    sys.stdout.write(f"{listening.getsockname()[1]}\n")
    sys.stdout.flush()
    Watcher(work, (), [listening], lambda _: None).run(workers, 5)


@contextmanager
def serving_events(environment: dict[str, str], workers: int = 1) -> Iterator[int]:
    """Run the application until the block ends, and yield its port; it must then stop by itself, cleanly."""
    quick = {
        "RAKKAN_SERVE_EVENTS_HEARTBEAT": "500ms",
        "RAKKAN_SERVE_EVENTS_RECHECK": "500ms",
        "RAKKAN_SERVE_PUBLISH_ENABLED": "false",
    }
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(workers)],
        env={"RAKKAN_SERVE_EVENTS_LISTENERS_PER_VIEWER": "5", **quick, **environment},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=30)
    assert process.returncode == 0, said
    assert "Traceback" not in said, said
    assert "graceful shutdown exceeded" not in said, said
