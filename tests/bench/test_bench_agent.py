"""The agent: a day offline brought in, and large files hashed, against the log and sha256sum alone."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ledger.adapters.settings import Settings
from ledger.service.capture.taking import OwnLog
from ledger.wiring import home_at, open_studio
from ledger.wiring.enrolment import found_studio
from tests.bench.table import print_table
from tests.support.capturing import CaptureDevice

pytestmark = pytest.mark.bench
SPOOLED = 100_000
SAMPLE = 5_000
"""Entries of which the log alone is measured."""
FILES, SIZE = 40, 25 << 20


def device(folder: Path) -> CaptureDevice:
    work = folder / "work"
    work.mkdir(parents=True)
    found_studio(
        home_at(folder / "home"), Settings("Kumo", "bench", "ledger.example/bench", "log"), "workstation"
    )
    return CaptureDevice(folder / "device", folder / "home", work).install()


def record(number: int, **more: object) -> dict[str, object]:
    return {
        "rakkan": 1,
        "id": f"record-{number}",
        "captured": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "hook": {"name": "bench", "version": "1"},
        "layer": "app",
        "action": "edit",
        "tool": {"name": "grade", "version": "1"},
        "user": "yamada",
        "place": {"production": "bench", "sequence": "sq010", "shot": f"sh{number // 100:04}"},
        "inputs": [{"name": f"plate.{number}.exr", "sha256": f"{number:064x}", "role": "parent"}],
        "outputs": [{"name": f"grade.{number}.exr", "sha256": f"{number + 10**9:064x}"}],
        "secrets": {"prompt": "a castle by night"},
        **more,
    }


def spooled(device: CaptureDevice, count: int) -> None:
    new = device.spool.folder / "new"
    for number in range(1, count + 1):
        (new / f"{number:016d}-{number}.json").write_bytes(json.dumps(record(number)).encode())


def drain(folder: Path) -> None:
    """Bring in all that waits; prints seconds and the most memory in MB. Run in a process of its own."""
    found = CaptureDevice(folder / "device", folder / "home", folder / "work")
    started = time.perf_counter()
    found.turn()
    took = time.perf_counter() - started
    print(took, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)  # noqa: T201 - its answer


@pytest.mark.timeout(1800)
def test_a_day_offline(tmp_path: Path) -> None:
    here = device(tmp_path / "a")
    spooled(here, SPOOLED)
    code = f"from tests.bench.test_bench_agent import drain, Path; drain(Path({str(tmp_path / 'a')!r}))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    seconds, megabytes = map(float, answer.split())
    with here.agent() as agent:
        counts = agent.ways[0].chain.counts()
    assert counts["covered"] == SPOOLED
    with open_studio(home_at(here.home)) as studio:
        size = studio.entries.head().size
        entries = [studio.entries.envelope(index) for index in range(size - SAMPLE, size)]
    other = device(tmp_path / "b")
    with open_studio(home_at(other.home)) as studio:
        log = OwnLog(studio)
        started = time.perf_counter()
        for at in range(0, SAMPLE, 500):
            log.send(entries[at : at + 500])
        bare = (time.perf_counter() - started) / SAMPLE
    # That log knows none of the devices and refuses every entry: what is measured is reading and judging it.
    ours = seconds / SPOOLED
    print_table(
        f"{SPOOLED} spooled records: {seconds:.0f} s, {1 / ours:.0f} a second, {megabytes:.0f} MB at most",
        [("a record, against the log judging an entry", ours * 1000, bare * 1000, None)],
    )


def test_large_files_against_sha256sum(tmp_path: Path) -> None:
    here = device(tmp_path / "a")
    paths = [here.work / f"plate.{number:04}.bin" for number in range(FILES)]
    block = bytes(range(256)) * (1 << 12)
    for number, path in enumerate(paths):
        path.write_bytes(number.to_bytes(4, "big") + block * (SIZE // len(block)))
    started = time.perf_counter()
    subprocess.run(["sha256sum", *map(str, paths)], stdout=subprocess.DEVNULL, check=True)
    bare = time.perf_counter() - started
    here.spool.prepare()
    for number, path in enumerate(paths, 1):
        line = record(number, inputs=[], outputs=[{"path": str(path)}])
        (here.spool.folder / "new" / f"{number:016d}-{number}.json").write_bytes(json.dumps(line).encode())
    started = time.perf_counter()
    here.turn()
    ours = time.perf_counter() - started
    print_table(
        f"{FILES} files of {SIZE >> 20} MiB: {FILES * (SIZE >> 20) / ours:.0f} MiB/s",
        [("hashed, signed and in the log, against sha256sum", ours * 1000, bare * 1000, None)],
    )
