"""`rakkan run -- any command`: what its record says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ledger.core.artifact import Role
from ledger.core.predicates.capture import Layer
from ledger.core.predicates.step import StepAction
from ledger.hooks.trace.files import UNKNOWN
from tests.support.traced import ROOT, Desk, desk, require

PYTHON = sys.executable


@pytest.fixture
def work(tmp_path: Path) -> Desk:
    return desk(tmp_path)


MISREAD = """
import sys
from ledger.hooks.trace import preload, run, strace

def broken(*_):
    raise KeyError("of our own making")

preload.read = strace.Trace.line = broken
sys.exit(run.run(["/bin/sh", "-c", "exit 3"], {"tracer": sys.argv[1]}))
"""


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


def test_what_was_given_is_in_the_record(work: Desk) -> None:
    options = (
        "--episode",
        "e3",
        "--sequence=s1",
        "--shot",
        "sh010",
        "--task",
        "comp",
        "--version",
        "v3",
        "--frames",
        "1001-1096",
    )
    more = ("--event", "publish", "--action", "composite", "--tool", "grade suite 2.1")
    ran = work.run("sh", "-c", "echo secret-word > out.png; exit 1", options=options + more)
    assert ran.returncode == 1
    raw = next(work.spool.glob("new/*.json")).read_text()
    record = work.record()
    assert (record.layer, record.action, record.failed) == (Layer.RUN, StepAction.COMPOSITE, "exit 1")
    assert (record.tool.name, record.tool.version) == ("grade suite", "2.1")
    assert record.tool.path == os.path.realpath("/bin/sh")
    assert record.place == {
        "episode": "e3",
        "sequence": "s1",
        "shot": "sh010",
        "task": "comp",
        "version": "v3",
        "frames": (1001, 1096),
    }
    assert json.loads(record.secrets["argv"]) == ["sh", "-c", "echo secret-word > out.png; exit 1"]
    assert raw.count("secret-word") == 1
    assert record.outputs[0].sha256 is not None


def test_a_command_that_wrote_nothing_leaves_no_record(work: Desk) -> None:
    require("strace")
    assert work.run("cat", "/etc/hostname").returncode == 0
    assert work.records() == []


def test_without_a_tracer_the_record_says_so(work: Desk) -> None:
    work.run("sh", "-c", "echo x > out.png", options=("--tracer", "none"))
    record = work.record()
    assert record.parameters["trace"] == "none"
    assert record.outputs == ()


def test_a_tracer_that_fails_is_no_failure_of_the_command(work: Desk, tmp_path: Path) -> None:
    """A strace that worked when it was tried, and does not now."""
    require("strace")
    work.run("true")
    broken = tmp_path / "bin"
    broken.mkdir()
    (broken / "strace").write_text("#!/bin/sh\necho strace is broken >&2\nexit 1\n")
    (broken / "strace").chmod(0o755)
    work.environment["PATH"] = f"{broken}:{os.environ['PATH']}"
    ran = work.run("sh", "-c", "echo once >> out.png; exit 5")
    assert ran.returncode == 5
    assert (work.folder / "out.png").read_text() == "once\n"
    assert work.record().parameters["trace"] == "none"


def test_a_spool_that_cannot_be_written_is_no_failure_of_the_command(work: Desk) -> None:
    work.spool.write_text("a file where the folder should be")
    ran = work.run("sh", "-c", "echo x; exit 4")
    assert (ran.returncode, ran.stdout) == (4, b"x\n")


def test_capturing_can_be_turned_off(work: Desk) -> None:
    work.environment["RAKKAN_CAPTURE"] = "0"
    ran = work.run("sh", "-c", "echo x > out.png; exit 3")
    assert ran.returncode == 3
    assert not work.spool.exists()


def test_a_production_that_refuses_gets_no_work_without_an_agent(work: Desk) -> None:
    work.spool.mkdir()
    production = {"name": "secret", "roots": [str(work.folder)], "policy": "refuse"}
    (work.spool / "settings.json").write_text(json.dumps({"productions": [production]}))
    ran = work.run("touch", "out.png")
    assert ran.returncode == 125
    assert b"rakkan run: Production secret allows no work" in ran.stderr
    assert not (work.folder / "out.png").exists()
    (work.spool / "heartbeat").touch()
    assert work.run("touch", "out.png").returncode == 0
    assert work.record().place == {"production": "secret"}


def test_only_the_roots_count(work: Desk, tmp_path: Path) -> None:
    """Weights count wherever they lie; of a production, only its own folders."""
    require("strace")
    (work.folder / "prod").mkdir()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for name in ("lora.safetensors", "notes.txt"):
        (elsewhere / name).write_text("x")
    work.environment["RAKKAN_ROOTS"] = str(work.folder / "prod")
    work.run("sh", "-c", f"cat {elsewhere}/* > prod/out.png; echo x > beside.png")
    record = work.record()
    assert work.names(record.outputs) == ["prod/out.png"]
    assert [(file.shown, file.role) for file in record.inputs] == [("lora.safetensors", Role.MODEL)]
    assert record.action is StepAction.GENERATE


@pytest.mark.parametrize("tracer", ["strace", "preload"])
def test_an_edit_in_place_keeps_the_state_of_what_was_read(work: Desk, tracer: str) -> None:
    require(tracer)
    path = settled(work.folder / "a.png")
    before = path.stat()
    script = "import time; d = open('a.png','rb').read(); time.sleep(0.1); open('a.png','wb').write(d + b'!')"
    work.run(PYTHON, "-c", script, options=("--tracer", tracer))
    record = work.record()
    assert work.names(record.outputs) == work.names(record.inputs) == ["a.png"]
    assert record.action is StepAction.EDIT
    assert record.inputs[0].role is Role.PARENT
    assert record.inputs[0].stamp == (
        before.st_dev,
        before.st_ino,
        before.st_size,
        before.st_mtime_ns,
        before.st_ctime_ns,
    )
    assert record.outputs[0].stamp != record.inputs[0].stamp


@pytest.mark.parametrize("tracer", ["strace", "preload"])
def test_what_is_opened_for_both_and_left_alone_is_only_read(work: Desk, tracer: str) -> None:
    """Where that is certain: a file that was moved or made a moment before counts as written."""
    require(tracer)
    settled(work.folder / "a.png")
    script = "import time; open('a.png','r+b').read(); time.sleep(0.1); open('out.png','wb').write(b'x')"
    work.run(PYTHON, "-c", script, options=("--tracer", tracer))
    record = work.record()
    assert (work.names(record.inputs), work.names(record.outputs)) == (["a.png"], ["out.png"])


def test_an_input_that_somebody_changes_meanwhile_is_counted(work: Desk) -> None:
    require("strace")
    path = settled(work.folder / "a.png")
    before = path.stat().st_size
    line = work.line("sh", "-c", "cat a.png > out.png; echo; read wait")
    with subprocess.Popen(
        line, cwd=work.folder, env=work.env(), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as ran:
        assert ran.stdout is not None
        ran.stdout.readline()
        time.sleep(0.05)
        path.write_bytes(b"changed while the command ran")
        ran.communicate(b"go\n", timeout=20)
    record = work.record()
    assert record.parameters["inputChanged"] == "1"
    assert record.inputs[0].stamp is not None
    assert record.inputs[0].stamp[2] in {before, UNKNOWN[2]}


def test_redirected_streams_are_inputs_and_outputs(work: Desk) -> None:
    require("strace")
    source = settled(work.folder / "in.png")
    with source.open("rb") as stdin, (work.folder / "out.png").open("wb") as stdout:
        work.run("tr", "a", "b", stdin=stdin, stdout=stdout, capture_output=False)
    record = work.record()
    assert (work.names(record.inputs), work.names(record.outputs)) == (["in.png"], ["out.png"])


def test_what_goes_on_in_the_background_is_recorded_later(work: Desk) -> None:
    require("strace")
    settled(work.folder / "in.png")
    start = time.monotonic()
    script = "(sleep 3; cat in.png > late.png) >/dev/null 2>&1 & echo x > early.png"
    # strace keeps standard error open: whoever reads that to its end waits for both.
    ran = work.run("sh", "-c", script, capture_output=False, stdout=subprocess.PIPE)
    assert ran.returncode == 0
    assert work.names(work.record().outputs) == ["early.png"]
    assert time.monotonic() - start < 3
    until(lambda: list(work.spool.glob("new/*.json")))
    record = work.record()
    assert work.names(record.outputs) == ["late.png"]
    assert record.parameters["background"] == "1"
    until(lambda: [path.name for path in work.spool.glob("trace/*")] == ["strace.json"])


def test_a_killed_wrapper_leaves_the_command_alone(work: Desk) -> None:
    require("strace")
    line = work.line("sh", "-c", "echo ready; sleep 0.5; cat /etc/hostname > out.png; echo done")
    with subprocess.Popen(line, cwd=work.folder, env=work.env(), stdout=subprocess.PIPE) as ran:
        assert ran.stdout is not None
        ran.stdout.readline()
        ran.kill()
        assert ran.stdout.read() == b"done\n"
    assert (work.folder / "out.png").stat().st_size > 0


def test_a_run_inside_a_run_still_works(work: Desk) -> None:
    require("strace")
    inner = [os.fsdecode(part) for part in work.line("sh", "-c", "echo x > out.png; exit 6")]
    assert work.run(*inner).returncode == 6
    assert [work.names(record.outputs) for record in work.records()] == [["out.png"], ["out.png"]]


def test_a_training_run_is_known_by_its_files(work: Desk) -> None:
    """More inputs than a record holds go into a list."""
    require("strace")
    (work.folder / "set").mkdir()
    for number in range(10_050):
        (work.folder / f"set/{number:05}.png").write_bytes(b"png")
    settled(work.folder / "base.safetensors")
    script = (
        "import os\n"
        "open('base.safetensors','rb').read()\n"
        "for name in sorted(os.listdir('set')): open('set/' + name, 'rb').read()\n"
        "open('tmp','wb').write(b'weights'); os.rename('tmp', 'lora.safetensors')\n"
    )
    assert work.run(PYTHON, "-c", script).returncode == 0
    record = work.record()
    assert work.names(record.outputs) == ["lora.safetensors"]
    assert (record.parameters["training"], record.parameters["inputs"]) == ("1", "10051")
    (listed,) = record.inputs
    assert (listed.role, Path(listed.path).parent) == (Role.DATASET, work.spool / "lists")
    lines = [json.loads(line) for line in Path(listed.path).read_text().splitlines()]
    assert len(lines) == 10_051
    assert {(line["role"], Path(line["path"]).suffix) for line in lines} == {
        ("dataset", ".png"),
        ("model", ".safetensors"),
    }
    assert all(line["stamp"] == _stamp(line["path"]) for line in lines)


def _stamp(path: str) -> list[int]:
    found = Path(path).stat()
    return [found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns]


@pytest.mark.parametrize("tracer", ["strace", "preload"])
def test_a_trace_that_is_misread_is_on_record(work: Desk, tracer: str) -> None:
    """A defect of ours: the command ends as it ends, and the record says that files may be missing."""
    require(tracer)
    ran = subprocess.run(
        [sys.executable, "-c", MISREAD, tracer],
        env={**work.env(), "PYTHONPATH": str(ROOT)},
        cwd=work.folder,
        check=False,
    )
    assert ran.returncode == 3
    assert int(work.record().parameters["misread"]) > 0
