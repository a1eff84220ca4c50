"""Every route with every role and every kind of credential, cell by cell.

The endpoints themselves are not run: what is asked is whether a request gets as far as that. Everything
before it is the application's own: identity, limits, routing, dependencies, the checking of bodies.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fastapi.routing
import pytest
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts
from fastapi.testclient import TestClient
from starlette.responses import Response

from api.app import create_app
from api.identity import SIGN_IN
from api.routes import productions
from api.security import PUBLIC_MARK, Needed, NeededEverywhere
from ledger.adapters.service_settings import in_code
from ledger.core.access import ANYBODY, Role, Viewer
from ledger.core.secret_text import Kind
from ledger.service.access.credentials import OWNER, Wanted
from ledger.service.log.publishing import PublishSettings
from ledger.service.reading.productions import may_see
from ledger.wiring import home_at
from ledger.wiring.access import open_credentials
from tests.e2e.conftest import Studio
from tests.support.http import UNLIMITED, device_key, signed

REACHED = 299


Rule = Callable[[Viewer, str], bool]
OTHER_RULES: Mapping[object, Rule] = {
    productions.of_the_production: may_see,
    productions.somebody: lambda viewer, _: viewer is not ANYBODY,
}
"""Dependencies that let through by no single action. The first that a route has is its rule."""


@dataclass(frozen=True)
class Cell:
    """One way to ask one route, and who may, on which production."""

    method: str
    path: str
    rule: Rule

    @property
    def open(self) -> bool:
        """Whether anybody may."""
        return self.rule(ANYBODY, "nightfall")


@dataclass(frozen=True)
class Asked:
    """The application, and credentials of every kind for every role on the production ``nightfall``."""

    client: TestClient
    texts: Mapping[tuple[Kind, Role, str], str]
    home: Path


def calls(dependant: Dependant) -> Iterator[object]:
    for inner in dependant.dependencies:
        yield inner.call
        yield from calls(inner)


def anybody(*_: object) -> bool:
    return True


def rule_of(path: str, endpoint: object, dependant: Dependant) -> Rule:
    found = list(calls(dependant))
    actions = {call.action for call in found if isinstance(call, Needed | NeededEverywhere)}
    others = [rule for call, rule in OTHER_RULES.items() if call in found]
    mark = getattr(endpoint, PUBLIC_MARK, None)
    assert bool(actions) + bool(mark) + bool(others) == 1, f"{path} needs an action, or a public mark"
    if actions:
        return lambda viewer, production: all(viewer.may(action, production) for action in actions)
    return others[0] if others else anybody


def cells(application: FastAPI) -> list[Cell]:
    """Return every route with its rule."""
    found = []
    for route in iter_route_contexts(application.routes):
        path = route.path or ""
        assert isinstance(route.original_route, APIRoute), f"{path} is no route of ours"
        rule = rule_of(path, route.endpoint, route.dependant)
        asked = re.sub(r"\{[^}]*\}", "0", path.replace("{production}", "nightfall"))
        found += [Cell(method, asked, rule) for method in sorted(route.methods or ())]
    return found


@pytest.fixture(scope="module")
def asked(founded: Studio, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    from tests.e2e.conftest import copied

    home = copied(founded, tmp_path_factory.mktemp("matrix")).home
    texts = {}
    with open_credentials(home_at(home)) as credentials:
        for kind in (Kind.TOKEN, Kind.SESSION):
            for role in set(Role) - {Role.DEVICE}:
                party = "mori" if role is Role.RIGHTS_HOLDER else None
                for production in ("nightfall", "daybreak", "*"):
                    wanted = Wanted(kind, "x", {production: frozenset({role})}, party=party)
                    texts[kind, role, production], _ = credentials.make(wanted, OWNER)
    application = create_app(home, settings=in_code(PublishSettings(enabled=False), UNLIMITED))

    async def reached(**_: Any) -> Response:
        return Response(status_code=REACHED)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fastapi.routing, "run_endpoint_function", reached)
        with TestClient(application) as client:
            yield Asked(client, texts, home)


CELLS = cells(create_app())


def status(asked: Asked, cell: Cell, fields: Mapping[str, str]) -> int:
    got = asked.client.request(cell.method, cell.path, headers=fields, follow_redirects=False)
    return got.status_code


def fields_of(kind: Kind, text: str) -> dict[str, str]:
    if kind is Kind.TOKEN:
        return {"Authorization": f"Bearer {text}"}
    return {"Cookie": f"rakkan={text}", "Sec-Fetch-Site": "same-origin"}


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: f"{cell.method} {cell.path}")
def test_each_cell_of_the_table_is_what_the_route_does(asked: Asked, cell: Cell) -> None:
    assert (status(asked, cell, {}) == 401) is not cell.open
    for (kind, role, production), text in asked.texts.items():
        viewer = Viewer("somebody", {production: frozenset({role})})
        got = status(asked, cell, fields_of(kind, text))
        assert (got == 403) is not cell.rule(viewer, "nightfall"), (kind, role, production, got)
        assert got != 401, (kind, role, production)


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: f"{cell.method} {cell.path}")
def test_a_device_does_what_its_column_says(asked: Asked, cell: Cell) -> None:
    viewer = Viewer("device", {"nightfall": frozenset({Role.DEVICE})})
    got = status(asked, cell, signed(device_key(asked.home, "workstation"), cell.method, cell.path))
    assert got not in {401, 429}
    assert (got == 403) is not cell.rule(viewer, "nightfall")


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: f"{cell.method} {cell.path}")
def test_no_route_takes_a_bad_credential_for_nobody(asked: Asked, cell: Cell) -> None:
    good = asked.texts[Kind.TOKEN, Role.LEGAL, "*"]
    bad = [
        {"Authorization": f"Bearer {good[:-1]}"},
        {"Authorization": "Basic YTpi"},
        {"Signature": "rakkan=:AA==:"},
    ]
    if cell.path not in SIGN_IN:
        bad.append({"Cookie": "rakkan=nothing"})
    for fields in bad:
        assert status(asked, cell, fields) == 401, fields


def test_the_patch_shows_what_is_reached(asked: Asked) -> None:
    assert status(asked, Cell("GET", "/health", may_see), {}) == REACHED
