"""Pictures on disk, and the digest that the specification gives them."""

from hashlib import sha256
from pathlib import Path
from typing import Any

from PIL import Image

from ledger.adapters.images import Pixels

PIXELS = Pixels()


def written(path: Path, image: Image.Image, **options: Any) -> Path:
    image.save(path, **options)
    return path


def expected(mode: str, image: Image.Image) -> str:
    """The specification's own words, once more."""
    head = f"rakkan.org/pixels/v1\n{mode} {image.width}x{image.height}\n".encode()
    return sha256(head + image.tobytes()).hexdigest()
