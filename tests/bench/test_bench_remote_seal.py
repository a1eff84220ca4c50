"""Sealing against a log elsewhere, over loopback, next to sealing the same files beside the ledger.

`python -m pytest -m bench -s tests/bench/test_bench_remote_seal.py` prints one table. The server is a process
of its own on the same two cores. Both sides record the same number of new files first; what is timed is the
sealing alone: evidence, claim, entry with its receipt, manifest kept. Sharing the manifests afterwards is not
in it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from ledger.service.seal import seal
from ledger.wiring import home_at, open_device, open_studio
from ledger.wiring.elsewhere import open_elsewhere, open_journal, open_server
from tests.bench.table import print_table
from tests.e2e.conftest import Studio, copied, founded, licensed
from tests.e2e.test_cli_serve import serving

pytestmark = pytest.mark.bench
__all__ = ["founded", "licensed"]
ROUNDS = 8
FRAMES = 20
Row = tuple[str, float, float, float | None]


@pytest.fixture(scope="module")
def table() -> Iterator[list[Row]]:
    rows: list[Row] = []
    yield rows
    print_table("Sealing against a log elsewhere, next to sealing beside the ledger", rows)


@pytest.mark.parametrize(("count", "limit"), [(1, 4.0), (FRAMES, 3.0)])
def test_remote_seal(licensed: Studio, tmp_path: Path, table: list[Row], count: int, limit: float) -> None:
    studio, carried = copied(licensed, tmp_path / "studio"), tmp_path / "carried"
    studio.ok("enrol", "ws-07", "--out", carried)
    made = ("--action", "generate", "--tool", "painter 1.0", "--model", "sky")

    def frames(kind: str, number: int) -> list[Path]:
        """New pictures that the log knows, of one step."""
        paths = [studio.png(f"{kind}-{number}-{n}.png", 1000 * number + n) for n in range(count)]
        for n, path in enumerate(paths):  # no two files alike
            path.write_bytes(path.read_bytes() + f"{kind} {number} {n}".encode())
        studio.ok("record", *paths, *made)
        return paths

    batches = {kind: [frames(kind, number) for number in range(ROUNDS)] for kind in ("here", "elsewhere")}
    best: dict[str, float] = {}
    with ExitStack() as stack:
        url = stack.enter_context(serving(studio))
        own = stack.enter_context(open_studio(home_at(studio.home)))
        workstation = open_device(home_at(studio.home), "workstation")
        home = home_at(carried)
        device = open_device(home, "ws-07")
        server = stack.enter_context(open_server(home, url, device))
        for here, elsewhere in zip(batches["here"], batches["elsewhere"], strict=True):
            start = time.perf_counter()
            seal(own, workstation, here)
            middle = time.perf_counter()
            seal(open_elsewhere(home, server), device, elsewhere, journal=open_journal(home))
            end = time.perf_counter()
            best["here"] = min(best.get("here", 9.0), middle - start)
            best["elsewhere"] = min(best.get("elsewhere", 9.0), end - middle)
    ours, bare = best["elsewhere"] * 1000, best["here"] * 1000
    table.append((f"{count} file{'s' * (count > 1)} over HTTP / beside the ledger", ours, bare, limit))
    assert ours / bare <= limit
