"""Building an inventory, next to one sorted pass of SHA-256 over the same items; proofs; memory.

`python -m pytest -m bench -s tests/bench/test_bench_inventory.py` prints it. The bare pass of the first row
reads the same list with the csv module, sorts its rows by key and hashes each once, all in memory, without
garbage collection. The build does that, and also checks each cell, hashes each record and the tree, sorts in
bounded memory, and ends with a file on disk. The second row leaves out reading and records on both sides.
"""

from __future__ import annotations

import csv
import gc
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from ledger.core.rights.inventory_proof import format_proof, parse_proof, verify
from ledger.service.inventory.build import _Tree, build
from ledger.service.inventory.index import LEAF_SIZE, open_index
from ledger.service.inventory.rows import WORK
from ledger.service.inventory.sorted_rows import SortedRows
from ledger.wiring.inventory import read_list
from tests.architecture.project import ROOT
from tests.bench.table import best_ms, print_table

pytestmark = [pytest.mark.bench, pytest.mark.timeout(1800)]
MILLION = 1_000_000

MEMORY = """
import re, sys
from pathlib import Path
from ledger.service.inventory.build import build
from ledger.wiring.inventory import read_list
source = Path(sys.argv[1])
build(read_list(source), source, "plates", source.with_suffix(".inventory"), lambda *_: None)
print(re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())[1])
"""


def write_list(path: Path, count: int) -> Path:
    with path.open("w") as handle:
        handle.write("work,sha256,rights_holder,grant\n")
        for number in range(count):
            digest = sha256(b"%d" % number).hexdigest()
            handle.write(
                f"plates/cut-{number:08}.png,{digest},Rights Holder {number % 4999},G-{number % 97}\n"
            )
    return path


@pytest.fixture(scope="module")
def plates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_list(tmp_path_factory.mktemp("bench") / "plates.csv", MILLION)


def built(source: Path) -> Path:
    target = source.with_suffix(".inventory")
    build(read_list(source), source, "plates", target, lambda *_: None)
    return target


def sorted_pass(source: Path) -> list[bytes]:
    """Read, sort, hash each: what nobody who hashes a list of works can do without."""
    with source.open(encoding="utf-8", newline="") as handle:
        rows = csv.reader(handle)
        next(rows)
        items = sorted((bytes.fromhex(key), work, holder, grant) for work, key, holder, grant in rows)
    return [sha256(key + f"{work}{holder}{grant}".encode()).digest() for key, work, holder, grant in items]


def leaves(index: Path) -> Iterator[bytes]:
    """Yield the leaves of an index in pieces, as the build sorts them."""
    with open_index(index) as opened, index.open("rb") as handle:
        handle.seek(opened.header.leaves_at)
        for start in range(0, opened.size, 1 << 17):
            yield handle.read(LEAF_SIZE * min(1 << 17, opened.size - start))


@contextmanager
def uncollected() -> Iterator[None]:
    """Measure the bare pass at its best: collecting a million tuples again and again is Python's business."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def test_building_against_a_sorted_pass(plates: Path, tmp_path: Path) -> None:
    ours = best_ms(lambda: built(plates), 3)
    with uncollected():
        bare = best_ms(lambda: sorted_pass(plates), 3)
    rows = np.frombuffer(b"".join(leaves(plates.with_suffix(".inventory"))), WORK)
    np.random.default_rng(1).shuffle(rows := rows.copy())
    entries = [row.tobytes()[:64] for row in rows]

    def tree() -> None:
        with (tmp_path / "scratch").open("w+b") as scratch:
            works, made = SortedRows(WORK, scratch), _Tree()
            for at in range(0, MILLION, 512):
                works.add(rows[at : at + 512])
            for piece in works.pieces():
                made.add(piece.tobytes())

    tree_ms = best_ms(tree, 3)
    with uncollected():
        hashed = best_ms(lambda: [sha256(entry).digest() for entry in sorted(entries)], 3)
    print_table(
        "An inventory of 1,000,000 works, next to one sorted pass of SHA-256",
        [
            ("build from CSV, to an index on disk", ours, bare, 2.0),
            ("the same from leaves in memory, tree only", tree_ms, hashed, 2.0),
        ],
    )


def read_and_verify(text: bytes) -> None:
    verify(parse_proof(text))


def test_proofs(plates: Path) -> None:
    lines = ["\nProofs from an inventory of 1,000,000 works"]
    with open_index(built(plates)) as index:
        for what, name in (("member", b"77"), ("absent", b"no work of anybody's")):
            key = sha256(name).digest()
            text = format_proof(index.prove(key))
            making = best_ms(partial(index.prove, key), 50)
            checking = best_ms(partial(read_and_verify, text), 50)
            lines.append(
                f"{what}: {len(text)} bytes, made in {making:.2f} ms, read and verified in {checking:.2f} ms"
            )
    sys.stdout.write("\n".join(lines) + "\n")


def test_memory_is_bounded(tmp_path: Path) -> None:
    lines = ["\nPeak memory of a build"]
    for count in (MILLION // 4, MILLION, 4 * MILLION):
        source = write_list(tmp_path / "plates.csv", count)
        command = [sys.executable, "-c", MEMORY, str(source)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        lines.append(f"{count:>9,} works: {int(done.stdout) / 1024:.0f} MB")
    sys.stdout.write("\n".join(lines) + "\n")
