"""What somebody wants cleared: a file, a digest, a place in the production, or a cut list of such.

* What is a file on disk is that file, whatever its name. Else it is a SHA-256, else a place: ``sq010/sh020``,
  ``sq010/sh020/1006``, ``sh020``, ``sh020/1001-1010``; ``.`` is the whole production.
* A place means its final files: what no other recorded step read. A sealed file stands for the one before.
* A cut list (``@cut.txt``, ``@cut.csv``) has one target on each line; of a CSV the first column counts. What
  follows ``#`` at the beginning of a line is a comment. A relative path is looked for beside the list first.
* A file that no record explains, neither by its bytes nor by its picture, is *unknown*; that is no error.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from ledger.core.artifact import Artifact
from ledger.core.rights.basis import Item
from ledger.errors import MalformedError, RakkanError, UsageError
from ledger.service.archive import Archive
from ledger.service.clear.makers import makers
from ledger.service.clear.projecting import basis_by_pixels, basis_of_file
from ledger.service.clear.store import BasisStore, Final, Where, unpack
from ledger.service.files import check_unchanged, identify, read_whole
from ledger.service.studio import Studio

MAX_LIST = 64 * 1024 * 1024
"""Bytes of a cut list: a digest for each frame of a feature takes nine million."""
WHOLE = "."
_SHA256 = re.compile(r"[0-9a-f]{64}")
_FRAMES = re.compile(r"([0-9]{1,9})(?:-([0-9]{1,9}))?")


class Kind(StrEnum):
    """How a target was understood."""

    FILE = "file"
    DIGEST = "digest"
    PLACE = "place"


class File(NamedTuple):
    """A recorded file and what it rests on.

    With ``pixels`` the log does not know these bytes, but a file with this picture (SHA-256 of the pixels).
    """

    name: str
    sha256: str
    basis: frozenset[Item]
    pixels: str | None = None


class Unknown(NamedTuple):
    """A file that no record explains."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Target:
    """A target as it was given, and the files it stands for, in the order of the log.

    ``absent`` counts the frames that were asked for by their numbers and that no final file has.
    """

    text: str
    kind: Kind
    files: tuple[File, ...]
    unknown: tuple[Unknown, ...] = ()
    absent: int = 0


def resolve(studio: Studio, texts: Iterable[str]) -> tuple[Target, ...]:
    """Return the targets. The bases must have been caught up.

    Raises ``UsageError`` with ``clear.unknown-target``, ``clear.not-made`` or ``file.…``, and
    ``MalformedError("clear.cut-list")``.
    """
    found = tuple(_target(studio, text, folder) for text, folder in _listed(texts))
    if not found:
        raise MalformedError("clear.cut-list", "There is no target: the cut list is empty.")
    return found


def files_of(studio: Studio, finals: Iterable[Final]) -> Iterator[File]:
    """Yield final files with what they rest on, in their order."""
    rows = list(finals)
    bases = items_of(studio.bases, {row.basis for row in rows})
    return (File(row.name, row.sha256, bases[row.basis]) for row in rows)


def items_of(store: BasisStore, numbers: Collection[int]) -> dict[int, frozenset[Item]]:
    """Return the items of these bases, by the number of the basis."""
    members = {number: unpack(packed) for number, packed in store.members(numbers).items()}
    items = store.items(frozenset[int]().union(*members.values()))
    return {number: frozenset(items[item] for item in held) for number, held in members.items()}


def place_of(final: Final) -> str:
    """Return where a file was made, such as ``sq010/sh020``."""
    return "/".join(part for part in (final.sequence, final.shot) if part)


def _listed(texts: Iterable[str]) -> Iterator[tuple[str, Path | None]]:
    for text in texts:
        if text.startswith("@") and on_disk(text) is None:
            path = Path(text[1:])
            yield from ((line, path.parent) for line in _lines(path))
        else:
            yield text, None


def _lines(path: Path) -> Iterator[str]:
    data = read_whole(path, MAX_LIST + 1)
    try:
        text = data[: MAX_LIST + 1].decode("utf-8-sig")
        if len(data) > MAX_LIST:
            raise MalformedError("clear.cut-list", f"{path} is larger than {MAX_LIST:,} bytes.", path=path)
        rows = csv.reader(io.StringIO(text, newline=""), strict=True) if _is_csv(path) else _plain(text)
        for number, row in enumerate(rows, 1):
            cell = row[0].strip() if row else ""
            if (
                not cell
                or cell.startswith("#")
                or (number == 1 and _is_csv(path) and cell.lower() == "target")
            ):
                continue
            if cell.startswith("@"):
                raise MalformedError(
                    "clear.cut-list", f"{path}, line {number}: a list within a list.", path=path
                )
            yield cell
    except (UnicodeDecodeError, csv.Error) as error:
        raise MalformedError("clear.cut-list", f"{path} is no list in UTF-8: {error}.", path=path) from error


def _is_csv(path: Path) -> bool:
    return path.suffix.lower() == ".csv"


def _plain(text: str) -> Iterator[list[str]]:
    return ([line] for line in text.splitlines())


def _target(studio: Studio, text: str, folder: Path | None) -> Target:
    path = on_disk(text, folder)
    if path is not None:
        return _file(studio, text, path)
    if _SHA256.fullmatch(text):
        return _digest(studio, text)
    for where in _places(studio, text):
        finals = list(_only(where, studio.bases.finals_at(where)))
        if finals:
            files = tuple(files_of(studio, finals))
            return Target(text, Kind.PLACE, files, absent=_absent(where, finals))
    near = get_close_matches(text, _known_places(studio), 3, 0.5)
    hint = f" Did you mean {', '.join(map(repr, near))}?" if near else ""
    raise UsageError(
        "clear.unknown-target",
        f"{text!r} is no file here, no SHA-256, and no place with final files in {studio.production}.{hint}",
        target=text,
    )


def on_disk(text: str, folder: Path | None = None) -> Path | None:
    """Return the file of this name, in the folder or as it stands, or ``None`` where there is none."""
    candidates = [Path(text)] if folder is None else [folder / text, Path(text)]
    with suppress(OSError, ValueError):  # a text that no path can be is a place, or nothing
        return next((path for path in candidates if path.exists() and not path.is_dir()), None)
    return None


def _file(studio: Studio, text: str, path: Path) -> Target:
    identity = identify(path)
    basis, pixels = _known(studio, identity.sha256), None
    if basis is None and (pixels := _pixels(studio, path)):
        basis = basis_by_pixels(studio, pixels)
    check_unchanged(path, identity)
    if basis is None:
        return Target(text, Kind.FILE, (), (Unknown(path.name, identity.sha256),))
    return Target(text, Kind.FILE, (File(path.name, identity.sha256, basis, pixels),))


def _known(studio: Studio, sha256: str) -> frozenset[Item] | None:
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


def _pixels(studio: Studio, path: Path) -> str | None:
    try:
        return studio.pixels.digest(path)
    except RakkanError:
        return None  # a damaged picture is known by no other


def _digest(studio: Studio, sha256: str) -> Target:
    basis = _known(studio, sha256)
    if basis is None:
        return Target(sha256, Kind.DIGEST, (), (Unknown(sha256, sha256),))
    names = [row.name for row in studio.entries.artifacts(sha256=sha256) if row.role == "subject"]
    return Target(sha256, Kind.DIGEST, (File(names[-1] if names else sha256, sha256, basis),))


def _places(studio: Studio, text: str) -> list[Where]:
    """Return the places that a text may mean, the likeliest first."""
    if text == WHOLE:
        return [Where()]
    parts = text.strip("/").split("/")
    if parts[0] == studio.production:
        parts = parts[1:]
    *rest, last = parts or [""]
    frames = _frames(last)
    match rest:
        case [] if not parts:
            return [Where()]
        case []:
            return [Where(shot=last), Where(sequence=last)]
        case [first]:
            framed = [Where(shot=first, frames=frames)] if frames else []
            return [Where(sequence=first, shot=last), *framed]
        case [sequence, shot] if frames:
            return [Where(sequence=sequence, shot=shot, frames=frames)]
    return []


def _frames(text: str) -> tuple[int, int] | None:
    found = _FRAMES.fullmatch(text)
    if not found:
        return None
    first, last = int(found[1]), int(found[2] or found[1])
    return (first, last) if first <= last else None


def _only(where: Where, finals: Iterable[Final]) -> Iterator[Final]:
    """Yield the files of the asked frames: of a step over many, those whose names have such a number."""
    if where.frames is None:
        yield from finals
        return
    first, last = where.frames
    by_step: dict[int, list[Final]] = {}
    for final in finals:
        by_step.setdefault(final.index, []).append(final)
    for files in by_step.values():
        numbered = [
            item for item in files if any(first <= int(number) <= last for number in _numbers(item.name))
        ]
        inside = all(
            item.first is not None and item.last is not None and first <= item.first and item.last <= last
            for item in files
        )
        yield from files if inside or not numbered else numbered


def _absent(where: Where, finals: Sequence[Final]) -> int:
    """Return how many of the asked frames no file has: by its name, or as the one file of a range."""
    if where.frames is None:
        return 0
    first, last = where.frames
    files = Counter(final.index for final in finals)
    covered: set[int] = set()
    for final in finals:
        covered.update(number for number in map(int, _numbers(final.name)) if first <= number <= last)
        if files[final.index] == 1 and final.first is not None and final.last is not None:
            covered.update(range(max(first, final.first), min(last, final.last) + 1))
    return last - first + 1 - len(covered)


def _numbers(name: str) -> Sequence[str]:
    return [part for part in re.findall(r"[0-9]+", name) if len(part) < 10]


def _known_places(studio: Studio) -> list[str]:
    places = {(item.sequence, item.shot) for item in studio.bases.finals_at(Where())}
    both = {"/".join(part for part in place if part) for place in places}
    return sorted({name for name in (*both, *(shot for _, shot in places if shot)) if name})
