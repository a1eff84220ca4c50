"""How the service runs: its settings by section, and where they are read from."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from ledger.adapters.service_settings import ServiceSettings, read_service
from ledger.adapters.setting_values import NEW_PLACE
from ledger.service.access.settings import AccessSettings, Limits, SignIn
from ledger.service.capture.upload import IntakeSettings, Pace
from ledger.service.events.hub import EventSettings
from ledger.service.events.target import WebhookSettings
from ledger.service.log.publishing import PublishSettings
from ledger.service.reading.own_works import OwnWorksSettings
from ledger.service.report.jobs import ReportSettings
from ledger.wiring.apart import VerifySettings


@dataclass(frozen=True, slots=True)
class Listen:
    """``[listen]``: where requests come in."""

    address: Annotated[str, "HOST:PORT; port 0 takes any that is free"] = "127.0.0.1:8321"
    unix: Annotated[Path | None, "a UNIX socket to listen on as well, for a proxy here", NEW_PLACE] = None
    backlog: Annotated[int, "connections that may wait to be taken"] = 1024

    def __post_init__(self) -> None:
        check_address(self.address)


@dataclass(frozen=True, slots=True)
class Productions:
    """``[productions]``: what is served beside the production of ``RAKKAN_HOME``."""

    homes: Annotated[tuple[Path, ...], "further studio folders, one production each"] = ()


@dataclass(frozen=True, slots=True)
class Tls:
    """``[tls]``: without it the service speaks plain HTTP. Both files are read anew at SIGHUP."""

    certificate: Annotated[Path | None, "PEM: the server's certificate, then those between it and a root"] = (
        None
    )
    key: Annotated[Path | None, "PEM: the certificate's private key, its owner's only"] = None

    def __post_init__(self) -> None:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("needs certificate and key, or neither")


@dataclass(frozen=True, slots=True)
class Proxy:
    """``[proxy]``: what stands before the service, and may say who asks."""

    trusted: Annotated[
        tuple[str, ...], "addresses or networks whose X-Forwarded-For and -Proto are believed"
    ] = ()
    root_path: Annotated[str, "the path under which the proxy shows the service, such as /rakkan"] = ""

    def __post_init__(self) -> None:
        if self.root_path and (not self.root_path.startswith("/") or self.root_path.endswith("/")):
            raise ValueError("has a root_path that does not begin, or that ends, with a slash")


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """``[workers]``: the processes that answer."""

    count: Annotated[int, "how many; on SQLite they take turns to write"] = 1
    connections: Annotated[int, "open connections for each; beyond it the answer is 503"] = 2048
    keep_alive: Annotated[timedelta, "an idle connection is closed after this"] = timedelta(seconds=15)
    grace: Annotated[timedelta, "how long requests may take to end when the service stops"] = timedelta(
        seconds=10
    )

    def __post_init__(self) -> None:
        if not 1 <= self.count <= 64 or self.connections < 1:
            raise ValueError("has a count that is not 1 to 64, or no connections")


@dataclass(frozen=True, slots=True)
class Logs:
    """``[logs]``: one line for each request and each event, on standard error."""

    form: Annotated[Literal["auto", "json", "plain"], "auto: plain on a terminal, else json"] = "auto"
    requests: Annotated[bool, "a line for each request; without it only what went wrong"] = True


@dataclass(frozen=True, slots=True)
class Metrics:
    """``[metrics]``: numbers for Prometheus."""

    listen: Annotated[
        str | None, "HOST:PORT of a second listener, plain HTTP, where /metrics and /ready need no account"
    ] = None

    def __post_init__(self) -> None:
        if self.listen is not None:
            check_address(self.listen)


@dataclass(frozen=True, slots=True)
class Traces:
    """``[traces]``: spans for OpenTelemetry, where its SDK is installed and configured in the environment."""

    enabled: Annotated[bool, "spans with method, route and status; never bodies or messages"] = False


@dataclass(frozen=True, slots=True)
class PageSettings:
    """``[pages]``: what people look at."""

    guests: Annotated[
        Path | None, "for demonstrations only: tokens by role, which the sign-in page offers on this machine"
    ] = None
    decisions: Annotated[
        bool,
        "sign what people decide in pages, with the registrar's key, which must be usable here",
    ] = False
    pictures: Annotated[
        tuple[Path, ...], "folders with the recorded files, whose pictures are shown to who may read work"
    ] = ()


SECTIONS: Mapping[str, type] = {
    "listen": Listen,
    "productions": Productions,
    "tls": Tls,
    "proxy": Proxy,
    "workers": WorkerSettings,
    "logs": Logs,
    "metrics": Metrics,
    "traces": Traces,
    "access": AccessSettings,
    "limits": Limits,
    "sign_in": SignIn,
    "intake": IntakeSettings,
    "pace": Pace,
    "publish": PublishSettings,
    "events": EventSettings,
    "webhooks": WebhookSettings,
    "verify": VerifySettings,
    "own_works": OwnWorksSettings,
    "reports": ReportSettings,
    "pages": PageSettings,
}


def service_settings(folder: Path, flags: Mapping[str, tuple[str, Any]] | None = None) -> ServiceSettings:
    """Return the settings of the service on this studio's folder. Raises as ``read_service``."""
    return read_service(folder, SECTIONS, os.environ, flags)


def check_address(text: str) -> tuple[str, int]:
    """Return the host and the port of ``HOST:PORT``. Raises ``ValueError``."""
    host, _, port = text.rpartition(":")
    if not host or not (port.isascii() and port.isdigit()) or int(port) > 65535:
        raise ValueError(f"has the address {text[:80]!r}: give HOST:PORT")
    return host.removeprefix("[").removesuffix("]"), int(port)
