"""Whatever the description allows, and what it does not, is answered as described: no 5xx, no other shape.

Schemathesis makes the requests from our own OpenAPI document and judges the answers by it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import CHECKS, load_all_checks

from api.app import create_app
from ledger.core.access import Role
from tests.e2e.conftest import Studio, copied
from tests.support.service import running

UNPARSED = b"Invalid HTTP request received."
"""What the server says of bytes that are no HTTP, before any of our code sees them."""


@schemathesis.serializer("application/x-ndjson", "application/octet-stream", "application/c2pa")
def lines(_: object, value: object) -> bytes:
    """Send a text as it is, and anything else as a line of JSON."""
    return value.encode("utf-8", "surrogatepass") if isinstance(value, str) else json.dumps(value).encode()


load_all_checks()
JUDGED: list[Any] = CHECKS.get_by_names(
    [
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_schema_conformance",
        "response_headers_conformance",
    ]
)
ENDLESS = r"/events$"
schema = schemathesis.openapi.from_dict(create_app().openapi()).exclude(path_regex=ENDLESS)


@pytest.fixture(scope="module")
def server(shot_once: Studio, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """A server over a production with content, and a token that may do everything."""
    studio = copied(shot_once, tmp_path_factory.mktemp("described"))
    roles = [option for role in Role if role is not Role.DEVICE for option in ("--role", role)]
    token = studio.ok("token", "create", "schemathesis", *roles, "--party", "mori", "--json").json["token"]
    with running(studio) as process:
        yield process.url, token


@schema.parametrize()
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_call_is_answered_as_described(case: schemathesis.Case[Any], server: tuple[str, str]) -> None:
    url, token = server
    answer = case.call(base_url=url, headers={"Authorization": f"Bearer {token}"})
    if answer.content != UNPARSED:
        case.validate_response(answer, checks=JUDGED)
