"""What hooks left in a spool, read as the agent reads it."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from ledger.core.spooled import Spooled, SpooledFile, read_spooled


def records(spool: Path) -> list[Spooled]:
    """Return the records of a spool in the order of their numbers."""
    return [read_spooled(path.read_bytes()) for path in sorted((spool / "new").glob("*.json"))]


def names(files: tuple[SpooledFile, ...]) -> list[str]:
    """Return the files' own names, sorted."""
    return sorted(Path(file.path).name for file in files)


def roles(record: Spooled) -> dict[str, str]:
    """Return the role of each input by its file's own name."""
    return {Path(file.path).name: str(file.role) for file in record.inputs}


def digest(path: Path) -> str:
    """Return what a record should say of the file's bytes."""
    return sha256(path.read_bytes()).hexdigest()
