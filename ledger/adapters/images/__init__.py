"""Decoders: the pixels of a file, whatever it is packed in (docs/spec/pixels.md)."""

from ledger.adapters.images.pixels import Pixels

__all__ = ["Pixels"]
