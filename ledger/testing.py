"""The ports in memory, for tests: ours and those of whoever builds on the library.

* A fake keeps the promises of its port that a caller can see; contract tests hold it to the same suite as
  the real adapter. It keeps nothing when the process ends.
* ``SeedSigner`` signs with a key that anyone can derive. Never use it for anything but tests.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ledger.core.checkpoint import parse_checkpoint
from ledger.core.digest import parse_sha256, sha256_hex
from ledger.errors import IntegrityError, RefusedError, UsageError
from ledger.ports import ArtifactRow, Head, StatementRow


class FixedClock:
    """A clock that shows what it was set to."""

    def __init__(self, moment: datetime = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)) -> None:
        self.moment = moment

    def now(self) -> datetime:
        """Return the moment that was set."""
        return self.moment


class SeedSigner:
    """An Ed25519 key derived from a word."""

    def __init__(self, seed: str) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(seed.encode()).digest())
        self.public_key = self._key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    @property
    def keyid(self) -> str:
        """SHA-256 (hex) of the public key."""
        return sha256_hex(self.public_key)

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte signature."""
        return self._key.sign(message)


@dataclass
class _State:
    """The rows of one log."""

    entries: list[tuple[bytes, bytes, datetime]] = field(default_factory=list)
    indices: dict[bytes, int] = field(default_factory=dict)
    tiles: dict[tuple[int, int], bytes] = field(default_factory=dict)
    head: Head = field(default_factory=lambda: Head(0, (), b""))
    statements: list[StatementRow] = field(default_factory=list)
    artifacts: list[ArtifactRow] = field(default_factory=list)

    def copy(self) -> _State:
        return _State(
            list(self.entries),
            dict(self.indices),
            dict(self.tiles),
            self.head,
            list(self.statements),
            list(self.artifacts),
        )


class MemoryEntryTransaction:
    """One open transaction; see ``ports.EntryTransaction``."""

    def __init__(self, state: _State) -> None:
        self._state = state

    def head(self) -> Head:
        """Return the log's tip."""
        return self._state.head

    def indices(self, leaf_hashes: Sequence[bytes]) -> Mapping[bytes, int]:
        """Return the index of each of these leaf hashes that the log already holds."""
        known = self._state.indices
        return {leaf: known[leaf] for leaf in leaf_hashes if leaf in known}

    def tile(self, level: int, index: int) -> bytes:
        """Return the tile's hashes as stored; ``b""`` when it does not exist yet."""
        return self._state.tiles.get((level, index), b"")

    def append(self, first: int, entries: Sequence[tuple[bytes, bytes]], received: datetime) -> None:
        """Add ``(leaf hash, envelope)`` pairs at ``first`` and the indices after it."""
        state = self._state
        for index, (leaf, envelope) in enumerate(entries, first):
            if index != len(state.entries) or leaf in state.indices:
                raise IntegrityError("log.corrupt", "The index or the entry is taken.", index=index)
            state.indices[leaf] = index
            state.entries.append((leaf, envelope, received))

    def put_tiles(self, tiles: Mapping[tuple[int, int], bytes]) -> None:
        """Store tiles by ``(level, index)``; a longer one replaces its own prefix."""
        self._state.tiles.update(tiles)

    def put_head(self, head: Head) -> None:
        """Move the tip."""
        self._state.head = head

    def project(self, statements: Sequence[StatementRow], artifacts: Sequence[ArtifactRow]) -> None:
        """Add projection rows."""
        self._state.statements.extend(statements)
        self._state.artifacts.extend(artifacts)

    def clear_projections(self) -> None:
        """Empty every table that can be recomputed from the entries."""
        self._state.tiles.clear()
        self._state.head = Head(0, (), b"")
        self._state.statements.clear()
        self._state.artifacts.clear()


class MemoryEntryStore:
    """See ``ports.EntryStore``. A transaction works on a copy that replaces the rows when it commits."""

    def __init__(self) -> None:
        self._state = _State()
        self._lock = threading.Lock()

    @contextmanager
    def begin(self) -> Iterator[MemoryEntryTransaction]:
        """Open the one write transaction."""
        if not self._lock.acquire(timeout=0.1):
            raise RefusedError("log.busy", "Another transaction is open.")
        try:
            state = self._state.copy()
            yield MemoryEntryTransaction(state)
            self._state = state
        finally:
            self._lock.release()

    def head(self) -> Head:
        """Return the tip as last committed."""
        return self._state.head

    def envelope(self, index: int) -> bytes:
        """Return the entry's exact bytes."""
        if not 0 <= index < len(self._state.entries):
            raise UsageError("log.no-such-entry", "The log has no such entry.", index=index)
        return self._state.entries[index][1]

    def envelopes(self, start: int, stop: int) -> Iterator[bytes]:
        """Yield the entries ``start <= index < stop`` that exist, in order."""
        for _, envelope, _ in self._state.entries[start:stop]:
            yield envelope

    def index(self, leaf_hash: bytes) -> int | None:
        """Return the index of the entry with this leaf hash, or ``None``."""
        return self._state.indices.get(leaf_hash)

    def tile(self, level: int, index: int) -> bytes:
        """Return the tile as last committed; ``b""`` when there is none."""
        return self._state.tiles.get((level, index), b"")

    def statements(self, predicate_type: str) -> Sequence[StatementRow]:
        """Return every entry of this type, oldest first."""
        return [row for row in self._state.statements if row.predicate_type == predicate_type]

    def artifacts(
        self, *, sha256: str | None = None, pixels: str | None = None, index: int | None = None
    ) -> Sequence[ArtifactRow]:
        """Return the rows that match the one criterion given, oldest entry first."""
        criteria = {"sha256": sha256, "pixels": pixels, "index": index}
        wanted = [(name, value) for name, value in criteria.items() if value is not None]
        if len(wanted) != 1:
            raise ValueError("give exactly one of sha256, pixels and index")
        ((name, value),) = wanted
        found = [row for row in self._state.artifacts if getattr(row, name) == value]
        return sorted(found, key=lambda row: (row.index, row.role != "subject", row.position))


class MemoryOpeningStore:
    """See ``ports.OpeningStore``."""

    def __init__(self) -> None:
        self._openings: dict[str, str] = {}

    def put(self, openings: Mapping[str, str]) -> None:
        """Keep ``digest -> disclosure``. A digest that is there keeps its disclosure."""
        self._openings = {**openings, **self._openings}

    def get(self, digest: str) -> str | None:
        """Return the disclosure, or ``None``."""
        return self._openings.get(digest)


class MemoryManifestStore:
    """See ``ports.ManifestStore``."""

    def __init__(self) -> None:
        self._stores: dict[str, bytes] = {}

    def put(self, sha256: str, store: bytes) -> None:
        """Keep the store; the same asset's newer store replaces the older."""
        self._stores[parse_sha256(sha256)] = store

    def get(self, sha256: str) -> bytes | None:
        """Return the store, or ``None``."""
        return self._stores.get(parse_sha256(sha256))


class MemoryPublication:
    """See ``ports.Publication``. ``files`` may be looked at and tampered with."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def get(self, path: str) -> bytes | None:
        """Return the published file, or ``None``."""
        return self.files.get(path)

    def put_immutable(self, path: str, data: bytes) -> None:
        """Publish a file that never changes."""
        if self.files.setdefault(path, data) != data:
            raise IntegrityError("log.conflict", "Other bytes are published under this name.", path=path)

    def put(self, path: str, data: bytes) -> None:
        """Publish a file that does change."""
        self.files[path] = data


class MemoryLastSigned:
    """See ``sequence.LastSigned``."""

    def __init__(self) -> None:
        self.checkpoint: bytes | None = None

    def read(self) -> bytes | None:
        """Return the recorded checkpoint, or ``None``."""
        return self.checkpoint

    def write(self, checkpoint: bytes) -> None:
        """Record the checkpoint. A larger one that is there already stays."""
        last = self.checkpoint
        if last is None or parse_checkpoint(last).size < parse_checkpoint(checkpoint).size:
            self.checkpoint = checkpoint
