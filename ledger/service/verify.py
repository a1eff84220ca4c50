"""Verify a file: read what it is and what it carries, ask the ledger if there is one, and judge.

Nothing here raises for what is wrong with the *file's claims*: that is what the report is for. It raises only
when there is no file to judge (``file.*``).
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from ledger.core.containers.jumbf import MAX_STORE
from ledger.core.manifest import Reading
from ledger.core.policy import Policy
from ledger.core.predicates import Seal
from ledger.core.report import VerificationReport
from ledger.core.trust import TrustRoot
from ledger.core.verify import Asked, Examined, Sighting, verify
from ledger.errors import RakkanError, UndecidedError
from ledger.ports import Anchors, ArtifactRow, ManifestCodec, PixelReader
from ledger.service import files
from ledger.service.archive import Archive
from ledger.service.evidence import basis, full_evidence
from ledger.service.files import beside
from ledger.service.log.projection import SEALED_FROM
from ledger.service.studio import Studio


def verify_offline(
    codec: ManifestCodec,
    pixels: PixelReader,
    path: Path,
    trust: TrustRoot | None,
    now: datetime,
    sidecar: Path | None = None,
    policy: Policy | None = None,
) -> VerificationReport:
    """Judge a file by itself and a trust root: no database, no network.

    ``policy`` is the verifier's own: how many witnesses must have cosigned the log.
    """
    return verify(examine(codec, pixels, path, trust, sidecar), trust, now, policy=policy)


def verify_online(
    studio: Studio,
    path: Path,
    trust: TrustRoot,
    sidecar: Path | None = None,
    policy: Policy | None = None,
) -> VerificationReport:
    """Judge a file, and ask the ledger for what it knows of its bytes and of its picture."""
    file = examine(studio.codec, studio.pixels, path, trust, sidecar)
    return verify(file, trust, studio.clock.now(), ask(studio, file), policy)


def examine(
    codec: ManifestCodec, pixels: PixelReader, path: Path, trust: TrustRoot | None, sidecar: Path | None
) -> Examined:
    """Read one file: its identity, its media type, its manifest. Raises ``UsageError("file.*")``."""
    # Hashing and reading the manifest both leave Python: on two cores they take the time of the longer one.
    with ThreadPoolExecutor(1) as other:
        identified = other.submit(files.identify, path)
        reading, unreadable = _read(codec, path, trust, sidecar)
        identity = identified.result()
    files.check_unchanged(path, identity)
    return Examined(
        name=path.name,
        sha256=identity.sha256,
        media_type=codec.media_type(path),
        pixels=lambda: pixels.digest(path),
        reading=reading,
        unreadable=unreadable,
    )


def ask(studio: Studio, file: Examined) -> Asked:
    """Return what the ledger knows: by the bytes if it knows them, else by the picture."""
    archive = Archive(studio)
    rows, by = archive.rows(file.sha256), "bytes"
    if not rows and (pixels := _pixels(file)):
        rows, by = studio.entries.artifacts(pixels=pixels), "pixels"
    sightings = tuple(
        Sighting(row.index, row.name, by) for row in reversed(rows) if row.role in ("subject", SEALED_FROM)
    )
    for row in reversed(rows):
        subject = _source(archive, row)
        record = archive.recorded(subject)
        if row.role == "subject" and record is not None:
            found = basis(archive, subject, row.name)
            return Asked(sightings, full_evidence(archive, record, found), subject)
    return Asked(sightings, (), None)


def _pixels(file: Examined) -> str | None:
    try:
        return file.pixels()
    except RakkanError:
        return None  # a damaged picture is known by no other; the report says what is wrong with it


def _source(archive: Archive, row: ArtifactRow) -> str:
    """Return the row's digest, or when its entry is a seal, the digest from before sealing."""
    predicate = archive.studio.statement(row.index).predicate
    return predicate.manifests[row.position].source if isinstance(predicate, Seal) else row.sha256


def _read(
    codec: ManifestCodec, path: Path, trust: TrustRoot | None, sidecar: Path | None
) -> tuple[Reading | None, RakkanError | None]:
    anchors = Anchors(trust.manifest_anchors, trust.timestamp_anchors) if trust else Anchors("", "")
    try:
        if sidecar is not None:
            return codec.read(path, files.read_whole(sidecar, MAX_STORE + 1), anchors), None
        return _embedded_or_beside(codec, path, anchors), None
    except UndecidedError as error:
        return None, error
    except RakkanError as error:
        if error.code.startswith(("file.malformed", "manifest.")):
            return None, error
        raise


def _embedded_or_beside(codec: ManifestCodec, path: Path, anchors: Anchors) -> Reading | None:
    """Read the manifest in the file, else the sidecar beside it: a stale one must not speak for the file."""
    sidecar = beside(path)
    if sidecar is None:
        return codec.read(path, None, anchors)
    with suppress(UndecidedError):
        embedded = codec.read(path, None, anchors)
        if embedded is not None:
            return embedded
    return codec.read(path, files.read_whole(sidecar, MAX_STORE + 1), anchors)
