"""What the use cases need from outside. Each port has one adapter per real thing and a fake in ``testing``.

A port is a promise about behaviour, so each method says what it returns, what it raises, and what is true
on disk when it returns. Nothing here imports anything but the core.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from ledger.core.manifest import ClaimCredential, ManifestPlan, Reading, Sealed


class Clock(Protocol):
    """The time of day."""

    def now(self) -> datetime:
        """Return the present moment: aware, UTC."""


class Signer(Protocol):
    """A private key that signs bytes and never leaves its holder."""

    @property
    def keyid(self) -> str:
        """SHA-256 (hex) of the public key's DER SubjectPublicKeyInfo."""

    @property
    def public_key(self) -> bytes:
        """The public key as DER SubjectPublicKeyInfo."""

    def sign(self, message: bytes) -> bytes:
        """Return the signature: 64 bytes for Ed25519, DER for ECDSA P-256 with SHA-256."""


@dataclass(frozen=True, slots=True)
class Head:
    """The tip of a log: its size, the roots of its perfect subtrees (largest first), its signed checkpoint.

    ``checkpoint`` is the signed note, ``b""`` only while the log is empty. ``epoch`` counts the changes of
    who may move the tip (a new log key, a recovery): a process that opened the log in another epoch may not.
    """

    size: int
    peaks: tuple[bytes, ...]
    checkpoint: bytes
    epoch: int = 0


@dataclass(frozen=True, slots=True)
class ArtifactRow:
    """One subject or material of an entry, as the ``artifact`` projection holds it.

    ``role`` is ``"subject"`` or the material's role; ``position`` counts from 0 within subjects and within
    materials; ``sha256`` and ``pixels`` are hex.
    """

    index: int
    role: str
    position: int
    name: str
    sha256: str
    pixels: str | None


@dataclass(frozen=True, slots=True)
class StatementRow:
    """One entry as the ``statement`` projection holds it: its predicate type and the key that signed it.

    ``sequence`` is its place in the device's own chain of records and ``captured`` the device's time (RFC
    3339); ``None`` for what no device captured.
    """

    index: int
    predicate_type: str
    keyid: str
    sequence: int | None = None
    captured: str | None = None


@dataclass(frozen=True, slots=True)
class ChainRow:
    """One record of a device's chain, as the log has it. ``captured`` and ``received`` are RFC 3339, UTC."""

    keyid: str
    sequence: int
    index: int
    captured: str
    received: str


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """One index with every row that the store keeps of it, as stored: nothing of it was checked."""

    index: int
    leaf_hash: bytes
    envelope: bytes
    statements: tuple[StatementRow, ...]
    artifacts: tuple[ArtifactRow, ...]


class EntryTransaction(Protocol):
    """One writer's view of one log, until the transaction commits or rolls back."""

    def head(self) -> Head:
        """Return the log's tip."""

    def envelope(self, index: int) -> bytes:
        """Return the entry's exact bytes. Raises ``UsageError("log.no-such-entry")``."""

    def statements(self, predicate_types: Sequence[str], start: int) -> Sequence[StatementRow]:
        """Return the entries of these types at ``start`` and after it, oldest first."""

    def indices(self, leaf_hashes: Sequence[bytes]) -> Mapping[bytes, int]:
        """Return the index of each of these leaf hashes that the log already holds."""

    def tile(self, level: int, index: int) -> bytes:
        """Return the tile's hashes as stored, 32 bytes each; ``b""`` when it does not exist yet."""

    def append(self, first: int, entries: Sequence[tuple[bytes, bytes]], received: datetime) -> None:
        """Add ``(leaf hash, envelope)`` pairs at ``first`` and the indices after it."""

    def put_tiles(self, tiles: Mapping[tuple[int, int], bytes]) -> None:
        """Store tiles by ``(level, index)``; a longer one replaces its own prefix."""

    def put_head(self, head: Head) -> None:
        """Move the tip from the one that ``head()`` returned: compare and swap on its size and epoch.

        Raises ``RefusedError("log.fenced")`` when another process has moved it since.
        """

    def project(self, statements: Sequence[StatementRow], artifacts: Sequence[ArtifactRow]) -> None:
        """Add projection rows."""

    def clear_projections(self) -> None:
        """Empty every table that can be recomputed from the entries."""


class EntryStore(Protocol):
    """The entries of one log, and what is computed from them."""

    def begin(self) -> AbstractContextManager[EntryTransaction]:
        """Open the one write transaction: leaving the block makes it durable, an exception undoes it.

        Raises ``RefusedError("log.busy")`` when another process holds it for too long, naming that process
        where it is known, and ``RefusedError("log.frozen")`` for a log that was given up after a fork.
        """

    def freeze(self, reason: str) -> None:
        """Give the log up for ever, durable on return: from now on ``begin`` raises, with this reason."""

    def head(self) -> Head:
        """Return the tip as last committed."""

    def envelope(self, index: int) -> bytes:
        """Return the entry's exact bytes. Raises ``UsageError("log.no-such-entry")``."""

    def envelopes(self, start: int, stop: int) -> Iterator[bytes]:
        """Yield the entries ``start <= index < stop`` in order, without holding them all in memory."""

    def envelopes_at(self, indices: Collection[int]) -> Mapping[int, bytes]:
        """Return the exact bytes of those of these entries that exist, by index."""

    def stored(self, start: int, stop: int) -> Iterator[StoredEntry]:
        """Yield the entries ``start <= index < stop`` that exist, in order, with all their rows."""

    def tiles(self) -> Iterator[tuple[int, int, bytes]]:
        """Yield ``(level, index, hashes)`` of every stored tile, by level, then by index."""

    def beyond(self, size: int) -> str | None:
        """Return the name of a table with a row whose index is not in ``0 <= index < size``, or ``None``.

        Looks at the tables that have a row for each entry or more: entry, statement, artifact.
        """

    def damage(self) -> str | None:
        """Return what the engine underneath finds wrong with its own files, such as an index, or ``None``."""

    def index(self, leaf_hash: bytes) -> int | None:
        """Return the index of the entry with this leaf hash, or ``None``."""

    def tile(self, level: int, index: int) -> bytes:
        """Return the tile as last committed; ``b""`` when there is none."""

    def chains(self) -> Iterator[ChainRow]:
        """Yield every record that a device numbered, by key, then by number, then by index."""

    def statements(self, predicate_type: str, start: int = 0) -> Sequence[StatementRow]:
        """Return every entry of this type at ``start`` and after it, oldest first."""

    def artifacts(
        self, *, sha256: str | None = None, pixels: str | None = None, index: int | None = None
    ) -> Sequence[ArtifactRow]:
        """Return the rows that match the one criterion given, oldest entry first."""


class OpeningStore(Protocol):
    """The erasable side of disclosures: digest to opening. Not in the log; no proof needs a row."""

    def put(self, openings: Mapping[str, str]) -> None:
        """Keep ``digest -> disclosure`` (both base64url, RFC 9901), durable on return."""

    def get(self, digest: str) -> str | None:
        """Return the disclosure, or ``None`` when it was erased or never here."""

    def erase(self, digests: Sequence[str]) -> int:
        """Remove the disclosures of these digests, and return how many there were.

        On return they are gone durably, also from the bytes of the database's files.
        """


class CheckpointStore(Protocol):
    """Checkpoints of one log by tree size, with cosignatures: evidence, which nobody can compute again."""

    def put(self, size: int, checkpoint: bytes) -> None:
        """Keep the checkpoint, durable on return. A later one of the same size replaces the earlier."""

    def newest(self) -> bytes | None:
        """Return the checkpoint of the largest size, or ``None``."""

    def covering(self, size: int) -> bytes | None:
        """Return the checkpoint of the smallest size that is at least ``size``, or ``None``."""

    def below(self, size: int, limit: int) -> Sequence[bytes]:
        """Return the checkpoints of smaller sizes, the largest first, at most so many."""


class ManifestStore(Protocol):
    """Manifest stores by the SHA-256 (hex) of the asset they belong to."""

    def put(self, sha256: str, store: bytes) -> None:
        """Keep the store, durable on return; the same asset's newer store replaces the older."""

    def get(self, sha256: str) -> bytes | None:
        """Return the store, or ``None``."""


class ManifestCodec(Protocol):
    """C2PA manifests: made, embedded and read."""

    def embeds(self, media_type: str) -> bool:
        """Whether this format can carry its manifest inside the file."""

    def media_type(self, path: Path) -> str:
        """Return the media type that the file's first bytes say, else by its extension, else octet-stream."""

    def seal_file(
        self,
        plan: ManifestPlan,
        source: Path,
        target: Path,
        credential: ClaimCredential,
        timestamp_url: str | None = None,
    ) -> Sealed:
        """Write ``source`` with its manifest to ``target`` (which must not exist) and return what it is.

        A manifest that ``source`` already carries becomes the parent ingredient, unless the plan brings the
        same store as an ingredient. ``source`` is only read. On any error ``target`` is removed.
        """

    def seal_digest(
        self, plan: ManifestPlan, sha256: str, credential: ClaimCredential, timestamp_url: str | None = None
    ) -> bytes:
        """Return a manifest store bound to the whole-file SHA-256, for a sidecar. Reads no file."""

    def read(self, path: Path, sidecar: bytes | None, anchors: Anchors) -> Reading | None:
        """Read and validate the embedded manifest, or the sidecar's; ``None`` when there is none.

        Never fetches anything from the network. Raises ``MalformedError`` for a damaged file or store.
        """

    def read_alone(self, store: bytes, anchors: Anchors) -> Reading:
        """Read and validate a manifest without its file. Raises ``MalformedError`` for a damaged store."""

    def store(self, path: Path) -> bytes | None:
        """Return the manifest store embedded in the file as raw bytes, or ``None``."""


@dataclass(frozen=True, slots=True)
class Anchors:
    """PEM trust anchors: whose claims and time stamps are believed; ``lists`` are others', by name."""

    manifest_pem: str
    timestamp_pem: str
    lists: tuple[tuple[str, str], ...] = ()


class PixelReader(Protocol):
    """Decodes pictures to the second identity of a file."""

    def digest(self, path: Path) -> str | None:
        """Return the pixel digest (hex; docs/spec/pixels.md), or ``None`` when nothing here decodes it.

        Raises ``MalformedError("file.malformed")`` when the decoder of its format says that the file is cut
        off or corrupt, and ``UsageError`` (``file.…``) when it cannot be read.
        """

    def frames(self, path: Path) -> list[str] | None:
        """Return the digest (hex) of every picture in the file, in order; as ``digest`` otherwise."""

    def of_frames(self, frames: Sequence[str]) -> str:
        """Return the digest of a file with these pictures, of which there is at least one."""

    def exact(self, path: Path) -> bool:
        """Whether a film keeps RGB pictures as they are: by what it says of its codec and pixel format."""

    def likenesses(self, path: Path) -> list[int] | None:
        """Return 64 bits for every picture in the file, near for pictures that look alike.

        An aid to a search, and no evidence. ``None`` where nothing here decodes the file.
        """


class TimestampAuthority(Protocol):
    """Something that answers RFC 3161 requests over HTTP."""

    def serving(self) -> AbstractContextManager[str]:
        """Answer for as long as the block runs; yields the URL."""


class Publication(Protocol):
    """A place of static files that anyone can read: a directory, later an object store."""

    def get(self, path: str) -> bytes | None:
        """Return the published file, or ``None``."""

    def put_immutable(self, path: str, data: bytes) -> None:
        """Publish a file that never changes. The same bytes again are fine.

        Raises ``IntegrityError("log.conflict")`` when other bytes are already there.
        """

    def swap(self, path: str, old: bytes | None, new: bytes) -> None:
        """Publish a file that does change, atomically, if it still is ``old`` (``None``: not there yet).

        Raises ``RefusedError("log.fenced")`` when something else is there: another publisher was faster.
        """


class PublishedLog(Protocol):
    """Somebody else's published log, to read only. What it answers is not to be trusted."""

    def get(self, path: str) -> bytes | None:
        """Return the published file, or ``None`` when it is not there.

        Raises ``UndecidedError("http.unavailable")`` when nobody can say, and ``MalformedError`` for a file
        that is larger than any of its kind.
        """


class Lease(Protocol):
    """Something that one process at a time may hold, of all that serve one log. It ends with its holder."""

    def take(self) -> bool:
        """Return whether this process holds it now; take it if nobody does. Waits for nobody."""

    def release(self) -> None:
        """Give it up, if this process holds it."""


class Witness(Protocol):
    """Somebody outside who vouches for one view of a log (c2sp.org/tlog-witness)."""

    @property
    def name(self) -> str:
        """The name of its key, as the policy has it."""

    def add_checkpoint(self, old_size: int, proof: Sequence[bytes], checkpoint: bytes) -> bytes:
        """Return the witness's signature lines over the checkpoint, unverified.

        ``proof`` is the consistency proof from ``old_size``. Raises ``core.witness.StaleSizeError`` with the
        size that the witness knows, ``UndecidedError("witness.unavailable")`` for one that cannot be reached
        or does not know the log, and ``IntegrityError("witness.fork")`` when it holds a contradicting
        checkpoint.
        """

    def checkpoint(self, origin: str) -> bytes | None:
        """Return the newest checkpoint that it says it cosigned, unverified; ``None`` before the first one.

        Raises ``UndecidedError("witness.unavailable")``.
        """


class Alarms(Protocol):
    """What must not be forgotten: evidence that somebody has to look at, until they say they did."""

    def sound(self, code: str, message: str, evidence: Mapping[str, bytes]) -> str:
        """Keep the evidence, durable on return, and return where it is kept."""

    def open(self) -> Sequence[str]:
        """Return the alarms nobody has closed yet, oldest first, each as where it is kept."""
