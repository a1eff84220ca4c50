"""``PixelReader``: the second identity of a file.

* The first bytes choose the decoder; the name is asked only where they say nothing;
* a file with one picture has that picture's digest, a file with several the digest of their sequence;
* ``None`` means that nothing here decodes the file faithfully: too large, too deep, no ffmpeg. It is never a
  reason to stop: the SHA-256 of the bytes is there in any case;
* a file that is cut off or corrupt is ``file.malformed``, where its decoder leaves no doubt (``damage``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from ledger.adapters.images import damage, exr, ffmpeg, samples, stills
from ledger.core.containers import formats
from ledger.errors import MalformedError
from ledger.service.files import reading_errors

_STILLS = frozenset(
    {
        "image/png",
        "image/jpeg",
        "image/webp",
        "image/tiff",
        "image/bmp",
        "image/gif",
        "image/x-tga",
        "image/avif",
        "image/vnd.adobe.photoshop",
    }
)


class Pixels:
    """Decodes pictures and videos."""

    def digest(self, path: Path) -> str | None:
        """Return the pixel digest (hex; docs/spec/pixels.md), or ``None`` when nothing here decodes it.

        Raises ``MalformedError("file.malformed")`` for a picture or film that is cut off or corrupt, and
        ``UsageError`` (``file.missing``, ``file.unreadable``, ``file.not-a-file``), nothing else.
        """
        found = self.frames(path)
        return self.of_frames(found) if found else None

    def of_frames(self, frames: Sequence[str]) -> str:
        """Return the digest of a file with these pictures, of which there is at least one."""
        return frames[0] if len(frames) == 1 else samples.sequence(list(frames))

    def frames(self, path: Path) -> list[str] | None:
        """Return the digest (hex) of every picture in the file, in order.

        ``None`` where ``digest`` returns it; raises what ``digest`` raises.
        """
        with reading_errors(path), path.open("rb") as file:
            head = file.read(formats.HEAD)
        try:
            return list(_frames(path, head))
        except samples.TooLargeError:
            return None  # a bomb is not looked at any further
        except Exception as error:
            # Four decoders on bytes that anybody may have made raise what they like: struct.error, KeyError,
            # RuntimeError, SyntaxError … None of it may reach a caller; all of it means no digest or damage.
            damaged = isinstance(error, damage.DamagedError)
            if damaged or damage.cut_off(path, head, formats.sniff(head, path.name)):
                raise MalformedError(
                    "file.malformed", f"{path} is damaged: its picture ends or breaks midway.", path=path
                ) from error
            return None

    def exact(self, path: Path) -> bool:
        """Whether a film keeps RGB pictures as they are: by what it says of its codec and pixel format."""
        media_type = _media_type(path)
        try:
            return media_type not in _STILLS and ffmpeg.exact(path, media_type)
        except (stills.UnsupportedError, damage.DamagedError, samples.TooLargeError):
            return False

    def likenesses(self, path: Path) -> list[int] | None:
        """Return 64 bits for every picture in the file, near for pictures that look alike.

        ``None`` where nothing here decodes the file.
        """
        try:
            media_type = _media_type(path)
            return (
                [stills.likeness(path)]
                if media_type in _STILLS
                else list(ffmpeg.likenesses(path, media_type))
            )
        except (stills.UnsupportedError, damage.DamagedError):
            return None


def _media_type(path: Path) -> str:
    with reading_errors(path), path.open("rb") as file:
        return formats.sniff(file.read(formats.HEAD), path.name)


def _frames(path: Path, head: bytes) -> Iterator[str]:
    media_type = formats.sniff(head, path.name)
    if media_type == "image/x-exr":
        return exr.frames(path)
    if media_type not in _STILLS:
        return ffmpeg.frames(path, media_type)
    return _still(path, head, media_type)


def _still(path: Path, head: bytes, media_type: str) -> Iterator[str]:
    try:
        yield from stills.frames(path, head)
    except stills.DeepError:
        yield from ffmpeg.frames(path, media_type)
