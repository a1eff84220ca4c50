"""Coverage of 200,000 small files, next to sha256sum over them, and next to looking at them only.

`python -m pytest -m bench -s tests/bench/test_bench_coverage.py` prints it. Half of the files are recorded: a
quarter by one step for each shot, a quarter frame by frame. *Cold* begins without a cache of digests, as on a
new machine; *warm* has nothing to read but the cache. All files are in the memory of the machine on both
sides. sha256sum gets its names by xargs.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from ledger.adapters.hash_cache import SqliteHashCache
from ledger.adapters.images import Pixels
from ledger.adapters.sql.basis import SqlBasisStore
from ledger.adapters.sql.store import SqlEntryStore
from ledger.core.artifact import Artifact
from ledger.service.coverage.coverage import Asked, Class, Coverage, coverage
from ledger.service.studio import Studio
from tests.architecture.project import ROOT
from tests.bench.table import best_ms, print_table
from tests.support.bare_studio import opened, studio_on
from tests.support.builders import envelope, step
from tests.support.log import ORIGIN, database
from tests.support.media import noise

pytestmark = [pytest.mark.bench, pytest.mark.timeout(1800)]
SHOTS, FRAMES = 2_000, 100
FILES = SHOTS * FRAMES
SIZE = 2_000

MEMORY = """
import re, sys, tempfile
from pathlib import Path
from ledger.adapters.hash_cache import SqliteHashCache
from ledger.service.coverage.coverage import Asked, coverage
from ledger.testing import MemoryEntryStore
from ledger.testing.bases import MemoryBasisStore
from tests.support.bare_studio import opened, studio_on
log = MemoryEntryStore()
studio = opened(studio_on(log, MemoryBasisStore(log)))
with tempfile.TemporaryDirectory() as folder:
    coverage(studio, Asked(sys.argv[1]), SqliteHashCache(Path(folder, "hashes.sqlite"), print))
print(re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())[1])
"""


def content(shot: int, frame: int) -> bytes:
    return b"points  " + sha256(b"%d %d" % (shot, frame)).digest() * (SIZE // 32)


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("farm")
    for shot in range(SHOTS):
        folder = root / f"sq{shot // 50:03}" / f"sh{shot:04}" / "comp"
        folder.mkdir(parents=True)
        for frame in range(FRAMES):
            (folder / f"comp.{1001 + frame}.bgeo").write_bytes(content(shot, frame))
            os.utime(folder / f"comp.{1001 + frame}.bgeo", (1_790_000_000, 1_790_000_000))
    return root


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    with database(tmp_path_factory.mktemp("log")) as engine:
        made = opened(studio_on(SqlEntryStore(engine, ORIGIN), SqlBasisStore(engine, ORIGIN)))
        for shot in range(0, SHOTS, 2):
            made.log.append([envelope(step(), subjects=some) for some in recorded(shot)])
        yield made


def recorded(shot: int) -> Iterator[tuple[Artifact, ...]]:
    """Yield the subjects of each step of a shot."""
    digests = (sha256(content(shot, frame)).hexdigest() for frame in range(FRAMES))
    made = tuple(Artifact(f"comp.{1001 + frame}.bgeo", digest) for frame, digest in enumerate(digests))
    if shot % 4 == 0:
        yield made
    else:
        yield from ((artifact,) for artifact in made)


def looked_at(root: Path) -> int:
    return sum(
        os.stat(os.path.join(folder, name), follow_symlinks=False).st_size  # noqa: PTH116, PTH118 - the bare measure
        for folder, _, names in os.walk(root)
        for name in names
    )


def summed(root: Path) -> None:
    command = f"find {root} -type f -print0 | xargs -0 sha256sum > /dev/null"
    subprocess.run(["sh", "-c", command], check=True)


def cover(studio: Studio, root: Path, cache: Path) -> Coverage:
    kept = SqliteHashCache(cache, pytest.fail)
    try:
        return coverage(studio, Asked(str(root)), kept)
    finally:
        kept.close()


def test_two_hundred_thousand_files(farm: Path, studio: Studio, tmp_path: Path) -> None:
    cache = tmp_path / "hashes.sqlite"

    def cold() -> None:
        for path in tmp_path.iterdir():
            path.unlink()
        counts = cover(studio, farm, cache).whole.counts
        assert (counts[Class.BYTES].files, counts[Class.UNATTRIBUTED].files) == (FILES // 2, FILES // 2)

    summed(farm)
    bare, seen = best_ms(lambda: summed(farm), 3), best_ms(lambda: looked_at(farm), 3)
    first = best_ms(cold, 3)
    again = best_ms(lambda: cover(studio, farm, cache), 3)
    print_table(
        f"Coverage of {FILES:,} files of 2 KB, half of them recorded",
        [
            ("cold, next to sha256sum", first, bare, None),
            ("warm, next to sha256sum", again, bare, None),
            ("cold, next to os.walk and stat", first, seen, None),
            ("warm, next to os.walk and stat", again, seen, None),
        ],
    )


def test_large_files(studio: Studio, tmp_path: Path) -> None:
    root = tmp_path / "plates"
    root.mkdir()
    for number in range(100):
        (root / f"{number}.dpx.part").write_bytes(os.urandom(1 << 20) * 12)
    summed(root)
    ours = best_ms(lambda: cover(studio, root, tmp_path / f"{os.urandom(8).hex()}.sqlite"), 3)
    print_table(
        "100 files of 12 MB", [("cold, next to sha256sum", ours, best_ms(lambda: summed(root), 3), None)]
    )


def test_pictures_that_nobody_recorded(studio: Studio, tmp_path: Path) -> None:
    root = tmp_path / "plates"
    root.mkdir()
    for number in range(40):
        noise(size=(1920, 1080), seed=number).save(root / f"{number}.png", compress_level=1)
    seeing = replace(studio, pixels=Pixels())
    ours = best_ms(lambda: cover(seeing, root, tmp_path / f"{os.urandom(8).hex()}.sqlite"), 3)
    bare = best_ms(lambda: [Pixels().digest(path) for path in root.iterdir()], 3)
    print_table("40 HD pictures", [("cold, next to decoding one by one", ours, bare, None)])


def test_memory_is_bounded(farm: Path) -> None:
    lines = ["\nPeak memory of a cold look"]
    for folder, count in ((farm / "sq000", FILES // 40), (farm, FILES)):
        done = subprocess.run(
            [sys.executable, "-c", MEMORY, str(folder)], cwd=ROOT, capture_output=True, text=True, check=True
        )
        lines.append(f"{count:>9,} files, all unattributed: {int(done.stdout) / 1024:.0f} MB")
    sys.stdout.write("\n".join(lines) + "\n")
