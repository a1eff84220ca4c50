"""Manifests that devices share: which of several stores speaks for a file, and what is not taken at all.

* A file's store is asked for by the file's SHA-256. Of two, that of the newest seal in the log speaks; then
  one that is bound to the whole file; then what was there first.
* None is ever lost: one that has to stand back is kept under its own SHA-256.
* What nothing vouches for is taken once, for bytes on record: a mark that came in. It never takes a place.
"""

from __future__ import annotations

from ledger.core.containers import jumbf
from ledger.core.digest import sha256_hex
from ledger.core.predicates import Seal
from ledger.errors import MalformedError, RefusedError, UsageError
from ledger.service.archive import Known


def take_manifest(studio: Known, sha256: str, store: bytes) -> None:
    """Keep a store of the file with this SHA-256 (hex), durable on return. The same again is fine.

    Raises ``MalformedError`` (``manifest.malformed``, ``manifest.too-large``),
    ``UsageError("manifest.unknown-file")`` and ``RefusedError("manifest.other")``.
    """
    if not jumbf.manifests(store):
        raise MalformedError("manifest.malformed", "The store holds no manifest.")
    if not studio.entries.artifacts(sha256=sha256):
        raise UsageError("manifest.unknown-file", "The log has no entry about these bytes.", sha256=sha256)
    kept = studio.manifests.get(sha256)
    if kept == store:
        return
    if kept is None:
        studio.manifests.put(sha256, store)
        return
    new, old = _weight(studio, sha256, store), _weight(studio, sha256, kept)
    if new == 0:
        words = "Another manifest of these bytes is kept, and nothing vouches for this one."
        raise RefusedError("manifest.other", words, sha256=sha256)
    if new <= old:
        studio.manifests.put(sha256_hex(store), store)
        return
    studio.manifests.put(sha256_hex(kept), kept)
    studio.manifests.put(sha256, store)


def manifest_of(studio: Known, sha256: str) -> bytes:
    """Return the store that is kept for these bytes. Raises ``UsageError("manifest.missing")``."""
    store = studio.manifests.get(sha256)
    if store is None:
        raise UsageError("manifest.missing", "No manifest of these bytes is kept here.", sha256=sha256)
    return store


def _weight(studio: Known, sha256: str, store: bytes) -> int:
    """Return what vouches for a store: 2 and more for a seal, by its index; 1 for its own binding; else 0."""
    digest = sha256_hex(store)
    for row in reversed(studio.entries.artifacts(sha256=sha256)):
        predicate = studio.statement(row.index).predicate if row.role == "subject" else None
        if isinstance(predicate, Seal) and predicate.manifests[row.position].store == digest:
            return 2 + row.index
    return int(jumbf.bound_sha256(store) == sha256)
