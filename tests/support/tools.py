"""The environments of the heavy tools: each tool runs in a Python of its own, as it does in a studio.

`locks/tools/NAME.txt` says what is in one, with hashes. What has to come without (a build that differs from
machine to machine, such as torch) stands in `locks/tools/NAME.first.txt`, by exact versions, and is installed
before. An environment is made once, in `.tools/NAME`, and again when its locks change.
"""

from __future__ import annotations

import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def tool_python(name: str) -> Path:
    """Return the Python that has the tool. Skips the test where it cannot be installed."""
    folder = ROOT / ".tools" / name
    locks = [path for path in (_lock(f"{name}.first"), _lock(name)) if path.exists()]
    digest = sha256(b"".join(path.read_bytes() for path in locks)).hexdigest()
    python, stamp = folder / "bin/python", folder / "rakkan-stamp"
    if not (stamp.exists() and stamp.read_text() == digest):
        _run(sys.executable, "-m", "venv", "--clear", str(folder))
        for path in locks:
            # Nothing is resolved: a lock names all that is needed, and no tool brings another torch.
            _run(str(python), "-m", "pip", "install", "-q", "--no-deps", "-r", str(path))
        stamp.write_text(digest)
    return python


def _lock(name: str) -> Path:
    return ROOT / "locks/tools" / f"{name}.txt"


def _run(*command: str) -> None:
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if result.returncode:
        pytest.skip(f"{command[-1]} could not be installed: {result.stdout.strip().splitlines()[-1]}")
