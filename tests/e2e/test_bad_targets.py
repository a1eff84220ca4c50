"""Giants, full disks and folders that take no file: the original is untouched."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from tests.e2e.conftest import Studio, snapshot
from tests.support.media import make
from tests.support.mishaps import RECORD, mounted

LIMITED = """
import resource, sys, time
resource.setrlimit(resource.RLIMIT_AS, ({memory}, {memory}))
import ledger.cli
try:
    ledger.cli.main(sys.argv[1:])
except SystemExit as end:
    # Not getrusage: its peak begins with what the parent had.
    status = open("/proc/self/status").read()
    print("peak", status.partition("VmHWM:")[2].split()[0], file=sys.stderr)
    sys.exit(end.code)
"""


def _limited(studio: Studio, megabytes: int, *arguments: object) -> subprocess.CompletedProcess[str]:
    program = LIMITED.format(memory=megabytes << 20)
    return subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env=studio.environment(),
    )


@pytest.mark.slow
@pytest.mark.sample
@pytest.mark.slow
def test_a_giant_with_a_sidecar_needs_little_memory(studio: Studio) -> None:
    path = make("exr", studio.work, "giant")
    with path.open("r+b") as file:
        file.truncate(600 << 20)
    for arguments, megabytes in (
        (("record", path, *RECORD), 200),
        (("seal", path), 200),
        (("verify", path, "--offline"), 200),
    ):
        ran = _limited(studio, 1500, *arguments)
        assert ran.returncode == 0, ran.stderr
        assert int(ran.stderr.rpartition("peak ")[2]) < megabytes * 1024, ran.stderr


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["png", "tif", "wav"])
def test_a_giant_to_embed_is_sealed_or_refused_but_no_bug(studio: Studio, kind: str) -> None:
    path = make(kind, studio.work, "giant")
    with path.open("r+b") as file:
        file.truncate(700 << 20)
    before = snapshot(studio.work)
    ran = _limited(studio, 4000, "record", path, *RECORD)
    assert ran.returncode == 0, ran.stderr
    ran = _limited(studio, 4000, "seal", path)
    assert ran.returncode in {0, 2}, ran.stderr
    if ran.returncode == 2:
        assert snapshot(studio.work) == before


@pytest.mark.parametrize("kind", ["png", "tif", "exr"])
def test_a_read_only_folder(studio: Studio, kind: str) -> None:
    folder = studio.work / "mount"
    folder.mkdir()
    with mounted(folder, "size=8m"):
        path = studio.record(make(kind, folder))
        subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
        studio.fails("target.not-writable", "seal", path)
        result = studio.fails("target.not-writable", "seal", path, "--out", folder / "below")
        assert "Read-only file system" in result.err


def _fill(path: Path) -> None:
    with path.open("wb", buffering=0) as ballast, suppress(OSError):
        while True:
            ballast.write(bytes(4096))


@pytest.mark.parametrize("kind", ["png", "tif", "exr"])
def test_a_full_disk(studio: Studio, kind: str) -> None:
    folder = studio.work / "mount"
    folder.mkdir()
    with mounted(folder, "size=256k"):
        path = studio.record(make(kind, folder))
        _fill(folder / "ballast")
        studio.fails("target.no-space", "seal", path)
        (folder / "ballast").unlink()
        studio.ok("seal", path)
        assert studio.verify(path).code == 0


@pytest.mark.parametrize("kind", ["png", "tif", "exr"])
def test_a_file_size_limit(studio: Studio, kind: str) -> None:
    """What a full disk looks like without a mount: the limit of ``ulimit -f``."""
    path = studio.record(make(kind, studio.work))
    limit = 3000
    before = studio.state()
    program = f"""
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
import ledger.service.seal, ledger.service.files, ledger.wiring
real = ledger.service.seal._Writing.write
def write(self, ready):
    resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
    return real(self, ready)
ledger.service.seal._Writing.write = write
import ledger.cli
ledger.cli.main(["seal", {str(path)!r}])
"""
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, env=studio.environment()
    )
    assert (ran.returncode, "[target.no-space]" in ran.stderr) == (2, True), ran.stderr
    assert studio.state() == before


@pytest.mark.parametrize("command", ["seal", "export"])
def test_out_is_a_file(studio: Studio, command: str) -> None:
    path = studio.record(studio.png())
    (studio.work / "taken").write_text("a file")
    studio.fails("target.not-writable", command, path, "--out", studio.work / "taken")
