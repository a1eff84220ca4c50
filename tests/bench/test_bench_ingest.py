"""Entries over HTTP: single ones, batches, ten times too many, and into a log that grows.

Server and load generator share the same two cores, with whoever else works on the machine. So each number
stands beside that of a bare server, which reads the body and answers as much, on the same web server with the
same settings; and beside the processor time of all the server's processes, which depends on others the least.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from base64 import b64decode
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from ledger.adapters.settings import Settings
from ledger.core import envelope as dsse
from ledger.core import statement as statements
from ledger.core.artifact import Artifact, Role
from ledger.core.digest import sha256_hex
from ledger.core.merkle import leaf_hash
from ledger.core.receipt import parse_receipt, verify_receipt
from ledger.service.log.sequence import Offer
from ledger.service.reading.lineage import Way, lineage
from ledger.service.reading.pages import Page
from ledger.service.reading.sight import Sight
from ledger.service.studio import Studio as OpenStudio
from ledger.testing import AdmitAll
from ledger.wiring import home_at, open_studio
from ledger.wiring.enrolment import found_studio
from tests.bench.table import print_table
from tests.e2e.conftest import ROOT, Studio, copied
from tests.support.builders import statement, step
from tests.support.load import Told, load, write_bodies
from tests.support.log import project
from tests.support.posting import signed_steps
from tests.support.service import Running, running, until

pytestmark = [pytest.mark.bench, pytest.mark.timeout(7200)]
SECONDS = float(os.environ.get("RAKKAN_BENCH_SECONDS", "60"))
MILLION = int(os.environ.get("RAKKAN_BENCH_ENTRIES", "1000000"))
CLIENTS = 64
NEED = 1_157
"""Entries a second: the average of the week in which 130 million people made 700 million images."""
ENTRIES = "/v1/productions/bench/entries"
NDJSON = "application/x-ndjson"
QUIET = {"RAKKAN_SERVE_PUBLISH_ENABLED": "false"}
"""The publisher works once a second beside all this, and is measured in test_bench_log.py."""


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    folder = tmp_path_factory.mktemp("ingest")
    found_studio(home_at(folder / "home"), Settings("Studio", "bench", "bench.example/log", "log"), "ws-01")
    (folder / "work").mkdir()
    return Studio(folder / "home", folder / "work")


@pytest.fixture
def studio(founded: Studio, tmp_path: Path) -> Studio:
    return copied(founded, tmp_path / "studio")


def cpu_seconds(pid: int) -> float:
    """Return the processor time of a process and all below it, so far."""
    parents: dict[int, int] = {}
    times: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = stat.read_text().rpartition(")")
        except OSError:
            continue
        fields, number = rest.split(), int(name.split()[0])
        parents[number], times[number] = int(fields[1]), int(fields[11]) + int(fields[12])
    below, found = {pid}, 0
    while len(below) > found:
        found = len(below)
        below |= {number for number, parent in parents.items() if parent in below}
    return sum(times[number] for number in below) / os.sysconf("SC_CLK_TCK")


def settle(server: Running) -> None:
    """Wait until the workers have started and do nothing: their imports are not what is measured."""
    until(lambda: answers(server), 120)
    before = -1.0
    while (now := cpu_seconds(server.process.pid)) - before > 0.05:
        before = now
        time.sleep(1)


def answers(server: Running) -> bool:
    try:
        return server.health() == 200
    except OSError:  # it has not started yet
        return False


def port(url: str) -> int:
    return int(url.rpartition(":")[2])


@contextmanager
def bare(body: int) -> Iterator[tuple[int, int]]:
    """Run a server that reads and answers so many bytes; yields its process and port."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.bare_server", str(body)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield process.pid, int(process.stdout.readline())
    finally:
        process.terminate()
        process.wait(30)
        process.stdout.close()


def said(told: Told, cpu: float) -> str:
    count, each = len(told.accepted), cpu / len(told.accepted) * 1e6
    middle, late = told.quantile(0.5) * 1e3, told.quantile(0.99) * 1e3
    return f"{count / told.seconds:9,.0f}/s  p50 {middle:6.1f} ms  p99 {late:6.1f} ms  {each:5.0f} us cpu"


def show(*lines: str) -> None:
    sys.stdout.write("\n".join(lines) + "\n")


@pytest.mark.parametrize("workers", [1, 2])
def test_single_signed_steps_with_receipts(studio: Studio, tmp_path: Path, workers: int) -> None:
    """64 clients, one entry in each request, for as long as RAKKAN_BENCH_SECONDS says."""
    bodies = tmp_path / "bodies"
    write_bodies(bodies, signed_steps(studio.home, "ws-01", "one", int(SECONDS * 4_000)))
    lines = [
        f"\nsingle signed steps, {workers} processes, {CLIENTS} clients, {SECONDS:g} s (the need: {NEED:,}/s)"
    ]
    with running(studio, "--workers", workers, **QUIET) as server:
        settle(server)
        before = cpu_seconds(server.process.pid)
        told = load(port(server.url), ENTRIES, bodies, CLIENTS, SECONDS)
        cpu = cpu_seconds(server.process.pid) - before
        assert set(told.statuses) == {"201"}
        lines.append(f"with receipts {said(told, cpu)}")
    ours = told.seconds / len(told.accepted), cpu / len(told.accepted)
    with bare(1_200) as (pid, at):
        before = cpu_seconds(pid)
        told = load(at, ENTRIES, bodies, CLIENTS, min(SECONDS, 10))
        cpu = cpu_seconds(pid) - before
        lines.append(f"a bare server {said(told, cpu)}")
    show(*lines)
    theirs = told.seconds / len(told.accepted), cpu / len(told.accepted)
    rows: list[tuple[str, float, float, float | None]] = [
        ("time for an entry", ours[0] * 1e3, theirs[0] * 1e3, None),
        ("processor time for an entry", ours[1] * 1e3, theirs[1] * 1e3, None),
    ]
    print_table("against a server that only answers", rows)


def test_batches(studio: Studio, tmp_path: Path) -> None:
    """Several entries in a request, and many files under one signature."""
    lines = [f"\nbatches, 1 process, {min(SECONDS, 10):g} s each"]
    with running(studio, **QUIET) as server:
        settle(server)
        for kind, size, clients in (("application/json", 20, 16), (NDJSON, 20, 16), (NDJSON, 500, 4)):
            made = list(signed_steps(studio.home, "ws-01", f"b{size}{kind[-3:]}"[:6], 60_000))
            parts = [made[at : at + size] for at in range(0, len(made), size)]
            file = tmp_path / "batches"
            write_bodies(file, (_batch(part, kind) for part in parts))
            before = cpu_seconds(server.process.pid)
            told = load(port(server.url), ENTRIES, file, clients, min(SECONDS, 10), media=kind)
            cpu = cpu_seconds(server.process.pid) - before
            count = len(told.accepted) * size
            lines.append(
                f"{kind:22} of {size:3}: {count / told.seconds:9,.0f} entries/s"
                f"  {cpu / count * 1e6:5.0f} us of processor each  p99 {told.quantile(0.99) * 1e3:.0f} ms"
            )
        frames = 200
        file = tmp_path / "frames"
        write_bodies(file, many_frames(studio, frames, 10_000))
        before = cpu_seconds(server.process.pid)
        told = load(port(server.url), ENTRIES, file, CLIENTS, min(SECONDS, 10))
        cpu = cpu_seconds(server.process.pid) - before
        count = len(told.accepted) * frames
        lines.append(
            f"{frames} frames under one signature: {count / told.seconds:9,.0f} frames/s"
            f"  {cpu / count * 1e6:5.1f} us of processor each"
        )
    show(*lines)


def _batch(part: Sequence[bytes], kind: str) -> bytes:
    return b"\n".join(part) if kind == NDJSON else b'{"entries":[' + b",".join(part) + b"]}"


def many_frames(studio: Studio, frames: int, count: int) -> Iterator[bytes]:
    """Yield signed steps with so many frames each."""
    signer = home_at(studio.home).statement_signer("ws-01")
    now = datetime.now(UTC).replace(microsecond=0)
    subjects = [
        Artifact(f"sh0020_comp_v003.{number:04}.exr", sha256_hex(b"%d" % number)) for number in range(frames)
    ]
    said = statements.encode(statement(step(step_id="number-00000000", started=now, finished=now), *subjects))
    for number in range(count):
        yield dsse.sign(said.replace(b"number-00000000", b"frames-%08d" % number), signer)


def test_ten_times_as_much_as_it_can_take(studio: Studio, tmp_path: Path) -> None:
    """640 clients who never wait as they are told, and a queue of 64; each receipt is looked up later."""
    made = list(signed_steps(studio.home, "ws-01", "flood", int(SECONDS * 12_000)))
    bodies = tmp_path / "bodies"
    write_bodies(bodies, made)
    with running(studio, RAKKAN_SERVE_INTAKE_MAX_WAITING="64", **QUIET) as server:
        settle(server)
        calm = load(port(server.url), ENTRIES, bodies, 1, 2)
        told = load(port(server.url), ENTRIES, bodies, 10 * CLIENTS, SECONDS, keep=True)
        begun = time.monotonic()
        recovered = recovery(server, bodies, calm.quantile(0.5))
        over = time.monotonic() - begun
    total = sum(told.statuses.values())
    lost = lost_of(studio, told, made)
    show(
        f"\nten times too much, 1 process, {10 * CLIENTS} clients, {SECONDS:g} s, a queue of 64",
        f"accepted  {len(told.accepted) / told.seconds:9,.0f}/s, p50 {told.quantile(0.5) * 1e3:.0f} ms,"
        f" p99 {told.quantile(0.99) * 1e3:.0f} ms (calm, one client: {calm.quantile(0.5) * 1e3:.1f} ms)",
        f"refused   {1 - len(told.accepted) / total:9.1%} of {total:,},"
        f" {told.without_retry_after} without Retry-After",
        f"broken    {told.broken:9,} connections; lost {lost:,} of {len(told.answers):,} receipts",
        f"recovered {recovered * 1e3:9.1f} ms for the first entry afterwards;"
        f" as quick as before after {over:.1f} s",
    )
    assert set(told.statuses) <= {"200", "201", "503"}
    assert (told.without_retry_after, told.broken, lost) == (0, 0, 0)


def recovery(server: Running, bodies: Path, calm: float) -> float:
    """Return how long the first entry took, once entries are as quick as they were."""
    first = 0.0
    while True:
        told = load(port(server.url), ENTRIES, bodies, 1, 0.2)
        first = first or told.accepted[-1]
        if told.quantile(0.5) < 2 * calm:
            return first


def lost_of(studio: Studio, told: Told, made: Sequence[bytes]) -> int:
    """Return how many receipts are not borne out by the log."""
    home, lost = home_at(studio.home), 0
    verifiers = home.trust().log_verifiers(home.settings().origin)
    with open_studio(home) as opened:
        for number, body in told.answers:
            item = json.loads(body)
            verify_receipt(parse_receipt(b64decode(item["receipt"])), made[number], verifiers)
            lost += opened.entries.envelope(item["index"]) != made[number]
    return lost


def test_a_log_that_grows(studio: Studio) -> None:
    """What one entry costs at ten thousand entries, at a hundred thousand and at a million."""
    home = home_at(studio.home)
    found: dict[int, dict[str, float]] = {}
    with open_studio(home) as opened:
        signer = home.statement_signer("ws-01")
        last = chain(opened, signer, 20)
        for size in (MILLION // 100, MILLION // 10, MILLION):
            fill(opened, size)
            found[size] = costs(opened, studio, last, size)
    small, *others = found
    for size in others:
        rows: list[tuple[str, float, float, float | None]] = [
            (what, ms, found[small][what], None) for what, ms in found[size].items()
        ]
        print_table(f"{size:,} entries (ours) against {small:,} (bare)", rows)


def chain(opened: OpenStudio, signer: dsse._Signer, length: int) -> str:
    """Add steps that each made a file of the one before; return the digest of the last file."""
    now = datetime.now(UTC).replace(microsecond=0)
    before = sha256_hex(b"the plate")
    for number in range(length):
        made = Artifact(f"v{number:03}.exr", sha256_hex(b"version %d" % number))
        used = (Artifact("before.exr", before, role=Role.PARENT),)
        said = statement(step(step_id=f"chain-{number}", materials=used, started=now, finished=now), made)
        opened.log.append([dsse.sign(statements.encode(said), signer)])
        before = made.sha256
    return before


def fill(opened: OpenStudio, size: int) -> None:
    """Bring the log to this size, straight and without anybody's signature, which is measured elsewhere."""
    log, admits = opened.log, opened.log._admission
    log._admission = AdmitAll(project)
    start = opened.entries.head().size
    for at in range(start, size, 1_000):
        envelopes = [b"%d " % number + bytes(1_500) for number in range(at, min(at + 1_000, size))]
        log.commit([Offer(item, leaf_hash(item), item) for item in envelopes])
    log._admission = admits


def costs(opened: OpenStudio, studio: Studio, last: str, size: int) -> dict[str, float]:
    """Return milliseconds: the median of many, each on other entries."""
    log = opened.log
    new = [log.offer(item) for item in signed_steps(studio.home, "ws-01", f"g{size}"[:6], 20 * 64 + 50)]
    some = [size // 100 * number for number in range(1, 100)]
    digests = [sha256_hex(opened.entries.envelope(index)) for index in some]
    page = Page(("lineage", last))
    return {
        "append one": median([partial(log.commit, [offer]) for offer in new[:50]]),
        "append 64": median([partial(log.commit, new[at : at + 64]) for at in range(50, len(new), 64)]),
        "look up by digest": median([partial(opened.entries.artifacts, sha256=digest) for digest in digests]),
        "lineage, ten links": median([partial(lineage, opened, last, Way(), page, Sight())] * 30),
        "receipt": median([partial(log.receipt, index) for index in some]),
    }


def median(actions: Sequence[Callable[[], object]]) -> float:
    """Return the median time of these, in milliseconds."""
    times = []
    for action in actions:
        begun = time.perf_counter()
        action()
        times.append(time.perf_counter() - begun)
    return statistics.median(times) * 1e3
