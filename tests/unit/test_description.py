"""The description of the service: complete, and what holds for all routes is said of each."""

from __future__ import annotations

from typing import Any

import pytest

from api.app import create_app
from ledger.core.access import Action

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
    assert ({} in operation["security"]) == (not operation["x-rakkan-actions"])
    assert set(operation["x-rakkan-actions"]) <= set(Action)


def test_no_two_operations_have_one_name() -> None:
    names = [operation["operationId"] for _, operation in OPERATIONS]
    assert sorted(names) == sorted(set(names))
