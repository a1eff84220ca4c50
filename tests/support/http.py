"""A studio's application in this process, and requests that its devices sign."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient
from httpx2 import URL

from api.app import create_app
from api.security import need, viewer_of
from ledger.adapters.service_settings import in_code
from ledger.core.access import Action, Viewer
from ledger.core.rate import Budget
from ledger.core.request_signature import Target, content_digest, sign
from ledger.ports import Signer
from ledger.service.access.settings import Limits
from ledger.service.log.publishing import PublishSettings
from ledger.wiring import home_at

WORK = "/v1/productions/nightfall/probe"
_MUCH = Budget(1e6, 1_000_000)
UNLIMITED = Limits(_MUCH, _MUCH, _MUCH, _MUCH, _MUCH)


def device_key(home: Path, device: str) -> Signer:
    """Return the statement key of a device of this home."""
    return home_at(home).statement_signer(device)


def signed(
    signer: Signer, method: str, url: str, body: bytes | None = None, *, age: int = 0, nonce: str = ""
) -> dict[str, str]:
    """Return the fields of a request that the key signed so many seconds ago."""
    place = URL(url) if "://" in url else URL(f"http://testserver{url}")
    path, _, query = place.raw_path.decode().partition("?")
    digest = None if body is None else content_digest(body)
    target = Target(method, place.netloc.decode(), path, query, digest)
    return sign(signer, target, int(time.time()) - age, nonce or secrets.token_urlsafe(16))


@contextmanager
def answering(home: Path, *others: Path, settings: tuple[object, ...] = ()) -> Iterator[TestClient]:
    """Serve these homes, with routes that say whom they see: ``WORK`` needs a role, ``/probe`` nobody."""
    application = create_app(home, *others, settings=in_code(PublishSettings(enabled=False), *settings))
    _probes(application)
    with TestClient(application) as client:
        yield client


def _probes(application: FastAPI) -> None:
    def seen(viewer: Annotated[Viewer, Depends(viewer_of)]) -> dict[str, object]:
        roles = {name: sorted(held) for name, held in viewer.roles.items()}
        return {"name": viewer.name, "roles": roles, "party": viewer.party}

    def echo(body: dict[str, int]) -> dict[str, int]:
        return body

    application.get("/probe")(seen)
    application.post("/probe")(echo)
    application.get("/v1/productions/{production}/probe", dependencies=[need(Action.READ_WORK)])(seen)
