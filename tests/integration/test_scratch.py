"""Where strangers' files lie while they are looked at."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from shutil import which

import pytest

from ledger.adapters.scratch import Scratch, Sink
from ledger.errors import MalformedError
from tests.architecture.project import ROOT


def test_a_file_is_hashed_while_it_is_written(tmp_path: Path) -> None:
    sink = Sink(tmp_path / "a", 100)
    for piece in (b"one", b"", b"two"):
        sink.write(piece)
    sink.close()
    assert (tmp_path / "a").read_bytes() == b"onetwo"
    assert (sink.size, sink.sha256) == (6, hashlib.sha256(b"onetwo").hexdigest())


def test_a_file_never_grows_beyond_its_limit(tmp_path: Path) -> None:
    sink = Sink(tmp_path / "a", 4)
    sink.write(b"1234")
    with pytest.raises(MalformedError) as error:
        sink.write(b"5")
    sink.close()
    assert (error.value.code, (tmp_path / "a").read_bytes()) == ("request.too-large", b"1234")


def test_two_servers_share_a_root(tmp_path: Path) -> None:
    with Scratch(tmp_path / "uploads") as first:
        mine = first.folder()
        with Scratch(tmp_path / "uploads") as second:
            theirs = second.folder()
            assert mine.is_dir()
        assert not theirs.exists()
        assert mine.is_dir()
        assert mine.stat().st_mode & 0o077 == 0
    assert not mine.exists()


def test_servers_that_start_at_once_leave_each_other_alone(tmp_path: Path) -> None:
    """A place that is there a moment before its lock must not be taken for one that was left behind."""

    def start_and_work(_: int) -> bool:
        with Scratch(tmp_path / "uploads") as own:
            time.sleep(0.002)
            return own.folder().is_dir()

    with ThreadPoolExecutor(16) as threads:
        assert all(threads.map(start_and_work, range(300)))


FULL = """
import resource, signal, sys
from pathlib import Path
from ledger.adapters.scratch import Sink
from ledger.errors import RefusedError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
if sys.argv[2] == "limit":
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
sink = Sink(Path(sys.argv[1]) / "a", 1 << 30)
try:
    for _ in range(64):
        sink.write(bytes(1 << 20))
    sink.close()
except RefusedError as error:
    print(error.code)
"""


@pytest.mark.parametrize("how", ["limit", "disk"])
def test_a_full_disk_is_an_answer(tmp_path: Path, how: str) -> None:
    command = [sys.executable, "-c", FULL, str(tmp_path), how]
    if how == "disk":
        if which("unshare") is None:
            pytest.skip("unshare is not installed")
        mount = 'mount -t tmpfs -o size=4m none "$3" && exec "$@"'
        command = ["unshare", "-U", "-r", "-m", "sh", "-c", mount, "sh", *command]
        mount_at = command.index(str(tmp_path)) - command.index("sh", 5) - 1
        command[command.index(mount)] = mount.replace("$3", f"${{{mount_at + 1}}}")
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin:/usr/sbin:/sbin"}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if "unshare failed" in ended.stderr or "mount:" in ended.stderr:
        pytest.skip("this machine lets nobody mount in a namespace")
    assert ended.stdout == "request.no-space\n", ended.stderr
