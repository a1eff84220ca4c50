"""More than the log can take: what was accepted is there, what was refused says when to come back.

The queue is made tiny, so that a flood of a few hundred entries overflows it as a real one overflows the
real one.
"""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from base64 import b64decode
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import pytest

from ledger.client import Client
from ledger.core.receipt import parse_receipt, verify_receipt
from ledger.errors import RakkanError
from ledger.service.capture.store import Receipted
from ledger.wiring import home_at
from tests.e2e.conftest import Studio
from tests.support.load import Told, load, start, write_bodies
from tests.support.posting import device_of, signed_steps
from tests.support.service import Running, running

ENTRIES = "/v1/productions/nightfall/entries"
TINY = {"RAKKAN_SERVE_INTAKE_MAX_WAITING": "8"}


@pytest.fixture
def bodies(studio: Studio, tmp_path: Path) -> tuple[Path, list[bytes]]:
    """Signed steps, in a file and at hand."""
    made = list(signed_steps(studio.home, device_of(studio.home), "flood", 6_000))
    write_bodies(tmp_path / "bodies", made)
    return tmp_path / "bodies", made


def port(server: Running) -> int:
    return int(server.url.rpartition(":")[2])


def check_accepted(studio: Studio, answers: list[tuple[int, str]], made: list[bytes]) -> None:
    """Every receipt that arrived proves its entry, and the log holds it where the receipt says."""
    home = home_at(studio.home)
    verifiers = home.trust().log_verifiers(home.settings().origin)
    held = {row[1]: row[3] for row in studio.rows("entry")}
    assert answers
    for number, body in answers:
        item = json.loads(body)
        verify_receipt(parse_receipt(b64decode(item["receipt"])), made[number], verifiers)
        assert held[item["index"]] == made[number]


@pytest.mark.slow
def test_a_flood_loses_nothing_and_every_refusal_says_when_to_come_back(
    studio: Studio, bodies: tuple[Path, list[bytes]]
) -> None:
    file, made = bodies
    with running(studio, **TINY) as server:
        told = load(port(server), ENTRIES, file, clients=64, seconds=3, keep=True)
        assert set(told.statuses) == {"201", "503"}
        assert (told.broken, told.without_retry_after) == (0, 0)
        alone = load(port(server), ENTRIES, file, clients=1, seconds=0.5, keep=True)
        assert set(alone.statuses) <= {"200", "201"}
        assert alone.accepted
    check_accepted(studio, [*told.answers, *alone.answers], made)
    assert studio.ok("fsck").code == 0


@pytest.mark.slow
def test_a_mountain_of_entries_does_not_keep_a_single_one_waiting(
    studio: Studio, bodies: tuple[Path, list[bytes]]
) -> None:
    """Batches without an end fill their own lane; single entries are all taken meanwhile."""
    _, made = bodies
    over = threading.Event()
    mountain = list(signed_steps(studio.home, device_of(studio.home), "mount", 6_000))

    def shovel() -> None:
        for at in range(0, len(mountain), 1_000):
            with suppress(RakkanError):
                Client(server.url, production="nightfall").send(mountain[at : at + 1_000])
            if over.is_set():
                return

    with running(studio) as server:
        shovels = [threading.Thread(target=shovel) for _ in range(3)]
        for thread in shovels:
            thread.start()
        time.sleep(0.3)
        times = []
        for entry in made[:20]:
            begun = time.monotonic()
            assert post(server, entry)[0] == 201
            times.append(time.monotonic() - begun)
        busy = all(thread.is_alive() for thread in shovels)
        over.set()
        for thread in shovels:
            thread.join()
    assert busy, "the mountain was gone too soon to show anything"
    # A batch takes some hundred milliseconds to verify; a single entry waits for a slice of one.
    assert sorted(times)[len(times) // 2] < 0.5


def post(server: Running, entry: bytes) -> tuple[int, Any]:
    connection = HTTPConnection("127.0.0.1", port(server), timeout=30)
    try:
        fields = {"Content-Type": "application/vnd.dsse.envelope.v1+json"}
        connection.request("POST", ENTRIES, entry, fields)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def test_a_kill_in_the_middle_of_a_flood_loses_nothing_that_was_receipted(
    studio: Studio, bodies: tuple[Path, list[bytes]]
) -> None:
    file, made = bodies
    with running(studio) as server:
        flood = start(port(server), ENTRIES, file, clients=32, seconds=20, keep=True)
        while studio.size() < 200:
            time.sleep(0.05)
        for worker in server.workers():
            os.kill(worker, signal.SIGKILL)
        server.signal(signal.SIGKILL)
        told = Told(**json.loads(flood.communicate()[0]))
    assert told.broken
    assert len(told.answers) > 100
    check_accepted(studio, told.answers, made)
    with running(studio) as server:
        known = {number: json.loads(body)["index"] for number, body in told.answers}
        some = sorted(known)[:500]
        again = Client(server.url, production="nightfall").send([made[number] for number in some])
        assert [item.index for item in again if isinstance(item, Receipted)] == [known[n] for n in some]
        status, item = post(server, made[some[-1]])
        assert (status, item["index"], item["duplicate"]) == (200, known[some[-1]], True)


@pytest.mark.slow
def test_a_stop_in_the_middle_of_a_stream_keeps_what_was_answered(
    studio: Studio, bodies: tuple[Path, list[bytes]]
) -> None:
    """A stream may last for days: a server that stops does not wait for its end."""
    _, made = bodies
    kind = "application/x-ndjson"
    with running(studio, RAKKAN_SERVE_WORKERS_GRACE="1s") as server:
        connection = HTTPConnection("127.0.0.1", port(server), timeout=30)
        connection.putrequest("POST", ENTRIES)
        for name, value in (("Content-Type", kind), ("Accept", kind), ("Transfer-Encoding", "chunked")):
            connection.putheader(name, value)
        connection.endheaders()
        for entry in made[:50]:
            connection.send(b"%x\r\n%s\n\r\n" % (len(entry) + 1, entry))
        answer = connection.getresponse()
        lines = [answer.readline() for _ in range(50)]
        server.signal(signal.SIGTERM)
        with suppress(HTTPException, OSError):
            answer.read()
        connection.close()
        assert server.ended() == 0
    check_accepted(studio, [(number, line.decode()) for number, line in enumerate(lines)], made)
