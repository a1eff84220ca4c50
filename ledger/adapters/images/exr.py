"""OpenEXR pictures, channel by channel (docs/spec/pixels.md §5).

* Channels in the order of their names, each with its type: a file may hold any set of them;
* samples as they are stored, little-endian: NaN and negative zero included;
* a part after the other; deep parts, whose pixels hold lists, have no digest.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import OpenEXR

from ledger.adapters.images import samples
from ledger.adapters.images.stills import UnsupportedError

MAX_SAMPLES = 1 << 29
"""Of one part: 4K with 60 channels. The library reads a part as a whole, and 2 GiB are enough."""
_TYPES = {"float16": "half", "float32": "float", "uint32": "uint"}


def frames(path: Path) -> Iterator[str]:
    """Yield the digest of each part. Raises ``UnsupportedError``, and whatever OpenEXR raises."""
    with OpenEXR.File(str(path), header_only=True) as file:
        promised = len(file.parts)
        for part in file.parts:
            _check(part.header)
    # One thread: the callers are many frames at once, and the workstation is an artist's. The library prints
    # its complaints to standard output, which belongs to the command.
    with redirect_stdout(sys.stderr), OpenEXR.File(str(path), separate_channels=True, num_threads=0) as file:
        if len(file.parts) != promised:
            raise UnsupportedError  # it leaves out what it cannot read
        for part in file.parts:
            yield _part(part)


def _check(header: dict[str, Any]) -> None:
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
