"""OpenEXR pictures, channel by channel (docs/spec/pixels.md §5).

* Channels in the order of their names, each with its type: a file may hold any set of them;
* samples as they are stored, little-endian: NaN and negative zero included;
* a part after the other; deep parts, whose pixels hold lists, have no digest;
* the library prints what it could not read to Python's standard output, which belongs to the command: it is
  caught there, from this thread only, and read.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from threading import Lock, get_ident
from typing import Any

import OpenEXR

from ledger.adapters.images import damage, samples
from ledger.adapters.images.stills import UnsupportedError

MAX_SAMPLES = 1 << 29
"""Of one part: 4K with 60 channels. The library reads a part as a whole, and 2 GiB are enough."""
MAX_TEXT_PARTS = 100
_TYPES = {"float16": "half", "float32": "float", "uint32": "uint"}
_ONE_AT_A_TIME = Lock()
"""Standard output is the process's: two threads that swap it would leave it swapped."""


class _Complaints(io.StringIO):
    """Standard output while the library reads: what other threads print passes through."""

    def __init__(self) -> None:
        super().__init__()
        self._thread, self._output = get_ident(), sys.stdout

    def write(self, text: str) -> int:
        return super().write(text) if get_ident() == self._thread else self._output.write(text)


def frames(path: Path) -> Iterator[str]:
    """Yield the digest of each part.

    Raises ``UnsupportedError``, ``DamagedError``, and whatever OpenEXR raises.
    """
    with OpenEXR.File(str(path), header_only=True) as file:
        promised = len(file.parts)
        for part in file.parts:
            check(part.header)
    with whole(path) as (file, complaints):
        if len(file.parts) != promised:  # it leaves out what it cannot read
            raise damage.DamagedError if damage.openexr_says(complaints) else UnsupportedError
        for part in file.parts:
            yield _part(part)


def texts(path: Path) -> list[tuple[int, str, str]]:
    """Return the attributes that are texts, of the first parts: number of the part, name, text.

    Reads no samples. Raises whatever OpenEXR raises.
    """
    with _ONE_AT_A_TIME, redirect_stdout(_Complaints()), OpenEXR.File(str(path), header_only=True) as file:
        return [
            (number, str(name), value)
            for number, part in enumerate(file.parts[:MAX_TEXT_PARTS])
            for name, value in part.header.items()
            if isinstance(value, str)
        ]


@contextmanager
def whole(path: Path) -> Iterator[tuple[Any, str]]:
    """Open the file with all its samples; with it comes what the library printed about it."""
    with _ONE_AT_A_TIME, redirect_stdout(_Complaints()) as complaints:
        # One thread: the callers are many frames at once, and the workstation is an artist's.
        opened = OpenEXR.File(str(path), separate_channels=True, num_threads=0)
    with opened as file:
        yield file, complaints.getvalue()


def check(header: dict[str, Any]) -> None:
    """Return if a part with this header is read. Raises ``TooLargeError`` and ``UnsupportedError``."""
    width, height = _size(header)
    samples.check_size(width, height)
    if width * height * len(header["channels"]) > MAX_SAMPLES:
        raise samples.TooLargeError
    if "deep" in str(header.get("type")):
        raise UnsupportedError


def _size(header: dict[str, Any]) -> tuple[int, int]:
    low, high = header["dataWindow"]
    return int(high[0] - low[0] + 1), int(high[1] - low[1] + 1)


def _part(part: Any) -> str:
    channels = [(name, part.channels[name].pixels) for name in sorted(part.channels, key=str.encode)]
    if any(str(pixels.dtype) not in _TYPES for _, pixels in channels):
        raise UnsupportedError
    mode = ",".join(f"{name}:{_TYPES[str(pixels.dtype)]}" for name, pixels in channels)
    planes = (pixels.astype(pixels.dtype.newbyteorder("<"), copy=False).tobytes() for _, pixels in channels)
    return samples.picture(f"EXR[{mode}]", *_size(part.header), planes)
