"""The cache of files' digests: where it lies, and how it is opened."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ledger.service.stamps import HashCache


def cache_folder() -> Path:
    """Return where this user's caches lie: ``RAKKAN_CACHE``, else as XDG says. It may not exist yet."""
    named = os.environ.get("RAKKAN_CACHE")
    if named:
        return Path(named)
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")  # noqa: PTH111, PTH118 - never raises
    return Path(base) / "rakkan"


@contextmanager
def open_hash_cache(warn: Callable[[str], None], *, fresh: bool = False) -> Iterator[HashCache]:
    """Open this user's cache of digests for as long as the block runs; ``fresh`` believes nothing in it.

    Never raises: ``warn`` hears why there is none, or that a damaged one was set aside.
    """
    from ledger.adapters.hash_cache import SqliteHashCache

    cache = SqliteHashCache(cache_folder() / "hashes.sqlite", warn, fresh=fresh)
    try:
        yield cache
    finally:
        cache.close()
