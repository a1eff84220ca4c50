"""The real service on a real socket, in a thread of this process: where how a server starts is not the point.

A process of its own takes seconds to load what this one has loaded already.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from api.app import create_app
from ledger.adapters.service_settings import ServiceSettings, in_code
from ledger.service.events.target import WebhookSettings
from ledger.service.log.publishing import PublishSettings
from tests.support.http import UNLIMITED


def quiet(*settings: object) -> ServiceSettings:
    """Return settings of a server that tells nobody anything and limits nobody."""
    return in_code(PublishSettings(enabled=False), WebhookSettings(enabled=False), UNLIMITED, *settings)


QUIET = quiet()


@contextmanager
def serving(*homes: Path, settings: ServiceSettings = QUIET) -> Iterator[str]:
    """Serve these homes; yields the URL."""
    with running(create_app(*homes, settings=settings)) as port:
        yield f"http://127.0.0.1:{port}"


@contextmanager
def running(application: FastAPI) -> Iterator[int]:
    """Run the application until the block ends; yields its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(application, log_level="critical", ws="none"))
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            thread.join(0.02)
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(20)
