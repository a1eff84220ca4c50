"""Strangers at a real server's door: fields twice, paths that are two, a token where it does not belong."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.e2e.conftest import Studio, copied
from tests.e2e.test_cli_serve import serving
from tests.e2e.test_tokens import created


@pytest.fixture(scope="module")
def door(founded: Studio, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int, str, str]]:
    """Where a server listens, a token for its production, and one for another."""
    studio = copied(founded, tmp_path_factory.mktemp("door"))
    token = created(studio, "--role", "legal")["token"]
    other = created(studio, "--role", "legal", "--production", "daybreak")["token"]
    with serving(studio) as url:
        place = urlsplit(url)
        yield str(place.hostname), int(place.port or 0), token, other


def ask(door: tuple[str, int, str, str], target: str, *fields: str) -> tuple[int, Any]:
    """Send the bytes as they are, and return the status and the document."""
    lines = [f"GET {target} HTTP/1.1", "Host: x", "Connection: close", *fields, "", ""]
    with socket.create_connection(door[:2], 20) as connection:
        connection.sendall("\r\n".join(lines).encode())
        data = b""
        while part := connection.recv(65536):
            data += part
    head, _, body = data.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body) if body.startswith(b"{") else body


ASSETS = "/v1/productions/nightfall/assets"


def test_the_token_opens_what_it_is_for(door: tuple[str, int, str, str]) -> None:
    assert ask(door, ASSETS, f"Authorization: Bearer {door[2]}")[0] == 200
    assert ask(door, ASSETS, f"Authorization: Bearer {door[3]}")[1]["code"] == "access.denied"
    assert ask(door, ASSETS)[1]["code"] == "access.unknown"


@pytest.mark.parametrize(
    "fields",
    [
        ("Authorization: Bearer {good}", "Authorization: Bearer {other}"),
        ("Authorization: Bearer {other}", "authorization: Bearer {good}"),
        ("Authorization: Bearer {good}", "Cookie: rakkan=x"),
        ("Authorization: Bearer {good}", "Signature: rakkan=:AA==:"),
        ("Authorization: Bearer {good}, Bearer {other}",),
        ("Authorization: Bearer {good} {other}",),
        ("Authorization: Bearer\t{good}",),
        ("Authorization: Bearer {good}\x00",),
        ("Authorization : Bearer {good}",),
        ("Authorization: Basic {good}",),
        ("X-Original-Authorization: Bearer {good}",),
        ("X-Forwarded-User: legal",),
    ],
)
def test_two_credentials_or_a_strange_one_open_nothing(
    door: tuple[str, int, str, str], fields: tuple[str, ...]
) -> None:
    sent = [field.replace("{good}", door[2]).replace("{other}", door[3]) for field in fields]
    status, document = ask(door, ASSETS, *sent)
    assert status in {400, 401}, document
    assert b"assets" not in json.dumps(document, default=str).encode()


@pytest.mark.parametrize(
    "target",
    [
        "/v1/productions/daybreak/../nightfall/assets",
        "/v1/productions/daybreak/%2e%2e/nightfall/assets",
        "/v1/productions/daybreak%2F..%2Fnightfall/assets",
        "/v1/productions/daybreak/assets/../../nightfall/assets",
        "//v1/productions/nightfall/assets",
        "/v1//productions/nightfall/assets",
        "/v1/productions/nightfall/assets/",
        "/v1/productions/nightfall;daybreak/assets",
        "/v1/productions/*/assets",
        "/v1/productions/daybreak%00/assets",
        "/v1/productions/nightfall/assets?production=daybreak",
        "/V1/productions/nightfall/assets",
        "http://x/v1/productions/nightfall/assets",
    ],
)
def test_no_spelling_of_a_path_opens_another_production(door: tuple[str, int, str, str], target: str) -> None:
    status, document = ask(door, target, f"Authorization: Bearer {door[3]}")
    assert status in {400, 403, 404}, document


def test_a_token_in_the_address_is_no_credential(door: tuple[str, int, str, str]) -> None:
    status, document = ask(door, f"{ASSETS}?access_token={door[2]}")
    assert status in {400, 401}
    assert door[2] not in json.dumps(document)
