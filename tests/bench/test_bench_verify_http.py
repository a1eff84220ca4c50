"""The verification endpoint against bare ``c2pa.Reader``, server and clients on the same cores.

A real server answers over HTTP; ``Reader`` runs in this process, on the same files. What the
isolation alone costs is the same work by forked children against the same work in one process.
"""

from __future__ import annotations

import http.client
import io
import os
import statistics
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import c2pa
import pytest
from PIL import Image

from ledger.adapters.c2pa_codec import library
from ledger.ports import Anchors
from ledger.service.verify import verify_online
from ledger.service.verifying import Upload, Verifying
from ledger.wiring import home_at, open_studio
from ledger.wiring.apart import VerifySettings, workers
from tests.bench.table import best_ms, print_table
from tests.e2e.conftest import Studio, found
from tests.e2e.test_cli_serve import serving
from tests.support import hostile_files
from tests.support.verifying import OFTEN

pytestmark = pytest.mark.bench
REQUESTS = int(os.environ.get("RAKKAN_BENCH_REQUESTS", "1000"))
"""10,000 is the promise; the smaller number shows a leak as well."""
CLIENTS = 4


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    made = found(tmp_path_factory.mktemp("bench"))
    made.license()
    (made.home / "service.toml").write_text(f"{OFTEN}[logs]\nrequests = false\n")
    return made


@pytest.fixture(scope="module")
def frames(studio: Studio) -> dict[str, Path]:
    """A small picture, and one of 1080p; recorded, sealed."""
    small = studio.sealed("small.png", "--action", "generate", "--tool", "painter 1", "--model", "sky")
    large = studio.work / "large.png"
    Image.effect_noise((1920, 1080), 80).convert("RGB").save(large, compress_level=1)
    studio.record(large, "--action", "generate", "--tool", "painter 1", "--model", "sky")
    studio.ok("seal", large)
    return {"48x32 PNG": small, "1080p PNG": large}


def context(studio: Studio) -> c2pa.Context:
    with open_studio(home_at(studio.home)) as opened:
        trust = opened.trust
    return library._reading_context(Anchors(trust.manifest_anchors, trust.timestamp_anchors))


def bare(data: bytes, held: c2pa.Context) -> str:
    with c2pa.Reader("image/png", io.BytesIO(data), context=held) as opened:
        return str(opened.json())


def post(line: http.client.HTTPConnection, data: bytes) -> bytes:
    line.request("POST", "/v1/verify", data, {"Content-Type": "image/png"})
    answer = line.getresponse()
    body = answer.read()
    assert answer.status == 200, body
    return body


def rss(pids: list[int]) -> float:
    """Resident memory in MB. Pages that a fork shares count for each."""
    pages = sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in pids)
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def family(pid: int) -> list[int]:
    inner = [
        int(c) for t in Path(f"/proc/{pid}/task").iterdir() for c in (t / "children").read_text().split()
    ]
    return [pid, *(member for child in inner for member in family(child))]


def server() -> int:
    """The server that this process started last."""
    return max(family(os.getpid())[1:2])


def many(url: str, data: bytes, count: int) -> Iterator[float]:
    """Yield how long each of so many requests took (ms), by several clients."""

    def some(_: int) -> list[float]:
        line, times = http.client.HTTPConnection(url.removeprefix("http://")), []
        for _ in range(count // CLIENTS):
            start = time.perf_counter()
            post(line, data)
            times.append((time.perf_counter() - start) * 1000)
        line.close()
        return times

    with ThreadPoolExecutor(CLIENTS) as pool:
        for times in pool.map(some, range(CLIENTS)):
            yield from times


def test_what_isolation_costs(studio: Studio, frames: dict[str, Path]) -> None:
    rows: list[tuple[str, float, float, float | None]] = []
    held = context(studio)
    with open_studio(home_at(studio.home)) as opened, workers([opened.trust], VerifySettings()) as apart:
        verifying = Verifying([opened], apart)
        for name, path in frames.items():
            data = path.read_bytes()
            upload = Upload(path.parent, path.name, sha256(data).hexdigest(), path.name)
            isolated = best_ms(lambda upload=upload: verifying.file(upload), 40)  # type: ignore[misc] # a default
            inside = best_ms(lambda path=path: verify_online(opened, path, opened.trust), 40)  # type: ignore[misc]
            reader = best_ms(lambda data=data: bare(data, held), 40)  # type: ignore[misc]
            rows += [
                (f"{name}: in a child, against in process", isolated, inside, None),
                (f"{name}: in process, against c2pa.Reader", inside, reader, None),
            ]
        empty = best_ms(_fork, 40)
        rows.append(("a fork of this process that does nothing", empty, empty, None))
    print_table("one verification, no HTTP", rows)


def test_requests_against_bare_reader(studio: Studio, frames: dict[str, Path]) -> None:
    held, rows = context(studio), list[tuple[str, float, float, float | None]]()
    with serving(studio) as url:
        for name, path in frames.items():
            data, count = path.read_bytes(), max(100, REQUESTS // 5)
            list(many(url, data, 20))
            start = time.perf_counter()
            times = sorted(many(url, data, count))
            each = (time.perf_counter() - start) * 1000 / len(times)
            reader = statistics.median(_timed(lambda data=data: bare(data, held)) for _ in range(100))
            p99 = times[int(len(times) * 0.99)]
            rows += [
                (f"{name}: time for each, {CLIENTS} clients", each, reader, None),
                (f"{name}: p99", p99, reader, None),
            ]
            sys.stdout.write(f"\n{name}: {1000 / each:.1f} requests/s, p99 {p99:.1f} ms\n")
    print_table("POST /v1/verify against c2pa.Reader in process", rows)


def test_memory_stays_flat(studio: Studio, frames: dict[str, Path]) -> None:
    data = frames["48x32 PNG"].read_bytes()
    with serving(studio) as url:
        list(many(url, data, 100))
        pids = family(server())
        before = rss(pids)
        list(many(url, data, REQUESTS))
        after = rss(family(server()))
    sys.stdout.write(f"\nserver and zygote: {before:.1f} MB, after {REQUESTS} requests {after:.1f} MB\n")
    assert after - before < 16


def test_files_made_to_hurt(studio: Studio) -> None:
    files = {name: make() for name, make in hostile_files.FILES.items()}
    files["ten thousand assertions"] = hostile_files.many_assertions()
    with serving(studio) as url:
        line, times = http.client.HTTPConnection(url.removeprefix("http://"), timeout=60), {}
        for name, data in files.items():
            start = time.perf_counter()
            post(line, data)
            times[name] = time.perf_counter() - start
        line.close()
    slowest = sorted(times.items(), key=lambda item: -item[1])[:5]
    shown = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in slowest)
    sys.stdout.write(f"\n{len(files)} hostile files: {sum(times.values()):.1f} s; the slowest: {shown}\n")
    assert max(times.values()) < 40


def _timed(action: object) -> float:
    start = time.perf_counter()
    action()  # type: ignore[operator]
    return (time.perf_counter() - start) * 1000


def _fork() -> None:
    pid = os.fork()
    if not pid:
        os._exit(0)
    os.waitpid(pid, 0)
