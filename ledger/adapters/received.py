"""The bundles that were given to this home: each with the trust root that it was proven with.

    received/<SHA-256 of the bundle>/bundle.zip
                                     trust.json

A folder appears whole or not at all.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from ledger.adapters.new_folder import new_folder
from ledger.service.files import identify, writing_errors

FOLDER = "received"
BUNDLE, TRUST = "bundle.zip", "trust.json"


class Received:
    """The bundles of a home."""

    def __init__(self, home: Path) -> None:
        self._folder = home / FOLDER

    def keep(self, bundle: Path, trust: bytes) -> Path:
        """Keep a bundle and its trust root, durable on return; return where. The same again is fine.

        Raises ``file.…`` and ``target.…``.
        """
        place = self._folder / identify(bundle).sha256
        if place.exists():
            return place
        with new_folder(place) as folder, writing_errors(place):
            shutil.copyfile(bundle, folder / BUNDLE)
            (folder / TRUST).write_bytes(trust)
        return place

    def __iter__(self) -> Iterator[tuple[Path, bytes]]:
        """Yield each bundle with its trust root, in a fixed order."""
        for place in sorted(self._folder.glob("[0-9a-f]*")):
            yield place / BUNDLE, (place / TRUST).read_bytes()
