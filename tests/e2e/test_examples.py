"""The examples of the description are true: the same calls to a real server are answered alike."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from jsonschema_rs import Draft202012Validator

from api.app import create_app
from tests.support.examples import FILE, Call, calls, example, told

DOCUMENT = create_app().openapi()
EXAMPLES = json.loads(FILE.read_text(encoding="utf-8"))
OPERATIONS = {
    operation["operationId"]: operation
    for methods in DOCUMENT["paths"].values()
    for operation in methods.values()
}
WITHOUT = {
    "follow_events": "it never ends; its example stands with the route",
    "sign_in": "it needs an identity provider, and has no body",
    "signed_in": "the same",
    "sign_out": "it needs a session, and has no body",
    "share_manifest": "its body is a manifest, and its answer is empty",
    "verify_page": "its answer is another address",
}


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, tuple[Call, httpx2.Response]]]:
    with told(tmp_path_factory.mktemp("examples")) as story:
        yield {call.operation: (call, story.send(call)) for call in calls(story)}


def valid(schema: Any, value: Any) -> list[str]:
    judge = Draft202012Validator({**schema, "components": DOCUMENT["components"]})
    return [
        f"{'.'.join(map(str, error.instance_path))}: {error.message}" for error in judge.iter_errors(value)
    ]


def members(value: Any) -> Any:
    """The members of an object, of the objects in it, and of the first item of each list."""
    if isinstance(value, dict):
        return {name: members(item) for name, item in value.items()}
    if isinstance(value, list):
        return [members(item) for item in value[:1]]
    return None


def test_every_operation_has_an_example() -> None:
    assert set(EXAMPLES) | set(WITHOUT) == set(OPERATIONS)
    assert not set(EXAMPLES) & set(WITHOUT)


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_as_its_schema_says(name: str) -> None:
    operation, found = OPERATIONS[name], EXAMPLES[name]
    for parameter in operation.get("parameters", ()):
        if "example" in parameter:
            assert valid(parameter["schema"], parameter["example"]) == [], parameter["name"]
    for media_type, body in found.get("body", {}).items():
        described = operation["requestBody"]["content"][media_type]
        assert (described["example"], valid(described["schema"], body)) == (body, [])
    if answer := found.get("answer"):
        described = operation["responses"][answer["status"]]["content"][answer["type"]]
        assert (described["example"], valid(described["schema"], answer["body"])) == (answer["body"], [])


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_same_call_is_answered_alike(name: str, asked: dict[str, tuple[Call, httpx2.Response]]) -> None:
    call, answer = asked[name]
    assert answer.is_success, answer.text
    assert members(example(call, answer)) == members(EXAMPLES[name])
