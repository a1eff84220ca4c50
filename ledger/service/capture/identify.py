"""Files by their bytes and their pixels, each read once. Implements ``store.Identities``."""

from __future__ import annotations

from pathlib import Path

from ledger.core.spooled import Stamp
from ledger.errors import MalformedError
from ledger.ports import ManifestCodec, PixelReader
from ledger.service.capture.store import Known
from ledger.service.files import check_unchanged, identify, reading_errors


class Identifier:
    """Reads files."""

    def __init__(self, codec: ManifestCodec, pixels: PixelReader) -> None:
        self._codec = codec
        self._pixels = pixels

    def identify(self, path: Path) -> tuple[Known, Stamp]:
        """Return what the file is, and the state of it that was read. Raises ``file.*``."""
        with reading_errors(path):
            status = path.stat()
        found = identify(path)
        media_type = self._codec.media_type(path)
        try:
            pixels = self._pixels.digest(path)
        except MalformedError:
            pixels = None  # what was written is what it is; whoever looks at it will see
        check_unchanged(path, found)
        stamp = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        return Known(found.sha256, media_type, pixels), stamp
