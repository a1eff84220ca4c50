"""What the tests of bad input share: what to say of a step, and a disk of its own kind."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

RECORD = ("--action", "generate", "--tool", "painter 1.0")


Made = Callable[[Path], Path]


@contextmanager
def mounted(folder: Path, options: str) -> Iterator[None]:
    """A small file system of its own over a folder; skips where that is not allowed."""
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], capture_output=True, check=False
    )
    if made.returncode != 0:
        pytest.skip("needs the right to mount a file system")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
