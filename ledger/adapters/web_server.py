"""Running an application with uvicorn, in this process, on sockets that are open already."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from socket import socket
from typing import Any

import uvicorn

from ledger.adapters.workers import Line


@dataclass(frozen=True, slots=True)
class Options:
    """What uvicorn is told. ``keep_alive`` and ``grace``, the time to end in, are in seconds."""

    connections: int = 64
    keep_alive: int = 5
    grace: int = 5
    certificate: Path | None = None
    key: Path | None = None
    trusted: Sequence[str] = ()
    root_path: str = ""


def run_application(
    name: str,
    sockets: Sequence[socket],
    options: Options,
    line: Line | None = None,
    operators: socket | None = None,
) -> None:
    """Run one application, named ``module:function``, until SIGTERM or until ``line`` says so.

    On the socket ``operators`` answers its ``state.operators``, in a thread and an event loop of its own: it
    also answers while the other one is busy.

    Requests that have begun are answered within the grace. However it was told to stop, the application ends
    its own work last: what waits is committed. Raises what the application raises when it starts.
    """
    module, _, function = name.partition(":")
    application = getattr(import_module(module), function)()
    server = _Server(_config(application, options), line)
    # Before the application starts: what it streams may want to hear of it as well, and asks for our handler.
    signal.signal(signal.SIGTERM, server.stop)
    if line is None:
        signal.signal(signal.SIGINT, server.stop)
    else:
        line.when_told(lambda: os.kill(os.getpid(), signal.SIGTERM), server.stop_at_once)

    def started() -> None:
        if operators is not None:
            beside = _Server(_config(application.state.operators, Options()), None)
            threading.Thread(target=beside.run, args=([operators],), name="operators", daemon=True).start()

    with asyncio.Runner(loop_factory=server.config.get_loop_factory()) as runner:
        runner.run(_served(application, server, sockets, started))


def _config(application: Any, options: Options) -> uvicorn.Config:
    return uvicorn.Config(
        application,
        # Ours: it ends with a commit, which uvicorn leaves out when it is hurried.
        lifespan="off",
        loop="uvloop",
        http="httptools",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(options.trusted),
        forwarded_allow_ips=list(options.trusted),
        root_path=options.root_path,
        limit_concurrency=options.connections,
        timeout_keep_alive=options.keep_alive,
        timeout_graceful_shutdown=options.grace,
        timeout_notify=1,
        ssl_certfile=options.certificate,
        ssl_keyfile=options.key,
    )


async def _served(
    application: Any, server: _Server, sockets: Sequence[socket], started: Callable[[], None]
) -> None:
    async with application.router.lifespan_context(application):
        started()
        if not server.should_exit:
            await server.serve(list(sockets))


class _Server(uvicorn.Server):
    """Says that it is alive, and tells streams when it stops."""

    def __init__(self, config: uvicorn.Config, line: Line | None) -> None:
        super().__init__(config)
        if line is not None:

            async def alive() -> None:
                line.alive()

            config.callback_notify = alive

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals as they are: they were ours before the application started."""
        yield

    def stop(self, *_: object) -> None:
        """Take nothing new, and end when every request is answered."""
        self.should_exit = True

    def stop_at_once(self) -> None:
        """Do not wait for requests any longer."""
        self.force_exit = True
