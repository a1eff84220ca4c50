"""Programs of Node's registry: what `locks/npm` pins, with hashes, installed once in `.tools/npm`."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
from hashlib import sha256
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ("package.json", "package-lock.json")


def node_modules() -> Path:
    """Return the folder of the installed modules. Skips the test without Node, npm or a registry."""
    if not shutil.which("node") or not shutil.which("npm"):
        pytest.skip("node and npm are not here")
    folder = ROOT / ".tools/npm"
    locks = [ROOT / "locks/npm" / name for name in LOCKS]
    digest = sha256(b"".join(path.read_bytes() for path in locks)).hexdigest()
    stamp = folder / "rakkan-stamp"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)  # the suite runs in several processes
        if not (stamp.exists() and stamp.read_text() == digest):
            _install(folder, locks)
            stamp.write_text(digest)
    return folder / "node_modules"


def _install(folder: Path, locks: list[Path]) -> None:
    for path in locks:
        shutil.copy(path, folder)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=240)
    if result.returncode:
        pytest.skip(f"npm could not install: {result.stderr.strip().splitlines()[-1]}")


def axe_source() -> str:
    """Return axe-core, which finds what keeps people out of a page."""
    return (node_modules() / "axe-core/axe.min.js").read_text(encoding="utf-8")
