"""Running an application with uvicorn, in this process, on sockets that are open already."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from socket import socket
from types import FrameType
from typing import Any

import uvicorn

from ledger.adapters.workers import Line, stopping


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


def run_application(name: str, sockets: Sequence[socket], options: Options, line: Line | None = None) -> None:
    """Run one application, named ``module:function``, until SIGTERM or until ``line`` says so.

    Requests that have begun are answered within the grace. However it was told to stop, the application ends
    its own work last: what waits is committed. Raises what the application raises when it starts.
    """
    module, _, function = name.partition(":")
    application = getattr(import_module(module), function)()
    server = _Server(_config(application, options), line)
    # Before uvicorn has its own handler, and after it: it raises the signal once more after a clean stop.
    signal.signal(signal.SIGTERM, lambda *_: server.stop())
    if line is not None:
        line.when_told(server.stop, server.stop_at_once)
    with asyncio.Runner(loop_factory=server.config.get_loop_factory()) as runner:
        runner.run(_served(application, server, sockets))


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


async def _served(application: Any, server: _Server, sockets: Sequence[socket]) -> None:
    async with application.router.lifespan_context(application):
        if not stopping.is_set():
            await server.serve(list(sockets))


class _Server(uvicorn.Server):
    """Says that it is alive, and tells streams when it stops."""

    def __init__(self, config: uvicorn.Config, line: Line | None) -> None:
        super().__init__(config)
        if line is not None:

            async def alive() -> None:
                line.alive()

            config.callback_notify = alive

    def stop(self) -> None:
        """Take nothing new, and end when every request is answered."""
        self.should_exit = True
        stopping.set()

    def stop_at_once(self) -> None:
        """Do not wait for requests any longer."""
        self.force_exit = True

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop as the signal says."""
        super().handle_exit(sig, frame)
        stopping.set()
