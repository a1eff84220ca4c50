"""`rakkan serve`: the studio's log for its devices; and how any of our services runs."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable
from typing import Any

import click

from ledger.cli.common import examples, home

BACKLOG = 64


def listen_option(default: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return the option that says where a service listens."""
    return click.option("--listen", default=default, show_default=True, help="HOST:PORT; port 0 takes any.")


@click.command(epilog=examples("rakkan serve", "rakkan serve --listen 0.0.0.0:8321"))
@listen_option("127.0.0.1:8321")
def serve(listen: str) -> None:
    """Take entries from the studio's devices until told to stop.

    A device needs no account: it signs what it sends. It serves plain HTTP: put a TLS proxy before it where
    the network is not your own.
    """
    place = home()
    settings = place.settings()
    os.environ["RAKKAN_HOME"] = str(place.folder)
    serve_app("api.app:app", listen, f"The log {settings.origin}")


def serve_app(name: str, listen: str, title: str) -> None:
    """Run an application by its name, an import path, until the process is told to stop."""
    import uvicorn

    listener = _listener(listen)
    settings = uvicorn.Config(
        name,
        factory=True,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,  # whom to believe about addresses is ours to set: ``api.limits``
        limit_concurrency=BACKLOG,
        timeout_graceful_shutdown=5,
    )
    settings.load()
    host, port = listener.getsockname()[:2]
    server = uvicorn.Server(settings)

    def stop(*_: object) -> None:
        server.should_exit = True

    # Before uvicorn has its own handler, and after it: it raises the signal once more after a clean stop.
    signal.signal(signal.SIGTERM, stop)
    click.echo(title)
    click.echo(f"listens on http://{f'[{host}]' if ':' in host else host}:{port}")
    server.run(sockets=[listener])


def _listener(listen: str) -> socket.socket:
    host, _, port = listen.rpartition(":")
    if not host or not (port.isascii() and port.isdigit()) or int(port) > 65535:
        raise click.BadParameter("give HOST:PORT", param_hint="--listen")
    bare = host.removeprefix("[").removesuffix("]")
    try:
        family = socket.AF_INET6 if ":" in bare else socket.AF_INET
        return socket.create_server((bare, int(port)), family=family, backlog=BACKLOG)
    except OSError as error:
        raise click.BadParameter(f"{listen}: {error.strerror}", param_hint="--listen") from error
