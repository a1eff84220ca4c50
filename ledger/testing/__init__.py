"""The ports in memory, for tests: ours and those of whoever builds on the library.

* A fake keeps the promises of its port that a caller can see; contract tests hold it to the same suite as
  the real adapter. It keeps nothing when the process ends.
* ``SeedSigner`` signs with a key that anyone can derive. Never use it for anything but tests.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ledger.core.checkpoint import parse_checkpoint
from ledger.core.digest import parse_sha256, sha256_hex
from ledger.core.tiles import check_published_path
from ledger.errors import IntegrityError, RefusedError, UsageError
from ledger.ports import ArtifactRow, ChainRow, EntryTransaction, Head, StatementRow, StoredEntry


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

    def envelope(self, index: int) -> bytes:
        """Return the entry's exact bytes."""
        return _envelope(self._state, index)

    def statements(self, predicate_types: Sequence[str], start: int) -> Sequence[StatementRow]:
        """Return the entries of these types at ``start`` and after it, oldest first."""
        rows = self._state.statements
        return [row for row in rows if row.predicate_type in predicate_types and row.index >= start]

    def put_head(self, head: Head) -> None:
        """Move the tip. No other writer can have moved it: a transaction holds the store's only lock."""
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


def _envelope(state: _State, index: int) -> bytes:
    if not 0 <= index < len(state.entries):
        raise UsageError("log.no-such-entry", "The log has no such entry.", index=index)
    return state.entries[index][1]


class MemoryEntryStore:
    """See ``ports.EntryStore``. A transaction works on a copy that replaces the rows when it commits."""

    def __init__(self) -> None:
        self._state = _State()
        self._lock = threading.Lock()
        self._frozen: str | None = None

    def freeze(self, reason: str) -> None:
        """Give the log up for ever."""
        self._frozen = reason

    @contextmanager
    def begin(self) -> Iterator[MemoryEntryTransaction]:
        """Open the one write transaction."""
        if self._frozen is not None:
            raise RefusedError("log.frozen", f"This log was given up: {self._frozen}")
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
        return _envelope(self._state, index)

    def envelopes(self, start: int, stop: int) -> Iterator[bytes]:
        """Yield the entries ``start <= index < stop`` that exist, in order."""
        for _, envelope, _ in self._state.entries[start:stop]:
            yield envelope

    def envelopes_at(self, indices: Collection[int]) -> Mapping[int, bytes]:
        """Return the exact bytes of those of these entries that exist."""
        entries = self._state.entries
        return {index: entries[index][1] for index in indices if 0 <= index < len(entries)}

    def stored(self, start: int, stop: int) -> Iterator[StoredEntry]:
        """Yield the entries ``start <= index < stop`` that exist, with all their rows."""
        state = self._state
        for index, (leaf, envelope, _) in enumerate(state.entries[start:stop], start):
            yield StoredEntry(
                index,
                leaf,
                envelope,
                tuple(row for row in state.statements if row.index == index),
                tuple(row for row in state.artifacts if row.index == index),
            )

    def tiles(self) -> Iterator[tuple[int, int, bytes]]:
        """Yield ``(level, index, hashes)`` of every stored tile, by level, then by index."""
        for (level, index), hashes in sorted(self._state.tiles.items()):
            yield level, index, hashes

    def beyond(self, size: int) -> str | None:
        """Return the name of a table with a row whose index is not in ``0 <= index < size``."""
        state = self._state
        if len(state.entries) > size:
            return "entry"
        if any(not 0 <= row.index < size for row in state.statements):
            return "statement"
        return "artifact" if any(not 0 <= row.index < size for row in state.artifacts) else None

    def damage(self) -> str | None:
        """Return what the store itself finds wrong: nothing."""
        return None

    def index(self, leaf_hash: bytes) -> int | None:
        """Return the index of the entry with this leaf hash, or ``None``."""
        return self._state.indices.get(leaf_hash)

    def tile(self, level: int, index: int) -> bytes:
        """Return the tile as last committed; ``b""`` when there is none."""
        return self._state.tiles.get((level, index), b"")

    def chains(self) -> Iterator[ChainRow]:
        """Yield every record that a device numbered, by key, then by number, then by index."""
        found = [row for row in self._state.statements if row.sequence is not None]
        for row in sorted(found, key=lambda row: (row.keyid, row.sequence, row.index)):
            received = self._state.entries[row.index][2].astimezone(UTC).isoformat()
            yield ChainRow(row.keyid, row.sequence or 0, row.index, row.captured or "", received)

    def statements(self, predicate_type: str, start: int = 0) -> Sequence[StatementRow]:
        """Return every entry of this type at ``start`` and after it, oldest first."""
        rows = self._state.statements
        return [row for row in rows if row.predicate_type == predicate_type and row.index >= start]

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

    def erase(self, digests: Sequence[str]) -> int:
        """Remove the disclosures of these digests, and return how many there were."""
        return sum(self._openings.pop(digest, None) is not None for digest in set(digests))


class MemoryCheckpointStore:
    """See ``ports.CheckpointStore``."""

    def __init__(self) -> None:
        self._checkpoints: dict[int, bytes] = {}

    def put(self, size: int, checkpoint: bytes) -> None:
        """Keep the checkpoint."""
        self._checkpoints[size] = checkpoint

    def newest(self) -> bytes | None:
        """Return the checkpoint of the largest size, or ``None``."""
        return self._checkpoints[max(self._checkpoints)] if self._checkpoints else None

    def covering(self, size: int) -> bytes | None:
        """Return the checkpoint of the smallest size that is at least ``size``, or ``None``."""
        found = min((held for held in self._checkpoints if held >= size), default=None)
        return None if found is None else self._checkpoints[found]

    def below(self, size: int, limit: int) -> Sequence[bytes]:
        """Return the checkpoints of smaller sizes, the largest first, at most so many."""
        held = sorted((held for held in self._checkpoints if held < size), reverse=True)
        return [self._checkpoints[each] for each in held[:limit]]


class MemoryAlarms:
    """See ``ports.Alarms``. ``sounded`` may be looked at and emptied."""

    def __init__(self) -> None:
        self.sounded: dict[str, Mapping[str, bytes]] = {}

    def sound(self, code: str, message: str, evidence: Mapping[str, bytes]) -> str:
        """Keep the evidence."""
        name = f"{len(self.sounded) + 1}-{code}"
        self.sounded[name] = evidence
        return name

    def open(self) -> Sequence[str]:
        """Return the alarms nobody has closed yet."""
        return list(self.sounded)


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
        self._lock = threading.Lock()

    def get(self, path: str) -> bytes | None:
        """Return the published file, or ``None``."""
        check_published_path(path)
        return self.files.get(path)

    def put_immutable(self, path: str, data: bytes) -> None:
        """Publish a file that never changes."""
        check_published_path(path)
        if self.files.setdefault(path, data) != data:
            raise IntegrityError("log.conflict", "Other bytes are published under this name.", path=path)

    def swap(self, path: str, old: bytes | None, new: bytes) -> None:
        """Publish a file that does change, if it still is ``old``."""
        check_published_path(path)
        with self._lock:
            if self.files.get(path) != old:
                raise RefusedError("log.fenced", "Another publisher was faster.", path=path)
            self.files[path] = new


class MemoryLastSigned:
    """See ``guard.LastSigned``."""

    def __init__(self) -> None:
        self.checkpoint: bytes | None = None

    def read(self) -> bytes | None:
        """Return the recorded checkpoint, or ``None``."""
        return self.checkpoint

    def damaged(self) -> bool:
        """Whether a part of the record is damaged: never."""
        return False

    def write(self, checkpoint: bytes) -> None:
        """Record the checkpoint. A larger one that is there already stays."""
        last = self.checkpoint
        if last is None or parse_checkpoint(last).size <= parse_checkpoint(checkpoint).size:
            self.checkpoint = checkpoint


class AdmitAll:
    """An admission that takes whatever ``project`` can read. See ``admission.Admission``."""

    def __init__(self, project: Callable[[int, bytes], tuple[StatementRow, list[ArtifactRow]]]) -> None:
        self.project = project

    def prepare(self, envelope: bytes) -> bytes:
        """Return the entry as it is."""
        return envelope

    def turn(self, transaction: EntryTransaction, size: int) -> AdmitAll:
        """Return itself: it has nothing to remember."""
        return self

    def admit(self, index: int, prepared: bytes) -> tuple[StatementRow, list[ArtifactRow]]:
        """Return the rows of the entry."""
        return self.project(index, prepared)

    def keep(self, size: int) -> None:
        """Do nothing."""
