"""Whatever happens in the process that examines a file, the server gets an answer, and nothing else."""

from __future__ import annotations

import errno
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ledger.adapters.isolation import Limits, Workers
from ledger.errors import UndecidedError

MODULE = "tests.support.hostile_work"
LIMITS = Limits(memory=200 << 20, cpu=2, seconds=4, at_once=4)
LINUX = pytest.mark.skipif(
    sys.platform != "linux", reason="the kernel of this system has nothing of the kind"
)


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    with Workers(MODULE, {}, LIMITS) as started:
        yield started


def run(workers: Workers, folder: Path, do: str, **job: Any) -> Any:
    return workers.run({"do": do, **job}, folder, lambda _: {})


def ended(workers: Workers, folder: Path, do: str, **job: Any) -> str:
    with pytest.raises(UndecidedError) as error:
        run(workers, folder, do, **job)
    return error.value.code


@pytest.mark.parametrize(
    ("do", "codes"),
    [
        ("allocate", {"verify.too-costly"}),
        ("allocate_natively", {"verify.crashed"}),
        ("sleep", {"verify.timeout"}),
        ("crash", {"verify.crashed"}),
        ("abort", {"verify.crashed"}),
        ("leave", {"verify.crashed"}),
        ("fail", {"verify.crashed"}),
        ("recurse", {"verify.crashed"}),
        ("write_much", {"verify.crashed"}),
        ("say_no_json", {"verify.crashed"}),
        ("say_a_deep_thing", {"verify.crashed"}),
        ("say_too_much", {"verify.crashed"}),
        ("say_half", {"verify.crashed"}),
        ("ask_without_end", {"verify.crashed"}),
    ],
)
def test_a_job_that_ends_badly_is_an_answer(
    workers: Workers, tmp_path: Path, do: str, codes: set[str]
) -> None:
    began = time.monotonic()
    assert ended(workers, tmp_path, do) in codes
    assert time.monotonic() - began < LIMITS.seconds + 4
    assert run(workers, tmp_path, "say", words={"well": "still here"}) == {"well": "still here"}


def test_a_job_that_computes_without_end_is_too_costly(tmp_path: Path) -> None:
    """The clock is far away: on a busy machine four seconds on it may come before two of computing."""
    with Workers(MODULE, {}, replace(LIMITS, seconds=60)) as patient:
        assert ended(patient, tmp_path, "loop") == "verify.too-costly"


@pytest.mark.slow
@LINUX
def test_forks_without_end_are_ended(workers: Workers, tmp_path: Path) -> None:
    assert ended(workers, tmp_path, "fork_without_end") in {
        "verify.timeout",
        "verify.too-costly",
        "verify.crashed",
    }
    assert run(workers, tmp_path, "say", words={"a": 1}) == {"a": 1}


def test_what_a_job_started_ends_with_it(workers: Workers, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    assert ended(workers, tmp_path, "leave_a_grandchild", mark=str(mark)) == "verify.crashed"
    time.sleep(3)
    assert not mark.exists()


@LINUX
@pytest.mark.parametrize("do", ["connect", "connect_from_a_program"])
def test_a_job_reaches_nobody(workers: Workers, tmp_path: Path, do: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.2)
        assert run(workers, tmp_path, do, port=listener.getsockname()[1])["tried"] != "done"
        with pytest.raises(TimeoutError):
            listener.accept()


@LINUX
def test_a_job_sees_its_own_folder_only(workers: Workers, tmp_path: Path) -> None:
    own, other = tmp_path / "own", tmp_path / "other"
    own.mkdir()
    other.mkdir()
    (own / "file").write_text("mine")
    (other / "file").write_text("somebody else's")
    run(workers, own, "say", words={})
    assert workers.refused is not None
    if "landlock" in workers.refused:
        pytest.skip("this kernel has no Landlock")
    assert run(workers, own, "read_elsewhere", path="file") == {"tried": "done"}
    assert run(workers, own, "read_elsewhere", path=str(other / "file")) == {"tried": "PermissionError"}
    assert run(workers, own, "write_elsewhere", path=str(other / "new")) == {"tried": "PermissionError"}
    assert run(workers, own, "write_elsewhere", path=str(Path.home() / "new"))["tried"] == "PermissionError"


@LINUX
def test_a_job_cannot_end_others(workers: Workers, tmp_path: Path) -> None:
    assert run(workers, tmp_path, "kill_elsewhere", pid=os.getpid())["tried"] in {
        "PermissionError",
        "ProcessLookupError",
    }
    assert run(workers, tmp_path, "leave_the_group") == {"tried": "PermissionError"}


def test_a_zygote_that_was_killed_is_started_again(tmp_path: Path) -> None:
    with Workers(MODULE, {}, LIMITS) as workers:
        run(workers, tmp_path, "say", words={})
        first = workers.pid
        assert first is not None
        with ThreadPoolExecutor(1) as other:
            waiting = other.submit(ended, workers, tmp_path, "sleep")
            time.sleep(0.5)
            os.kill(first, signal.SIGKILL)
            assert waiting.result(timeout=20) == "verify.crashed"
        assert run(workers, tmp_path, "say", words={"a": 1}) == {"a": 1}
        assert workers.pid != first


def test_many_at_once_are_kept_apart(workers: Workers, tmp_path: Path) -> None:
    def one(number: int) -> Any:
        folder = tmp_path / str(number)
        folder.mkdir()
        if number % 5 == 0:
            return ended(workers, folder, "crash")
        return run(workers, folder, "say", words={"number": number})

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(one, range(50)))
    assert found == [{"number": n} if n % 5 else "verify.crashed" for n in range(50)]


def test_told_of_a_job_it_starts_and_a_machine_that_cannot_fails_the_job_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.EAGAIN, "no more processes")

    with Workers(MODULE, {}, LIMITS) as workers:
        begun = [workers.pid]
        with monkeypatch.context() as patch:
            patch.setattr(subprocess, "Popen", full)
            workers.start()
            assert ended(workers, tmp_path, "say") == "verify.crashed"
        workers.start()
        begun.append(workers.pid)
        assert run(workers, tmp_path, "say", words={"a": 1}) == {"a": 1}
        assert begun == [None, workers.pid]


def test_nothing_is_left_when_the_server_goes(tmp_path: Path) -> None:
    before = threading.active_count()
    workers = Workers(MODULE, {}, LIMITS)
    with workers:
        run(workers, tmp_path, "say", words={})
        pid = workers.pid
        assert pid is not None
    assert workers.pid is None
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert threading.active_count() == before
