"""The last resort: the roots before and after, and the paths in the command's arguments.

What changed was written. What was named, was there and did not change was read. So an edit in place has no
input here, a file that is neither named nor written is not seen, and neighbours' work in the same folders
counts as the command's.
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterator, Sequence

from ledger.hooks.trace.files import Files, stamp_of
from ledger.hooks.trace.roots import Roots, named

MOST_FILES = 200_000
"""How many files are looked at in the roots. What is beyond is not seen."""
_NUMBERED = re.compile(r"%0?\d*d|#+")


class Snapshot:
    """The state before a command. ``cut`` says whether there were too many files to look at."""

    def __init__(self, roots: Roots, argv: Sequence[str]) -> None:
        self._roots = roots
        self._argv = argv
        self.cut = False
        self._before = dict(self._states())
        self._named = {path: self._before.get(path) or stamp_of(path) for path in _files(argv)}

    def after(self, files: Files, started: float) -> None:
        """Tell ``files`` what differs now."""
        changed = {path for path, state in self._states() if self._before.get(path) != state}
        for path, before in self._named.items():
            if before is not None and path not in changed:
                files.read(path, started, before)
        for path in changed:
            files.write(path)

    def _states(self) -> Iterator[tuple[str, list[int]]]:
        seen = 0
        for root in self._roots.folders:
            for folder, _, names in os.walk(root):
                for name in names:
                    path = os.path.join(folder, name)
                    if self._roots.hold(path):
                        seen += 1
                        state = stamp_of(path)
                        if state is not None:
                            yield path, state
                if seen > MOST_FILES:
                    self.cut = True
                    return


def _files(argv: Sequence[str]) -> list[str]:
    """Return the files that the arguments name, with those of a numbered sequence."""
    found = []
    for path in named(argv):
        pattern = _NUMBERED.sub("*", path)
        found += [path] if pattern == path else glob.glob(pattern)
    return [os.path.realpath(path) for path in found]
