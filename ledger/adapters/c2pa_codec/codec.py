"""``ManifestCodec`` on the C2PA library.

* PNG and JPEG are sealed by our own walk with one read (``onepass``); the other formats that carry a manifest
  by the library; everything else gets a sidecar from ``seal_digest``;
* a manifest that a file came with is validated against the file's real bytes and goes into the new one:
  sealing never loses it, and refuses when it cannot be read;
* limits on a store are enforced before the library sees it, wherever the store can be found without it;
* ``seal_file`` does not flush the disk: the service does, once, before it acknowledges anything.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ledger.adapters.c2pa_codec import detached, files, ingredients, library, onepass
from ledger.adapters.c2pa_codec.definition import Json, Recorded, adopt, check, data_hash, definition
from ledger.adapters.c2pa_codec.locate import WALKS, check_limits
from ledger.adapters.c2pa_codec.reading import reading
from ledger.core.containers import formats
from ledger.core.containers.layout import Range
from ledger.core.manifest import ClaimCredential, ManifestPlan, Reading, Sealed
from ledger.errors import RefusedError, UndecidedError
from ledger.ports import Anchors, Clock

IN_MEMORY = 64 * 1024 * 1024
"""Up to this size the library works on memory: it copies in pieces of 8 KB, each a call into Python."""


@dataclass(frozen=True, slots=True)
class _Inbound:
    """The manifest that a file came with: its store, its active manifest, what the library found just now."""

    store: bytes
    label: str
    results: Json


@dataclass(frozen=True, slots=True)
class _Job:
    """One file to seal."""

    plan: ManifestPlan
    media_type: str
    source: files.Source
    target: Path
    credential: ClaimCredential
    timestamp_url: str | None


class C2paCodec:
    """Makes, embeds and reads manifests.

    ``anchors`` are the studio's own: what ingredients are validated against when they go into a manifest.
    ``clock`` decides whether a certificate may sign.
    """

    def __init__(self, clock: Clock, anchors: Anchors) -> None:
        self._clock = clock
        self._anchors = anchors
        self._lengths = onepass.Lengths()

    def embeds(self, media_type: str) -> bool:
        """Whether this format can carry its manifest inside the file."""
        return media_type in formats.EMBEDS

    def media_type(self, path: Path) -> str:
        """Return the media type that the file's first bytes say, else by its extension, else octet-stream.

        Raises ``UsageError`` (``file.missing``, ``file.unreadable``, ``file.not-a-file``, ``file.empty``).
        """
        with files.source(path) as source:
            return _sniff(source)

    def seal_digest(
        self, plan: ManifestPlan, sha256: str, credential: ClaimCredential, timestamp_url: str | None = None
    ) -> bytes:
        """Return a manifest store bound to the whole-file SHA-256 (hex), for a sidecar. Reads no file.

        Raises ``RefusedError`` (``seal.sign``, ``key.…``, ``certificate.…``, ``timestamp.unavailable``) and
        ``MalformedError`` for an ingredient's store that cannot be read.
        """
        self._check_credential(credential, timestamp_url)
        manifest, inputs = self._prepare(plan, None)
        manifest["assertions"].append(data_hash(bytes.fromhex(sha256), None))
        return library.sign_store(manifest, inputs, credential, timestamp_url)

    def seal_file(
        self,
        plan: ManifestPlan,
        source: Path,
        target: Path,
        credential: ClaimCredential,
        timestamp_url: str | None = None,
    ) -> Sealed:
        """Write ``source`` with its manifest to ``target`` (which must not exist) and return what it is.

        The target is complete but not yet flushed to the disk. A manifest that ``source`` already carries
        becomes an ingredient (``definition.adopt``). ``source`` is only read; on any error ``target`` is
        removed. Raises what ``seal_digest`` does, ``RefusedError`` (``seal.unsupported``, ``target.…``),
        ``MalformedError`` (``file.malformed``, ``manifest.…``) and ``UsageError`` (``file.…``).
        """
        self._check_credential(credential, timestamp_url)
        with files.source(source) as opened:
            media_type = _sniff(opened)
            if media_type not in formats.EMBEDS:
                raise RefusedError(
                    "seal.unsupported", "This format cannot carry its manifest.", format=media_type
                )
            job = _Job(plan, media_type, opened, target, credential, timestamp_url)
            return self._seal_walked(job) if media_type in WALKS else self._seal_by_library(job)

    def read(self, path: Path, sidecar: bytes | None, anchors: Anchors) -> Reading | None:
        """Read and validate the sidecar's manifest, or without one the embedded; ``None`` when there is none.

        Never fetches anything from the network. Raises ``MalformedError`` (``file.malformed``,
        ``manifest.malformed``, ``manifest.too-large``), ``UsageError`` (``file.…``), and
        ``UndecidedError("verify.no-manifest")`` with ``remote_url`` when the file only says where its
        manifest lies.
        """
        with files.source(path) as source:
            media_type = _sniff(source)
            if sidecar is None and media_type not in formats.READS:
                return None
            if sidecar is not None and (found := detached.read(source.file, sidecar, anchors)):
                return found
            asset = _in_memory(source) if media_type in WALKS else source.file
            expected = sidecar is not None or check_limits(media_type, asset)
            with library.reader(media_type, asset, sidecar, anchors, expected=expected) as opened:
                if opened is None:
                    return None
                report = library.detailed(opened)
                store = sidecar or library.raw_store(opened, report["active_manifest"])
                url = library.remote_url(opened)
            embedded = sidecar is None
            framing = _framing(media_type, asset) if embedded else None
            return reading(report, store, framing, embedded=embedded, remote_url=url)

    def read_alone(self, store: bytes, anchors: Anchors) -> Reading:
        """Read and validate a manifest without the file that it is about.

        Raises ``MalformedError`` (``manifest.malformed``, ``manifest.too-large``).
        """
        return detached.read_alone(store, anchors)

    def store(self, path: Path) -> bytes | None:
        """Return the manifest store embedded in the file as raw bytes, or ``None`` when there is none.

        ``None`` also for a format that carries none (an EXR), and for a file that only refers to a manifest
        elsewhere. Raises as ``read`` does. The bytes are not validated.
        """
        with files.source(path) as source:
            media_type = _sniff(source)
            if media_type in WALKS:
                return WALKS[media_type](source.file.readall()).store
            if media_type not in formats.READS:
                return None
            inbound = self._inbound(media_type, source.file)
            return None if inbound is None else inbound.store

    def _check_credential(self, credential: ClaimCredential, timestamp_url: str | None) -> None:
        identity = library.identity(credential, timestamp_url)
        now = self._clock.now()
        if now < identity.not_before:
            raise RefusedError(
                "certificate.not-yet-valid", "The certificate is not valid yet.", since=identity.not_before
            )
        if now > identity.not_after:
            raise RefusedError(
                "certificate.expired", "The certificate has expired.", since=identity.not_after
            )

    def _prepare(self, plan: ManifestPlan, inbound: _Inbound | None) -> tuple[Json, list[Recorded]]:
        """Return the definition without its hard binding, and its ingredients, validated."""
        now = self._clock.now()
        if inbound is not None:
            plan = adopt(plan, inbound.store, now)
        check(plan)
        hour = now.strftime("%Y-%m-%dT%H")
        inputs: list[Recorded] = []
        for position, ingredient in enumerate(plan.ingredients):
            # One that brings a digest is about other bytes, whoever carried its manifest into these.
            if inbound is not None and ingredient.store == inbound.store and ingredient.sha256 is None:
                seen = (inbound.store, inbound.label, inbound.results)
                inputs.append(ingredients.with_store(position, ingredient, *seen))
            else:
                inputs.append(ingredients.record(position, ingredient, self._anchors, hour))
        return definition(plan, inputs), inputs

    def _inbound(self, media_type: str, asset: IO[bytes]) -> _Inbound | None:
        """Return the manifest that the asset carries, validated against its bytes; the asset is rewound."""
        expected = check_limits(media_type, asset)
        try:
            with library.reader(media_type, asset, None, self._anchors, expected=expected) as opened:
                if opened is None:
                    return None
                report = library.detailed(opened)
                store = library.raw_store(opened, report["active_manifest"])
        except UndecidedError:
            return None  # it only says where its manifest lies: that mark stays in the bytes
        finally:
            asset.seek(0)
        return _Inbound(store, report["active_manifest"], report["validation_results"])

    def _seal_walked(self, job: _Job) -> Sealed:
        data = job.source.file.readall()
        layout = WALKS[job.media_type](data)
        inbound = None if layout.store is None else self._inbound(job.media_type, io.BytesIO(data))
        manifest, inputs = self._prepare(job.plan, inbound)
        shape = (job.media_type, job.credential.chain_pem, job.timestamp_url, *_sizes(manifest, inputs))
        assertions = manifest["assertions"]

        def sign(digest: bytes, exclusion: tuple[int, int]) -> bytes:
            manifest["assertions"] = [*assertions, data_hash(digest, exclusion)]
            return library.sign_store(manifest, inputs, job.credential, job.timestamp_url)

        pieces = onepass.seal(data, layout, sign, self._lengths, shape)
        with files.target(job.target) as out:
            files.write(out, pieces.parts)
            job.source.check_unchanged()
        return Sealed(pieces.store, pieces.bound.hex())

    def _seal_by_library(self, job: _Job) -> Sealed:
        asset = _in_memory(job.source)
        manifest, inputs = self._prepare(job.plan, self._inbound(job.media_type, asset))
        with files.target(job.target) as out:
            work: IO[bytes] = io.BytesIO() if isinstance(asset, io.BytesIO) else out
            task = library.Asset(job.media_type, asset, work)
            store = library.sign_into(manifest, inputs, job.credential, job.timestamp_url, task)
            if isinstance(work, io.BytesIO):
                files.write(out, (work.getvalue(),))
            job.source.check_unchanged()
        return Sealed(store, None)


def _sniff(source: files.Source) -> str:
    head = source.file.read(formats.HEAD)
    source.file.seek(0)
    return formats.sniff(head, source.path.name)


def _in_memory(source: files.Source) -> IO[bytes]:
    """Return the file as bytes in memory, or the file itself where it is too large for that."""
    if source.opened.st_size > IN_MEMORY:
        return source.file
    return io.BytesIO(source.file.readall())


def _framing(media_type: str, asset: IO[bytes]) -> tuple[Range, ...] | None:
    """Return where the manifest lies, for a format that our own walk knows and that has one."""
    if media_type not in WALKS:
        return None
    asset.seek(0)
    return WALKS[media_type](asset.read()).removed or None


def _sizes(manifest: Json, inputs: list[Recorded]) -> tuple[int, ...]:
    """Return what a store's length depends on. A collision costs one more signature, nothing else."""
    return (len(json.dumps(manifest)), *(len(data) for recorded in inputs for _, data in recorded.resources))
