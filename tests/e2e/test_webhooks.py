"""Webhooks of a real server: what the command line records is posted, signed, in order, by one worker."""

from __future__ import annotations

import base64
import hmac
import json
import os
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from ledger.adapters.service_settings import in_code
from ledger.service.events.target import WebhookSettings
from ledger.service.log.publishing import PublishSettings
from tests.e2e.conftest import Studio, copied
from tests.support.cleared import policy, revoke
from tests.support.events_app import named
from tests.support.events_server import serving_events
from tests.support.receiver import Receiver, receiving

BASE = "/v1/productions/nightfall/webhooks"
SETTINGS = {
    "RAKKAN_SERVE_WEBHOOKS_ALLOWED": "receiver,127.0.0.0/8",
    "RAKKAN_SERVE_WEBHOOKS_HTTP": "true",
    "RAKKAN_SERVE_WEBHOOKS_POLL": "50ms",
    "RAKKAN_SERVE_WEBHOOKS_FIRST_RETRY": "100ms",
    "RAKKAN_SERVE_WEBHOOKS_TOTAL": "1s",
    "RAKKAN_SERVE_WEBHOOKS_CONNECT": "1s",
}


class Client:
    """Somebody who manages webhooks."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}{BASE}"

    def __call__(
        self, method: str, path: str = "", body: Any = None, viewer: str = "kim producer"
    ) -> tuple[int, Any]:
        data = None if body is None else json.dumps(body).encode()
        headers = {"X-Viewer": viewer, "Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    def add(self, receiver: Receiver, *types: str, role: str = "producer") -> dict[str, Any]:
        wanted = {"url": f"http://127.0.0.1:{receiver.port}/in", "types": types, "role": role}
        status, made = self("POST", "", wanted)
        assert status == 201, made
        found: dict[str, Any] = made
        return found


@contextmanager
def served(studio: Studio, workers: int = 1, **settings: str) -> Iterator[Client]:
    with serving_events({**studio.environment(), **SETTINGS, **settings}, workers) as port:
        yield Client(port)


@pytest.fixture(scope="module")
def asking(founded: Studio, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """An application that nobody has told of any webhook."""
    own = copied(founded, tmp_path_factory.mktemp("asking"))
    with TestClient(named(own.home)) as client:
        yield client


def verified(secret: str, headers: dict[str, str], body: bytes) -> bool:
    """Whether one of the signatures is by this secret, as the specification tells a receiver to look."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    wanted = "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 60
    return wanted in headers["webhook-signature"].split(" ")


def frames(studio: Studio, first: int, count: int) -> list[str]:
    names = [f"f{number:03}.png" for number in range(first, first + count)]
    for number, name in enumerate(names, first):
        studio.record(studio.png(name, number))
    return names


def names(events: list[dict[str, Any]]) -> list[str]:
    return [event["data"]["subjects"][0]["name"] for event in events]


def test_what_is_recorded_is_posted_once_signed_and_in_order(studio: Studio) -> None:
    with receiving() as receiver, served(studio, 2) as client:
        made = client.add(receiver, "entry.step")
        recorded = frames(studio, 1, 5)
        assert names(receiver.until(5)) == recorded
        time.sleep(0.5)
        told = [event for _, body in receiver.got for event in json.loads(body)["data"]["events"]]
        assert len(told) == 5, "two workers delivered"
        assert all(verified(made["secret"], *item) for item in receiver.got)
        assert not any(verified("whsec_" + "A" * 44, *item) for item in receiver.got)
        (listed,) = client("GET")[1]["webhooks"]
        assert "secret" not in listed
        assert (listed["last"], listed["failures"], listed["createdBy"]) == ("answered 204", 0, "kim")


def test_a_changed_verdict_is_posted_to_who_asked_for_that(nightfall: Studio) -> None:
    nightfall.ok("clear", ".", *policy(nightfall), "--record")
    with receiving() as receiver, served(nightfall) as client:
        client.add(receiver, "verdict.changed", role="distributor")
        frames(nightfall, 1, 1)
        cause = revoke(nightfall)
        nightfall("recheck")
        event = receiver.until(1)[0]
    assert event["type"] == "verdict.changed"
    assert event["data"]["cause"] == cause
    assert event["data"]["previous"]["now"]["verdict"] == "cleared"
    assert event["data"]["now"]["verdict"] == "blocked"


@pytest.mark.slow
@pytest.mark.parametrize("mood", ["500", "redirect", "slow", "drip", "early", "liar", "429"])
def test_a_bad_receiver_gets_it_when_it_is_mended_and_costs_the_others_nothing(
    studio: Studio, mood: str
) -> None:
    with receiving() as bad, receiving() as good, served(studio) as client:
        bad.mood = mood
        made = client.add(bad, "entry.step")
        client.add(good, "entry.step")
        recorded = frames(studio, 1, 3)
        assert names(good.until(3, 5)) == recorded
        while not client("GET", f"/{made['id']}")[1]["failures"]:
            time.sleep(0.05)
        bad.mood = "204"
        assert names(bad.until(3)) == recorded
        assert bad.redirected == 0


@pytest.mark.slow
def test_a_receiver_that_was_down_while_the_server_ended_gets_all_of_it(studio: Studio) -> None:
    with receiving() as receiver:
        port = receiver.port
        with served(studio) as client:
            client.add(receiver, "entry.step")
            frames(studio, 1, 1)
            receiver.until(1)
    frames(studio, 2, 2)
    with served(studio):
        frames(studio, 4, 1)
    with receiving(port=port) as again, served(studio):
        assert names(again.until(3)) == ["f002.png", "f003.png", "f004.png"]


@pytest.mark.slow
def test_another_worker_goes_on_when_the_one_that_delivers_is_killed(studio: Studio) -> None:
    with receiving() as receiver, served(studio, 2) as client:
        client.add(receiver, "entry.step")
        frames(studio, 1, 1)
        receiver.until(1)
        os.kill(_holder(studio), signal.SIGKILL)
        frames(studio, 2, 2)
        assert names(receiver.until(3)) == ["f001.png", "f002.png", "f003.png"]


def _holder(studio: Studio) -> int:
    """Return the process that holds the lease, as the kernel has it."""
    (lock,) = studio.home.glob("ledger.sqlite.webhooks-*")
    inode = lock.stat().st_ino
    locks = [line.split() for line in Path("/proc/locks").read_text().splitlines()]
    return next(int(lock[4]) for lock in locks if lock[5].endswith(f":{inode}"))


@pytest.mark.slow
def test_two_secrets_sign_after_a_change_and_a_test_is_posted(studio: Studio) -> None:
    with receiving() as receiver, served(studio) as client:
        made = client.add(receiver, "entry.step")
        status, renewed = client("POST", f"/{made['id']}/secret")
        assert (status, renewed["secret"] != made["secret"]) == (200, True)
        assert client("POST", f"/{made['id']}/test") == (200, {"status": 204})
        headers, body = receiver.got[0]
        assert json.loads(body)["type"] == "test"
        assert verified(made["secret"], headers, body)
        assert verified(renewed["secret"], headers, body)
        receiver.mood = "early"
        status, error = client("POST", f"/{made['id']}/test")
        assert (status, error["code"]) == (502, "webhook.unreachable")


@pytest.mark.slow
def test_who_is_gone_is_removed_and_who_is_removed_gets_nothing(studio: Studio) -> None:
    with receiving() as one, receiving() as two, served(studio) as client:
        one.mood = "410"
        client.add(one)
        second = client.add(two)
        assert client("DELETE", f"/{second['id']}") == (204, None)
        frames(studio, 1, 1)
        while client("GET")[1]["webhooks"]:
            time.sleep(0.05)
        frames(studio, 2, 1)
        time.sleep(0.5)
        assert (len(one.got), two.got) == (1, [])


@pytest.mark.slow
def test_a_paused_webhook_goes_on_where_it_stopped(studio: Studio) -> None:
    with receiving() as receiver, served(studio, RAKKAN_SERVE_WEBHOOKS_GIVE_UP="300ms") as client:
        receiver.mood = "500"
        made = client.add(receiver, "entry.step")
        frames(studio, 1, 1)
        while not (found := client("GET", f"/{made['id']}")[1])["paused"]:
            time.sleep(0.05)
        assert "answered 500" in found["paused"]
        assert [path.name[5:20] for path in (studio.home / "webhook-alarms").iterdir()] == ["webhook.failing"]
        assert not (studio.home / "alarms").exists()  # which would stop the publication
        receiver.mood = "204"
        before = len(receiver.got)
        time.sleep(0.5)
        assert len(receiver.got) == before
        assert client("POST", f"/{made['id']}/resume")[1]["paused"] is None
        assert names(receiver.until(1)) == ["f001.png"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"url": "https://169.254.169.254/latest"}, 400, "webhook.address"),
        ({"url": "https://10.0.0.1/"}, 400, "webhook.address"),
        ({"url": "https://localhost/"}, 400, "webhook.address"),
        ({"url": "http://hooks.example/"}, 400, "webhook.url"),
        ({"url": "https://a@hooks.example/"}, 400, "webhook.url"),
        ({"url": "https://hooks.example/", "types": ["nonsense"]}, 400, "events.type"),
        ({"url": "https://hooks.example/", "role": "operator"}, 400, "webhook.role"),
        ({"url": "https://hooks.example/", "role": "king"}, 400, "webhook.role"),
        (
            {"url": "https://hooks.example/", "role": "distributor", "types": ["entry.step"]},
            400,
            "webhook.role",
        ),
        ({"url": "https://hooks.example/", "secret": "mine"}, 400, "request.malformed"),
        ({"url": "https://hooks.example/" + "a" * 3000}, 400, "request.malformed"),
        ({"types": []}, 400, "request.malformed"),
        ([], 400, "request.malformed"),
    ],
)
def test_what_is_no_webhook_is_answered_with_a_code(
    asking: TestClient, body: Any, status: int, code: str
) -> None:
    answer = asking.post(BASE, json=body, headers={"X-Viewer": "kim producer"})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert asking.get(BASE, headers={"X-Viewer": "kim producer"}).json() == {"webhooks": []}


@pytest.mark.parametrize(("viewer", "status"), [("", 401), ("ann artist", 403), ("al auditor", 403)])
def test_only_who_manages_webhooks_sees_them(asking: TestClient, viewer: str, status: int) -> None:
    one = f"{BASE}/{'0' * 16}"
    asked = [("GET", BASE), ("POST", BASE), ("GET", one), ("DELETE", one)]
    asked += [("POST", f"{one}/{name}") for name in ("secret", "resume", "test")]
    for method, path in asked:
        body = {"url": "https://hooks.example/"} if (method, path) == ("POST", BASE) else None
        for place in (path, path.replace("nightfall", "daybreak")):
            answer = asking.request(method, place, json=body, headers={"X-Viewer": viewer})
            assert answer.status_code == status, (method, place)
    for method, path in asked[2:]:
        answer = asking.request(method, path, headers={"X-Viewer": "opa operator"})
        assert (answer.status_code, answer.json()["code"]) == (404, "webhook.unknown")


def test_there_are_only_so_many(studio: Studio) -> None:
    few = in_code(WebhookSettings(enabled=False, per_production=2), PublishSettings(enabled=False))
    with TestClient(named(studio.home, few)) as client:
        answers = [
            client.post(BASE, json={"url": "https://hooks.example/"}, headers={"X-Viewer": "kim producer"})
            for _ in range(3)
        ]
    assert [answer.status_code for answer in answers] == [201, 201, 409]
    assert answers[2].json()["code"] == "webhook.full"
