"""`rakkan run -- any command`: the command is as it is without us."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.traced import TRACERS, Desk, desk, require

PYTHON = sys.executable


@pytest.fixture
def work(tmp_path: Path) -> Desk:
    return desk(tmp_path)


@pytest.fixture(params=[*TRACERS, "none"])
def tracer(request: pytest.FixtureRequest) -> str:
    require(request.param)
    return str(request.param)


def settled(path: Path, content: bytes = b"made before") -> Path:
    """A file that is old enough for its times to tell it from one that is made now."""
    path.write_bytes(content)
    time.sleep(0.03)
    return path


def until(happened: Callable[[], object], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_streams_and_exit_code_are_the_commands_own(work: Desk, tracer: str) -> None:
    script = (
        "import sys; d = sys.stdin.buffer.read(); sys.stdout.buffer.write(d[::-1]);"
        "sys.stderr.write('e'); sys.exit(37)"
    )
    data = bytes(range(256)) * 1000
    ran = work.run(PYTHON, "-c", script, options=("--tracer", tracer), input=data)
    assert (ran.returncode, ran.stdout, ran.stderr) == (37, data[::-1], b"e")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGSEGV])
def test_a_signal_that_ends_the_command_ends_us(work: Desk, tracer: str, number: int) -> None:
    ran = work.run("sh", "-c", f"echo x > out.png; kill -{number} $$", options=("--tracer", tracer))
    assert ran.returncode == -number
    record = work.record()
    assert record.failed == f"signal {number}"
    assert record.parameters["exitCode"] == str(128 + number)


def test_a_signal_to_us_reaches_the_command(work: Desk, tracer: str) -> None:
    script = "trap 'echo got it; exit 9' USR1; echo ready; while :; do sleep 0.05; done"
    line = work.line("sh", "-c", script, options=("--tracer", tracer))
    with subprocess.Popen(line, cwd=work.folder, env=work.env(), stdout=subprocess.PIPE, text=True) as ran:
        assert ran.stdout is not None
        assert ran.stdout.readline() == "ready\n"
        ran.send_signal(signal.SIGUSR1)
        assert ran.stdout.read() == "got it\n"
        assert ran.wait(timeout=20) == 9


def test_a_terminal_is_the_commands_terminal(work: Desk, tracer: str) -> None:
    """Ctrl-C goes to the command once, and is its to handle."""
    script = (
        "import os, signal, sys, time\n"
        "caught = []\n"
        "signal.signal(signal.SIGINT, lambda *_: caught.append(1))\n"
        "print(os.isatty(0), os.isatty(1), flush=True)\n"
        "deadline = time.time() + 20\n"
        "while not caught and time.time() < deadline: time.sleep(0.02)\n"
        "time.sleep(0.3)\n"
        "sys.exit(len(caught))\n"
    )
    pid, leader = pty.fork()
    if not pid:
        os.chdir(work.folder)
        os.execve(PYTHON, work.line(PYTHON, "-c", script, options=("--tracer", tracer)), work.env())  # noqa: S606 - no shell is the point
    said = b""
    while b"\n" not in said:
        said += os.read(leader, 1024)
    os.write(leader, b"\x03")
    status = os.waitpid(pid, 0)[1]
    os.close(leader)
    assert said.startswith(b"True True")
    assert os.waitstatus_to_exitcode(status) == 1


def test_a_reader_that_goes_away_ends_the_command(work: Desk, tracer: str) -> None:
    line = work.line("yes", options=("--tracer", tracer))
    with subprocess.Popen(line, cwd=work.folder, env=work.env(), stdout=subprocess.PIPE) as ran:
        assert ran.stdout is not None
        ran.stdout.readline()
        ran.stdout.close()
        assert ran.wait(timeout=20) == -signal.SIGPIPE


def test_open_files_and_environment_are_passed_on(work: Desk, tracer: str) -> None:
    reader, writer = os.pipe()
    script = f"import json, os; os.write({writer}, json.dumps(sorted(os.environ)).encode())"
    ran = work.run(PYTHON, "-c", script, options=("--tracer", tracer), pass_fds=[writer])
    os.close(writer)
    names = set(json.loads(os.read(reader, 1 << 16)))
    os.close(reader)
    ours = {"RAKKAN_TRACE_LOG", "LD_PRELOAD"} if tracer == "preload" else set()
    assert ran.returncode == 0
    assert names - ours == set(work.env()) | (names & {"LC_CTYPE"})


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        (["no-such-program"], 127, b"rakkan run: no-such-program: No such file"),
        (["./no/such"], 127, b"rakkan run: ./no/such: No such file"),
        (["./plain.txt"], 126, b"rakkan run: ./plain.txt: Permission denied"),
        (["./"], 126, b"rakkan run: ./: Permission denied"),
        (["./no-format"], 126, b"rakkan run: ./no-format: Exec format error"),
    ],
)
def test_what_cannot_be_run(work: Desk, command: list[str], code: int, said: bytes) -> None:
    (work.folder / "plain.txt").write_text("no program")
    (work.folder / "no-format").write_text("no program")
    (work.folder / "no-format").chmod(0o755)
    ran = work.run(*command)
    assert ran.returncode == code
    assert said in ran.stderr
    assert work.records() == []
    assert [path.name for path in work.spool.glob("trace/*") if path.suffix != ".json"] == []


@pytest.mark.parametrize(
    "options", [("--bogus", "x"), ("--event", "never"), ("--frames", "a-b"), ("--shot",), ("-x",)]
)
def test_a_wrong_option_says_how_it_is_called(work: Desk, options: tuple[str, ...]) -> None:
    ran = work.run("touch", "x", options=options)
    assert ran.returncode == 2
    assert b"Usage: rakkan run" in ran.stderr
    assert not (work.folder / "x").exists()


def test_no_command_is_a_wrong_call(work: Desk) -> None:
    ran = work.run()
    assert ran.returncode == 2
    assert b"Missing argument 'COMMAND...'" in ran.stderr
