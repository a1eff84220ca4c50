"""The manifest stores of a device without a ledger; see ``capture.store.KeptManifests``.

Beside the stores, in ``unshared/``, lies an empty file for each that the studio was not given yet. Its name
is written before the store: a crash in between leaves a name without a store, which is dropped.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ledger.adapters.files import DirectoryManifestStore
from ledger.core.digest import parse_sha256, sha256_hex
from ledger.service.files import sync_folder, writing_errors


class DeviceManifests(DirectoryManifestStore):
    """The folder, which is made when something is kept. Raises ``log.…`` and ``target.…`` for a bad disk."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._unshared = folder / "unshared"

    def put(self, sha256: str, store: bytes) -> None:
        """Keep the store, durable on return; the same asset's newer store replaces the older."""
        if self.get(sha256) == store:
            return
        with writing_errors(self._unshared):
            self._unshared.mkdir(parents=True, exist_ok=True)
            (self._unshared / f"{parse_sha256(sha256)}.{sha256_hex(store)}").touch()
            sync_folder(self._unshared)
        super().put(sha256, store)

    def waiting(self) -> Sequence[tuple[str, str]]:
        """Return what the studio was not given: the asset's SHA-256 and the store's (hex), by name."""
        pairs = sorted(path.name.split(".") for path in self._unshared.glob("*.*"))
        return [(pair[0], pair[1]) for pair in pairs]

    def shared(self, sha256: str, digest: str) -> None:
        """Take note that the studio has the store with this digest."""
        with writing_errors(self._unshared):
            (self._unshared / f"{parse_sha256(sha256)}.{parse_sha256(digest)}").unlink(missing_ok=True)
