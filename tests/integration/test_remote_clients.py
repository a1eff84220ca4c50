"""The clients that providers' own libraries are built on, wrapped: httpx2 and requests, for real."""

import asyncio
import base64
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest
import requests

from ledger.core.spooled_call import read_call
from tests.support.provider import Provider, sealed_png, serving
from tests.support.remote import (
    BODY,
    KEY,
    NIGHTFALL,
    PROMPT,
    Spool,
    ask,
    rakkan_clients,
    rakkan_remote,
    words,
)

ORBIT = rakkan_remote.Provider("Orbit", "painter", plan="enterprise", attempts=5)
HEADERS = {"Authorization": f"Bearer {KEY}"}


@pytest.fixture
def spool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Spool:
    monkeypatch.setenv("RAKKAN_SPOOL", str(tmp_path / "spool"))
    return Spool(tmp_path / "spool")


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    monkeypatch.setattr("rakkan_attempts.FIRST_PAUSE", 0.02)
    with serving(Provider(picture=sealed_png())) as found:
        yield found


def over_httpx(method: str, url: str, body: Any = None) -> Any:
    with httpx2.Client(transport=rakkan_clients.httpx_transport(ORBIT, httpx2), headers=HEADERS) as client:
        return client.request(method, url, json=body)


def over_async_httpx(method: str, url: str, body: Any = None) -> Any:
    async def send() -> Any:
        transport = rakkan_clients.async_httpx_transport(ORBIT, httpx2)
        async with httpx2.AsyncClient(transport=transport, headers=HEADERS) as client:
            return await client.request(method, url, json=body)

    return asyncio.run(send())


def over_requests(method: str, url: str, body: Any = None) -> Any:
    with requests.Session() as session:
        session.mount("http://", rakkan_clients.requests_adapter(ORBIT, requests))
        return session.request(method, url, json=body, headers=HEADERS)


CLIENTS = {"httpx": over_httpx, "async httpx": over_async_httpx, "requests": over_requests}
over = pytest.mark.parametrize("send", CLIENTS.values(), ids=CLIENTS)


@over
def test_a_client_gets_its_answer_and_the_attempts_are_on_record(
    send: Any, spool: Spool, provider: Provider, tmp_path: Path
) -> None:
    provider.script = ["throttle:0", "drop", "half", "accept"]
    with ORBIT.call(place=NIGHTFALL) as call:
        answer = send("POST", provider.url + "/v1/images", BODY)
        call.save(base64.b64decode(answer.json()["data"][0]["b64_json"]), tmp_path / "sh0020.png")
    record, found = spool.one()
    assert (tmp_path / "sh0020.png").read_bytes() == provider.picture
    assert words(found) == ["throttled", "failed", "failed", "accepted"]
    assert (len(provider.sent_keys()), found.model) == (1, "painter-2-2026-01-15")
    assert record.secrets["prompt"] == PROMPT
    assert len(record.outputs) == 1
    assert "CANARY" not in spool.in_clear()


@over
def test_a_refusal_reaches_the_client_as_it_came(send: Any, spool: Spool, provider: Provider) -> None:
    provider.script = ["refuse"]
    with ORBIT.call() as call:
        answer = send("POST", provider.url + "/v1/images", BODY)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "moderation_blocked")
        assert call.outcome == "refused"
    record, found = spool.one()
    assert (words(found), record.failed) == (["refused"], None)
    assert KEY not in str(record)


@over
def test_a_client_is_told_when_no_answer_came(send: Any, spool: Spool, provider: Provider) -> None:
    provider.script = ["drop"]
    with (
        pytest.raises((httpx2.TransportError, requests.exceptions.ConnectionError)),
        ORBIT.call(),
    ):
        send("POST", provider.url + "/v1/images", BODY)
    assert words(spool.one()[1]) == ["failed"] * 5


@over
def test_a_request_outside_any_call_is_a_call_of_its_own(send: Any, spool: Spool, provider: Provider) -> None:
    send("GET", provider.url + "/v1/models")
    assert spool.records() == []
    send("POST", provider.url + "/v1/images", BODY)
    record, found = spool.one()
    assert (words(found), record.outputs, found.outcome.value) == (["accepted"], (), "accepted")


@over
def test_a_call_to_one_provider_is_not_one_to_another(send: Any, spool: Spool, provider: Provider) -> None:
    with rakkan_remote.Provider("Comet", "film").call():
        send("POST", provider.url + "/v1/images", BODY)
    record, _ = spool.one()
    assert record.service is not None
    assert record.service.vendor == "Orbit"


@over
def test_a_picture_passes_through_and_its_manifest_with_it(
    send: Any, spool: Spool, provider: Provider, tmp_path: Path
) -> None:
    with ORBIT.call() as call:
        call.save(send("GET", provider.url + "/made/1.png"), tmp_path / "sh0020.png")
    assert (tmp_path / "sh0020.png").read_bytes() == provider.picture
    assert len(spool.one()[0].outputs) == 1


@over
def test_a_job_is_followed_without_a_word(send: Any, spool: Spool, provider: Provider) -> None:
    provider.script, provider.jobs = ["job"], ["queued", "failed:moderation_blocked"]
    with ORBIT.call():
        send("POST", provider.url + "/v1/videos", BODY)
        while send("GET", provider.url + "/v1/videos/job_7").json()["status"] == "queued":
            pass
    found = spool.one()[1]
    assert (found.job, found.outcome.value, words(found)) == ("job_7", "refused", ["accepted", "refused"])
    assert found.attempts[1].code == "moderation_blocked"


def test_a_key_that_the_tool_brings_is_kept(spool: Spool, provider: Provider) -> None:
    with ORBIT.call() as call:
        request = ask(provider.url)
        request.add_header("Idempotency-Key", "the-tools-own-key")
        call.send(request)
    assert provider.sent_keys() == {"the-tools-own-key"}
    assert spool.one()[0].secrets["idempotency-key"] == "the-tools-own-key"
    assert "the-tools-own-key" not in spool.in_clear()


def test_a_stream_stays_a_stream(spool: Spool, provider: Provider) -> None:
    with httpx2.Client(transport=rakkan_clients.httpx_transport(ORBIT, httpx2)) as client, ORBIT.call():
        with client.stream("GET", provider.url + "/made/1.png") as response:
            assert not response.is_stream_consumed
            assert b"".join(response.iter_raw(64)) == provider.picture
        with client.stream("POST", provider.url + "/v1/images", json=BODY) as response:
            assert b"b64_json" in b"".join(response.iter_raw(64))


@pytest.mark.parametrize("size", [100, pytest.param(1000, marks=pytest.mark.slow)])
def test_a_flood_ends_and_every_call_of_it_is_on_record(spool: Spool, provider: Provider, size: int) -> None:
    """Calls over 16 connections, most of them throttled: each ends within its bounds."""
    accepted = size * 3 // 10
    provider.script = ["throttle:0", "throttle:0", "accept"] * accepted + ["throttle:0"]
    flood = rakkan_remote.Provider("Orbit", "painter", attempts=3)
    with httpx2.Client(transport=rakkan_clients.httpx_transport(flood, httpx2)) as client:

        def one(number: int) -> int:
            with flood.call(place={"shot": f"sh{number:04}"}):
                return int(client.post(provider.url + "/v1/images", json=BODY).status_code)

        with ThreadPoolExecutor(16) as pool:
            statuses = list(pool.map(one, range(size)))
    calls = [read_call(record.call) for record in spool.records() if record.call is not None]
    assert (len(calls), spool.open_calls()) == (size, [])
    assert statuses.count(200) == accepted == sum(call.outcome.value == "accepted" for call in calls)
    assert {call.outcome.value for call in calls} == {"accepted", "throttled"}
    assert all(1 <= len(call.attempts) <= 3 for call in calls)
    assert sum(len(call.attempts) for call in calls) == len(provider.seen) <= 3 * size
    assert len(provider.sent_keys()) == size
    pauses = {attempt.waited for call in calls for attempt in call.attempts}
    assert len(pauses) > 20  # those sent away together do not come back together
