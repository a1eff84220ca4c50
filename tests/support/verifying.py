"""The verification endpoint as a client meets it, in this process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient
from starlette.types import ASGIApp, Receive, Scope, Send

from api.app import create_app
from ledger.adapters.service_settings import in_code
from ledger.core.access import Viewer
from ledger.core.rate import Budget
from ledger.service.access.settings import Limits
from ledger.service.capture.upload import Pace
from ledger.service.log.publishing import PublishSettings
from ledger.wiring.apart import VerifySettings

PROBLEM = "application/problem+json"
_OFTEN = Budget(10_000, 100_000)
OFTEN = "[limits]\nverify_anybody = { rate = 10_000, burst = 100_000 }\n"
"""In ``service.toml``: a test asks more often than anybody may."""


class Known:
    """Says who asks, in front of everything that would find out."""

    def __init__(self, app: ASGIApp, viewer: Viewer) -> None:
        self._app = app
        self._viewer = viewer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("state", {})["viewer"] = self._viewer
        await self._app(scope, receive, send)


@contextmanager
def verifying(
    uploads: Path, *homes: Path, viewer: Viewer | None = None, pace: Pace | None = None, **settings: Any
) -> Iterator[TestClient]:
    """Serve these homes; uploads lie in a folder of their own."""
    limits = Limits(verify_anybody=_OFTEN, verify_known=_OFTEN)
    own = VerifySettings(folder=uploads, **settings)
    app = create_app(*homes, settings=in_code(own, pace or Pace(), limits, PublishSettings(enabled=False)))
    if viewer is not None:
        app.add_middleware(Known, viewer=viewer)
    with TestClient(app) as client:
        yield client


def send(
    client: TestClient, path: Path | bytes, sidecar: Path | bytes | None = None, name: str = "a.png"
) -> Any:
    """Verify a file; the answer must be one."""
    parts = {"file": (name if isinstance(path, bytes) else path.name, _bytes(path))}
    if sidecar is not None:
        parts["sidecar"] = ("sidecar.c2pa", _bytes(sidecar))
    answer = client.post("/v1/verify", files=parts)
    assert answer.status_code == 200, answer.text
    return answer.json()


def statuses(report: Any) -> dict[str, str]:
    """The status of each check, by name."""
    return {check["check"]: check["status"] for check in report["checks"]}


def codes(report: Any) -> set[str]:
    """Every code of a check that did not pass."""
    return {code for check in report["checks"] if check["status"] != "passed" for code in check["codes"]}


def _bytes(data: Path | bytes) -> bytes:
    return data if isinstance(data, bytes) else data.read_bytes()
