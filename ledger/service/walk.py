"""The files under a folder, each with what the file system says of it; nothing is left out without a word.

* Links are not followed, so no folder is walked twice. Other file systems mounted under the folder are.
* What is no work of anybody is set apart by its name: sidecars, and what operating systems, editors and
  version control leave behind (``IGNORED``). A folder of such a name is not entered, and counts as one.
* A folder that cannot be listed is reported like a file that cannot be read: nobody knows what is in it.
* Names are kept as they are, with bytes that are not UTF-8 as ``surrogateescape`` has them.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Iterator
from enum import StrEnum
from fnmatch import translate
from typing import NamedTuple

from ledger.service.files import SIDECAR
from ledger.service.stamps import Stamp

IGNORED = (
    # operating systems and file servers
    ".DS_Store ._* .Spotlight-V100 .Trashes .fseventsd Thumbs.db ehthumbs.db desktop.ini $RECYCLE.BIN",
    ".Trash-* .nfs* .fuse_hidden* .snapshot .zfs @eaDir .@__thumb .thumbnails lost+found __MACOSX",
    # locks, backups and what is being written
    "*.lock .~lock.*# .#* *~ *.bak *.swp *.blend[0-9] *.blend[0-9][0-9] *.autosave .*.rakkan",
    # version control and programs
    ".git .svn .hg __pycache__ *.pyc",
)
"""Names that are set apart, as shell patterns."""


class Apart(StrEnum):
    """What is counted, and not asked who made it."""

    SIDECAR = "sidecar"
    IGNORED = "ignored"
    EMPTY = "empty"
    LINK = "link"
    SPECIAL = "special"
    VANISHED = "vanished"


class Undecided(StrEnum):
    """Why nobody can say what a file is."""

    UNREADABLE = "unreadable"
    CHANGING = "changing"
    UNSEEN = "unseen"
    """A folder that cannot be listed, with nobody knows how many files."""


class Found(NamedTuple):
    """One file: its path from the walked folder, with ``/``, and its stamp.

    ``what`` is ``None`` for a regular file to be explained. ``why`` has the operating system's words.
    """

    path: str
    stamp: Stamp
    what: Apart | Undecided | None = None
    why: str = ""


_NOTHING = Stamp(0, 0, 0, 0, 0)


def stamp_of(status: os.stat_result) -> Stamp:
    """Return what a ``stat`` says."""
    return Stamp(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def walk(root: str, ignore: Iterable[str] = ()) -> Iterator[Found]:
    """Yield what lies under a folder, folder by folder, the names of each in order.

    ``ignore`` are more patterns: of names, or with a ``/`` of paths from the folder.
    """
    rule = _Rule(ignore)
    waiting = [""]
    while waiting:
        folder = waiting.pop()
        try:
            with os.scandir(os.path.join(root, folder)) as entries:  # noqa: PTH118 - a Path for each file takes seconds
                listed = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            yield _missed(folder or ".", error, Undecided.UNSEEN)
            continue
        inner = []
        for entry in listed:
            path = f"{folder}/{entry.name}" if folder else entry.name
            found = _look(entry, path, rule)
            if found is None:
                inner.append(path)
            else:
                yield found
        waiting += reversed(inner)


def _look(entry: os.DirEntry[str], path: str, rule: _Rule) -> Found | None:
    """Return what an entry of a folder is; ``None`` for a folder to be walked."""
    try:
        if rule.sets_apart(entry.name, path):
            return Found(path, stamp_of(entry.stat(follow_symlinks=False)), Apart.IGNORED)
        if entry.is_dir(follow_symlinks=False):
            return None
        status = entry.stat(follow_symlinks=False)
    except OSError as error:
        return _missed(path, error)
    return Found(path, stamp_of(status), _apart(entry.name, status))


def _apart(name: str, status: os.stat_result) -> Apart | None:
    if stat.S_ISLNK(status.st_mode):
        return Apart.LINK
    if not stat.S_ISREG(status.st_mode):
        return Apart.SPECIAL
    if name.endswith(SIDECAR):
        return Apart.SIDECAR
    return None if status.st_size else Apart.EMPTY


def _missed(path: str, error: OSError, why: Undecided = Undecided.UNREADABLE) -> Found:
    what = Apart.VANISHED if isinstance(error, FileNotFoundError) else why
    return Found(path, _NOTHING, what, error.strerror or type(error).__name__)


class _Rule:
    """The patterns, as two regular expressions: 200,000 names are looked at."""

    def __init__(self, ignore: Iterable[str]) -> None:
        added = list(ignore)
        names = [*" ".join(IGNORED).split(), *(item for item in added if "/" not in item)]
        self._names = _any_of(names)
        self._paths = _any_of(item.strip("/") for item in added if "/" in item)

    def sets_apart(self, name: str, path: str) -> bool:
        """Whether a file or folder of this name, at this path, is set apart."""
        return bool(self._names.match(name) or self._paths.match(path))


def _any_of(patterns: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(map(translate, patterns)) or "(?!)")
