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

from ledger.hooks import rakkan_capture

UNKNOWN = [0, 0, 0, 0, 0]
"""The stamp of a state that nobody saw. It differs from that of any file."""
TICK = 0.02
"""Seconds by which a file's times may be behind the clock: the kernel counts them in ticks."""


class Read:
    """A file that was there before: when it was first opened, and its stamp then, where that is known."""

    __slots__ = ("before", "moved", "time")

    def __init__(self, time: float, before: list[int] | None) -> None:
        self.time = time
        self.before = before
        self.moved = False

    def stamp(self, path: str, *, written: bool) -> tuple[list[int], bool]:
        """Return the stamp of what was read, and whether the file is another one by now."""
        now = None if written else stamp_of(path)
        if now is None:
            return self.before or UNKNOWN, not written
        if self.before is not None:
            # A rename changes the last of the times, and nothing in the file.
            known = 4 if self.moved else 5
            same = now[:known] == self.before[:known]
        else:
            same = (now[3] if self.moved else max(now[3:])) <= self.time * 1e9
        return (now, False) if same else (self.before or UNKNOWN, True)


class Files:
    """Everything that one command and its children did to files. Paths are absolute, without links.

    ``wanted`` says whether a file that is read may matter at all.
    """

    def __init__(self, wanted: Callable[[str], bool]) -> None:
        self._wanted = wanted
        self.reads: dict[str, Read] = {}
        self._writes: dict[str, list[int] | None] = {}

    def read(self, path: str, time: float, seen: list[int] | None = None) -> None:
        """Take an opening for reading, with the file's stamp of that time; else it is looked at now."""
        if path in self._writes or path in self.reads or not self._wanted(path):
            return
        seen = seen or stamp_of(path)
        if seen is not None:
            self.reads[path] = Read(time, _older(seen, time))

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
        seen = seen or stamp_of(path)
        known = _older(seen, time) if seen is not None else None
        if known is not None or not creates:
            self.read(path, time, seen)
        self._writes[path] = known

    def rename(self, old: str, new: str) -> None:
        """Take a renaming, also of a folder."""
        if old == new:
            return
        if old not in self._writes and old not in self.reads and os.path.isdir(new):
            for known in [*self._writes, *self.reads]:
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

    def outputs(self) -> list[str]:
        """Return what was written and is there, sorted."""
        return sorted(path for path, before in self._writes.items() if _changed(path, before))

    def inputs(self) -> Iterator[tuple[str, list[int], bool]]:
        """Yield what was read, sorted: the path, its stamp, and whether the command found it changed."""
        outputs = set(self.outputs())
        for path in sorted(self.reads):
            stamp, changed = self.reads[path].stamp(path, written=path in outputs)
            yield path, stamp, changed

    def _rename(self, old: str, new: str) -> None:
        self._writes.pop(new, None)
        if old in self._writes:
            self._writes[new] = self._writes.pop(old)
        if old in self.reads and new not in self.reads and new not in self._writes:
            self.reads[new] = self.reads.pop(old)
            self.reads[new].moved = True


def stamp_of(path: str) -> list[int] | None:
    """Return the stamp of a regular file as it is now, else ``None``."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    return rakkan_capture.stamp(status) if stat.S_ISREG(status.st_mode) else None


def _older(seen: list[int], time: float) -> list[int] | None:
    """Return the stamp if the file cannot have changed since that time."""
    return seen if max(seen[3:]) < (time - TICK) * 1e9 else None


def _changed(path: str, before: list[int] | None) -> bool:
    now = stamp_of(path)
    return now is not None and now != before
