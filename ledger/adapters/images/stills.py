"""Pictures that Pillow decodes without losing a bit.

* 8-bit pictures become RGB or RGBA: palettes and greys are expanded, a wholly opaque alpha is dropped;
* CMYK, float and other modes that no second format shares keep their own samples;
* what Pillow would cut down to 8 bits is not decoded here: ``DeepError`` sends it to ffmpeg,
  ``UnsupportedError`` to nobody;
* the orientation that EXIF asks for is not applied: it is metadata, the samples are the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from PIL import Image, ImageSequence

from ledger.adapters.images import damage, samples

# Pillow's own guard warns or raises at sizes of its choosing; `samples.check_size` stands before each decode.
Image.MAX_IMAGE_PIXELS = None

_FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF", "TGA", "AVIF", "PSD")
_SEQUENCES = frozenset({"PNG", "WEBP", "TIFF", "GIF", "AVIF"})
"""Formats whose further pictures are frames or pages. In the others they are layers and previews."""
_MAX_SEQUENCE_PIXELS = 1 << 32
"""Of all frames of an animation together: a small GIF can promise weeks of decoding."""
_PNG_DEPTH = 24
"""Offset of the bit depth in a PNG: 8 of signature, 8 of chunk head, 8 of width and height."""
_BITS_PER_SAMPLE, _DNG_VERSION = 258, 50706


class UnsupportedError(Exception):
    """Nothing here decodes this file faithfully."""


class DeepError(Exception):
    """The samples are deeper than Pillow keeps."""


def frames(path: Path, head: bytes) -> Iterator[str]:
    """Yield the digest of each picture; ``head`` is the file's first bytes.

    Raises ``UnsupportedError``, ``DeepError``, ``DamagedError``, and whatever Pillow raises.
    """
    compression = None
    try:
        with Image.open(path, formats=_FORMATS) as image:
            compression = image.info.get("compression")
            _check_depth(image, head)
            yield from _digests(image)
    except (OSError, SyntaxError) as error:
        if damage.pillow_says(error, compression):
            raise damage.DamagedError from error
        raise


def _digests(image: Image.Image) -> Iterator[str]:
    total = 0
    for frame in ImageSequence.Iterator(image):
        samples.check_size(*frame.size)
        total += frame.width * frame.height
        if total > _MAX_SEQUENCE_PIXELS:
            raise samples.TooLargeError
        yield digest(frame)
        if image.format not in _SEQUENCES:
            return


def likeness(path: Path) -> int:
    """Return the likeness of the first picture. Raises ``UnsupportedError``."""
    try:
        with Image.open(path, formats=_FORMATS) as image:
            samples.check_size(*image.size)
            return samples.likeness(image.convert("L").resize((9, 8), Image.Resampling.BOX).tobytes())
    except (OSError, SyntaxError, ValueError, samples.TooLargeError) as error:
        raise UnsupportedError from error


def shown(path: Path, head: bytes, size: tuple[int, int], paper: tuple[int, int, int]) -> Image.Image:
    """Return the first picture as RGB on paper, not smaller than ``size`` unless it is.

    Raises ``DeepError``, ``UnsupportedError``, ``TooLargeError``, and whatever Pillow raises.
    """
    with Image.open(path, formats=_FORMATS) as image:
        samples.check_size(*image.size)
        _check_depth(image, head)
        image.draft("RGB", size)
        plain = _plain(image)
        if plain.mode != "RGBA":
            return plain.convert("RGB")
        page = Image.new("RGB", plain.size, paper)
        page.paste(plain, mask=plain.getchannel("A"))
        return page


def digest(frame: Image.Image) -> str:
    """Return the digest of one decoded picture."""
    plain = _plain(frame)
    return samples.picture(plain.mode, *plain.size, [plain.tobytes()])


def _plain(frame: Image.Image) -> Image.Image:
    """Return the picture in the one form that every format of ours can hold (docs/spec/pixels.md §3)."""
    if frame.mode in {"LA", "PA"} or (frame.mode in {"1", "L", "P", "RGB"} and "transparency" in frame.info):
        frame = frame.convert("RGBA")
    elif frame.mode in {"1", "L", "P"}:
        frame = frame.convert("RGB")
    if frame.mode == "RGBA" and frame.getchannel("A").getextrema() == (255, 255):
        return frame.convert("RGB")
    return frame


def _check_depth(image: Image.Image, head: bytes) -> None:
    if image.format == "PNG" and head[_PNG_DEPTH] == 16:
        raise DeepError
    if image.format == "TIFF":
        _check_tiff(image)
    # av1C (AV1-ISOBMFF §2.3.3): the third byte's second bit says "more than 8 bits".
    box = head.find(b"av1C") if image.format == "AVIF" else -1
    if box >= 0 and head[box + 6] & 0x40:
        raise UnsupportedError


def _check_tiff(image: Image.Image) -> None:
    tags = image.tag_v2  # type: ignore[attr-defined] # only TIFF images have it
    if _DNG_VERSION in tags:
        raise UnsupportedError  # Pillow would show the preview
    if max(tags.get(_BITS_PER_SAMPLE, (1,))) > 8 and image.mode != "F":
        if getattr(image, "n_frames", 1) > 1:
            raise UnsupportedError  # ffmpeg would show the first page
        raise DeepError
