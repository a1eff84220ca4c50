"""The description of the service, OpenAPI 3.1: made from the routes, and completed with what holds for all.

* Each operation says who may call it: anybody, or who shows a credential and may do its actions
  (``x-rakkan-actions``, docs/reference/access.md). Its summary is the first line of the route's docstring.
* Its example was asked and answered once: `examples.json`, which `tests/support/examples.py` writes.
* Each may answer with an error, and every error is problem details. FastAPI's own 422 is never sent.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute, iter_route_contexts

from api.problems import MEDIA_TYPE
from api.security import PUBLIC_MARK
from api.shapes.base import Problem
from ledger import __version__
from ledger.core.access import MEANINGS, Action

ABOUT = """A provenance ledger for animation and VFX: what made each frame, from what, by whom, under which
licence. `docs/spec/http-*.md` says what a client may rely on."""

_SCHEMES = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "description": "An API token (`rakkan token create`), or an OpenID Connect access token.",
    },
    "device": {
        "type": "apiKey",
        "in": "header",
        "name": "Signature",
        "description": "With Signature-Input: RFC 9421, by an enrolled device's key.",
    },
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "__Host-rakkan",
        "description": "What signing in with a browser leaves.",
    },
}
_EXAMPLES = Path(__file__).with_name("examples.json")
_PROBLEM = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}


class Described(FastAPI):
    """A FastAPI application whose description is completed as above."""

    def openapi(self) -> dict[str, Any]:
        """Return the description; made once."""
        if self.openapi_schema is None:
            self.openapi_schema = _described(self)
        return self.openapi_schema


def actions_of(route: APIRoute) -> list[Action]:
    """Return the actions that a caller of this route must be allowed, all of them; none where anybody may."""
    calls = (getattr(each.call, "action", None) for each in _dependants(route.dependant))
    return sorted({action for action in calls if isinstance(action, Action)})


def _dependants(dependant: Dependant) -> Iterator[Dependant]:
    yield dependant
    for each in dependant.dependencies:
        yield from _dependants(each)


def _described(application: FastAPI) -> dict[str, Any]:
    document = get_openapi(title="Rakkan", version=__version__, description=ABOUT, routes=application.routes)
    components = document.setdefault("components", {})
    components["securitySchemes"] = _SCHEMES
    schemas = components.setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas["Problem"] = Problem.model_json_schema()
    examples = json.loads(_EXAMPLES.read_text(encoding="utf-8"))
    for context in iter_route_contexts(application.routes):
        route = context.original_route
        if isinstance(route, APIRoute) and route.include_in_schema:
            for method in route.methods or ():
                operation = document["paths"][context.path_format][method.lower()]
                _complete(operation, actions_of(route), public=hasattr(route.endpoint, PUBLIC_MARK))
                _exemplify(operation, examples.get(operation["operationId"], {}))
    return document


def _complete(operation: dict[str, Any], actions: list[Action], *, public: bool) -> None:
    responses = operation["responses"]
    responses.pop("422", None)
    for status, response in responses.items():
        if status >= "400":
            response["content"] = _PROBLEM
    responses["default"] = {"description": "An error, with a stable code.", "content": _PROBLEM}
    # Whoever shows a credential on a route for anybody is known by it there too.
    shown: list[dict[str, list[str]]] = [{name: []} for name in _SCHEMES]
    operation["security"] = [{}, *shown] if public else shown
    words = operation["description"]
    operation["summary"] = words.partition("\n")[0].rstrip(".")
    operation["x-rakkan-actions"] = [action.value for action in actions]
    for action in actions:
        words += f"\n\nNeeds `{action.value}`: {MEANINGS[action]}."
    operation["description"] = words


def _exemplify(operation: dict[str, Any], example: dict[str, Any]) -> None:
    """Show an operation's parameters, body and answer as they were once, of one production."""
    parameters = {"production": "nightfall", **example.get("parameters", {})}
    for parameter in operation.get("parameters", ()):
        if parameter["name"] in parameters:
            parameter["example"] = parameters[parameter["name"]]
    for media_type, body in example.get("body", {}).items():
        operation["requestBody"]["content"][media_type]["example"] = body
    if answer := example.get("answer"):
        operation["responses"][answer["status"]]["content"][answer["type"]]["example"] = answer["body"]
