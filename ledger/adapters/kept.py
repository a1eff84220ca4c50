"""What somebody sent to a page and has not decided about yet: a folder for each form, for an hour.

Every worker reaches it. Nothing in it is part of the studio's home: no backup takes it along.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from pathlib import Path

from ledger.adapters.scratch import no_space
from ledger.core.digest import sha256_hex
from ledger.errors import RefusedError

SECONDS = 3600
MOST = 32
"""Forms that may wait at the same time, over everybody."""


class KeptFiles:
    """Folders below ``root``, each of one viewer's form: nobody else finds it, whatever they know of it."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def keep(self, by: str, number: str, files: Mapping[str, bytes]) -> Path:
        """Write the files, durable or not, and return their folder. Their names are plain ones.

        Raises ``RefusedError("request.no-space")`` where too many wait, or the disk is full.
        """
        with no_space():
            self._root.mkdir(mode=0o700, exist_ok=True)
            self._forget_old()
            if sum(1 for _ in self._root.iterdir()) >= MOST:
                raise RefusedError("request.no-space", "Too many forms with files wait for an answer.")
            folder = self._folder(by, number)
            folder.mkdir(mode=0o700)
            for name, data in files.items():
                (folder / name).write_bytes(data)
        return folder

    def find(self, by: str, number: str) -> Path | None:
        """Return the folder of a form; ``None`` where there is none any more."""
        folder = self._folder(by, number)
        return folder if folder.is_dir() else None

    def drop(self, by: str, number: str) -> None:
        """Remove the folder of a form. Again is fine."""
        shutil.rmtree(self._folder(by, number), ignore_errors=True)

    def _folder(self, by: str, number: str) -> Path:
        return self._root / sha256_hex(f"{by}\n{number}".encode())

    def _forget_old(self) -> None:
        for folder in self._root.iterdir():
            if time.time() - folder.stat().st_mtime > SECONDS:
                shutil.rmtree(folder, ignore_errors=True)
