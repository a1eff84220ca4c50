"""Server-sent events from a real server: what is recorded by the command line shows up, once, in order."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http.client import HTTPConnection, HTTPResponse
from typing import Any

import pytest
from fastapi.testclient import TestClient

from ledger.core.predicates.verdict import CLEARANCE
from ledger.service.events.hub import EventSettings
from tests.e2e.conftest import Studio
from tests.support.cleared import policy, revoke, verdicts
from tests.support.events_app import named
from tests.support.events_server import serving_events
from tests.support.here import quiet, running

PATH = "/v1/productions/nightfall/events"


@dataclass
class Told:
    """One block of the stream that carries an event."""

    id: int
    event: str
    data: dict[str, Any]


@dataclass
class Listener:
    """A client as the HTML standard describes it, with the standard library."""

    response: HTTPResponse
    last: int | None = None
    hint: int | None = None
    comments: list[str] = field(default_factory=list)

    def block(self) -> Told | None:
        """Return the next block's event; `None` for a block without data. Raises `EOFError` at the end."""
        name, data, blank = "message", "", True
        while line := self.response.readline().decode():
            blank = False
            if line == "\n":
                return Told(int(self.last or 0), name, json.loads(data)) if data else None
            key, _, value = line.rstrip("\n").partition(":")
            value = value.removeprefix(" ")
            if key == "":
                self.comments.append(value)
            elif key == "id":
                self.last = int(value)
            elif key == "event":
                name = value
            elif key == "data":
                data += value
            elif key == "retry":
                self.hint = int(value)
        assert blank, "the stream was cut in the middle of an event"
        raise EOFError

    def events(self, count: int) -> list[Told]:
        found: list[Told] = []
        while len(found) < count:
            told = self.block()
            if told is not None:
                found.append(told)
        return found


@contextmanager
def served(studio: Studio) -> Iterator[int]:
    half = timedelta(milliseconds=500)
    events = EventSettings(listeners_per_viewer=5, heartbeat=half, recheck=half)
    with running(named(studio.home, quiet(events))) as port:
        yield port


@pytest.fixture(scope="module")
def asking(founded: Studio) -> Iterator[TestClient]:
    with TestClient(named(founded.home)) as client:
        yield client


@contextmanager
def listening(port: int, viewer: str = "kim producer", **asked: Any) -> Iterator[Listener]:
    connection = HTTPConnection("127.0.0.1", port, timeout=20)
    last = asked.pop("last", None)
    query = "&".join(f"{name}={value}" for name, value in asked.items())
    headers = {"X-Viewer": viewer, **({"Last-Event-ID": str(last)} if last is not None else {})}
    connection.request("GET", f"{PATH}?{query}", headers=headers)
    response = connection.getresponse()
    assert response.status == 200, response.read()
    assert response.headers["Content-Type"] == "text/event-stream"
    try:
        yield Listener(response)
    finally:
        connection.close()
        response.close()


def test_what_is_recorded_is_told_and_a_cut_stream_resumes_where_it_was(studio: Studio) -> None:
    with served(studio) as port:
        with listening(port) as first:
            assert first.block() is None
            assert first.hint == 3000
            size = studio.size()
            studio.record(studio.png("a.png"))
            (told,) = first.events(1)
        assert (told.id, told.event, told.data["type"]) == (size, "entry", "entry.step")
        assert told.data["data"]["subjects"][0]["name"] == "a.png"
        studio.record(studio.png("b.png", 2))
        studio.record(studio.png("c.png", 3))
        with listening(port, last=told.id, after=0) as again:
            assert [item.data["data"]["subjects"][0]["name"] for item in again.events(2)] == [
                "b.png",
                "c.png",
            ]
        with listening(port, after=-1) as whole:
            assert [item.id for item in whole.events(size + 3)] == list(range(size + 3))


def test_a_change_of_a_verdict_says_what_it_was_and_what_it_is(nightfall: Studio) -> None:
    nightfall.ok("clear", ".", *policy(nightfall), "--record")
    with served(nightfall) as port, listening(port, "dee distributor", types="verdict.changed") as client:
        client.block()
        cause = revoke(nightfall)
        nightfall("recheck")
        told = client.events(1)[0].data
    data = told["data"]
    assert told["type"] == "verdict.changed"
    assert data["cause"] == cause
    assert data["previous"]["now"]["verdict"] == "cleared"
    assert data["now"]["verdict"] == "blocked"
    on_record = {item["index"]: item for item in verdicts(nightfall)}[data["index"]]["predicate"][CLEARANCE]
    for moment in ("then", "now"):
        assert data[moment]["grade"] == on_record[moment]["grade"]
        assert data[moment]["reasons"] == list(dict.fromkeys(r["code"] for r in on_record[moment]["reasons"]))


@pytest.mark.parametrize(
    ("viewer", "seen"),
    [
        ("ann artist", {"entry.step", "entry.seal", "verdict"}),
        ("dee distributor", {"verdict"}),
        pytest.param(
            "kim producer",
            {"entry.step", "verdict", "entry.grant", "entry.model", "entry.enrolment"},
            marks=pytest.mark.slow,
        ),
    ],
)
def test_nobody_is_told_of_what_they_may_not_read(nightfall: Studio, viewer: str, seen: set[str]) -> None:
    nightfall.ok("clear", ".", *policy(nightfall), "--record")
    with served(nightfall) as port, listening(port, viewer, after=-1) as client:
        kinds = set()
        while client.last is None or client.last < nightfall.size() - 1:
            told = client.block()
            kinds |= {told.data["type"]} if told else set()
    assert seen <= kinds
    assert viewer == "kim producer" or kinds == seen


@pytest.mark.slow
def test_two_worker_processes_tell_the_same(studio: Studio) -> None:
    with serving_events(studio.environment(), 2) as port:
        studio.record(studio.png("a.png"))
        size = studio.size()
        for _ in range(6):  # whichever of them answers
            with listening(port, after=size - 2) as client:
                assert client.events(1)[0].id == size - 1
        with listening(port, after=size - 1) as one, listening(port, after=size - 1) as two:
            studio.record(studio.png("b.png", 2))
            assert one.events(1) == two.events(1)


def test_a_server_that_stops_ends_its_streams_at_once(studio: Studio) -> None:
    with serving_events(studio.environment()) as port, listening(port) as client:
        client.block()
        holder = client
        began = time.monotonic()
    assert time.monotonic() - began < 25  # a stream lasts until somebody ends it
    with pytest.raises((EOFError, ValueError, OSError)):
        holder.events(1)


def test_streams_end_when_the_credential_does(studio: Studio) -> None:
    with served(studio) as port, listening(port) as client:
        client.block()
        (studio.home / "gone.txt").write_text("kim")
        with pytest.raises(EOFError):
            client.events(1)


@pytest.mark.slow
def test_a_viewer_holds_so_many_streams_and_gets_them_back(studio: Studio) -> None:
    with served(studio) as port:
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}{PATH}", headers={"X-Viewer": "kim producer"}
        )
        streams = [urllib.request.urlopen(request, timeout=10) for _ in range(5)]
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=10)
        with refused.value as answer:
            assert (answer.code, answer.headers["Retry-After"]) == (503, "10")
            assert json.load(answer)["code"] == "events.full"
        for stream in streams:
            stream.close()
        time.sleep(0.3)
        urllib.request.urlopen(request, timeout=10).close()


@pytest.mark.slow
def test_a_quiet_stream_is_kept_alive_and_keeps_its_place(studio: Studio) -> None:
    with served(studio) as port, listening(port, "dee distributor", after=-1) as client:
        for _ in range(3):
            assert client.block() is None
        assert client.comments
        assert client.last == studio.size() - 1


@pytest.mark.parametrize(
    ("asked", "viewer", "status", "code"),
    [
        ("after=x", "kim producer", 400, "events.position"),
        ("after=1000000", "kim producer", 400, "events.position"),
        ("after=-2", "kim producer", 400, "events.position"),
        ("after=99999999999999999999999", "kim producer", 400, "events.position"),
        ("types=nonsense", "kim producer", 400, "events.type"),
        ("types=verdic", "kim producer", 400, "events.type"),
        ("", "", 401, "access.unknown"),
        ("", "opa operator", 403, "access.denied"),
    ],
)
def test_what_cannot_be_followed_is_answered_with_a_code(
    asking: TestClient, asked: str, viewer: str, status: int, code: str
) -> None:
    answer = asking.get(f"{PATH}?{asked}", headers={"X-Viewer": viewer})
    assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not here")
def test_curl_follows(studio: Studio) -> None:
    with served(studio) as port:
        curl = subprocess.Popen(
            [
                "curl",
                "-sN",
                "-H",
                "X-Viewer: kim producer",
                f"http://127.0.0.1:{port}{PATH}?types=entry.step",
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert curl.stdout is not None
        assert curl.stdout.readline() == "retry: 3000\n"
        studio.record(studio.png("a.png"))
        lines = iter(curl.stdout.readline, "")
        assert '"name":"a.png"' in next(line for line in lines if line.startswith("data: "))
        curl.terminate()
        curl.wait(10)
        curl.stdout.close()


def test_a_stranger_is_not_told_which_productions_there_are(asking: TestClient) -> None:
    answers = [asking.get(f"/v1/productions/{name}/events") for name in ("nightfall", "daybreak")]
    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(401, "access.unknown")}
    known = asking.get("/v1/productions/daybreak/events", headers={"X-Viewer": "kim producer"})
    assert (known.status_code, known.json()["code"]) == (404, "production.unknown")
