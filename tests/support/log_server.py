"""A log of plain entries behind the service's own routes, on a real socket."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, cast

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from api.app import create_app
from api.bodies import Room
from api.intake import Intake
from api.served import Served, Service
from ledger.adapters.service_settings import in_code
from ledger.adapters.sql.basis import SqlBasisStore
from ledger.adapters.sql.store import SqlEntryStore
from ledger.core.access import EVERY, Role, Viewer
from ledger.service.access.devices import Devices
from ledger.service.capture.upload import Pace
from ledger.service.log.public import PublicLog
from ledger.service.log.publish import CHECKPOINT
from ledger.service.log.publishing import PublishSettings
from ledger.service.log.sequence import Log
from ledger.service.log.sequencer import Sequencer
from ledger.testing import AdmitAll
from tests.support.bare_studio import studio_on
from tests.support.http import UNLIMITED
from tests.support.log import ORIGIN, database, project, publication

PREFIX = "/v1/productions/nightfall/log"
AUDITOR = Viewer("token:auditor", {EVERY: frozenset({Role.AUDITOR})})


class Known:
    """Every request comes from somebody who may read entries."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("state", {})["viewer"] = AUDITOR
        await self._app(scope, receive, send)


@dataclass(frozen=True)
class LogServer:
    """The log, and the address of its prefix."""

    log: Log
    host: str
    port: int

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}{PREFIX}"

    def get(self, path: str, **headers: str) -> tuple[int, bytes]:
        """Ask for a path below the prefix, sent as it is."""
        with closing(HTTPConnection(self.host, self.port, timeout=30)) as connection:
            connection.request("GET", f"{PREFIX}/{path}", headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read()

    def ok(self, path: str, **headers: str) -> bytes:
        status, body = self.get(path, **headers)
        assert status == 200, (path, status, body)
        return body


@contextmanager
def log_server(folder: Path) -> Iterator[LogServer]:
    """Serve an empty log on SQLite in this folder, to an auditor; published is what `publication` holds."""
    with database(folder) as engine:
        studio = studio_on(SqlEntryStore(engine, ORIGIN), SqlBasisStore(engine, ORIGIN), AdmitAll(project))
        with Sequencer(studio.log) as sequencer:
            public = PublicLog(studio.log, partial(publication(folder).get, CHECKPOINT))
            intake = Intake(sequencer, Room(1 << 20), Pace())
            nothing = cast("Any", None)
            served = Served(nothing, studio, intake, Devices(studio), public, None, *[nothing] * 4)
            with running(Service({"nightfall": served}, None, None)) as (host, port):
                yield LogServer(studio.log, host, port)


@contextmanager
def running(service: Service) -> Iterator[tuple[str, int]]:
    """Run the application over a service that is open already; yields where it listens."""
    application = create_app(settings=in_code(PublishSettings(enabled=False), UNLIMITED))
    application.add_middleware(Known)
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        server = uvicorn.Server(uvicorn.Config(application, log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            while not server.started:
                time.sleep(0.01)
            application.state.service = service
            host, port = listener.getsockname()[:2]
            yield host, port
        finally:
            server.should_exit = True
            thread.join()
