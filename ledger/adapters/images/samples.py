"""The digest of decoded samples (docs/spec/pixels.md §2), and its limits.

* A picture's digest covers its mode, its size and its samples, nothing else;
* a sequence's digest covers the digests of its pictures in order: a GIF and a lossless video of the same
  frames have the same one.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

SPEC = "rakkan.org/pixels/v1"
MAX_PIXELS = 1 << 27
"""Of one picture: 16,384 by 8,192. A header that promises more is not decoded."""


class TooLargeError(Exception):
    """The header promises more pixels than are ever decoded."""


def check_size(width: int, height: int) -> None:
    """Return if a picture of this size is decoded. Raises ``TooLargeError``."""
    if not 0 < width * height <= MAX_PIXELS:
        raise TooLargeError


def picture(mode: str, width: int, height: int, samples: Iterable[bytes | memoryview]) -> str:
    """Return the digest (hex) of one picture."""
    state = sha256(f"{SPEC}\n{mode} {width}x{height}\n".encode())
    for part in samples:
        state.update(part)
    return state.hexdigest()


def likeness(grey: bytes) -> int:
    """Return 64 bits of a grey picture of 9 by 8 points: whether each is darker than the one on its right."""
    darker = (grey[at] < grey[at + 1] for row in range(0, 72, 9) for at in range(row, row + 8))
    return sum(bit << place for place, bit in enumerate(darker))


def sequence(digests: list[str]) -> str:
    """Return the digest (hex) of pictures in order."""
    state = sha256(f"{SPEC}\nsequence {len(digests)}\n".encode())
    for digest in digests:
        state.update(bytes.fromhex(digest))
    return state.hexdigest()
