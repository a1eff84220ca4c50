"""What a target stands for: files on record with what they rest on, and files that no record explains."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from ledger.core.artifact import Artifact
from ledger.core.rights.basis import Item
from ledger.errors import RakkanError, UsageError
from ledger.service.archive import Archive
from ledger.service.clear.makers import makers
from ledger.service.clear.projecting import basis_by_pixels, basis_of_file, items_of
from ledger.service.clear.store import Final
from ledger.service.files import check_unchanged, identify
from ledger.service.studio import Studio


class Kind(StrEnum):
    """How a target was understood."""

    FILE = "file"
    DIGEST = "digest"
    PLACE = "place"
    SHOT = "shot"
    """A shot of a timeline."""


class File(NamedTuple):
    """A recorded file and what it rests on.

    With ``pixels`` the log does not know these bytes, but a file with this picture (SHA-256 of the pixels).
    ``final`` says where it was made, and by which step, where it was found by that.
    """

    name: str
    sha256: str
    basis: frozenset[Item]
    pixels: str | None = None
    final: Final | None = None


class Unknown(NamedTuple):
    """A file that no record explains."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Target:
    """A target as it was given, and the files it stands for, in the order of the log.

    ``absent`` counts the frames that were asked for by their numbers and that no final file has. ``by_name``
    counts the files that are not here, and that their names and places alone tell.
    """

    text: str
    kind: Kind
    files: tuple[File, ...]
    unknown: tuple[Unknown, ...] = ()
    absent: int = 0
    by_name: int = 0


def files_of(studio: Studio, finals: Iterable[Final]) -> Iterator[File]:
    """Yield final files with what they rest on, in their order."""
    rows = list(finals)
    bases = items_of(studio.bases, {row.basis for row in rows})
    return (File(row.name, row.sha256, bases[row.basis], None, row) for row in rows)


def on_disk(text: str, folder: Path | None = None) -> Path | None:
    """Return the file of this name, in the folder or as it stands, or ``None`` where there is none."""
    candidates = [Path(text)] if folder is None else [folder / text, Path(text)]
    with suppress(OSError, ValueError):  # a text that no path can be is a place, or nothing
        return next((path for path in candidates if path.exists() and not path.is_dir()), None)
    return None


def file_at(studio: Studio, path: Path) -> File | Unknown:
    """Return a file on disk: as its bytes are recorded, else as its picture is, else as unknown.

    The bases must have been caught up. Raises ``UsageError`` with ``clear.not-made`` or ``file.…``.
    """
    identity = identify(path)
    basis = known(studio, identity.sha256)
    if basis is not None:
        return File(path.name, identity.sha256, basis)
    found = by_picture(studio, path, identity.sha256)
    check_unchanged(path, identity)
    return found


def by_picture(studio: Studio, path: Path, sha256: str) -> File | Unknown:
    """Return a file, whose bytes the log does not know, as its picture is recorded, else as unknown."""
    try:
        pixels = studio.pixels.digest(path)
    except RakkanError:
        pixels = None  # a damaged picture is known by no other
    basis = basis_by_pixels(studio, pixels) if pixels else None
    if basis is None:
        return Unknown(path.name, sha256)
    return File(path.name, sha256, basis, pixels)


def known(studio: Studio, sha256: str) -> frozenset[Item] | None:
    """Return what these bytes rest on; ``None`` where no record explains them.

    Raises ``UsageError("clear.not-made")`` for a registered dataset or model that no step made: of what it
    may be used for, its grants speak, and no verdict.
    """
    basis = basis_of_file(studio, sha256)
    if basis == frozenset() and not any(makers(Archive(studio), Artifact(sha256, sha256))):
        record = Archive(studio).recorded(sha256)
        name = record.statement.subjects[0].name if record else sha256
        raise UsageError("clear.not-made", f"{name!r} is registered, and no step made it.", sha256=sha256)
    return basis
