"""Running an application with uvicorn, in this process, on sockets that are open already."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from socket import socket
from typing import Any, cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from ledger.adapters.workers import Line

_GATHERED = 16_384
"""Bytes of an answer that wait for more of it."""


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
    gc.disable()  # what is imported stays
    application = getattr(import_module(module), function)()
    gc.enable()
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
        http=_Protocol,
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


class _Protocol(HttpToolsProtocol):
    """Sends the head of an answer and its body together, where both are there at once."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Begin, writing through ``_Gathering``."""
        super().connection_made(transport)
        self.transport = cast("asyncio.Transport", _Gathering(transport, self.loop))


class _Gathering:
    """A transport that writes once in each turn of the event loop: a system call costs more than waiting."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._gathered = bytearray()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send the bytes at the end of this turn, after those that were written before."""
        if not self._gathered:
            self._loop.call_soon(self._send)
        self._gathered += data
        # Only by writing is it known when the other side does not keep up.
        if len(self._gathered) > _GATHERED:
            self._send()

    def close(self) -> None:
        """Close when everything is sent."""
        self._send()
        self._transport.close()

    def _send(self) -> None:
        gathered, self._gathered = self._gathered, bytearray()
        if gathered and not self._transport.is_closing():
            self._transport.write(bytes(gathered))


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
