"""What reading a file's own words needs from the edge."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ledger.errors import RakkanError
from ledger.ports import Anchors

if TYPE_CHECKING:
    from ledger.core.manifest import Reading
    from ledger.core.said import Said, ShortHash
    from ledger.service.said.matching import Weights


def read_said(path: Path) -> Said:
    """Return what a file, and a manifest in it or beside it, say. Raises ``UsageError("file.…")``."""
    from ledger.adapters.said import read_said as read
    from ledger.service.files import identify, reading_errors

    if not path.is_file():
        identify(path)  # says why it cannot be read
    note: tuple[str, ...] = ()
    manifest: Reading | None = None
    try:
        manifest = _manifest(path)
    except RakkanError as error:
        note = (f"its manifest cannot be read: {error}",)
    with reading_errors(path):
        said = read(path, manifest)
    return replace(said, notes=(*said.notes, *note))


def _manifest(path: Path) -> Reading | None:
    """Return the file's manifest; ``None`` where there is none. No anchors: who signed is not asked here."""
    from ledger.service.files import beside, read_whole
    from ledger.wiring import offline_reader

    sidecar = beside(path)
    return offline_reader().codec.read(path, read_whole(sidecar) if sidecar else None, Anchors("", ""))


def weights_at_hand(paths: tuple[Path, ...]) -> Weights:
    """Return the short hashes of files of weights, each with the SHA-256 of its file. Raises ``file.…``."""
    from ledger.adapters.said.weights import short_hashes
    from ledger.service.files import reading_errors

    found: dict[ShortHash, str] = {}
    for path in paths:
        with reading_errors(path):
            sha256, hashes = short_hashes(path)
        found |= dict.fromkeys(hashes, sha256)
    return found
