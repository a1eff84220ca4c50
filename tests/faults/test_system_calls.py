"""kill -9, a failing disk and a full one, at every system call of appending, publishing and closing.

After each: what was acknowledged is there and valid, what is published is complete, no two signed checkpoints
disagree, and doing the work again ends where undisturbed work ends.
"""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ledger.codes import CODES
from ledger.errors import RakkanError
from tests.faults.strace import Worker
from tests.support.faults import examine, resume

CHANGING = [
    "write",
    "pwrite64",
    "pwritev",
    "fsync",
    "fdatasync",
    "rename",
    "renameat",
    "renameat2",
    "link",
    "linkat",
    "unlink",
    "unlinkat",
    "mkdir",
    "mkdirat",
    "ftruncate",
    "openat",
]
READING = ["read", "pread64"]
GROWING = ["write", "pwrite64", "fsync", "fdatasync", "rename", "link", "mkdir", "ftruncate"]
KILL = "signal=KILL"
FAULTS = {KILL: CHANGING, "error=EIO": [*CHANGING, *READING], "error=ENOSPC": GROWING}
SAMPLE = 8

spread = pytest.mark.parametrize(
    "sample",
    [
        pytest.param(SAMPLE, marks=[pytest.mark.slow, pytest.mark.sample]),
        pytest.param(None, marks=[pytest.mark.slow, pytest.mark.timeout(1200)]),
    ],
    ids=["sample", "all"],
)
Place = tuple[str, int]


def chosen(places: list[Place], sample: int | None) -> list[Place]:
    """Return every place, or some of them: at least one of each call, and the rest evenly spread."""
    if sample is None:
        return places
    firsts = {name: (name, number) for name, number in reversed(places)}
    return sorted({*firsts.values(), *places[:: max(1, len(places) // sample)]})


def survives(worker: Worker, folder: Path, place: Place, fault: str) -> str | None:
    """Put the fault in, check what it left behind and go on from there; return what was not as it must be."""
    name, number = place
    inject = f"inject={name}:{fault}:when={number}"
    told = worker.run(folder, ["-o", "/dev/null", "-e", f"trace={name}", "-e", inject])
    try:
        assert told.all("traceback") == []
        assert set(told.all("error")) <= set(CODES)
        assert told.done == (fault != KILL)
        examine(folder, told)
        resume(folder)
    except (AssertionError, RakkanError) as error:
        return f"{fault} at {name} number {number}: {error}"
    shutil.rmtree(folder)
    return None


@spread
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_one_system_call_loses_nothing(
    worker: Worker, fresh: Callable[[], Path], fault: str, sample: int | None
) -> None:
    places = worker.calls(fresh(), FAULTS[fault])
    assert {"pwrite64", "fsync", "fdatasync", "link", "rename"} <= {name for name, _ in places}
    failed = [survives(worker, fresh(), place, fault) for place in chosen(places, sample)]
    assert [one for one in failed if one] == []
