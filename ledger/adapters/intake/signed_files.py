"""Comparing a folder with the digests that somebody signed for it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ledger.core.rights.declared import FileResult, SignedFile

# The names that the statement uses, and hashlib's. blake3 is not in the standard library.
_ALGORITHMS = {"sha256": "sha256", "blake2b": "blake2b"}


@dataclass(frozen=True, slots=True)
class Resource:
    """A file as it was signed: its path below the folder, and its digest (hex)."""

    name: str
    algorithm: str
    digest: str


@dataclass(frozen=True, slots=True)
class Scope:
    """How the signer went through the folder: whole files or pieces, links or none, what was left out."""

    whole_files: bool
    links: bool
    ignored: tuple[str, ...]

    def leaves_out(self, name: str) -> bool:
        """Whether the file is left out, by itself or with a folder that it lies in."""
        path = PurePosixPath(name)
        return any(path.is_relative_to(PurePosixPath(item)) for item in self.ignored)


def compare(
    root: Path, scope: Scope, resources: Iterable[Resource], signature: Path
) -> tuple[SignedFile, ...]:
    """Return what became of each signed file, and every file that was not signed.

    In the order of the statement, then the others by name. Raises ``OSError`` for what cannot be read.
    """
    signed = {resource.name: resource for resource in resources}
    if not scope.whole_files:
        return tuple(SignedFile(name, FileResult.UNDECIDED) for name in signed)
    found = [_result(root / name, resource, scope) for name, resource in signed.items()]
    own = signature.resolve()
    extra = [
        SignedFile(name, FileResult.EXTRA)
        for name, path in sorted(_below(root))
        if name not in signed and not scope.leaves_out(name) and path.resolve() != own
    ]
    return (*found, *extra)


def _result(path: Path, signed: Resource, scope: Scope) -> SignedFile:
    if not path.is_file():
        return SignedFile(signed.name, FileResult.MISSING)
    if path.is_symlink() and not scope.links:
        return SignedFile(signed.name, FileResult.CHANGED)
    if signed.algorithm not in _ALGORITHMS:
        return SignedFile(signed.name, FileResult.UNDECIDED)
    with path.open("rb") as file:
        found = hashlib.file_digest(file, _ALGORITHMS[signed.algorithm]).hexdigest()
    if found != signed.digest:
        return SignedFile(signed.name, FileResult.CHANGED)
    return SignedFile(signed.name, FileResult.MATCH, found if signed.algorithm == "sha256" else None)


def _below(root: Path) -> Iterator[tuple[str, Path]]:
    """Yield whatever is no folder, with its path below the root. Links to folders are not entered."""
    if root.is_file():
        yield ".", root
    for folder, folders, files in os.walk(root):
        links = [name for name in folders if (Path(folder) / name).is_symlink()]
        for name in [*files, *links]:
            path = Path(folder) / name
            yield path.relative_to(root).as_posix(), path
