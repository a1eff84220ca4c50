"""What a command read and wrote, from what it did to files, in order.

* Read back what one wrote oneself: no input. Read, then written: an input and an output (an edit in place).
* Renamed: the file is known by its new name. Removed: an output no longer, an input still.
* What was an input is known by the state in which it was first opened. Where the file is no longer in that
  state, its stamp is that earlier one, or ``UNKNOWN``: nobody may hash what came later and call it the input.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from operator import itemgetter

from ledger.hooks import rakkan_capture

UNKNOWN = [0, 0, 0, 0, 0]
"""The stamp of a state that nobody saw. It differs from that of any file."""
TICK = 0.02
"""Seconds by which a file's times may be behind the clock: the kernel counts them in ticks."""


class Read:
    """A file that was there before: its name and the time when it was first opened, and its stamp of then."""

    __slots__ = ("before", "moved", "name", "time")

    def __init__(self, name: str, time: float, before: list[int] | None) -> None:
        self.name = name
        self.time = time
        self.before = before
        self.moved = False

    def stamp(self, path: str, *, gone: bool) -> tuple[list[int], bool]:
        """Return the stamp of what was read, and whether the file is another one by now.

        ``gone`` says that the command itself has replaced or removed it.
        """
        now = None if gone else stamp_of(path)
        if now is None:
            return self.before or UNKNOWN, not gone
        if self.before is not None:
            # A rename changes the last of the times, and nothing in the file.
            known = 4 if self.moved else 5
            same = now[:known] == self.before[:known]
        else:
            same = (now[3] if self.moved else max(now[3:])) <= self.time * 1e9
        return (now, False) if same else (self.before or UNKNOWN, True)


class Files:
    """Everything that one command and its children did to files. Paths are absolute, without links.

    ``wanted`` says whether a file that is read may matter at all. ``misread`` counts what of the trace could
    not be understood: the record says so, for something may be missing in it.
    """

    def __init__(self, wanted: Callable[[str], bool]) -> None:
        self._wanted = wanted
        self.misread = 0
        self.reads: dict[str, Read] = {}
        self._lost: list[Read] = []
        self._writes: dict[str, list[int] | None] = {}

    def read(self, path: str, time: float, seen: list[int] | None = None) -> None:
        """Take an opening for reading, with the file's stamp of that time; else it is looked at now."""
        if path in self._writes or path in self.reads or not self._wanted(path):
            return
        if seen is not None:
            self.reads[path] = Read(path, time, seen)
            return
        now = stamp_of(path)
        if now is not None or not os.path.exists(path):  # it was there, a moment ago
            self.reads[path] = Read(path, time, _older(now, time))

    def write(self, path: str) -> None:
        """Take an opening for writing."""
        self._writes[path] = None

    def inherit(self, path: str, seen: list[int]) -> None:
        """Take a file that the command got open for writing: an output if it is another one in the end."""
        self._writes[path] = seen

    def update(self, path: str, time: float, seen: list[int] | None = None, *, creates: bool) -> None:
        """Take an opening for both. Whoever opens a file so that it is created may have found none."""
        if path in self._writes:
            return
        # Of a stamp from the moment itself, the content's time is enough: any change moves it.
        known = _older(stamp_of(path), time) if seen is None else _older(seen, time, slice(3, 4))
        if known is not None or not creates or (seen is not None and seen[2]):
            self.read(path, time, seen)
        self._writes[path] = known

    def rename(self, old: str, new: str) -> None:
        """Take a renaming, also of a folder."""
        if old == new:
            return
        if old not in self._writes and old not in self.reads and os.path.isdir(new):
            for known in {*self._writes, *self.reads}:
                if known.startswith(old + os.sep):
                    self._rename(known, new + known[len(old) :])
        else:
            self._rename(old, new)

    def exchange(self, old: str, new: str) -> None:
        """Take two files that swapped their names."""
        aside = old + "\0"
        self._rename(old, aside)
        self._rename(new, old)
        self._rename(aside, new)

    def link(self, old: str, new: str) -> None:
        """Take a second name of a file; one that had none so far was made by the command."""
        if old in self._writes or old.startswith("/proc/"):
            self._writes[new] = None

    def unlink(self, path: str) -> None:
        """Take a removal."""
        self._writes.pop(path, None)
        self._lose(path)

    def outputs(self) -> list[str]:
        """Return what was written and is there, sorted."""
        return sorted(path for path, before in self._writes.items() if _changed(path, before))

    def inputs(self) -> Iterator[tuple[str, list[int], bool]]:
        """Yield what was read, sorted: the path, its stamp, and whether somebody else changed it since."""
        outputs = set(self.outputs())
        found = [(path, read, path in outputs) for path, read in self.reads.items()]
        found += [(read.name, read, True) for read in self._lost]
        for path, read, gone in sorted(found, key=itemgetter(0)):
            yield (path, *read.stamp(path, gone=gone))

    def _rename(self, old: str, new: str) -> None:
        self.unlink(new)
        if old in self._writes:
            before = self._writes.pop(old)
            self._writes[new] = before and before[:4]
            self._lose(old)
        elif old in self.reads:
            self.reads[new] = self.reads.pop(old)
            self.reads[new].moved = True

    def _lose(self, path: str) -> None:
        """Keep what was read under a name that now is nobody's, or another file's."""
        read = self.reads.pop(path, None)
        if read is not None:
            self._lost.append(read)


def stamp_of(path: str) -> list[int] | None:
    """Return the stamp of a regular file as it is now, else ``None``."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    return rakkan_capture.stamp(status) if stat.S_ISREG(status.st_mode) else None


def _older(seen: list[int] | None, time: float, times: slice = slice(3, 5)) -> list[int] | None:
    """Return the stamp if the file had it at that time: if none of its times comes after."""
    return seen if seen is not None and max(seen[times]) < (time - TICK) * 1e9 else None


def _changed(path: str, before: list[int] | None) -> bool:
    now = stamp_of(path)
    return now is not None and (before is None or now[: len(before)] != before)
