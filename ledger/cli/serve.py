"""`rakkan serve`: the studio's service; and how any of our services runs."""

from __future__ import annotations

import os
import signal
import socket
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click

from ledger.cli.common import examples, home
from ledger.errors import RakkanError, UsageError

if TYPE_CHECKING:
    from ledger.adapters.home import Home
    from ledger.adapters.service_settings import ServiceSettings
    from ledger.adapters.workers import Line


def listen_option(default: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return the option that says where a service listens."""
    return click.option("--listen", default=default, show_default=True, help="HOST:PORT; port 0 takes any.")


@click.command(epilog=examples("rakkan serve", "rakkan serve --port 8443 --workers 2", "rakkan serve --demo"))
@click.option("--listen", help="HOST:PORT; port 0 takes any. Default: listen.address of the settings.")
@click.option("--port", type=click.IntRange(0, 65535), help="The port alone.")
@click.option("--workers", type=click.IntRange(1, 64), help="How many processes answer.")
@click.option(
    "--demo",
    type=click.Path(path_type=Path, file_okay=False),
    is_flag=False,
    flag_value="rakkan-demo",
    metavar="[FOLDER]",
    help="Serve what rakkan demo made, and let anybody on this machine look around. Default: rakkan-demo.",
)
def serve(listen: str | None, port: int | None, workers: int | None, demo: Path | None) -> None:
    """Serve the studio of RAKKAN_HOME over HTTP until told to stop.

    A device needs no account: it signs what it sends. Settings come from service.toml in RAKKAN_HOME, from
    RAKKAN_SERVE_… in the environment, and from these flags; rakkan config show prints them. Without TLS it
    speaks plain HTTP: put a TLS proxy before it where the network is not your own.

    SIGTERM stops it: requests that it has are answered, what waits is committed. A second one hurries. SIGHUP
    replaces the workers one by one, with the settings and the certificate as they are then.
    """
    from ledger.wiring.serving import Listen, check_address, service_settings

    place = home() if demo is None else _demo(demo.absolute())
    origin = place.settings().origin
    os.environ["RAKKAN_HOME"] = str(place.folder)
    flags: dict[str, tuple[str, Any]] = {}
    if workers is not None:
        flags["workers.count"] = ("--workers", workers)
    if listen is not None:
        flags["listen.address"] = ("--listen", listen)
    if port is not None:
        host, _ = check_address(service_settings(place.folder, flags).of(Listen).address)
        flags["listen.address"] = ("--port", f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
    _serve(service_settings(place.folder, flags), place.folder, f"The log {origin}")


def _demo(root: Path) -> Home:
    from ledger.demo.serving import prepare

    return prepare(root)


def _serve(settings: ServiceSettings, folder: Path, title: str) -> None:
    from ledger.adapters.logs import configure
    from ledger.adapters.workers import Watcher
    from ledger.wiring.serving import Listen, Logs, Metrics, Tls, WorkerSettings

    configure(settings.of(Logs).form)
    given, workers, metrics = settings.of(Listen), settings.of(WorkerSettings), settings.of(Metrics).listen
    sockets = [listener(given.address, given.backlog)]
    if given.unix is not None:
        sockets.append(_unix_listener(given.unix, given.backlog))
    if metrics is not None:
        sockets.append(listener(metrics, 16))
    _announce(title, "https" if settings.of(Tls).certificate else "http", sockets[0])
    try:
        with _shared_numbers() as forget:
            watcher = Watcher(work, (folder, metrics is not None), sockets, forget)
            watcher.run(workers.count, workers.grace.total_seconds())
    finally:
        if given.unix is not None:
            given.unix.unlink(missing_ok=True)


@contextmanager
def _shared_numbers() -> Iterator[Callable[[int], None]]:
    """Keep a folder where the workers share counters; yield what forgets the gauges of one that ended."""
    with TemporaryDirectory(prefix="rakkan-metrics-") as folder:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder

        def forget(pid: int) -> None:
            for path in Path(folder).glob(f"gauge_live*_{pid}.db"):
                path.unlink(missing_ok=True)

        yield forget


def work(line: Line, folder: Path, operators: bool) -> None:  # noqa: FBT001 - named by its place alone
    """Be one worker of the service, with the settings as they are now.

    With ``operators`` the last of the sockets is the operator's listener.
    """
    from ledger.adapters.logs import configure
    from ledger.adapters.web_server import Options, run_application
    from ledger.wiring.serving import Logs, Proxy, Tls, WorkerSettings, service_settings

    try:
        settings = service_settings(folder)
        configure(settings.of(Logs).form)
        workers, tls, proxy = settings.of(WorkerSettings), settings.of(Tls), settings.of(Proxy)
        options = Options(
            connections=workers.connections,
            keep_alive=round(workers.keep_alive.total_seconds()),
            grace=round(workers.grace.total_seconds()),
            certificate=tls.certificate,
            key=tls.key,
            trusted=proxy.trusted,
            root_path=proxy.root_path,
        )
        sockets = list(line.sockets)
        beside = sockets.pop() if operators else None
        run_application("api.app:app", sockets, options, line, beside)
    except RakkanError as error:
        line.failed(error)


def serve_app(name: str, listen: str, title: str) -> None:
    """Run an application by its name, an import path, in this process until it is told to stop."""
    from ledger.adapters.web_server import Options, run_application

    sockets = [listener(listen, 64)]
    _announce(title, "http", sockets[0])
    run_application(name, sockets, Options())


def listener(listen: str, backlog: int) -> socket.socket:
    """Return a socket that listens on ``HOST:PORT``. Raises ``UsageError("server.address")``."""
    from ledger.wiring.serving import check_address

    try:
        host, port = check_address(listen)
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=backlog)
    except ValueError as error:
        raise UsageError("server.address", f"This {error}.") from error
    except OSError as error:
        words = f"{listen} cannot be listened on: {error.strerror}."
        raise UsageError("server.address", words, address=listen) from error


def _unix_listener(path: Path, backlog: int) -> socket.socket:
    """Return a UNIX socket for the owner and the group; what a dead server left there is replaced."""
    found = socket.socket(socket.AF_UNIX)
    try:
        if path.exists() and stat.S_ISSOCK(path.stat().st_mode) and found.connect_ex(str(path)):
            path.unlink()
        before = os.umask(0o117)
        try:
            found.bind(str(path))
        finally:
            os.umask(before)
        found.listen(backlog)
    except OSError as error:
        found.close()
        words = f"{path} cannot be listened on: {error.strerror or error}."
        raise UsageError("server.address", words, address=path) from error
    return found


def _announce(title: str, scheme: str, listening: socket.socket) -> None:
    # Whoever reads these lines may stop us at once, before there is anything to end in order.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    host, port = listening.getsockname()[:2]
    click.echo(title)
    click.echo(f"listens on {scheme}://{f'[{host}]' if ':' in host else host}:{port}")
