"""The description of the service: complete, and what holds for all routes is said of each."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from ledger.core.access import Action
from tests.architecture.project import ROOT

DOCUMENT = create_app().openapi()
OPERATIONS = [
    (f"{method.upper()} {path}", operation)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
]


@pytest.mark.parametrize(("name", "operation"), OPERATIONS, ids=[name for name, _ in OPERATIONS])
def test_an_operation_is_described(name: str, operation: dict[str, Any]) -> None:
    assert operation["summary"]
    assert len(operation["description"]) > 20
    assert operation["tags"]
    assert operation["responses"]["default"]["content"]["application/problem+json"]
    assert "422" not in operation["responses"]
    assert operation["security"]
    assert not ({} in operation["security"] and operation["x-rakkan-actions"])
    assert set(operation["x-rakkan-actions"]) <= set(Action)


def test_no_two_operations_have_one_name() -> None:
    names = [operation["operationId"] for _, operation in OPERATIONS]
    assert sorted(names) == sorted(set(names))


def test_the_description_in_the_repository_is_that_of_the_service() -> None:
    page = (ROOT / "docs/reference/openapi.json").read_text(encoding="utf-8")
    assert json.loads(page) == DOCUMENT, "run docs/reference/generate.py, then generate_types.py"


def test_anybody_gets_the_description_and_has_it_then() -> None:
    with TestClient(create_app()) as client:
        answer = client.get("/openapi.json")
        assert answer.json() == DOCUMENT
        assert answer.headers["Cache-Control"] == "public, max-age=300"
        again = client.get("/openapi.json", headers={"If-None-Match": answer.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b"")


def test_every_error_of_the_description_is_a_problem() -> None:
    for name, operation in OPERATIONS:
        for status, response in operation["responses"].items():
            if status >= "400":
                assert list(response["content"]) == ["application/problem+json"], (name, status)
