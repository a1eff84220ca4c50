"""The service with a viewer of the test's choice: who somebody is, is shown elsewhere."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.testclient import TestClient

from api.app import create_app
from ledger.core.access import ANYBODY, EVERY, Role, Viewer

BASE = "/v1/productions/nightfall"


class Reader:
    """A client whose requests come from whoever is set as ``viewer``."""

    def __init__(self, client: TestClient, application: FastAPI) -> None:
        self.client = client
        self.application = application
        self.viewer = viewer(Role.AUDITOR)

    def get(self, path: str, code: int = 200, **query: Any) -> Any:
        """Return the document at this address below the production; the answer must have this status."""
        answer = self.client.get(f"{BASE}{path}", params=query)
        assert answer.status_code == code, (path, answer.status_code, answer.text[:2000])
        return answer.json()

    def post(self, path: str, body: Any, code: int = 200, **query: Any) -> Any:
        """Return what a question is answered with."""
        answer = self.client.post(f"{BASE}{path}", json=body, params=query)
        assert answer.status_code == code, (path, answer.status_code, answer.text[:2000])
        return answer.json()

    def pages(self, path: str, name: str, **query: Any) -> Iterator[Any]:
        """Yield the items of all pages."""
        asked = dict(query)
        while True:
            found = self.get(path, **asked)
            yield from found[name]
            if found["next"] is None:
                return
            asked["after"] = found["next"]


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file in hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def viewer(*roles: Role, party: str | None = None, production: str = EVERY) -> Viewer:
    """Return somebody with these roles; nobody known without any."""
    if not roles:
        return ANYBODY
    return Viewer("person:4d20", {production: frozenset(roles)}, party)


@contextmanager
def reading(home: Path) -> Iterator[Reader]:
    """Serve a home in this process."""
    application = create_app(home)
    found: list[Reader] = []

    async def as_viewer(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            scope.setdefault("state", {})["viewer"] = found[0].viewer
        await application(scope, receive, send)

    with TestClient(as_viewer, raise_server_exceptions=False) as client:
        found.append(Reader(client, application))
        yield found[0]
