"""Devices are known by the key that the log enrolled, as it stands there now."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from ledger.adapters.keys import new_statement_key
from tests.e2e.conftest import Studio
from tests.e2e.test_cli_serve import post, serving
from tests.support.http import WORK, answering, device_key, signed

DEVICE = "ws-07"


@pytest.fixture
def carried(studio: Studio, tmp_path: Path) -> Path:
    """The home of a device that is enrolled and works elsewhere."""
    studio.ok("enrol", DEVICE, "--out", tmp_path / "carried")
    return tmp_path / "carried"


def refusal(client: TestClient, fields: dict[str, str], path: str = WORK) -> tuple[int, str]:
    answer = client.get(path, headers=fields)
    return answer.status_code, answer.json().get("code", "")


def test_a_device_is_who_its_enrolment_says(studio: Studio, carried: Path) -> None:
    key = device_key(carried, DEVICE)
    with answering(studio.home) as client:
        for path in (WORK, WORK + "?sha256=ab&x=%2F", "/probe"):
            answer = client.get(path, headers=signed(key, "GET", path))
            assert answer.json() == {
                "name": f"device:{key.keyid[:16]}",
                "roles": {"nightfall": ["device"]},
                "party": None,
            }
        assert client.get("/probe").json()["name"] == "anybody"
        assert refusal(client, {}) == (401, "access.unknown")


def test_a_device_of_one_production_is_nobody_on_another(
    studio: Studio, carried: Path, tmp_path: Path
) -> None:
    other = Studio(tmp_path / "daybreak", tmp_path)
    other.ok("init", "--studio", "Kumo", "--production", "daybreak")
    key = device_key(carried, DEVICE)
    with answering(studio.home, other.home) as client:
        for production in ("daybreak", "moonrise"):
            path = WORK.replace("nightfall", production)
            assert refusal(client, signed(key, "GET", path), path) == (401, "access.credential")
        assert client.get("/probe", headers=signed(key, "GET", "/probe")).json()["roles"] == {
            "nightfall": ["device"]
        }


def test_a_device_ends_with_its_key_while_the_server_runs(studio: Studio, carried: Path) -> None:
    key = device_key(carried, DEVICE)
    with answering(studio.home) as client:
        assert refusal(client, signed(key, "GET", WORK)) == (200, "")
        studio.ok("key", "revoke", DEVICE, "--why", "lost")
        assert refusal(client, signed(key, "GET", WORK)) == (401, "access.ended")
        studio.ok("enrol", "ws-08")
        assert refusal(client, signed(device_key(studio.home, "ws-08"), "GET", WORK)) == (200, "")


def test_nobody_learns_which_keys_there_are(studio: Studio) -> None:
    known, unknown = device_key(studio.home, "workstation"), new_statement_key()
    with answering(studio.home) as client:
        forged = {**signed(known, "GET", WORK), "Signature": signed(unknown, "GET", WORK)["Signature"]}
        answers = [client.get(WORK, headers=fields) for fields in (forged, signed(unknown, "GET", WORK))]
    assert {answer.status_code for answer in answers} == {401}
    documents = [{**answer.json(), "requestId": ""} for answer in answers]
    assert documents[0] == documents[1]


def test_a_registrar_is_no_device(studio: Studio) -> None:
    with answering(studio.home) as client:
        assert refusal(client, signed(device_key(studio.home, "registrar"), "GET", WORK))[1] == "access.ended"


def test_a_signature_counts_once_and_not_for_long(studio: Studio) -> None:
    key = device_key(studio.home, "workstation")
    with answering(studio.home) as client:
        fields = signed(key, "GET", WORK)
        assert [refusal(client, fields) for _ in range(2)] == [(200, ""), (401, "access.replayed")]
        assert refusal(client, signed(key, "GET", WORK, age=400)) == (401, "access.stale")
        assert refusal(client, signed(key, "GET", WORK, age=-400)) == (401, "access.stale")


def test_another_request_with_the_same_signature_is_refused(studio: Studio) -> None:
    key = device_key(studio.home, "workstation")
    with answering(studio.home) as client:
        for path in (WORK + "?a=1", WORK.replace("/probe", "/%70robe"), "/probe"):
            assert refusal(client, signed(key, "GET", WORK), path) == (401, "access.credential")
        fields = {**signed(key, "GET", WORK), "Host": "elsewhere.example"}
        assert refusal(client, fields) == (401, "access.credential")


def test_a_body_is_the_one_that_was_signed(studio: Studio) -> None:
    key, body = device_key(studio.home, "workstation"), b'{"a": 1}'
    with answering(studio.home) as client:
        kind = {"Content-Type": "application/json"}
        for sent, fields, expected in (
            (body, signed(key, "POST", "/probe", body), (200, None)),
            (b'{"a": 2}', signed(key, "POST", "/probe", body), (401, "access.body")),
            (body, signed(key, "POST", "/probe"), (401, "access.body")),
            (b"", signed(key, "POST", "/probe", body), (401, "access.body")),
            (b"[" * (17 << 20), signed(key, "POST", "/probe", body), (413, "request.too-large")),
        ):
            answer = client.post("/probe", content=sent, headers={**fields, **kind})
            assert (answer.status_code, answer.json().get("code")) == expected


def test_one_credential_a_request(studio: Studio) -> None:
    key = device_key(studio.home, "workstation")
    with answering(studio.home) as client:
        fields = signed(key, "GET", WORK)
        twice = [*fields.items(), ("Signature", fields["Signature"])]
        both = [*fields.items(), ("Authorization", "Bearer rkn_x")]
        for sent in (twice, both):
            answer = client.get(WORK, headers=sent)
            assert (answer.status_code, answer.json()["code"]) == (401, "access.credential")
        assert refusal(client, {"Signature": fields["Signature"]}) == (401, "access.signature-form")


def test_a_signature_holds_against_a_real_server(studio: Studio, carried: Path) -> None:
    key = device_key(carried, DEVICE)
    with serving(studio) as url:
        place, body = f"{url}/v1/productions/nightfall/entries?x=%20", b"{}\n"
        assert post(place, body, signed(key, "POST", place, body))[0] == 200
        status, _, answer = post(place, body, signed(key, "POST", place, b"{ }\n"))
        assert (status, answer["code"]) == (401, "access.body")
