"""`rakkan run` against the bare command, and how long a hook blocks its tool.

`python -m pytest -m bench -s tests/bench/test_bench_run.py` prints both. The bare command and the one under
`rakkan run` take turns, so that what else the machine does hits both; the shortest of each counts, from start
to end: the start of Python, the tracer, and what is done before the record is in the spool.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image

from ledger.hooks import rakkan_capture
from tests.bench.table import print_table
from tests.support.traced import Desk, desk, require

pytestmark = pytest.mark.bench

ROUNDS = 3
LIMIT = 1.10
SPOOLED = 500
Row = tuple[str, float, float, float | None]


@pytest.fixture(scope="module")
def table() -> Iterator[list[Row]]:
    """What the measurements find, printed together at the end."""
    rows: list[Row] = []
    yield rows
    print_table("`rakkan run` against the bare command", rows)


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    made = desk(tmp_path_factory.mktemp("run"))
    for number in range(48):
        picture = Image.merge("RGB", [Image.effect_noise((1280, 720), 5 + number % 3) for _ in range(3)])
        picture.save(made.folder / f"f.{1001 + number}.png", compress_level=1)
    return made


def ffmpeg(work: Desk) -> list[str]:
    frames = ["-start_number", "1001", "-i", "f.%04d.png"]
    return ["ffmpeg", "-y", "-v", "error", *frames, "-preset", "veryfast", "cut.mp4"]


def mogrify(work: Desk) -> list[str]:
    (work.folder / "out").mkdir(exist_ok=True)
    names = sorted(path.name for path in work.folder.glob("f.10[0-3]*.png"))
    return ["mogrify", "-path", "out", "-resize", "50%", *names]


def python(work: Desk) -> list[str]:
    script = work.folder / "grade.py"
    script.write_text(
        "from PIL import Image, ImageFilter\n"
        "for n in range(1001, 1025):\n"
        "    picture = Image.open(f'f.{n}.png').convert('RGB').filter(ImageFilter.GaussianBlur(4))\n"
        "    picture.save(f'out.{n}.png', compress_level=1)\n"
    )
    return [sys.executable, "grade.py"]


@pytest.mark.timeout(900)
@pytest.mark.parametrize("tracer", ["strace", "preload"])
@pytest.mark.parametrize("job", [ffmpeg, mogrify, python], ids=lambda job: job.__name__)
def test_a_command(work: Desk, table: list[Row], job: Callable[[Desk], list[str]], tracer: str) -> None:
    require(tracer)
    command = job(work)
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")

    def once(line: list[str | bytes]) -> float:
        start = time.perf_counter()
        subprocess.run(line, cwd=work.folder, env=work.env(), check=True)
        return (time.perf_counter() - start) * 1000

    traced = work.line(*command, options=("--tracer", tracer))
    once(traced)
    times = [(once(traced), once([*command])) for _ in range(ROUNDS)]
    ours, bare = (min(column) for column in zip(*times, strict=True))
    record = work.records()[-1]
    assert record.parameters["trace"].startswith(tracer)
    assert len(record.inputs) >= 12
    table.append((f"{job.__name__}, {tracer}", ours, bare, LIMIT))
    assert ours / bare <= LIMIT


def test_how_long_a_hook_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A record as ComfyUI's hook leaves it, with a small output to hash."""
    monkeypatch.setenv("RAKKAN_SPOOL", str(tmp_path / "spool"))
    output = tmp_path / "out.png"
    output.write_bytes(os.urandom(2_000_000))
    times = []
    for number in range(SPOOLED):
        start = time.perf_counter()
        with rakkan_capture.Step("generate", ("painter", "1"), {"shot": "sh010"}) as step:
            step.writes(output)
            step.parameter("seed", number)
            step.secret("prompt", "a lantern in the rain " * 40)
        times.append((time.perf_counter() - start) * 1000)
    times.sort()
    p50, p99 = times[SPOOLED // 2], times[SPOOLED * 99 // 100]
    sys.stdout.write(
        f"\nA hook blocks its tool, {SPOOLED} records each with 2 MB hashed:"
        f" p50 {p50:.2f} ms (target 5), p99 {p99:.2f} ms (limit 50)\n"
    )
    assert rakkan_capture.faults == []
    assert p99 < 50
