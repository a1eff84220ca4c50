"""From a commit to whoever is told: how long it takes, and what listeners and deliveries cost."""

from __future__ import annotations

import http.client
import os
import sys
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median, quantiles

import pytest

from ledger.adapters.home import Home
from ledger.adapters.settings import Settings
from ledger.adapters.webhooks import HttpPoster
from ledger.core import envelope as dsse
from ledger.core import statement as statements
from ledger.core.predicates.party import Party, PartyKind
from ledger.core.statement import Statement
from ledger.service.events.deliver import Deliverer
from ledger.service.events.target import WebhookSettings
from ledger.testing import MemoryAlarms
from ledger.wiring import SystemClock, home_at, open_device, open_studio
from ledger.wiring.enrolment import found_studio
from ledger.wiring.events import open_events
from tests.bench.table import print_table
from tests.support.events_server import serving_events
from tests.support.receiver import receiving

pytestmark = pytest.mark.bench
PATH = "/v1/productions/bench/events"
LISTENERS = 200
ENTRIES = 10_000


@dataclass(frozen=True)
class Shop:
    home: Home

    def record(self, count: int, name: str) -> float:
        """Append entries in batches; return when the last commit was done."""
        now = datetime.now(UTC).replace(microsecond=0)
        with open_studio(self.home) as studio:
            signer = open_device(self.home, "registrar").signer
            facts = [
                Party(f"P-{name}-{n}", PartyKind.ORGANISATION, now, f"Company {n}") for n in range(count)
            ]
            made = [statements.encode(Statement((fact.subject,), fact)) for fact in facts]
            signed = [dsse.sign(payload, signer) for payload in made]
            for first in range(0, count, 500):
                studio.log.append(signed[first : first + 500])
            return time.monotonic()

    def environment(self) -> dict[str, str]:
        many = {"RAKKAN_SERVE_EVENTS_LISTENERS_PER_VIEWER": "1000", "RAKKAN_SERVE_EVENTS_HEARTBEAT": "15s"}
        return {**os.environ, "RAKKAN_HOME": str(self.home.folder), **many}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    home = home_at(tmp_path_factory.mktemp("bench") / "home")
    found_studio(home, Settings("Studio", "bench", "bench.example/log", "log"), "workstation")
    return Shop(home)


def listen(port: int) -> http.client.HTTPConnection:
    """Return a connection that its answer, which has no end, takes over."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {"X-Viewer": "kim producer", "Connection": "close"}
    connection.request("GET", PATH, headers=headers)
    return connection


def test_from_a_commit_to_an_event(shop: Shop) -> None:
    arrived: list[float] = []

    def follow(connection: http.client.HTTPConnection) -> None:
        response = connection.getresponse()
        ready.set()
        while len(arrived) < 60 and (line := response.readline()):
            if line.startswith(b"data:"):
                arrived.append(time.monotonic())
        response.close()

    ready = threading.Event()
    with serving_events(shop.environment()) as port:
        connection = listen(port)
        thread = threading.Thread(target=follow, args=(connection,))
        thread.start()
        ready.wait(20)
        committed = []
        for number in range(60):
            time.sleep(0.1 if number < 50 else 2.0)
            committed.append(shop.record(1, f"late-{number}"))
        thread.join(20)
    waits = [1000 * (end - start) for start, end in zip(committed, arrived, strict=True)]
    for what, some in (("busy", waits[:50]), ("after a rest of 2 s", waits[50:])):
        worst = quantiles(some, n=100)[-1]
        sys.stdout.write(f"\nfrom commit to event, {what}: p50 {median(some):.0f} ms, p99 {worst:.0f} ms\n")
        assert worst < 2000


def test_what_listeners_cost(shop: Shop) -> None:
    with serving_events(shop.environment()) as port:
        first = listen(port).getresponse()
        before = _workers_memory()
        answers = [listen(port).getresponse() for _ in range(LISTENERS)]
        assert {answer.status for answer in answers} == {200}
        after = _workers_memory()
        done = shop.record(1, "told")
        for answer in answers:
            while not answer.readline().startswith(b"data:"):
                pass
        took = time.monotonic() - done
        for answer in [first, *answers]:
            answer.close()
    each = (after - before) / LISTENERS
    sys.stdout.write(f"\n{LISTENERS} idle listeners: {after - before} KiB more, {each:.0f} KiB each")
    sys.stdout.write(f"\none event for all of them: {1000 * took:.0f} ms after its commit\n")
    assert each < 200


def test_deliveries_against_a_bare_loop_of_posts(shop: Shop) -> None:
    settings = WebhookSettings(allowed=("127.0.0.1/32",), http=True)
    with open_events(shop.home, settings) as told, receiving() as receiver:
        url = f"http://127.0.0.1:{receiver.port}/in"
        made = told.webhooks.add(url, ("entry.party",), "producer", "bench")
        shop.record(ENTRIES, "many")
        poster = HttpPoster(settings)
        deliverer = Deliverer(
            told.source, told.webhooks.store, poster, SystemClock(), MemoryAlarms(), settings, lambda: 0.5
        )
        begun = time.perf_counter()
        webhook = deliverer.turn(made)
        while webhook is not None and webhook.claimed is not None:
            webhook = deliverer.turn(webhook)
        ours = time.perf_counter() - begun
        sent = [(headers, body) for headers, body in receiver.got]
        assert len(receiver.events()) == ENTRIES
        begun = time.perf_counter()
        for _, body in sent:
            connection = http.client.HTTPConnection("127.0.0.1", receiver.port)
            connection.request("POST", "/in", body)
            connection.getresponse().read()
            connection.close()
        bare = time.perf_counter() - begun
    count = len(sent)
    print_table(
        "deliveries, one after the other", [("a delivery", 1000 * ours / count, 1000 * bare / count, 25)]
    )
    sys.stdout.write(
        f"{count / ours:.0f} deliveries/s, {ENTRIES / ours:.0f} events/s; bare {count / bare:.0f}/s\n"
    )
    assert ours / bare < 25


def _workers_memory() -> int:
    """Return the resident memory (KiB) of the worker processes that this process's server started."""
    found = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes()
            status = (folder / "status").read_text()
            parent = int(status.partition("PPid:")[2].split()[0])
            grandparent = (
                (Path("/proc") / str(parent) / "status").read_text().partition("PPid:")[2].split()[0]
            )
        except OSError:
            continue
        if b"spawn_main" in command and int(grandparent) == os.getpid():
            found += int(status.partition("VmRSS:")[2].split()[0])
    assert found
    return found
