"""`/health`, `/ready` and `/metrics`: they mean it, and say no more than they should."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from ledger.wiring import readiness
from ledger.wiring.doctor import LITTLE
from tests.e2e.conftest import Studio
from tests.e2e.test_cli_serve import post
from tests.support.service import running, until


@pytest.fixture
def client(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.setattr(readiness, "FRESH", 0.0)
    with TestClient(create_app(studio.home)) as made:
        yield made


def known(client: TestClient, studio: Studio, role: str) -> TestClient:
    """The same client, with a token of this role."""
    token = studio.ok("token", "create", "ops", "--role", role, "--json").json["token"]
    client.headers["Authorization"] = f"Bearer {token}"
    return client


@pytest.fixture
def operator(studio: Studio, client: TestClient) -> TestClient:
    return known(client, studio, "operator")


def ill(client: TestClient) -> dict[str, str]:
    """The codes of the checks that are not well, by check."""
    answer = client.get("/ready")
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    return {one["check"]: one["code"] for one in answer.json()["checks"] if not one["well"]}


def test_the_public_is_told_yes_or_no_and_nothing_else(client: TestClient, studio: Studio) -> None:
    assert client.get("/ready").json() == {"status": "ready"}
    (studio.home / "ledger.sqlite").rename(studio.home / "away")
    (studio.home / "ledger.sqlite").write_bytes(b"not a database" * 100)
    answer = client.get("/ready")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "checks" not in answer.json()
    assert answer.json()["evidence"] == {}
    assert client.get("/health").status_code == 200
    assert client.get("/metrics").json()["code"] == "access.unknown"


def test_an_operator_sees_each_check(operator: TestClient) -> None:
    checks = operator.get("/ready").json()["checks"]
    assert [one["check"] for one in checks] == ["log", "disk", "key"]
    assert all(one["well"] for one in checks)


def test_a_database_that_was_rolled_back_is_not_ready(operator: TestClient, studio: Studio) -> None:
    import sqlite3

    with sqlite3.connect(studio.home / "ledger.sqlite") as connection:
        connection.execute("VACUUM INTO ?", [str(studio.home / "old.sqlite")])
    connection.close()
    studio.record(studio.png())
    assert operator.get("/ready").status_code == 200
    with (
        sqlite3.connect(studio.home / "old.sqlite") as old,
        sqlite3.connect(studio.home / "ledger.sqlite") as now,
    ):
        old.backup(now)
    old.close()
    now.close()
    assert ill(operator) == {"log": "log.rollback"}


def test_a_log_that_was_given_up_or_fenced_off_is_not_ready(operator: TestClient, studio: Studio) -> None:
    from ledger.wiring import home_at, open_studio

    operator.get("/ready")
    with open_studio(home_at(studio.home)) as other:
        other.log.fence()
        assert ill(operator) == {"log": "log.epoch"}
        other.entries.freeze("a fork")
    assert ill(operator) == {"log": "log.frozen"}


def test_a_full_disk_is_not_ready(operator: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage("/")._replace(free=LITTLE - 1)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    assert ill(operator) == {"disk": "log.disk-full"}


def scrape(url: str) -> dict[str, float]:
    """The samples of a scrape."""
    with urllib.request.urlopen(f"{url}/metrics", timeout=60) as answer:
        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
        lines = answer.read().decode().splitlines()
    return {
        name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[:1] != "#")
    }


@pytest.mark.slow
def test_numbers_of_all_workers_add_up_on_the_operators_listener(studio: Studio) -> None:
    from tests.support.service import free_port

    listen = f"127.0.0.1:{free_port()}"
    with running(studio, "--workers", 2, RAKKAN_SERVE_METRICS_LISTEN=listen) as server:
        for _ in range(20):
            assert server.health() == 200
        post(f"{server.url}/v1/productions/nightfall/entries", b"{}\n")
        post(f"{server.url}/v1/productions/{'x' * 50}/entries", b"{}\n")
        # An answer is counted after it was sent, and the state is asked once in five seconds.
        until(lambda: scrape(f"http://{listen}").get('rakkan_problems_total{code="production.unknown"}'))
        found = scrape(f"http://{listen}")
        assert found['rakkan_requests_total{method="GET",route="/health",status="200"}'] == 20
        assert found['rakkan_problems_total{code="production.unknown"}'] == 1
        refused = [name for name in found if name.startswith("rakkan_entries_total")]
        assert any('production="nightfall"' in name for name in refused)
        assert found['rakkan_log_entries{production="nightfall"}'] == studio.size()
        assert found['rakkan_ready{check="log",production="nightfall"}'] == 1
        assert found['rakkan_entries_waiting{production="nightfall"}'] == 0
        assert not any("xxx" in name for name in found)
        os.kill(server.workers()[0], signal.SIGKILL)
        until(lambda: len(server.workers()) == 2)
        again = scrape(f"http://{listen}")
        assert again['rakkan_requests_total{method="GET",route="/health",status="200"}'] >= 20
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(f"http://{listen}/v1/productions/nightfall/entries")
        with urllib.request.urlopen(f"http://{listen}/ready") as answer:
            assert [one["check"] for one in json.load(answer)["checks"]] == ["log", "disk", "key"]


def test_every_number_and_every_label_is_on_a_list(studio: Studio, operator: TestClient) -> None:
    studio.ok("publish")
    studio.sealed()
    for path in ("/nowhere", "/v1/productions/strange-name/entries", "/health"):
        operator.get(path)
        operator.request("BREW", path)
    text = operator.get("/metrics").text
    labels: dict[str, set[Any]] = {}
    for found in re.finditer(r'(\w+)="([^"]*)"', text):
        labels.setdefault(found[1], set()).add(found[2])
    # What other tests served counts in the same process: these are all that the tests serve.
    assert {"nightfall"} <= labels["production"] <= {"nightfall", "daybreak", "moonrise", "empty"}
    assert labels["method"] <= {"GET", "HEAD", "POST", "PUT", "DELETE", "other"}
    assert "BREW" not in text
    assert not any("strange" in route or "nowhere" in route for route in labels["route"])
    assert "rakkan_published_entries" in text
    assert "rakkan_disk_free_bytes" in text
    assert 'rakkan_webhooks{production="nightfall",state="paused"} 0.0' in text


def test_who_may_not_operate_gets_no_numbers_and_no_reasons(client: TestClient, studio: Studio) -> None:
    artist = known(client, studio, "artist")
    assert artist.get("/metrics").json()["code"] == "access.denied"
    assert artist.get("/ready").json() == {"status": "ready"}
