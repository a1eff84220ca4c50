"""The power fails: what was not synchronised is lost, kept or torn. What was acknowledged is there.

A run is recorded, system call by system call. The model disk replays it, and the power fails after every
acknowledgement and after each other call, with different luck. Names and luck come from seeds: a disk that
was lost once is lost again.
"""

import json
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ledger.errors import RakkanError
from tests.faults.disk import EVERYTHING, NOTHING, RECORD, SYNCS, Disk, Luck, read, write
from tests.faults.strace import Worker
from tests.support.faults import Told, examine, resume

SEEDS = 4
SAMPLE = 16

Image = tuple[str, dict[str, bytes], Told]


def record(
    worker: Worker, folder: Path, *, fault: str = "", broken: str = "", seed: int = 1
) -> tuple[Path, Told]:
    """Do the work in the folder, or a part of it; return its system calls and what was told."""
    trace = folder.with_name(f"{folder.name}.{seed}.trace")
    inject = ["-e", f"inject={fault}"] if fault else []
    return trace, worker.run(folder, [*RECORD, "-o", str(trace), *inject], broken, seed)


def images(disk: Disk, traces: list[Path], stride: int = 1) -> Iterator[Image]:
    """Yield the disks that a power failure may leave during the last of these lives, each with a name.

    The power fails after every acknowledgement and after each ``stride``-th of the other calls.
    """
    sent = b"".join(data for trace in traces[:-1] for _, data in disk.life(trace))
    for number, (call, data) in enumerate(disk.life(traces[-1])):
        sent += data
        if data or number % stride == 0:
            told = Told([json.loads(line) for line in sent.splitlines(keepends=True) if line.endswith(b"\n")])
            for name, luck in lucks(number):
                yield f"after {call}, call {number}, keeping {name}", disk.after(luck), told


def lucks(number: int) -> Iterator[tuple[str, Luck]]:
    yield from (("nothing", NOTHING), ("everything", EVERYTHING))
    for seed in range(number * SEEDS, (number + 1) * SEEDS):
        yield f"seed {seed}", Luck(seed)


def different(found: Iterator[Image], sample: int | None = None) -> list[Image]:
    """Leave out what was there before; take all of the rest, or some, evenly spread."""
    seen: dict[int, Image] = {}
    for name, files, told in found:
        seen.setdefault(hash((len(told.messages), *sorted(files.items()))), (name, files, told))
    every = list(seen.values())
    return every if sample is None else every[:: max(1, len(every) // sample)]


def losses(found: list[Image], folder: Path) -> list[str]:
    """Return each disk after which a promise is broken, with the promise."""
    broken = []
    for number, (name, files, told) in enumerate(found):
        image = write(files, folder / f"image-{number}")
        try:
            examine(image, told)
            resume(image)
        except (AssertionError, RakkanError) as error:
            line = traceback.extract_tb(error.__traceback__)[-1].line
            broken.append(f"{name}: {type(error).__name__}: {error}: {line}")
    return broken


sampled = pytest.mark.parametrize(
    ("stride", "sample"),
    [
        pytest.param(5, SAMPLE, marks=[pytest.mark.slow, pytest.mark.sample]),
        pytest.param(1, 8 * SAMPLE, marks=[pytest.mark.slow, pytest.mark.timeout(1200)]),
    ],
    ids=["sample", "many"],
)


@pytest.mark.slow
@pytest.mark.sample
def test_the_model_of_the_disk_is_right(worker: Worker, fresh: Callable[[], Path]) -> None:
    """Where nothing is lost, it holds what the real disk holds, byte for byte."""
    folder = fresh()
    disk = Disk(folder)
    trace, told = record(worker, folder)
    assert told.done
    sent = b"".join(data for _, data in disk.life(trace))
    assert disk.after(EVERYTHING) == read(folder)
    assert [json.loads(line) for line in sent.splitlines()] == told.messages


@sampled
def test_what_was_acknowledged_is_on_disk(
    worker: Worker, fresh: Callable[[], Path], tmp_path: Path, stride: int, sample: int
) -> None:
    folder = fresh()
    disk = Disk(folder)
    trace, told = record(worker, folder)
    assert told.done
    assert losses(different(images(disk, [trace], stride), sample), tmp_path) == []


def acknowledged(disk: Disk, traces: list[Path], name: str) -> Iterator[Image]:
    """Yield the emptiest disk after each acknowledgement of the last life."""
    for at, files, told in images(disk, traces, 10**9):
        if at.endswith("keeping nothing"):
            yield f"{name}, {at}", files, told


@sampled
def test_what_a_killed_process_left_is_acknowledged_only_when_it_is_on_disk(
    worker: Worker, fresh: Callable[[], Path], tmp_path: Path, stride: int, sample: int
) -> None:
    """The second process finds what the first one wrote but did not synchronise, and must not trust it."""
    found: list[Image] = []
    for name, number in few(worker.calls(fresh(), sorted(SYNCS)), stride):
        folder = fresh()
        disk = Disk(folder)
        first, killed = record(worker, folder, fault=f"{name}:signal=KILL:when={number}")
        second, told = record(worker, folder, seed=2)
        assert (killed.done, told.done) == (False, True)
        found += acknowledged(disk, [first, second], f"killed at {name} {number}")
    assert losses(different(iter(found), sample), tmp_path) == []


@sampled
def test_a_failed_synchronisation_is_not_forgotten_by_the_next_one(
    worker: Worker, fresh: Callable[[], Path], tmp_path: Path, stride: int, sample: int
) -> None:
    """The same process does the same again: now it succeeds, and what was lost must be written again."""
    found: list[Image] = []
    for name, number in few(worker.calls(fresh(), sorted(SYNCS)), stride):
        folder = fresh()
        disk = Disk(folder)
        trace, told = record(worker, folder, fault=f"{name}:error=EIO:when={number}")
        assert told.done
        found += acknowledged(disk, [trace], f"{name} {number} failed")
    assert losses(different(iter(found), sample), tmp_path) == []


def few(places: list[tuple[str, int]], stride: int) -> list[tuple[str, int]]:
    """Return each ``stride``-th place of each call."""
    return [(name, number) for name, number in places if number % stride == 1 % stride]


@pytest.mark.slow
@pytest.mark.sample
@pytest.mark.parametrize("broken", ["files", "database"])
def test_a_log_that_forgets_to_synchronise_is_caught(
    worker: Worker, fresh: Callable[[], Path], tmp_path: Path, broken: str
) -> None:
    folder = fresh()
    disk = Disk(folder)
    trace, told = record(worker, folder, broken=broken)
    assert told.done
    assert losses(different(images(disk, [trace], 5), SAMPLE), tmp_path) != []
