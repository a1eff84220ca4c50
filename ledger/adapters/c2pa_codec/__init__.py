"""C2PA manifests through ``c2pa-python``: the only package that imports it."""

from ledger.adapters.c2pa_codec.codec import C2paCodec

__all__ = ["C2paCodec"]
