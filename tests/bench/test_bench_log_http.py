"""The log over HTTP against a bare application that answers with the same bytes.

Server and load generator run on the same cores, in two processes; each server is one process.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ledger.service.log.publish import publish
from tests.bench.http_load import requests_per_second
from tests.bench.table import print_table
from tests.support.log import entries, publication
from tests.support.log_server import PREFIX, LogServer, log_server

pytestmark = pytest.mark.bench
SIZE = 70_000
ROUNDS = 3
LIMITS = {
    "checkpoint": 6.0,
    "tile/0/000": 6.0,
    "tile/0/273.p/5": 6.0,
    "tile/entries/000": 35.0,
    "entries/5/receipt": 40.0,
    "consistency?old=300&new=69000": 50.0,
}
"""How many times slower than the bare answer each may be."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LogServer]:
    made, folder = entries(SIZE), tmp_path_factory.mktemp("log")
    with log_server(folder) as opened:
        for first in range(0, SIZE, 1000):
            opened.log.append(made[first : first + 1000])
        publish(opened.log, publication(folder))
        yield opened


@contextmanager
def bare(body: bytes) -> Iterator[int]:
    """Answer everything with these bytes, as fast as this stack does; yields the port."""

    async def answer(_: Request) -> Response:
        return Response(body, media_type="application/octet-stream")

    application = Starlette(routes=[Route("/{path:path}", answer)])
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        running = uvicorn.Server(uvicorn.Config(application, log_level="warning", access_log=False))
        thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            while not running.started:
                time.sleep(0.01)
            yield listener.getsockname()[1]
        finally:
            running.should_exit = True
            thread.join()


def test_the_log_over_http_against_a_bare_answer(server: LogServer) -> None:
    rows: list[tuple[str, float, float, float | None]] = []
    for path, limit in LIMITS.items():
        with bare(server.ok(path)) as port:
            pairs = [
                (
                    1000 / requests_per_second(server.host, server.port, f"{PREFIX}/{path}"),
                    1000 / requests_per_second("127.0.0.1", port, "/"),
                )
                for _ in range(ROUNDS)
            ]
        ours, theirs = min(pairs, key=lambda pair: pair[0] / pair[1])
        rows.append((path, ours, theirs, limit))
    print_table("one request over HTTP, per answer at 16 connections", rows)
    slow = [what for what, ours, theirs, limit in rows if limit is not None and ours / theirs > limit]
    assert slow == []
