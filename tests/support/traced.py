"""Running commands under `rakkan run`, and reading what it left in the spool."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ledger.core.spooled import Spooled, read_spooled
from ledger.hooks.trace import choose

ROOT = Path(__file__).resolve().parents[2]
TRACERS = ("strace", "preload", "snapshot")
START = "import sys; sys.path.insert(0, sys.argv.pop(1)); from ledger._start import main; main()"


def require(tracer: str) -> None:
    """Skip the test where a tracer cannot work."""
    if tracer == "strace" and choose._strace() is None:
        pytest.skip("strace is not installed, or may not trace here")
    if tracer == "preload" and (shutil.which("cc") is None or sys.platform != "linux"):
        pytest.skip("there is no C compiler for the preload library")


@dataclass
class Desk:
    """A folder to work in, and a spool beside it."""

    folder: Path
    spool: Path
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, *command: str | bytes, options: tuple[str, ...] = (), **more: Any) -> Any:
        """Run a command under ``rakkan run``; return the completed process, with its output as bytes."""
        settings: dict[str, Any] = {"capture_output": True, "timeout": 60, **more}
        line = self.line(*command, options=options)
        return subprocess.run(line, cwd=self.folder, env=self.env(), check=False, **settings)

    def line(self, *command: str | bytes, options: tuple[str, ...] = ()) -> list[str | bytes]:
        """Return the command line."""
        return [sys.executable, "-I", "-c", START, str(ROOT), "run", *options, "--", *command]

    def env(self) -> Mapping[str, str]:
        """Return the environment."""
        return {**os.environ, "RAKKAN_SPOOL": str(self.spool), **self.environment}

    def records(self) -> list[Spooled]:
        """Return the records, oldest first, and remove them."""
        found = sorted((self.spool / "new").glob("*.json"))
        records = [read_spooled(path.read_bytes()) for path in found]
        for path in found:
            path.unlink()
        return records

    def record(self) -> Spooled:
        """Return the only record, and remove it."""
        (found,) = self.records()
        return found

    def names(self, files: Any) -> list[str]:
        """Return files as paths in the folder, sorted."""
        return sorted(os.path.relpath(file.path, os.path.realpath(self.folder)) for file in files)


def desk(folder: Path) -> Desk:
    """Return a new desk below a folder."""
    (folder / "work").mkdir()
    return Desk(folder / "work", folder / "spool")
