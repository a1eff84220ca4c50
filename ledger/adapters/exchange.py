"""Putting a folder in the place of another in one step (Linux ``renameat2``)."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

_AT_FDCWD = -100
_EXCHANGE = 2


def put_in_place(new: Path, place: Path) -> None:
    """Make ``new`` be at ``place``; what was there, if anything, is at ``new`` then. Raises ``OSError``."""
    if not place.exists():
        new.rename(place)
        return
    library = ctypes.CDLL(None, use_errno=True)
    if library.renameat2(_AT_FDCWD, os.fsencode(new), _AT_FDCWD, os.fsencode(place), _EXCHANGE):
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), str(place))
