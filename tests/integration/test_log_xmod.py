"""What the Go checksum database's own library says of our log: golang.org/x/mod, from Debian.

It opens our checkpoints, checks every tile that it reads against their root, makes and checks every proof,
and refuses what was changed. It knows other paths (``tile/8/0/…``); nothing else is translated.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from ledger.core.receipt import format_receipt
from ledger.service.log.publish import publish
from tests.architecture.project import ROOT
from tests.support.log import entries, publication, sqlite_log
from tests.support.log_server import log_server

SOURCES = Path("/usr/share/gocode")
GO = shutil.which("go")
pytestmark = pytest.mark.skipif(
    GO is None or not (SOURCES / "src/golang.org/x/mod/sumdb").is_dir(),
    reason="Go and golang-golang-x-mod-dev are not installed",
)


@pytest.fixture(scope="module")
def xmod(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the program, built."""
    folder = tmp_path_factory.mktemp("xmod")
    subprocess.run(
        [GO or "go", "build", "-o", folder / "xmod", "main.go"],
        cwd=ROOT / "tests" / "support" / "xmod",
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "GO111MODULE": "off",
            "GOPATH": str(SOURCES),
            "GOCACHE": str(folder / "cache"),
        },
        check=True,
    )
    return folder / "xmod"


def judge(xmod: Path, folder: Path, size: int) -> subprocess.CompletedProcess[str]:
    """Publish a log of this size and let the library look at it."""
    with sqlite_log(folder) as log:
        log.append(entries(size))
        publish(log, publication(folder))
        (folder / "receipt").write_bytes(format_receipt(log.receipt(size // 2)))
        (folder / "entry").write_bytes(log.store.envelope(size // 2))
        return run(xmod, folder, log.verifier.vkey)


def run(xmod: Path, folder: Path, vkey: str, place: str = "") -> subprocess.CompletedProcess[str]:
    arguments = (xmod, place or folder / "public", vkey, folder / "receipt", folder / "entry")
    return subprocess.run(list(map(str, arguments)), capture_output=True, text=True, check=False)


@pytest.mark.parametrize("size", [1, 2, 7, 255, 256, 257, 600])
def test_go_reads_our_notes_tiles_and_receipts(xmod: Path, tmp_path: Path, size: int) -> None:
    result = judge(xmod, tmp_path, size)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == f"{size} entries, receipt of {size // 2}\n"


@pytest.mark.parametrize("size", [1, 256, 300])
def test_go_reads_our_log_over_http(xmod: Path, tmp_path: Path, size: int) -> None:
    with log_server(tmp_path) as server:
        server.log.append(entries(size))
        (tmp_path / "receipt").write_bytes(server.ok(f"entries/{size // 2}/receipt"))
        (tmp_path / "entry").write_bytes(server.ok(f"entries/{size // 2}"))
        result = run(xmod, tmp_path, server.log.verifier.vkey, server.url)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == f"{size} entries, receipt of {size // 2}\n"


def test_go_sees_a_changed_tile_a_changed_note_and_another_entry(xmod: Path, tmp_path: Path) -> None:
    assert judge(xmod, tmp_path, 300).returncode == 0
    with sqlite_log(tmp_path) as log:
        vkey = log.verifier.vkey
    for name, words in (
        ("public/tile/0/001.p/44", "inconsistent"),
        ("public/checkpoint", "invalid signature"),
        ("entry", "invalid transparency proof"),
    ):
        path = tmp_path / name
        data = path.read_bytes()
        path.write_bytes(data[:40] + bytes([data[40] ^ 1]) + data[41:] if len(data) > 40 else b"another")
        result = run(xmod, tmp_path, vkey)
        assert (result.returncode, words in result.stderr) == (1, True), (name, result.stderr)
        path.write_bytes(data)
    assert run(xmod, tmp_path, vkey).returncode == 0
