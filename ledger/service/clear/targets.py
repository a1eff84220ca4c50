"""What somebody wants cleared: a file, a digest, a place in the production, or a cut list of such.

* What is a file on disk is that file, whatever its name. Else it is a SHA-256, else a place: ``sq010/sh020``,
  ``sq010/sh020/1006``, ``sh020``, ``sh020/1001-1010``; ``.`` is the whole production.
* A place means its final files: what no other recorded step read. A sealed file stands for the one before.
* A cut list (``@cut.txt``, ``@cut.csv``) has one target on each line; of a CSV the first column counts. What
  follows ``#`` at the beginning of a line is a comment. A relative path is looked for beside the list first.
* A timeline (``@final.otio``) has one target for each shot, in the order of the cut (docs/spec/cuts.md).
* A file that no record explains, neither by its bytes nor by its picture, is *unknown*; that is no error.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path

from ledger.errors import MalformedError, UsageError
from ledger.service.clear.places import at_place, known_places
from ledger.service.clear.recorded import File, Kind, Target, Unknown, file_at, known, on_disk
from ledger.service.cuts.resolve import is_timeline, read_cut, targets_of
from ledger.service.files import read_whole
from ledger.service.studio import Studio

MAX_LIST = 64 * 1024 * 1024
"""Bytes of a cut list: a digest for each frame of a feature takes nine million."""
_SHA256 = re.compile(r"[0-9a-f]{64}")


def resolve(studio: Studio, texts: Iterable[str]) -> tuple[Target, ...]:
    """Return the targets. The bases must have been caught up.

    Raises ``UsageError`` with ``clear.unknown-target``, ``clear.not-made`` or ``file.…``, and
    ``MalformedError`` with ``clear.cut-list``, ``cut.malformed`` or ``cut.unsupported``.
    """
    found = tuple(target for text in texts for target in _targets(studio, text))
    if not found:
        raise MalformedError("clear.cut-list", "There is no target: the cut list is empty.")
    return found


def _targets(studio: Studio, text: str) -> Iterator[Target]:
    path = Path(text[1:])
    if not text.startswith("@") or on_disk(text) is not None:
        yield _target(studio, text, None)
    elif is_timeline(path):
        yield from targets_of(studio, read_cut(path), path)
    else:
        yield from (_target(studio, line, path.parent) for line in _lines(path))


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


def on_record(studio: Studio, text: str, most: int | None = None) -> Target | None:
    """Return the target that a SHA-256 or a place means, whatever lies on disk; ``None`` for neither.

    The bases must have been caught up. Raises ``UsageError`` with ``clear.not-made``, and ``clear.too-many``
    for a place with more final files than ``most``.
    """
    if _SHA256.fullmatch(text):
        return _digest(studio, text)
    return at_place(studio, text, most)


def _target(studio: Studio, text: str, folder: Path | None) -> Target:
    path = on_disk(text, folder)
    if path is not None:
        found = file_at(studio, path)
        files, unknown = ((found,), ()) if isinstance(found, File) else ((), (found,))
        return Target(text, Kind.FILE, files, unknown)
    if (recorded := on_record(studio, text)) is not None:
        return recorded
    near = get_close_matches(text, known_places(studio), 3, 0.5)
    hint = f" Did you mean {', '.join(map(repr, near))}?" if near else ""
    raise UsageError(
        "clear.unknown-target",
        f"{text!r} is no file here, no SHA-256, and no place with final files in {studio.production}.{hint}",
        target=text,
    )


def _digest(studio: Studio, sha256: str) -> Target:
    basis = known(studio, sha256)
    if basis is None:
        return Target(sha256, Kind.DIGEST, (), (Unknown(sha256, sha256),))
    names = [row.name for row in studio.entries.artifacts(sha256=sha256) if row.role == "subject"]
    return Target(sha256, Kind.DIGEST, (File(names[-1] if names else sha256, sha256, basis),))
